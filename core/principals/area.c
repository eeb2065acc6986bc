#include "core/principals/area.h"

#include <stdlib.h>

#include "core/crypto/crypto.h"
#include "core/fault.h"
#include "core/pack.h"

#define TABLE_VERSION 1u

struct area_table {
	uint32_t count;
	struct area *rows;
	struct area_name *names; /* of all rows, in order */
	size_t name_count, name_cap;
	char *text; /* every string, each with its zero */
	size_t text_n;
	uint32_t *slots; /* open addressing: row + 1, or 0 */
	uint32_t slot_mask;
	uint64_t seed; /* so that nobody can choose codes that all fall into one slot */
};

void
area_table_free(struct area_table *t)
{
	if (t == NULL)
		return;
	free(t->rows);
	free(t->names);
	free(t->text);
	free(t->slots);
	free(t);
}

static uint32_t
slot_of(const struct area_table *t, const char *code)
{
	uint64_t h = t->seed;

	for (; *code != '\0'; code++) {
		h = (h ^ (uint8_t)*code) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return (uint32_t)(h >> 32) & t->slot_mask;
}

uint32_t
area_find(const struct area_table *t, const char *code)
{
	uint32_t at = slot_of(t, code);

	for (; t->slots[at] != 0; at = (at + 1) & t->slot_mask)
		if (strcmp(t->rows[t->slots[at] - 1].code, code) == 0)
			return t->slots[at] - 1;
	return AREA_NONE;
}

/* A string out of the reader into the table's text; "" and a failed reader if it is not
 * fit. */
static const char *
take_text(struct area_table *t, struct reader *r, size_t bytes_max)
{
	char *at = t->text + t->text_n;

	/* A string takes at least its head's byte more in the packed form than here
	 * without its zero. */
	reader_text(r, at, bytes_max + 1, false);
	if (r->e != E_OK)
		return "";
	t->text_n += strlen(at) + 1;
	return at;
}

static enum err
take_names(struct area_table *t, struct reader *r, struct area *row)
{
	uint32_t i, count = reader_array(r);

	if (r->e == E_OK && count > AREA_NAMES_MAX)
		return E_LIMIT;
	if (t->name_count + count > t->name_cap) {
		size_t cap = 2 * t->name_cap + count + 64;
		struct area_name *names =
		    fault_point() ? NULL : realloc(t->names, cap * sizeof(*names));

		if (names == NULL)
			return E_NO_MEMORY;
		t->names = names;
		t->name_cap = cap;
	}
	row->name_count = count;
	for (i = 0; i < count && r->e == E_OK; i++) {
		struct area_name *n = &t->names[t->name_count++];

		reader_array_of(r, 2);
		n->lang = take_text(t, r, LANG_BYTES_MAX);
		n->name = take_text(t, r, NAME_BYTES_MAX);
	}
	return E_OK;
}

/* The rows' own fields; parents and the tree follow. */
static enum err
take_rows(struct area_table *t, struct reader *r, struct why *why)
{
	uint32_t i;
	size_t at = 0;

	for (i = 0; i < t->count; i++) {
		struct area *row = &t->rows[i];
		uint64_t parent;
		enum err e;

		*row = (struct area){.first_child = AREA_NONE, .next_sibling = AREA_NONE};
		reader_array_of(r, 5);
		row->code = take_text(t, r, AREA_CODE_BYTES_MAX);
		parent = reader_u64(r);
		row->level = take_text(t, r, NAME_BYTES_MAX);
		row->name = take_text(t, r, NAME_BYTES_MAX);
		e = take_names(t, r, row);
		if (e == E_LIMIT)
			return why_set(why, E_AREA_TABLE, "row %u (%s): too many languages",
				       (unsigned)i + 1, row->code);
		if (e != E_OK)
			return e;
		if (r->e != E_OK)
			return why_set(why, r->e, "area table, row %u", (unsigned)i + 1);
		if (parent > t->count)
			return why_set(why, E_AREA_TABLE, "row %u (%s): there is no such parent",
				       (unsigned)i + 1, row->code);
		row->parent = parent == 0 ? AREA_NONE : (uint32_t)parent - 1;
	}
	for (i = 0; i < t->count; i++) { /* the array of names may have moved while it grew */
		t->rows[i].names =
		    at == 0 ? t->names : t->names + at; /* there may be none at all */
		at += t->rows[i].name_count;
	}
	return E_OK;
}

static enum err
index_codes(struct area_table *t, struct why *why)
{
	uint32_t i, at, size = 4;

	while (size < 2 * t->count)
		size *= 2;
	if (fault_point() || (t->slots = calloc(size, sizeof(*t->slots))) == NULL)
		return E_NO_MEMORY;
	t->slot_mask = size - 1;
	crypto_random(&t->seed, sizeof(t->seed));
	for (i = 0; i < t->count; i++) {
		if (area_find(t, t->rows[i].code) != AREA_NONE)
			return why_set(why, E_AREA_TABLE, "row %u: the code %s is there twice",
				       (unsigned)i + 1, t->rows[i].code);
		for (at = slot_of(t, t->rows[i].code); t->slots[at] != 0;)
			at = (at + 1) & t->slot_mask;
		t->slots[at] = i + 1;
	}
	return E_OK;
}

/* Depths, and that no row stands on more than AREA_DEPTH_MAX levels. */
static enum err
measure_depths(struct area_table *t, struct why *why)
{
	uint32_t i;

	for (i = 0; i < t->count; i++) {
		uint32_t up = t->rows[i].parent, depth = 0;

		for (; up != AREA_NONE && up != i && depth < AREA_DEPTH_MAX - 1;
		     up = t->rows[up].parent)
			depth++;
		if (up == i)
			return why_set(why, E_AREA_TABLE, "row %u (%s): it is above itself",
				       (unsigned)i + 1, t->rows[i].code);
		if (up != AREA_NONE)
			return why_set(why, E_AREA_TABLE,
				       "row %u (%s): more than %u levels, or a circle above it",
				       (unsigned)i + 1, t->rows[i].code, AREA_DEPTH_MAX);
		t->rows[i].depth = depth;
	}
	return E_OK;
}

/* Children in the file's order, then numbers by a walk from the roots. */
static void
link_rows(struct area_table *t)
{
	uint32_t i, at, root, place = 0;

	for (i = t->count; i-- > 0;) {
		uint32_t parent = t->rows[i].parent;

		if (parent == AREA_NONE)
			continue;
		t->rows[i].next_sibling = t->rows[parent].first_child;
		t->rows[parent].first_child = i;
	}
	for (root = 0; root < t->count; root++) {
		if (t->rows[root].parent != AREA_NONE)
			continue;
		at = root;
		t->rows[at].enter = place++;
		while (at != AREA_NONE) {
			struct area *row = &t->rows[at];

			if (row->first_child != AREA_NONE && row->leave == 0) {
				row->leave = 1; /* its children were begun */
				at = row->first_child;
				t->rows[at].enter = place++;
				continue;
			}
			row->leave = place;
			if (at == root)
				break;
			if (row->next_sibling == AREA_NONE) {
				at = row->parent;
			} else {
				at = row->next_sibling;
				t->rows[at].enter = place++;
			}
		}
	}
}

static enum err
table_fill(struct area_table *t, struct bytes packed, struct why *why)
{
	struct reader r;
	enum err e;

	reader_init(&r, packed);
	reader_array_of(&r, 2);
	if (reader_u64(&r) != TABLE_VERSION && r.e == E_OK)
		return why_set(why, E_VERSION, "the area table");
	t->count = reader_array(&r);
	if (r.e != E_OK)
		return why_set(why, r.e, "area table");
	if (t->count == 0 || t->count > AREAS_MAX)
		return why_set(why, E_AREA_TABLE, "%u rows, 1 to %u are allowed", t->count,
			       AREAS_MAX);
	t->rows = fault_point() ? NULL : calloc(t->count, sizeof(*t->rows));
	t->text = fault_malloc(packed.n + NAME_BYTES_MAX + 1);
	if (t->rows == NULL || t->text == NULL)
		return E_NO_MEMORY;
	if ((e = take_rows(t, &r, why)) != E_OK)
		return e;
	if ((e = reader_end(&r)) != E_OK)
		return why_set(why, e, "area table");
	if ((e = index_codes(t, why)) != E_OK || (e = measure_depths(t, why)) != E_OK)
		return e;
	link_rows(t);
	return E_OK;
}

enum err
area_table_read(struct area_table **out, struct bytes packed, struct why *why)
{
	struct area_table *t = fault_point() ? NULL : calloc(1, sizeof(*t));
	enum err e;

	*out = NULL;
	if (t == NULL)
		return why_set(why, E_NO_MEMORY, "area table");
	if ((e = table_fill(t, packed, why)) != E_OK) {
		area_table_free(t);
		return e == E_NO_MEMORY ? why_set(why, e, "area table") : e;
	}
	*out = t;
	return E_OK;
}

uint32_t
area_count(const struct area_table *t)
{
	return t->count;
}

const struct area *
area_at(const struct area_table *t, uint32_t index)
{
	return &t->rows[index];
}

bool
area_index_within(const struct area_table *t, uint32_t ancestor, uint32_t index)
{
	const struct area *a, *b;

	if (ancestor >= t->count || index >= t->count)
		return false;
	a = &t->rows[ancestor];
	b = &t->rows[index];
	return a->enter <= b->enter && b->enter < a->leave;
}

bool
area_is_within(const struct area_table *t, const char *ancestor, const char *code)
{
	return area_index_within(t, area_find(t, ancestor), area_find(t, code));
}

const char *
area_name_in(const struct area_table *t, uint32_t index, const char *lang)
{
	const struct area *row = &t->rows[index];
	uint32_t i;

	for (i = 0; i < row->name_count; i++)
		if (strcmp(row->names[i].lang, lang) == 0)
			return row->names[i].name;
	return row->name;
}
