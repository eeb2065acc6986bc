/* The codes of a dimension, and which are margins of which. */
#include <stdio.h>

#include "tools/extract/calendar.h"
#include "tools/extract/query.h"

static enum err
room(struct query *q, struct dimension *d, uint32_t nodes)
{
	if (nodes > 2 * EXTRACT_CODES_MAX)
		return E_LIMIT;
	d->codes = arena_alloc(&q->arena, (nodes + 1u) * sizeof(*d->codes));
	d->parent = arena_alloc(&q->arena, (nodes + 1u) * sizeof(*d->parent));
	return d->codes == NULL || d->parent == NULL ? E_NO_MEMORY : E_OK;
}

static uint32_t
add(struct dimension *d, const char *code, uint32_t parent)
{
	uint32_t n = d->cube.node_count++;

	d->codes[n] = code;
	d->parent[n] = parent;
	d->cube.parent = d->parent;
	if (code != NULL)
		d->cube.code_count++;
	return n;
}

/* ---- areas ---- */

/* The areas within scope, each before those below it. */
static uint32_t *
areas_in_scope(struct query *q, uint32_t scope, uint32_t *count)
{
	uint32_t *in = arena_alloc(&q->arena, (area_count(q->areas) + 1u) * sizeof(*in)),
		 at = scope;

	*count = 0;
	while (in != NULL) {
		in[(*count)++] = at;
		if (area_at(q->areas, at)->first_child != AREA_NONE) {
			at = area_at(q->areas, at)->first_child;
			continue;
		}
		while (at != scope && area_at(q->areas, at)->next_sibling == AREA_NONE)
			at = area_at(q->areas, at)->parent;
		if (at == scope)
			break;
		at = area_at(q->areas, at)->next_sibling;
	}
	return in;
}

static enum err
all_levels(struct query *q, struct dimension *d, const uint32_t *in, uint32_t count)
{
	uint32_t *node = arena_alloc(&q->arena, (area_count(q->areas) + 1u) * sizeof(*node)), i;
	enum err e;

	if (node == NULL || (e = room(q, d, 2 * count)) != E_OK)
		return node == NULL ? E_NO_MEMORY : e;
	for (i = 0; i < count; i++) {
		const struct area *a = area_at(q->areas, in[i]);

		node[in[i]] = add(d, a->code, i == 0 ? CUBE_NONE : node[a->parent]);
		d->base_of_area[in[i]] = node[in[i]];
	}
	/* What lies in an area itself, and in none below it, has no row of its own. */
	for (i = 0; i < count; i++)
		if (area_at(q->areas, in[i])->first_child != AREA_NONE)
			d->base_of_area[in[i]] = add(d, NULL, node[in[i]]);
	return E_OK;
}

/* Areas of one level; `in` has parents first, so what lies below an area of the level finds its
 * node there. */
static enum err
one_level(struct query *q, struct dimension *d, const uint32_t *in, uint32_t count,
	  const char *level, struct why *why)
{
	uint32_t i;
	enum err e;

	if ((e = room(q, d, count + 1)) != E_OK)
		return e;
	(void)add(d, CODE_TOTAL, CUBE_NONE);
	for (i = 0; i < count; i++) {
		const struct area *a = area_at(q->areas, in[i]);

		if (a->parent != AREA_NONE && d->base_of_area[a->parent] != CUBE_NONE)
			d->base_of_area[in[i]] = d->base_of_area[a->parent];
		else if (strcmp(a->level, level) == 0)
			d->base_of_area[in[i]] = add(d, a->code, 0);
	}
	if (d->cube.code_count == 1)
		return why_set(why, E_USAGE, "there is no area of the level \"%s\" in %s", level,
			       q->scope);
	return E_OK;
}

