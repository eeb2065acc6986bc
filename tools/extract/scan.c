#include "tools/extract/scan.h"

#include <stdlib.h>

#include "core/pack.h"
#include "tools/extract/calendar.h"

#define DAY_S 86400u

/* The base nodes of one dimension that a record (or row) lies in. */
struct nodes {
	uint32_t *at;
	size_t count;
};

struct scan {
	const struct query *q;
	struct cube *cube;
	struct nodes nodes[EXTRACT_DIMENSIONS_MAX];
	uint32_t records;
	int32_t first_day, last_day;
	bool any;
};

/* The time that a record stands under: the author's claim, unless its clock was far ahead. */
static int32_t
day_of(const struct record_row *row)
{
	return (int32_t)((row->flags & RECORD_CLOCK ? row->received_s : row->created_s) / DAY_S);
}

bool
scan_counts(const struct query *q, const struct record_row *row, int32_t *day)
{
	*day = day_of(row);
	return !(row->flags & RECORD_VOID) && row->review != REVIEW_REJECTED &&
	       *day >= q->from_day && *day <= q->to_day &&
	       area_is_within(q->areas, q->scope, row->area);
}

static void
widen(struct scan *s, int32_t day)
{
	if (!s->any || day < s->first_day)
		s->first_day = day;
	if (!s->any || day > s->last_day)
		s->last_day = day;
	s->any = true;
}

static enum err
span_row(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct scan *s = arg;
	int32_t day;

	if (scan_counts(s->q, row, &day))
		widen(s, day);
	store_forget(txn);
	return E_OK;
}
enum err
scan_span(const struct query *q, struct peer *p, struct store_txn *txn, int32_t *first_day,
	  int32_t *last_day)
{
	struct scan s = {.q = q};
	enum err e = record_walk(p, txn, form_id(q->form->form), span_row, &s);

	*first_day = s.any ? s.first_day : (int32_t)(peer_now_s(p) / DAY_S);
	*last_day = s.any ? s.last_day : *first_day;
	return e;
}

/* ---- one answer ---- */

/* A record's value of a unit; analytic ones only: identifying answers are not even looked at. */
static struct bytes
unit_of(const struct record_row *row, struct field_key key)
{
	size_t i;

	for (i = 0; i < row->value_count; i++)
		if (row->values[i].key.v == key.v && !row->values[i].identifying)
			return row->values[i].value;
	return BYTES_NONE;
}

/* The value of `in_row` in one row of a repeat, a map. */
static struct bytes
cell_of(struct bytes row, const char *in_row)
{
	struct bytes name = bytes_of_str(in_row), key, value;
	struct reader r;
	uint32_t n;

	reader_init(&r, row);
	for (n = reader_map(&r); n > 0 && r.e == E_OK; n--) {
		key = reader_str(&r);
		value = reader_skip(&r);
		if (r.e == E_OK && bytes_equal(key, name))
			return value;
	}
	return BYTES_NONE;
}

/* A code that is in no version's list, and no answer at all, are both __none__: the last node. */
static uint32_t
node_of_code(const struct dimension *d, struct bytes code)
{
	uint32_t i;

	for (i = d->multiple ? 0 : 1; i + 1 < d->cube.code_count; i++)
		if (bytes_equal(bytes_of_str(d->codes[i]), code))
			return i;
	return d->cube.code_count - 1;
}

static void
put_node(struct nodes *nodes, uint32_t node, size_t max)
{
	size_t i;

	for (i = 0; i < nodes->count; i++)
		if (nodes->at[i] == node)
			return;
	if (nodes->count < max)
		nodes->at[nodes->count++] = node;
}

static void
choice_nodes(const struct dimension *d, struct bytes value, struct nodes *nodes)
{
	struct reader r;
	uint32_t n = 1;

	nodes->count = 0;
	reader_init(&r, value);
	if (reader_peek(&r) == PACK_ARRAY)
		n = reader_array(&r);
	for (; n > 0 && reader_peek(&r) == PACK_STR; n--)
		put_node(nodes, node_of_code(d, reader_str(&r)), d->cube.code_count);
	if (nodes->count == 0)
		put_node(nodes, d->cube.code_count - 1, d->cube.code_count);
}

static bool
number_of(struct bytes value, double *out)
{
	struct reader r;
	enum pack_type type;
	char text[64], *end;
	struct bytes s;

	reader_init(&r, value);
	type = reader_peek(&r);
	if (type == PACK_UINT || type == PACK_INT || type == PACK_F64) {
		*out = reader_f64(&r);
		return r.e == E_OK;
	}
	if (type != PACK_STR)
		return false;
	s = reader_str(&r); /* a calculation's result is text */
	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*out = strtod(text, &end);
	return *end == '\0' && *out - *out == 0; /* finite */
}

/* ---- one record ---- */

