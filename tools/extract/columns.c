#include "tools/extract/columns.h"

#include <stdio.h>

#include "core/record/attach.h"
#include "core/pack.h"
#include "tools/extract/sheet.h"

#define COLUMNS_MEMORY_MAX (64u << 20)
#define NUMBER_BYTES 80u /* "3.1.2": the row's number, after those of the rows around it */

/* ---- the layout ---- */

/* Types whose values are numbers, dates or codes of a list: nobody types a formula there. */
static bool
is_text(enum question type)
{
	static const bool plain[QUESTION_COUNT] = {
	    [QUESTION_INTEGER] = true,
	    [QUESTION_DECIMAL] = true,
	    [QUESTION_RANGE] = true,
	    [QUESTION_DATE] = true,
	    [QUESTION_DATETIME] = true,
	    [QUESTION_TODAY] = true,
	    [QUESTION_START] = true,
	    [QUESTION_END] = true,
	    [QUESTION_SELECT_ONE] = true,
	    [QUESTION_SELECT_MULTIPLE] = true,
	    [QUESTION_SELECT_ONE_FROM_FILE] = true,
	    [QUESTION_SELECT_MULTIPLE_FROM_FILE] = true,
	    [QUESTION_RANK] = true,
	};

	return !plain[type];
}

static bool
has_value(enum question type)
{
	return type != QUESTION_NOTE && type != QUESTION_AUDIT && type != QUESTION_INSTANCE_ID &&
	       type != QUESTION_INSTANCE_NAME;
}

static struct sheet *
sheet_of(struct columns *c, const char *repeat)
{
	size_t i;

	for (i = 0; i < c->sheet_count; i++)
		if (strcmp(c->sheets[i].repeat, repeat) == 0)
			return &c->sheets[i];
	return NULL;
}

static void
add_column(struct sheet *s, const struct form_field *field)
{
	const char *path = field->path + (s->repeat[0] == '\0' ? 0 : strlen(s->repeat) + 1);
	size_t i;

	for (i = 0; i < s->column_count; i++)
		if (strcmp(s->columns[i].path, path) == 0)
			return;
	s->columns[s->column_count++] = (struct column){.path = path,
							.key = field->key,
							.text = is_text(field->type),
							.identifying = field->cls == CLASS_D};
}

/* One version's fields. A repeat comes before what is in it. */
static void
add_version(struct columns *c, const struct form *form, size_t room, bool identifying)
{
	size_t f;

	for (f = 0; f < form_field_count(form); f++) {
		const struct form_field *field = form_field(form, f);
		const char *around =
		    field->repeat < 0 ? "" : form_field(form, (size_t)field->repeat)->path;
		struct sheet *s = sheet_of(c, around);

		if (s == NULL)
			continue;
		if (field->type == QUESTION_REPEAT && sheet_of(c, field->path) == NULL) {
			struct sheet *inner = &c->sheets[c->sheet_count];

			inner->repeat = field->path;
			inner->unit = form_field(form, (size_t)field->unit)->key;
			inner->outer = around[0] == '\0' ? NULL : s;
			inner->in_row = field->path + (around[0] == '\0' ? 0 : strlen(around) + 1);
			inner->columns = arena_alloc(&c->arena, room * sizeof(struct column));
			c->sheet_count += inner->columns != NULL;
		} else if (field->type != QUESTION_REPEAT && has_value(field->type) &&
			   (identifying || field->cls != CLASS_D)) {
			add_column(s, field);
		}
	}
}

enum err
columns_of(struct columns *c, struct peer *p, const char *id, bool identifying, struct why *why)
{
	struct form_entry *entry, *first;
	size_t room = 1;

	memset(c, 0, sizeof(*c));
	arena_init(&c->arena, COLUMNS_MEMORY_MAX);
	pthread_rwlock_rdlock(&p->lock);
	first = p->forms; /* the list only grows at its head: the newest version comes first */
	pthread_rwlock_unlock(&p->lock);
	for (entry = first; entry != NULL; entry = entry->next)
		if (strcmp(form_id(entry->form), id) == 0)
			room += form_field_count(entry->form);
	c->sheets = arena_alloc(&c->arena, room * sizeof(*c->sheets));
	if (c->sheets == NULL ||
	    (c->sheets[0].columns = arena_alloc(&c->arena, room * sizeof(struct column))) == NULL)
		return why_set(why, E_NO_MEMORY, "%s", id);
	c->sheets[0].repeat = "";
	c->sheet_count = 1;
	for (entry = first; entry != NULL; entry = entry->next)
		if (strcmp(form_id(entry->form), id) == 0)
			add_version(c, entry->form, room, identifying);
	return E_OK;
}