enum err
dimension_areas(struct query *q, struct dimension *d, const char *level, struct why *why)
{
	uint32_t scope = area_find(q->areas, q->scope), n = area_count(q->areas), count, i;
	uint32_t *in;

	if (scope == AREA_NONE)
		return why_set(why, E_AREA_UNKNOWN, "%s", q->scope);
	if ((in = areas_in_scope(q, scope, &count)) == NULL ||
	    (d->base_of_area = arena_alloc(&q->arena, (n + 1u) * sizeof(*d->base_of_area))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < n; i++)
		d->base_of_area[i] = CUBE_NONE;
	return level == NULL ? all_levels(q, d, in, count) : one_level(q, d, in, count, level, why);
}

/* ---- times ---- */

enum err
dimension_times(struct query *q, struct dimension *d, int32_t first_day, int32_t last_day,
		struct why *why)
{
	bool month = d->kind == DIMENSION_MONTH;
	int32_t first = calendar_month_of(first_day), last = calendar_month_of(last_day), i;
	enum err e;

	if (!month) {
		first /= 12;
		last /= 12;
	}
	if (last - first >= 10000)
		return why_set(why, E_LIMIT, "a period of more than 10000 %s",
			       month ? "months" : "years");
	if ((e = room(q, d, (uint32_t)(last - first) + 2)) != E_OK)
		return e;
	d->first = first;
	(void)add(d, CODE_TOTAL, CUBE_NONE);
	for (i = first; i <= last; i++) {
		char text[32];

		if (month)
			(void)snprintf(text, sizeof(text), "%04d-%02d", (int)(i / 12),
				       (int)(i % 12) + 1);
		else
			(void)snprintf(text, sizeof(text), "%04d", (int)i);
		if (add(d, arena_str(&q->arena, text, strlen(text)), 0) == 0)
			return E_INTERNAL;
	}
	return E_OK;
}

/* ---- choices ---- */

static bool
has_code(const struct dimension *d, const char *code)
{
	uint32_t i;

	for (i = 0; i < d->cube.code_count; i++)
		if (strcmp(d->codes[i], code) == 0)
			return true;
	return false;
}

/* The choices of every version, the newest version's first: a retired choice still has its records.
 */
enum err
dimension_choices(struct query *q, struct peer *p, struct dimension *d, struct why *why)
{
	struct form_entry *entry, *first;
	uint32_t margin = CUBE_NONE;
	size_t room_for = 2, i;
	enum err e;

	pthread_rwlock_rdlock(&p->lock);
	first = p->forms; /* the list only grows at its head */
	pthread_rwlock_unlock(&p->lock);
	for (entry = first; entry != NULL; entry = entry->next) {
		size_t f = form_field_find(entry->form, d->field.path);

		if (strcmp(form_id(entry->form), form_id(q->form->form)) == 0 && f != SIZE_MAX)
			room_for += form_choice_count(entry->form, f);
	}
	if (room_for == 2)
		return why_set(
		    why, E_USAGE,
		    "the choices of %s are in a file, so it cannot be a dimension (take area)",
		    d->field.path);
	if (room_for > EXTRACT_CODES_MAX || (e = room(q, d, (uint32_t)room_for)) != E_OK)
		return room_for > EXTRACT_CODES_MAX
			   ? why_set(why, E_LIMIT, "the choices of %s", d->field.path)
			   : e;
	if (!d->multiple) /* a record under two codes would be in a total twice */
		margin = add(d, CODE_TOTAL, CUBE_NONE);
	for (entry = first; entry != NULL; entry = entry->next) {
		size_t f = form_field_find(entry->form, d->field.path);

		if (strcmp(form_id(entry->form), form_id(q->form->form)) != 0 || f == SIZE_MAX)
			continue;
		for (i = 0; i < form_choice_count(entry->form, f); i++)
			if (!has_code(d, form_choice_name(entry->form, f, i)))
				(void)add(d, form_choice_name(entry->form, f, i), margin);
	}
	(void)add(d, CODE_NONE, margin);
	return E_OK;
}
