#include "schemas/answers_random.h"

#include <stdio.h>

#include "schemas/form_inside.h"

#define TRIES_MAX 24u      /* of one question */
#define WHOLE_TRIES_MAX 8u /* of a questionnaire */
#define STOPS_MAX 2000u    /* a form that never ends, because a row asks for another */
#define ROWS_LIKELY_MAX 4u

struct dice {
	uint64_t state;
	const uint32_t *const *weights;
	const struct answer_env *env;
};

static uint64_t
draw(struct dice *d)
{
	uint64_t z = (d->state += 0x9e3779b97f4a7c15u); /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static size_t
below(struct dice *d, size_t n)
{
	return n == 0 ? 0 : (size_t)(draw(d) % n);
}

/* ---- one answer as text ---- */

static void
date_text(int64_t ms, bool month, char *out, size_t cap)
{
	int64_t z = ms / 86400000 + 719468, era = z / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t m = mp < 10 ? mp + 3 : mp - 9, day = month ? 1 : doy - (153 * mp + 2) / 5 + 1;

	(void)snprintf(out, cap, "%04lld-%02lld-%02lld", (long long)(yoe + era * 400 + (m <= 2)),
		       (long long)m, (long long)day);
}

static int
whole_number(struct dice *d, unsigned attempt)
{
	static const size_t spans[] = {4, 2, 10, 40, 100, 1000};
	int64_t year = 1970 + d->env->now_ms / 31556952000;

	if (attempt % 7 == 6)
		return (int)(year - (int64_t)below(d, 30));
	return (int)below(d, spans[attempt % 7 < 6 ? attempt % 6 : 0]);
}

static void
words(struct dice *d, unsigned attempt, char *out, size_t cap)
{
	static const char *const some[] = {"near",   "the",    "school", "went",  "market",
					   "two",    "house",  "river",  "asked", "mother",
					   "with",   "uncle",  "not",    "seen",  "since",
					   "monday", "talked", "family", "work"};
	size_t n = attempt % 3 == 0 ? 2 + below(d, 8) : 1, used = 0, i;

	if (attempt % 3 == 2) {
		(void)snprintf(out, cap, "%c%c-%04u", (char)('A' + below(d, 26)),
			       (char)('A' + below(d, 26)), (unsigned)below(d, 10000));
		return;
	}
	out[0] = '\0';
	for (i = 0; i < n && used + 12 < cap; i++)
		used += (size_t)snprintf(out + used, cap - used, "%s%s", i > 0 ? " " : "",
					 some[below(d, sizeof(some) / sizeof(some[0]))]);
	if (attempt % 6 == 4)
		out[3] = '\0';
}

static void
simple_text(struct dice *d, const struct form *form, const struct answer_view *v, unsigned attempt,
	    char *out, size_t cap)
{
	enum value_kind kind = form->more[v->field].kind;
	int64_t past = d->env->now_ms - (int64_t)below(d, 300) * 86400000;
	bool month = strstr(v->appearance, "month") != NULL || attempt % 2 == 1;

	out[0] = '\0';
	if (form->fields[v->field].type == QUESTION_ACKNOWLEDGE)
		(void)snprintf(out, cap, "OK");
	else if (form->fields[v->field].type == QUESTION_GEOPOINT)
		(void)snprintf(out, cap, "%u.%04u %u.%04u 0 0", (unsigned)below(d, 60),
			       (unsigned)below(d, 10000), (unsigned)below(d, 120),
			       (unsigned)below(d, 10000));
	else if (form->fields[v->field].type == QUESTION_TIME)
		(void)snprintf(out, cap, "%02u:%02u", (unsigned)below(d, 24),
			       (unsigned)below(d, 60));
	else if (kind == VALUE_INTEGER)
		(void)snprintf(out, cap, "%d", whole_number(d, attempt));
	else if (kind == VALUE_DECIMAL)
		(void)snprintf(out, cap, "%d.%u", whole_number(d, attempt),
			       (unsigned)below(d, 2) * 5);
	else if (kind == VALUE_DATE)
		date_text(past, month, out, cap);
	else if (kind == VALUE_MOMENT) {
		date_text(past, false, out, cap);
		(void)snprintf(out + 10, cap - 10, "T%02u:%02u:00.000Z", (unsigned)below(d, 24),
			       (unsigned)below(d, 60));
	} else if (kind == VALUE_TEXT)
		words(d, attempt, out, cap);
}

/* A choice of those offered, by weight where weights are known. */
static const char *
one_choice(struct dice *d, struct answers *a, const struct form *form, const struct answer_view *v)
{
	const uint32_t *weights = d->weights == NULL ? NULL : d->weights[v->field];
	const struct form_choices *all = form->more[v->field].choices;
	uint64_t total = 0, at;
	size_t i;

	if (weights == NULL || all == NULL)
		return answers_choice_name(a, below(d, v->choice_count));
	for (i = 0; i < v->choice_count; i++) {
		size_t place = form_choices_find(all, answers_choice_name(a, i),
						 strlen(answers_choice_name(a, i)));

		total += 1u + (place == SIZE_MAX ? 0 : weights[place]);
	}
	at = draw(d) % total;
	for (i = 0; i < v->choice_count; i++) {
		size_t place = form_choices_find(all, answers_choice_name(a, i),
						 strlen(answers_choice_name(a, i)));
		uint64_t w = 1u + (place == SIZE_MAX ? 0 : weights[place]);

		if (at < w)
			break;
		at -= w;
	}
	return answers_choice_name(a, i);
}

static void
choices_text(struct dice *d, struct answers *a, const struct form *form,
	     const struct answer_view *v, unsigned attempt, char *out, size_t cap)
{
	bool several = form->more[v->field].kind == VALUE_CHOICES;
	size_t want = !several || attempt % 2 == 1 ? 1 : 1 + below(d, 3), used = 0, i;

	out[0] = '\0';
	if (form->fields[v->field].type == QUESTION_RANK) {
		for (i = 0; i < v->choice_count && used + 64 < cap; i++)
			used += (size_t)snprintf(out + used, cap - used, "%s%.60s",
						 i > 0 ? " " : "", answers_choice_name(a, i));
		return;
	}
	for (i = 0; i < want && used + 64 < cap; i++) {
		const char *name = one_choice(d, a, form, v);
		char padded[70], whole[70];

		(void)snprintf(padded, sizeof(padded), " %.60s ", name);
		(void)snprintf(whole, sizeof(whole), " ");
		if (used > 0) {
			char sofar[1024];

			(void)snprintf(sofar, sizeof(sofar), " %.1000s ", out);
			if (strstr(sofar, padded) != NULL)
				continue; /* each once */
		}
		used += (size_t)snprintf(out + used, cap - used, "%s%.60s", used > 0 ? whole : "",
					 name);
	}
}

/* ---- the questionnaire ---- */

static void
answer(struct dice *d, struct answers *a, const struct form *form, const struct answer_view *v)
{
	struct answer_fault fault;
	char text[1100];
	unsigned attempt;

	if (v->readonly || form->more[v->field].kind == VALUE_NONE ||
	    (v->value[0] != '\0' && below(d, 4) != 0) || /* a default stands, mostly */
	    (!v->required && below(d, 2) == 0))
		return;
	for (attempt = 0; attempt < TRIES_MAX; attempt++) {
		if (v->choice_count > 0)
			choices_text(d, a, form, v, attempt, text, sizeof(text));
		else
			simple_text(d, form, v, attempt, text, sizeof(text));
		if (text[0] == '\0' || answers_set(a, v->ref, text, &fault) == E_OK)
			return;
	}
	(void)answers_set(a, v->ref, "", &fault);
}

static enum err
once(struct dice *d, struct answers **out, const struct form *form, const struct answer_env *env)
{
	struct answer_fault fault;
	struct answer_view v;
	char ref[160] = "", before[160] = "";
	struct answers *a;
	size_t stops = 0, faults = 0;
	enum err e = answers_new(&a, form, env, NULL);

	*out = NULL;
	if (e != E_OK)
		return e;
	while (stops++ < STOPS_MAX && answers_next(a, ref, &v) == E_OK && v.stop != STOP_END) {
		(void)snprintf(before, sizeof(before), "%s", ref);
		(void)snprintf(ref, sizeof(ref), "%s", v.ref);
		if (v.stop == STOP_QUESTION)
			answer(d, a, form, &v);
		else if (v.stop == STOP_ADD_ROW && answers_row_count(a, ref) < ROWS_LIKELY_MAX &&
			 below(d, 3) == 0 && answers_add_row(a, ref, &fault) == E_OK)
			(void)snprintf(ref, sizeof(ref), "%s",
				       before); /* the new row comes before this stop */
	}
	answers_set_now(a, env->now_ms);
	if ((e = answers_check(a, &fault, 1, &faults)) == E_OK) {
		*out = a;
		return E_OK;
	}
	answers_free(a);
	return e == E_NO_MEMORY ? e : E_ABSENT;
}

enum err
answers_random(struct answers **out, const struct form *form, const struct answer_env *env,
	       const struct answer_dice *dice)
{
	struct dice d = {.state = dice->seed, .weights = dice->weights, .env = env};
	struct answer_env own = *env;
	unsigned tries;
	enum err e = E_ABSENT;

	for (tries = 0; tries < WHOLE_TRIES_MAX && e == E_ABSENT; tries++) {
		own.seed = draw(&d);
		e = once(&d, out, form, &own);
	}
	return e;
}
