#include "tests/e2e/returns.h"

#include <stdio.h>
#include <string.h>

const char *const return_kinds[RETURN_KINDS] = {"training", "awareness", "campaign_event",
						"supervision"};

/* xorshift: the same seed fills the same province. */
static unsigned
pick(uint64_t *state, unsigned n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (unsigned)((*state >> 16) % n);
}

static const char *
one_of(uint64_t *r, const char *const *of, unsigned n)
{
	return of[pick(r, n)];
}

size_t
return_situation(uint64_t *r, char *out, size_t n)
{
	static const char *const kind[] = {"hazardous_work", "neglect", "physical_abuse",
					   "missing"};
	static const char *const sex[] = {"female", "male"}, *const band[] = {"5_9", "10_11",
									      "12_14", "15_17"};
	static const char *const group[] = {
	    "[\"out_of_school\"]", "[\"working_child\",\"ethnic_minority\"]", "[\"none_seen\"]"};
	unsigned i, rows = pick(r, 4);
	int at = snprintf(
	    out, n,
	    "{\"period\":\"2025-%02u-01\",\"mode\":\"face_to_face\",\"nothing_to_report\":\"%s\"",
	    1 + pick(r, 12), rows == 0 ? "yes" : "no");

	if (rows > 0)
		at += snprintf(
		    out + at, n - (size_t)at,
		    ",\"village/school_dropouts_f\":%u,\"village/school_dropouts_m\":%u,"
		    "\"village/new_families_in\":%u,\"village/families_out\":%u,"
		    "\"village/strangers_recruiting\":\"no\",\"village/hazards\":[\"none\"],\"concern\":[",
		    pick(r, 9), pick(r, 9), pick(r, 5), pick(r, 5));
	for (i = 0; i < rows; i++)
		at += snprintf(
		    out + at, n - (size_t)at,
		    "%s{\"kind\":\"%s\",\"sex\":\"%s\",\"age_band\":\"%s\",\"n\":%u,\"of_which_group\":%s,"
		    "\"setting\":[\"workplace\"],\"response\":[\"talked_family\"],\"confidence\":\"seen\"}",
		    i > 0 ? "," : "", one_of(r, kind, 4), one_of(r, sex, 2), one_of(r, band, 4),
		    1 + pick(r, 10), one_of(r, group, 3));
	return (size_t)(at + snprintf(out + at, n - (size_t)at, "%s}", rows > 0 ? "]" : ""));
}

size_t
return_session(uint64_t *r, const char **kind, char *out, size_t n)
{
	static const char *const who[] = {"[\"parents\"]", "[\"committee\",\"teachers\"]",
					  "[\"general\"]"};
	unsigned f = pick(r, 60), m = pick(r, 60), tested = pick(r, f + m + 1);
	int at;

	*kind = one_of(r, return_kinds, 4);
	at = snprintf(
	    out, n,
	    "{\"kind\":\"%s\",\"topic\":[\"child_rights\",\"referral\"],\"audience\":%s,"
	    "\"date\":\"2025-%02u-%02u\",\"hours\":%u.5,\"people/people_f\":%u,\"people/people_m\":%u,"
	    "\"people/people_child_f\":0,\"people/people_child_m\":0,\"people/first_time_n\":%u,"
	    "\"facilitator_org\":\"district\",\"mode\":\"phone\"",
	    *kind, one_of(r, who, 3), 1 + pick(r, 12), 1 + pick(r, 28), pick(r, 9), f, m,
	    pick(r, f + m + 1));
	if (strcmp(*kind, "supervision") != 0)
		at += snprintf(
		    out + at, n - (size_t)at,
		    ",\"materials\":[{\"kind_of\":\"leaflet\",\"language\":\"km\",\"n\":%u}]",
		    pick(r, 90));
	if (strcmp(*kind, "training") == 0)
		at += snprintf(out + at, n - (size_t)at, ",\"tests/n_tests\":%u%s", tested,
			       tested > 0 ? ",\"tests/pre_mean\":48.5,\"tests/post_mean\":76" : "");
	return (size_t)(at + snprintf(out + at, n - (size_t)at, "}"));
}
