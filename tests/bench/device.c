#include "tests/bench/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/answers.h"

#define FILL_MAX 64u

static uint64_t state = 88172645463325252u;

static unsigned
pick(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 16) % n);
}

/* ---- a return ---- */

static const char *const selects[] = {"sex",         "age_band",   "school",       "work_kind",
				      "found_by",    "first_seen", "urgency",      "relation",
				      "place",       "carer",      "birth_papers", "consent",
				      "referred_to", "follow_up",  "language",     "ethnic"};
static const char *const choices[] = {"alpha", "beta", "gamma", "delta", "epsilon",
				      "zeta",  "eta",  "theta", "iota"};
static const char *const integers[] = {"siblings", "visits", "weeks", "household"};
static const char *const words[] = {
    "mother",  "works",  "the",    "border", "market",  "since",  "rainy",   "season", "aunt",
    "says",    "school", "closed", "river",  "came",    "back",   "with",    "older",  "brother",
    "wants",   "to",     "talk",   "next",   "week",    "house",  "near",    "pagoda", "road",
    "nobody",  "saw",    "her",    "after",  "harvest", "temple", "phone",   "lost",   "papers",
    "village", "head",   "knows",  "family", "moved",   "quarry", "fishing", "boat"};

static int
note(char *out, size_t n)
{
	int at = snprintf(out, n, ",\"note\":\"");

	while (at < 9 + 56)
		at += snprintf(out + at, n - (size_t)at, "%s%s", at > 9 ? " " : "",
			       words[pick(sizeof(words) / sizeof(words[0]))]);
	return at + snprintf(out + at, n - (size_t)at, "\"");
}

static size_t
fill(char *out, size_t n)
{
	int at = snprintf(out, n, "{\"outcome\":\"%s\"", choices[pick(9)]);
	size_t i;

	for (i = 0; i < sizeof(selects) / sizeof(selects[0]); i++)
		at += snprintf(out + at, n - (size_t)at, ",\"%s\":\"%s\"", selects[i],
			       choices[pick((unsigned)((i + 1) % 5 + 1) + 4)]);
	for (i = 0; i < 4; i++)
		at += snprintf(out + at, n - (size_t)at, ",\"%s\":%u", integers[i], pick(12));
	at += snprintf(
	    out + at, n - (size_t)at,
	    ",\"seen_on\":\"2026-%02u-%02u\",\"told_on\":\"2026-%02u-%02u\",\"worries\":[\"%s\",\"%s\"],"
	    "\"services\":[\"%s\"]",
	    1 + pick(11), 1 + pick(28), 1 + pick(11), 1 + pick(28), choices[pick(3)],
	    choices[3 + pick(4)], choices[pick(8)]);
	if (pick(100) < 60)
		at += note(out + at, n - (size_t)at);
	return (size_t)(at + snprintf(out + at, n - (size_t)at, "}"));
}

/* ---- a device ---- */

void
bench_stage(struct stage *s, const char *banyan)
{
	stage_begin(s, banyan);
	bench_form(s);
}

void
bench_form(struct stage *s)
{
	const char *banyan = s->banyan;
	char form[400];

	stage_node(s, NULL, 0);
	(void)snprintf(form, sizeof(form), "%s/tests/bench/case26.md", s->source);
	{
		const char *add[] = {banyan, "form",       "add",       s->node,
				     form,   "--key-file", s->key_file, NULL};
		const char *train[] = {banyan,   "form",       "train",     s->node,
				       "case26", "--key-file", s->key_file, NULL};

		free(run_ok(add));
		free(run_ok(
		    train)); /* by made-up answers: it knows nothing of those that are measured */
	}
}

const char *
bench_area(unsigned n)
{
	static char area[16];

	(void)snprintf(area, sizeof(area), "SM090101%02u", 1 + n % 10);
	return area;
}

char *
device_invite(struct stage *s, const char *name, const char *area, const char *address)
{
	const char *argv[] = {s->banyan, "invite",     s->node,     "--role", "member",
			      "--area",  area,         "--name",    name,     "--address",
			      address,   "--key-file", s->key_file, NULL};

	return run_ok(argv);
}

static void
key_read(const struct stage *s, uint8_t key[32])
{
	FILE *f = fopen(s->key_file, "rb");

	if (f == NULL || fread(key, 1, 32, f) != 32 || fclose(f) != 0)
		die("%s", s->key_file);
}