void
columns_free(struct columns *c)
{
	arena_free(&c->arena);
}

/* ---- cells ---- */

void
columns_header(const struct sheet *s, struct writer *w)
{
	static const char *const of_record[] = {"id",      "version",  "area",  "author",
						"created", "received", "state", "review"};
	size_t i;

	if (s->repeat[0] == '\0')
		for (i = 0; i < sizeof(of_record) / sizeof(of_record[0]); i++)
			sheet_str(w, i == 0, of_record[i]);
	else
		writer_str(w, "parent,row");
	for (i = 0; i < s->column_count; i++)
		sheet_str(w, false, s->columns[i].path);
	sheet_end_line(w);
}

/* A value in named form as one cell; an array of codes with spaces between. */
static void
write_value(const struct column *c, struct bytes value, struct writer *w)
{
	char text[40];
	char name[ATTACH_NAME_BYTES_MAX + 20];
	struct attach_ref ref;
	struct bytes said;
	struct reader r;
	struct writer codes;
	uint32_t n;

	reader_init(&r, value);
	switch (reader_peek(&r)) {
	case PACK_STR:
		said = reader_str(&r);
		if (attach_ref_read(said, &ref)) { /* never its key */
			attach_file_name(&ref, name, sizeof(name));
			crypto_wipe(&ref, sizeof(ref));
			said = bytes_of_str(name);
		}
		if (c->text)
			sheet_text(w, false, said);
		else
			sheet_cell(w, false, said);
		return;
	case PACK_UINT:
	case PACK_INT:
		(void)snprintf(text, sizeof(text), "%lld", (long long)reader_i64(&r));
		sheet_str(w, false, text);
		return;
	case PACK_F64:
		(void)snprintf(text, sizeof(text), "%.15g", reader_f64(&r));
		sheet_str(w, false, text);
		return;
	case PACK_ARRAY:
		writer_heap_init(&codes, value.n + 16);
		for (n = reader_array(&r); n > 0 && reader_peek(&r) == PACK_STR; n--) {
			if (codes.n > 0)
				writer_u8(&codes, ' ');
			writer_bytes(&codes, reader_str(&r));
		}
		sheet_cell(w, false, writer_view(&codes));
		writer_free(&codes);
		return;
	case PACK_NONE:
	case PACK_NIL:
	case PACK_BOOL:
	case PACK_BIN:
	case PACK_MAP:
	case PACK_EXT:
		break;
	}
	sheet_cell(w, false, BYTES_NONE);
}

static struct bytes
unit_of(const struct record_row *row, struct field_key key, bool identifying)
{
	size_t i;

	for (i = 0; i < row->value_count; i++)
		if (row->values[i].key.v == key.v && row->values[i].identifying == identifying)
			return row->values[i].value;
	return BYTES_NONE;
}

static struct bytes
in_map(struct bytes map, const char *path)
{
	struct bytes name = bytes_of_str(path), key, value;
	struct reader r;
	uint32_t n;

	reader_init(&r, map);
	for (n = reader_peek(&r) == PACK_MAP ? reader_map(&r) : 0; n > 0 && r.e == E_OK; n--) {
		key = reader_str(&r);
		value = reader_skip(&r);
		if (r.e == E_OK && bytes_equal(key, name))
			return value;
	}
	return BYTES_NONE;
}

/* The index-th row of a repeat's value, or none. */
static struct bytes
row_of(struct bytes rows, uint32_t index)
{
	struct bytes row = BYTES_NONE;
	struct reader r;
	uint32_t n;

	reader_init(&r, rows);
	n = reader_peek(&r) == PACK_ARRAY ? reader_array(&r) : 0;
	if (index >= n)
		return BYTES_NONE;
	for (n = 0; n <= index; n++)
		row = reader_skip(&r);
	return r.e == E_OK ? row : BYTES_NONE;
}

