/*
 * The programme's own forms at work: each compiles, takes its samples, and refuses each bad line
 * for the reason that stands beside it. FORM.bad.txt has, line by line, "ERROR REF: why".
 */
#include "schemas/answers.h"
#include "tests/check.h"
#include "tests/programme.h"

#define FAULTS_MAX 32u

static const struct answer_env env = {
    .now_ms = 1795312800000, /* 2026-11-22 */
    .zone_minutes = 420,
    .seed = 7,
    .device_id = "",
    .username = "",
    .area = "SM09010101",
};

/* All faults of one line of JSON, those of the finished form included. */
static size_t
faults_of(struct answers *a, const char *json, struct answer_fault *faults)
{
	size_t count = 0, more = 0;

	if (answers_set_json(a, json, strlen(json), faults, FAULTS_MAX / 2, &count) == E_OK)
		CHECK(count == 0);
	if (count > FAULTS_MAX / 2)
		count = FAULTS_MAX / 2;
	answers_check(a, faults + count, FAULTS_MAX / 2, &more);
	return count + (more > FAULTS_MAX / 2 ? FAULTS_MAX / 2 : more);
}

/* What was answered survives packing and unpacking, in both groups. */
static void
packs_and_unpacks(const struct form *form, const struct field_value *values, size_t count)
{
	struct arena arena;
	struct why why = {0};
	int identifying;

	for (identifying = 0; identifying < 2; identifying++) {
		struct field_value *back = NULL;
		struct writer w;
		size_t back_count = 0, i, k, same = 0, wanted = 0;

		arena_init(&arena, ROOM);
		writer_heap_init(&w, ROOM);
		CHECK_MSG(form_pack(form, identifying, values, count, &w, &why) == E_OK, "%s",
			  why.thing);
		CHECK_MSG(form_unpack(form, identifying, writer_view(&w), &arena, &back,
				      &back_count, &why) == E_OK,
			  "%s", why.thing);
		for (i = 0; i < count; i++) {
			wanted += values[i].identifying == (identifying != 0);
			for (k = 0; k < back_count; k++)
				same += values[i].identifying == back[k].identifying &&
					memcmp(&values[i].key, &back[k].key, sizeof(back[k].key)) ==
					    0 &&
					bytes_equal(values[i].value, back[k].value);
		}
		CHECK_MSG(same == wanted && back_count == wanted, "%zu of %zu, %zu", same, wanted,
			  back_count);
		writer_free(&w);
		arena_free(&arena);
	}
}

static void
good_line(const struct form *form, const char *json, unsigned line)
{
	struct answer_fault faults[FAULTS_MAX];
	struct field_value *values = NULL;
	struct answers *a = NULL;
	struct arena arena;
	struct why why = {0};
	size_t i, n, count = 0;

	REQUIRE(answers_new(&a, form, &env, &why) == E_OK);
	n = faults_of(a, json, faults);
	for (i = 0; i < n; i++)
		CHECK_MSG(false, "%s line %u: %s %s: %s", form_id(form), line,
			  err_name(faults[i].e), faults[i].ref, faults[i].message);
	arena_init(&arena, ROOM);
	CHECK(answers_values(a, &arena, &values, &count) == E_OK && count > 0);
	packs_and_unpacks(form, values, count);
	arena_free(&arena);
	answers_free(a);
}