struct peer *
device_open(struct stage *s, const char *name)
{
	uint8_t key[32];
	struct unlock unlock = {.key_file = BYTES(key, 32)};
	struct why why = {.e = E_OK};
	struct peer *p;
	char path[300];

	key_read(s, key);
	(void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	if (peer_open(&p, path, &unlock, &why) != E_OK)
		die("%s cannot be opened", path);
	return p;
}

struct peer *
device_join(struct stage *s, const char *name, const char *line, struct link_result *result)
{
	uint8_t key[32];
	struct unlock unlock = {.key_file = BYTES(key, 32)};
	struct invite invite;
	struct why why = {.e = E_OK};
	struct peer *p;
	char path[300], sentence[400];

	key_read(s, key);
	(void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	if (invite_decode(line, &invite, &why) != E_OK ||
	    enrol_prepare(&p, path, &unlock, &invite, &why) != E_OK ||
	    link_join(p, &invite, result, &why) != E_OK)
		die("%s cannot join: %s", name, why_sentence(&why, sentence, sizeof(sentence)));
	return p;
}

static void
fill_some(struct peer *p, struct sealer *sealer, unsigned count, bool urgent)
{
	struct answer_env env = {.now_ms = (int64_t)peer_now_s(p) * 1000,
				 .device_id = "",
				 .username = "",
				 .area = peer_self(p)->area};
	struct finished finished[FILL_MAX];
	struct form_entry *form = peer_form(p, "case26");
	struct arena arena;
	struct why why = {.e = E_OK};
	unsigned i;

	memset(finished, 0, sizeof(finished));
	arena_init(&arena, 64u << 20);
	for (i = 0; i < count; i++) {
		struct finished *f = &finished[i];
		struct answer_fault fault;
		struct field_value *values;
		struct answers *a;
		size_t faults, n;
		char json[4000];

		n = fill(json, sizeof(json));
		if (form == NULL || answers_new(&a, form->form, &env, &why) != E_OK)
			die("no form");
		if (answers_set_json(a, json, n, &fault, 1, &faults) != E_OK)
			die("%s: %s %s", json, fault.ref, fault.message);
		if (answers_values(a, &arena, &values, &f->value_count) != E_OK)
			die("no memory");
		f->form = form;
		f->values = values;
		f->area = peer_self(p)->area;
		f->urgent = urgent;
		f->time_s = peer_now_s(p);
		answers_free(a);
	}
	if (outbox_finish(sealer, finished, count, &why) != E_OK)
		die("outbox: %s", why.thing);
	arena_free(&arena);
}

void
device_fill(struct peer *p, unsigned count, unsigned each)
{
	struct sealer sealer;
	unsigned done;

	sealer_init(&sealer, p, peer_self(p));
	for (done = 0; done < count; done += each)
		fill_some(p, &sealer, count - done < each ? count - done : each, false);
	sealer_wipe(&sealer);
}

void
device_fill_urgent(struct peer *p)
{
	struct sealer sealer;

	sealer_init(&sealer, p, peer_self(p));
	fill_some(p, &sealer, 1, true);
	sealer_wipe(&sealer);
}

void
device_sync(struct peer *p, struct link_result *result)
{
	struct why why = {.e = E_OK};
	char sentence[400];

	if (link_sync(p, 0, result, &why) != E_OK)
		die("cannot sync: %s", why_sentence(&why, sentence, sizeof(sentence)));
}

/* ---- targets ---- */

bool
target_print(const char *key, double figure)
{
	bool met = false;

	char line[300], name[40], unit[16], what[160], sign;
	double target, bar;
	FILE *f = fopen(SOURCE_DIR "/tests/bench/targets.txt", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		const char *verdict;

		if (sscanf(line, "%39s %c%lf %15s %159[^\n]", name, &sign, &target, unit, what) !=
			5 ||
		    strcmp(name, key) != 0)
			continue;
		bar = sign == '<' ? 2 * target : target / 2;
		met = sign == '<' ? figure <= target : figure >= target;
		if (met)
			verdict = "met";
		else
			verdict =
			    (sign == '<' ? figure <= bar : figure >= bar) ? "within 2x" : "MISSED";
		printf("%-62s %9.1f %-4s %s%-7g %s%-7g %s\n", what, figure, unit,
		       sign == '<' ? "<=" : ">=", target, sign == '<' ? "<=" : ">=", bar, verdict);
		(void)fflush(stdout);
	}
	if (f != NULL)
		(void)fclose(f);
	return met;
}