static uint32_t
rows_in(struct bytes rows)
{
	struct reader r;

	reader_init(&r, rows);
	return reader_peek(&r) == PACK_ARRAY ? reader_array(&r) : 0;
}

/* ---- lines ---- */

/* A repeat's rows in both groups, aligned by position. */
struct both {
	struct bytes open, identifying;
};

static void
write_rows(const struct sheet *s, const char *parent, const char *number, struct both rows,
	   struct writer *w, uint64_t *count)
{
	uint32_t n = rows_in(rows.open), m = rows_in(rows.identifying), i;
	char text[NUMBER_BYTES];
	size_t c;

	for (i = 0; i < (n > m ? n : m); i++) {
		struct bytes open = row_of(rows.open, i), identifying = row_of(rows.identifying, i);

		(void)snprintf(text, sizeof(text), "%.60s%u", number, (unsigned)i + 1);
		sheet_str(w, true, parent);
		sheet_str(w, false, text);
		for (c = 0; c < s->column_count; c++)
			write_value(&s->columns[c],
				    in_map(s->columns[c].identifying ? identifying : open,
					   s->columns[c].path),
				    w);
		sheet_end_line(w);
		(*count)++;
	}
}

/* The chain of sheets from the outermost repeat to the one wanted is followed by calling itself: at
 * most as deep as a form's repeats (PACK_DEPTH_MAX). */
static void
write_level(const struct sheet *wanted, const struct sheet *level, const char *parent,
	    const char *number, struct both rows, struct writer *w, uint64_t *count)
{
	const struct sheet *inner = wanted;
	uint32_t n, m, i;
	char text[NUMBER_BYTES];

	if (level == wanted) {
		write_rows(wanted, parent, number, rows, w, count);
		return;
	}
	while (inner->outer != level)
		inner = inner->outer;
	n = rows_in(rows.open);
	m = rows_in(rows.identifying);
	for (i = 0; i < (n > m ? n : m); i++) {
		struct both next = {in_map(row_of(rows.open, i), inner->in_row),
				    in_map(row_of(rows.identifying, i), inner->in_row)};

		(void)snprintf(text, sizeof(text), "%.60s%u.", number, (unsigned)i + 1);
		write_level(wanted, inner, parent, text, next, w, count);
	}
}

static void
write_record(const struct sheet *s, const char *id, const struct view_record *v,
	     const struct record_row *row, struct writer *w)
{
	char created[32], received[32] = "";
	size_t i;

	view_time(created, row->created_s);
	if (row->received_s != UINT32_MAX)
		view_time(received, row->received_s);
	sheet_str(w, true, id);
	sheet_text(w, false, bytes_of_str(v->form == NULL ? "" : form_version(v->form->form)));
	sheet_str(w, false, v->area);
	sheet_text(w, false, bytes_of_str(v->author));
	sheet_str(w, false, created);
	sheet_str(w, false, received);
	sheet_str(w, false, v->state);
	sheet_str(w, false, v->review == REVIEW_NONE ? "" : review_state_name(v->review));
	for (i = 0; i < s->column_count; i++)
		write_value(&s->columns[i],
			    unit_of(row, s->columns[i].key, s->columns[i].identifying), w);
	sheet_end_line(w);
}

enum err
columns_write(const struct sheet *s, const struct view_record *v, const struct record_row *row,
	      struct writer *w, uint64_t *rows)
{
	const struct sheet *outermost = s;
	char id[2 * ID_BYTES + 1];
	struct both both = {BYTES_NONE, BYTES_NONE};

	hex_encode(id, row->id.b, ID_BYTES);
	if (s->repeat[0] == '\0') {
		write_record(s, id, v, row, w);
		(*rows)++;
		return writer_end(w);
	}
	while (outermost->outer != NULL)
		outermost = outermost->outer;
	both.open = unit_of(row, s->unit, false);
	if (v->identifying)
		both.identifying = unit_of(row, s->unit, true);
	write_level(s, outermost, id, "", both, w, rows);
	return writer_end(w);
}