/* Every combination of the nodes gets one. */
static void
put(struct scan *s, struct cube_value v)
{
	uint32_t at[EXTRACT_DIMENSIONS_MAX] = {0};
	size_t turn[EXTRACT_DIMENSIONS_MAX] = {0}, count = s->q->dimension_count, d;

	for (;;) {
		for (d = 0; d < count; d++)
			at[d] = s->nodes[d].at[turn[d]];
		cube_add(s->cube, at, s->records, v);
		for (d = count; d > 0; d--) {
			if (++turn[d - 1] < s->nodes[d - 1].count)
				break;
			turn[d - 1] = 0;
		}
		if (d == 0)
			return;
	}
}

/* The sum field of a whole record: its answer, or all its rows' together. */
static struct cube_value
value_of_record(const struct query *q, const struct record_row *row)
{
	struct cube_value v = {.once = true};
	struct bytes unit;
	struct reader r;
	uint32_t n;
	double x;

	if (!q->has_sum)
		return v;
	unit = unit_of(row, q->sum.unit);
	if (!q->sum.in_repeat) {
		v.has_value = number_of(unit, &v.value);
		return v;
	}
	reader_init(&r, unit);
	for (n = unit.n == 0 ? 0 : reader_array(&r); n > 0 && r.e == E_OK; n--)
		if (number_of(cell_of(reader_skip(&r), q->sum.in_row), &x)) {
			v.value += x;
			v.has_value = true;
		}
	return v;
}

static void
put_rows(struct scan *s, const struct record_row *row)
{
	const struct query *q = s->q;
	struct bytes unit = unit_of(row, q->row_unit);
	struct cube_value whole = {.once = true};
	struct reader r;
	uint32_t n;
	size_t d;

	if (q->has_sum && !q->sum.in_repeat)
		whole = value_of_record(q, row);
	reader_init(&r, unit);
	for (n = unit.n == 0 ? 0 : reader_array(&r); n > 0; n--) {
		struct bytes map = reader_skip(&r);
		struct cube_value v = whole;

		if (r.e != E_OK)
			return;
		for (d = 0; d < q->dimension_count; d++)
			if (q->dimensions[d].field.in_repeat)
				choice_nodes(&q->dimensions[d],
					     cell_of(map, q->dimensions[d].field.in_row),
					     &s->nodes[d]);
		if (q->has_sum && q->sum.in_repeat) {
			v.once = false;
			v.has_value = number_of(cell_of(map, q->sum.in_row), &v.value);
		}
		put(s, v);
	}
}

/* The nodes of the dimensions that a record has as a whole; false: it lies above the level that was
 * asked for. */
static bool
find_nodes(struct scan *s, const struct record_row *row, int32_t day)
{
	const struct query *q = s->q;
	int32_t month = calendar_month_of(day);
	size_t d;

	for (d = 0; d < q->dimension_count; d++) {
		const struct dimension *dim = &q->dimensions[d];
		struct nodes *nodes = &s->nodes[d];

		nodes->count = 1;
		nodes->at[0] = 0;
		if (dim->kind == DIMENSION_MONTH)
			nodes->at[0] = (uint32_t)(month - dim->first) + 1;
		else if (dim->kind == DIMENSION_YEAR)
			nodes->at[0] = (uint32_t)(month / 12 - dim->first) + 1;
		else if (dim->kind != DIMENSION_CHOICE)
			nodes->at[0] = dim->base_of_area[area_find(q->areas, row->area)];
		else if (!dim->field.in_repeat)
			choice_nodes(dim, unit_of(row, dim->field.unit), nodes);
		if (nodes->at[0] == CUBE_NONE)
			return false;
	}
	return true;
}

static enum err
fill_row(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct scan *s = arg;
	int32_t day;

	if (scan_counts(s->q, row, &day) && find_nodes(s, row, day)) {
		if (s->records == UINT32_MAX)
			return E_LIMIT;
		s->records++;
		if (s->q->by_row)
			put_rows(s, row);
		else
			put(s, value_of_record(s->q, row));
	}
	store_forget(txn);
	return E_OK;
}

enum err
scan_fill(const struct query *q, struct peer *p, struct store_txn *txn, struct cube *cube,
	  uint32_t *records)
{
	struct scan s = {.q = q, .cube = cube};
	enum err e = E_OK;
	size_t d;

	for (d = 0; d < q->dimension_count; d++)
		if ((s.nodes[d].at =
			 calloc(q->dimensions[d].cube.node_count + 1u, sizeof(uint32_t))) == NULL)
			e = E_NO_MEMORY;
	if (e == E_OK)
		e = record_walk(p, txn, form_id(q->form->form), fill_row, &s);
	*records = s.records;
	for (d = 0; d < q->dimension_count; d++)
		free(s.nodes[d].at);
	return e;
}
