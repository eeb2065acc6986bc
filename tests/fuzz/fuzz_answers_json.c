/*
 * The bytes as one line of `banyan submit` for a fixed form: faults or a record, never both, never
 * a hang. Where they begin with '=', '+', '-' or '?', as lines of what a person does one after the
 * other: "=question=answer", "+repeat" and "-row", and "?stop", a walk on from it. A record is read
 * again, and is one.
 */
#include "tests/fuzz/fuzz_form_fixed.h"

#define WALK_MAX 3 /* stops; each works the form out anew */
#define LINES_MAX 10

static void
walk(struct answers *a, const char *from)
{
	struct answer_view view = {.stop = STOP_QUESTION}, before;
	char ref[sizeof(view.ref)];
	size_t i, k;

	if (answers_next(a, from, &view) != E_OK)
		return;
	for (i = 0; view.stop != STOP_END && i < WALK_MAX; i++) {
		MUST(view.label != NULL && view.hint != NULL && view.value != NULL);
		for (k = 0; k < view.choice_count; k++)
			MUST(answers_choice_name(a, k) != NULL &&
			     answers_choice_label(a, k) != NULL);
		memcpy(ref, view.ref, sizeof(ref));
		MUST(answers_next(a, ref, &view) == E_OK);
		MUST(answers_back(a, view.stop == STOP_END ? "" : view.ref, &before) == E_OK ||
		     view.stop == STOP_END);
	}
}

static void
act(struct answers *a, char *line)
{
	struct answer_fault fault = {.e = E_OK};
	enum err e = E_OK;
	char *text;

	if (line[0] == '=' && (text = strchr(line + 1, '=')) != NULL) {
		*text++ = '\0';
		e = answers_set(a, line + 1, text, &fault);
		MUST(e != E_OK || answers_get(a, line + 1) != NULL);
	} else if (line[0] == '+') {
		e = answers_add_row(a, line + 1, &fault);
	} else if (line[0] == '-') {
		e = answers_remove_row(a, line + 1, &fault);
	} else if (line[0] == '?') {
		walk(a, line + 1);
	} else {
		(void)answers_row_count(a, line);
	}
	MUST(e == E_OK || (fault.e == e && fault.message[0] != '\0'));
}

static enum err
by_lines(struct answers *a, const uint8_t *data, size_t size)
{
	struct arena arena;
	char *line, *next;
	size_t i;

	arena_init(&arena, 1u << 20);
	if ((line = arena_str(&arena, (const char *)data, size)) == NULL)
		return E_LIMIT;
	for (i = 0; line != NULL && i < LINES_MAX; i++, line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		act(a, line);
	}
	arena_free(&arena);
	return E_OK;
}

static void
again(struct answers *a)
{
	struct answer_fault faults[4];
	struct field_value *values;
	struct answers *same;
	struct arena arena;
	size_t n, count;

	arena_init(&arena, 8u << 20);
	MUST(answers_values(a, &arena, &values, &count) == E_OK);
	MUST(answers_from_values(&same, fixed_form(), &fixed_env, values, count, NULL) == E_OK);
	MUST(answers_check(same, faults, 4, &n) == E_OK);
	answers_free(same);
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer_fault faults[4];
	struct answers *a;
	size_t n = 0, i;
	enum err e;

	MUST(answers_new(&a, fixed_form(), &fixed_env, NULL) == E_OK);
	if (size > 0 && memchr("=+-?", data[0], 4) != NULL)
		e = by_lines(a, data, size);
	else
		e = answers_set_json(a, (const char *)data, size, faults, 4, &n);
	MUST((e == E_OK) == (n == 0) || e == E_LIMIT);
	for (i = 0; i < n && i < 4; i++)
		MUST(faults[i].e != E_OK && faults[i].message[0] != '\0');
	if (e == E_OK && answers_check(a, faults, 4, &n) == E_OK)
		again(a);
	answers_free(a);
	return 0;
}
