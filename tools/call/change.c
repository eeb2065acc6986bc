#include "tools/call/change.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/pack.h"
#include "schemas/answers.h"

#define FAULTS_MAX 64u

static enum err
put(struct change *g, const struct field_value *v)
{
	size_t at = g->count;

	if (g->count == CHANGE_FIELDS_MAX)
		return E_LIMIT;
	for (; at > 0 && g->values[at - 1].key.v > v->key.v; at--)
		g->values[at] = g->values[at - 1];
	g->values[at] = *v;
	g->count++;
	return E_OK;
}

static const struct field_value *
find(const struct field_value *values, size_t count, const struct field_value *like)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (values[i].key.v == like->key.v && values[i].identifying == like->identifying)
			return &values[i];
	return NULL;
}

enum err
change_add(struct change *g, const char *pair, struct why *why)
{
	const char *equals = strchr(pair, '=');
	struct field_value v;
	char path[300];
	size_t field;
	enum err e;

	if (equals == NULL || equals == pair)
		return why_set(why, E_USAGE, "\"%.100s\" is not FIELD=VALUE", pair);
	(void)snprintf(path, sizeof(path), "%.*s", (int)(equals - pair), pair);
	if ((e = form_value_parse(g->form, path, equals + 1, g->arena, &v, why)) != E_OK)
		return e;
	field = form_field_find(g->form, path);
	if (form_field(g->form, field)->calculated || form_field(g->form, field)->metadata)
		return why_set(why, E_ANSWER_READONLY, "%s", path);
	if (find(g->values, g->count, &v) != NULL)
		return why_set(why, E_USAGE, "%s is set twice", path);
	if ((e = put(g, &v)) != E_OK)
		return why_set(why, E_USAGE, "more than %u fields are set at once",
			       CHANGE_FIELDS_MAX);
	return E_OK;
}

enum err
change_add_lines(struct change *g, struct bytes text, struct why *why)
{
	size_t at = 0;
	enum err e = E_OK;

	while (at < text.n && e == E_OK) {
		const uint8_t *end = memchr(text.p + at, '\n', text.n - at);
		size_t n = end == NULL ? text.n - at : (size_t)(end - text.p) - at;
		size_t keep = n > 0 && text.p[at + n - 1] == '\r' ? n - 1 : n;
		char *line = arena_str(g->arena, (const char *)text.p + at, keep);

		if (line == NULL)
			return E_NO_MEMORY;
		if (memchr(text.p + at, 0, keep) != NULL)
			return why_set(why, E_USAGE, "the file of --set-file is no text");
		if (line[0] != '\0')
			e = change_add(g, line, why);
		at += n + 1;
	}
	return e;
}

static enum err
check_values(const struct form *form, const struct answer_env *env,
	     const struct field_value *values, size_t count, struct answers **answers,
	     struct answer_fault *faults, size_t *fault_count, struct why *why)
{
	enum err e = answers_from_values(answers, form, env, values, count, why);

	*fault_count = 0;
	if (e == E_OK)
		(void)answers_check(*answers, faults, FAULTS_MAX, fault_count);
	if (*fault_count > FAULTS_MAX)
		*fault_count = FAULTS_MAX;
	return e;
}

/* What the form works out anew from the changed answers. */
static enum err
add_worked_out(struct change *g, struct answers *answers, const struct record_row *row)
{
	struct field_value *values;
	size_t i, count;
	enum err e = answers_values(answers, g->arena, &values, &count);

	for (i = 0; e == E_OK && i < count; i++) {
		size_t field = form_field_find_key(g->form, values[i].key);
		const struct field_value *old = find(row->values, row->value_count, &values[i]);

		if (field == SIZE_MAX || !form_field(g->form, field)->calculated ||
		    (old != NULL && bytes_equal(old->value, values[i].value)) ||
		    find(g->values, g->count, &values[i]) != NULL)
			continue;
		e = put(g, &values[i]);
	}
	return e;
}

static enum err
refuse_new(const struct answer_fault *was, size_t was_count, const struct answer_fault *now,
	   size_t now_count, struct why *why)
{
	size_t i, k;

	for (i = 0; i < now_count; i++) {
		for (k = 0; k < was_count; k++)
			if (was[k].e == now[i].e && strcmp(was[k].ref, now[i].ref) == 0)
				break;
		if (k == was_count)
			return why_set(why, now[i].e,
				       now[i].e == E_ANSWER_CONSTRAINT ? "%s: %s" : "%s",
				       now[i].ref, now[i].message);
	}
	return E_OK;
}

enum err
change_check(struct change *g, struct peer *p, const struct record_row *row, size_t lang,
	     struct why *why)
{
	struct answer_env env = {.now_ms = (int64_t)peer_now_s(p) * 1000,
				 .device_id = "",
				 .username = "",
				 .area = row->area,
				 .lang = lang};
	struct answer_fault *was = calloc(2 * FAULTS_MAX, sizeof(*was)), *now = was + FAULTS_MAX;
	struct field_value *values = calloc(row->value_count + g->count + 1, sizeof(*values));
	struct answers *before = NULL, *after = NULL;
	size_t i, n = 0, was_count, now_count;
	enum err e = E_NO_MEMORY;

	if (was == NULL || values == NULL)
		goto done;
	for (i = 0; i < row->value_count; i++)
		if (find(g->values, g->count, &row->values[i]) == NULL)
			values[n++] = row->values[i];
	for (i = 0; i < g->count; i++)
		if (!(g->values[i].value.n == 1 && g->values[i].value.p[0] == 0xc0))
			values[n++] = g->values[i];
	if ((e = check_values(g->form, &env, values, n, &after, now, &now_count, why)) != E_OK)
		goto done;
	if (check_values(g->form, &env, row->values, row->value_count, &before, was, &was_count,
			 NULL) != E_OK)
		was_count = 0;
	if ((e = refuse_new(was, was_count, now, now_count, why)) == E_OK)
		e = add_worked_out(g, after, row);
done:
	answers_free(before);
	answers_free(after);
	free(values);
	free(was);
	return e;
}

static enum err
write_map(const struct change *g, bool identifying, struct bytes *out)
{
	uint32_t count = 0;
	struct writer w;
	size_t i;
	enum err e;

	for (i = 0; i < g->count; i++)
		count += g->values[i].identifying == identifying;
	*out = BYTES_NONE;
	if (count == 0)
		return E_OK;
	writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX);
	pack_map(&w, count);
	for (i = 0; i < g->count; i++)
		if (g->values[i].identifying == identifying) {
			pack_u64(&w, g->values[i].key.v);
			writer_bytes(&w, g->values[i].value);
		}
	if ((e = writer_end(&w)) == E_OK &&
	    (*out = arena_bytes(g->arena, writer_view(&w))).p == NULL)
		e = E_NO_MEMORY;
	writer_free(&w);
	return e;
}

bool
change_is_in(const struct change *g, const struct revision_row *row)
{
	size_t i, k;

	for (i = 0; i < g->count; i++) {
		for (k = 0; k < row->m.field_count; k++)
			if (row->m.fields[k].key.v == g->values[i].key.v &&
			    row->m.fields[k].identifying == g->values[i].identifying &&
			    bytes_equal(row->m.fields[k].value, g->values[i].value))
				break;
		if (k == row->m.field_count)
			return false;
	}
	return true;
}

enum err
change_body(const struct change *g, struct revision_body *body)
{
	enum err e;

	body->kind = REVISION_AMEND;
	if ((e = write_map(g, false, &body->answers)) != E_OK)
		return e;
	return write_map(g, true, &body->identifying);
}