static void
samples_are_taken(void)
{
	size_t i;

	for (i = 0; i < FORM_COUNT; i++) {
		struct form *form = compile(forms[i].id);
		struct writer text;
		char name[64], *line, *rest = NULL;
		unsigned number = 0;

		REQUIRE(form != NULL);
		snprintf(name, sizeof(name), "samples/%s", forms[i].id);
		read_file(&text, name, ".jsonl");
		writer_cstr(&text);
		for (line = strtok_r((char *)text.p, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			good_line(form, line, ++number);
		CHECK(number >= 5);
		writer_free(&text);
		form_free(form);
	}
}

/* Is it this field? A key that the form does not know may be told as it was written, inside its
 * row. */
static bool
names(const char *got, const char *ref)
{
	size_t n = strlen(got), all = strlen(ref);

	return strcmp(got, ref) == 0 ||
	       (n > 0 && n < all && ref[all - n - 1] == '/' && strcmp(ref + all - n, got) == 0);
}

static void
bad_line(const struct form *form, const char *json, const char *reason, unsigned line)
{
	struct answer_fault faults[FAULTS_MAX];
	struct answers *a = NULL;
	char e[64] = "", ref[160] = "";
	struct why why = {0};
	size_t i, n;
	bool found = false;

	REQUIRE(sscanf(reason, "%63s %159[^:]", e, ref) == 2);
	REQUIRE(answers_new(&a, form, &env, &why) == E_OK);
	n = faults_of(a, json, faults);
	for (i = 0; i < n; i++)
		found =
		    found || (strcmp(err_name(faults[i].e), e) == 0 && names(faults[i].ref, ref));
	CHECK_MSG(found, "%s bad line %u (%s), found %zu: %s %s", form_id(form), line, reason, n,
		  n ? err_name(faults[0].e) : "", n ? faults[0].ref : "");
	answers_free(a);
}

static void
bad_lines_are_refused(void)
{
	size_t i;

	for (i = 0; i < FORM_COUNT; i++) {
		struct form *form = compile(forms[i].id);
		struct writer text, reasons;
		char name[64], *line, *reason, *rest = NULL, *reason_rest = NULL;
		unsigned number = 0;

		REQUIRE(form != NULL);
		snprintf(name, sizeof(name), "samples/%s", forms[i].id);
		read_file(&text, name, ".bad.jsonl");
		read_file(&reasons, name, ".bad.txt");
		writer_cstr(&text);
		writer_cstr(&reasons);
		line = strtok_r((char *)text.p, "\n", &rest);
		reason = strtok_r((char *)reasons.p, "\n", &reason_rest);
		for (; line != NULL && reason != NULL; line = strtok_r(NULL, "\n", &rest),
						       reason = strtok_r(NULL, "\n", &reason_rest))
			bad_line(form, line, reason, ++number);
		CHECK_MSG(line == NULL && reason == NULL, "%s: a reason for each line",
			  forms[i].id);
		CHECK(number >= 10);
		writer_free(&reasons);
		writer_free(&text);
		form_free(form);
	}
}

/* The n-th sample of a form, answered; the caller frees both. */
static struct answers *
answered(const char *id, unsigned n, struct form **form)
{
	struct answers *a = NULL;
	struct answer_fault faults[FAULTS_MAX];
	struct writer text;
	char name[64], *line, *rest = NULL;

	*form = compile(id);
	if (*form == NULL)
		return NULL;
	snprintf(name, sizeof(name), "samples/%s", id);
	read_file(&text, name, ".jsonl");
	writer_cstr(&text);
	for (line = strtok_r((char *)text.p, "\n", &rest); line && --n;
	     line = strtok_r(NULL, "\n", &rest))
		;
	if (line != NULL && answers_new(&a, *form, &env, NULL) == E_OK)
		CHECK(faults_of(a, line, faults) == 0);
	writer_free(&text);
	return a;
}

/* What the forms work out for themselves. */
static void
calculations(void)
{
	static const struct {
		const char *form;
		unsigned sample;
		const char *ref, *want;
	} rows[] = {
	    {"F1_committee", 1, "score", "10"},
	    {"F1_committee", 3, "score", "1"},
	    {"F2_situation", 1, "cadence", "monthly"},
	    {"F2_situation", 2, "children_n", "3"},
	    {"F2_situation", 3, "children_n", "4"},
	    {"F2_situation", 3, "concern[1]/elders_flag", "no"},
	    {"F2_situation", 3, "concern[2]/elders_flag", "yes"},
	    {"F2_situation", 5, "cadence", "weekly"},
	    {"F3_departures", 1, "departure[1]/child_marriage", "no"},
	    {"F3_departures", 3, "departure[1]/child_marriage", "yes"},
	    {"F4_referral", 1, "urgent/urgency_effective", "within_week"},
	    {"F4_referral", 2, "urgent/urgency", "within_72h"},
	    {"F4_referral", 2, "urgent/urgency_effective", "immediate_24h"},
	    {"F9_session", 2, "participation/feedback_overdue", "no"},
	    {"F9_session", 4, "participation/feedback_overdue", "yes"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct form *form;
		struct answers *a = answered(rows[i].form, rows[i].sample, &form);

		REQUIRE(a != NULL);
		CHECK_MSG(strcmp(answers_get(a, rows[i].ref), rows[i].want) == 0,
			  "%s %u %s: \"%s\"", rows[i].form, rows[i].sample, rows[i].ref,
			  answers_get(a, rows[i].ref));
		answers_free(a);
		form_free(form);
	}
}

/* Seven digits and two that check them: the whole number leaves 1 when divided by 97 (ISO 7064). */
static void
referral_code_checks(void)
{
	struct form *form;
	struct answers *a = answered("F4_referral", 1, &form);
	char code[32], digits[16];
	size_t i, n = 0;

	REQUIRE(a != NULL);
	snprintf(code, sizeof(code), "%s", answers_get(a, "referral_code"));
	CHECK_MSG(strlen(code) == 11 && code[3] == '-' && code[8] == '-', "%s", code);
	for (i = 0; code[i] != '\0' && n < sizeof(digits) - 1; i++)
		if (code[i] != '-')
			digits[n++] = code[i];
	digits[n] = '\0';
	CHECK_MSG(n == 9 && strtol(digits, NULL, 10) % 97 == 1, "%s", code);
	/* Drawn once: another answer does not change it. */
	answers_set(a, "mode", "phone", &(struct answer_fault){0});
	CHECK_STR(answers_get(a, "referral_code"), code);
	answers_free(a);
	form_free(form);
}

/* A blank form begins with the month before this one. */
static void
last_month_is_the_default(void)
{
	struct answers *a = NULL;
	struct form *form = compile("F2_situation");

	REQUIRE(form != NULL);
	REQUIRE(answers_new(&a, form, &env, NULL) == E_OK);
	CHECK_STR(answers_get(a, "period"), "2026-10-01");
	answers_free(a);
	form_free(form);
}

CHECK_MAIN(T(samples_are_taken), T(bad_lines_are_refused), T(calculations), T(referral_code_checks),
	   T(last_month_is_the_default))
