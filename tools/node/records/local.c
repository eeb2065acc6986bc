#include "tools/node/records/local.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/pack.h"
#include "schemas/csv.h"
#include "tools/node/outbox/outbox.h"

#define LOCAL_BYTES_MAX \
	(LOCAL_ITEMS_MAX * FORM_NOTE_COLUMNS_MAX * (2u * LOCAL_VALUE_BYTES_MAX + 8u))
#define OWN_ROWS_MAX 512u /* forms times months */

static void
row_name(struct store_txn *txn, const char *list, const char *area, uint8_t out[STORE_NAME_BYTES])
{
	char text[160];
	int n = snprintf(text, sizeof(text), "local %.60s %.60s", list, area);

	store_key_name(store_of(txn), STORE_BLOB, BYTES(text, (size_t)n), out);
}

/* ---- lists as they are stored: [1, [[column, value ...] ...]], the oldest first ---- */

struct item {
	struct bytes columns[FORM_NOTE_COLUMNS_MAX], values[FORM_NOTE_COLUMNS_MAX];
	size_t count;
};

static enum err
items_read(struct bytes stored, struct item items[LOCAL_ITEMS_MAX], size_t *count)
{
	struct reader r;
	uint32_t n, i, k;

	reader_begin(&r, stored, 1, 2);
	n = reader_array(&r);
	if (n > LOCAL_ITEMS_MAX)
		reader_fail(&r, E_STORE_DAMAGED);
	for (i = 0; i < n && r.e == E_OK; i++) {
		uint32_t cells = reader_array(&r);

		if (cells % 2 != 0 || cells / 2 > FORM_NOTE_COLUMNS_MAX)
			reader_fail(&r, E_STORE_DAMAGED);
		items[i].count = cells / 2;
		for (k = 0; k < cells / 2 && r.e == E_OK; k++) {
			items[i].columns[k] = reader_str(&r);
			items[i].values[k] = reader_str(&r);
		}
	}
	*count = n;
	return reader_end(&r);
}

static struct bytes
cell(const struct item *item, struct bytes column)
{
	size_t i;

	for (i = 0; i < item->count; i++)
		if (bytes_equal(item->columns[i], column))
			return item->values[i];
	return BYTES_NONE;
}

static void
pack_item(struct writer *w, const struct item *item)
{
	size_t i;

	pack_array(w, (uint32_t)(2 * item->count));
	for (i = 0; i < item->count; i++) {
		pack_str(w, item->columns[i]);
		pack_str(w, item->values[i]);
	}
}

/* The item that a note is; false: it is not kept (a name that is empty, a value that is too long).
 */
static bool
item_of(const struct form_note *note, struct item *out)
{
	size_t i;

	out->count = note->count;
	for (i = 0; i < note->count; i++) {
		out->columns[i] = bytes_of_str(note->columns[i]);
		out->values[i] = bytes_of_str(note->values[i]);
		if (out->values[i].n > LOCAL_VALUE_BYTES_MAX ||
		    out->columns[i].n > LOCAL_VALUE_BYTES_MAX ||
		    (out->values[i].n == 0 && strcmp(note->columns[i], "name") == 0))
			return false;
	}
	return note->count > 0;
}

static enum err
note_one(struct store_txn *txn, const struct form_note *note, const char *area)
{
	struct item items[LOCAL_ITEMS_MAX], item;
	struct bytes stored, name = BYTES_LIT("name");
	uint8_t key[STORE_NAME_BYTES];
	size_t count = 0, i, kept = 0;
	struct writer w;
	enum err e;

	if (!item_of(note, &item))
		return E_OK;
	row_name(txn, note->list, area, key);
	e = store_get(txn, STORE_BLOB, BYTES(key, sizeof(key)), &stored);
	if (e == E_OK)
		e = items_read(stored, items, &count);
	if (e != E_OK && e != E_ABSENT)
		return e;
	for (i = 0; i < count;
	     i++) /* the same name again takes the old one's place, as the newest */
		if (cell(&item, name).n == 0 ||
		    !bytes_equal(cell(&items[i], name), cell(&item, name)))
			items[kept++] = items[i];
	writer_heap_init(&w, LOCAL_BYTES_MAX);
	i = kept < LOCAL_ITEMS_MAX ? 0 : kept - LOCAL_ITEMS_MAX + 1;
	pack_array(&w, 2);
	pack_u64(&w, 1);
	pack_array(&w, (uint32_t)(kept - i + 1));
	for (; i < kept; i++)
		pack_item(&w, &items[i]);
	pack_item(&w, &item);
	if ((e = writer_end(&w)) == E_OK)
		e = store_put(txn, STORE_BLOB, BYTES(key, sizeof(key)), writer_view(&w));
	writer_free(&w);
	return e;
}

enum err
local_note(struct store_txn *txn, const struct form *form, const char *area,
	   const struct field_value *values, size_t count)
{
	struct form_note *notes;
	struct arena arena;
	size_t i, note_count;
	enum err e;

	if (form_local_count(form) == 0)
		return E_OK;
	arena_init(&arena, 1u << 20);
	e = form_notes(form, values, count, &arena, &notes, &note_count);
	for (i = 0; i < note_count && e == E_OK; i++)
		e = note_one(txn, &notes[i], area);
	arena_free(&arena);
	return e;
}

/* ---- as CSV ---- */

static void
write_text(struct writer *w, struct bytes text)
{
	char room[LOCAL_VALUE_BYTES_MAX + 1];
	size_t n = text.n < sizeof(room) ? text.n : sizeof(room) - 1;

	if (n > 0)
		memcpy(room, text.p, n);
	room[n] = '\0';
	csv_write(w, room);
}

static enum err
list_csv(struct store_txn *txn, const char *list, const char *area, struct writer *w)
{
	struct item items[LOCAL_ITEMS_MAX], columns = {.count = 0};
	uint8_t key[STORE_NAME_BYTES];
	struct bytes stored;
	size_t count = 0, i, k;
	enum err e;

	row_name(txn, list, area, key);
	e = store_get(txn, STORE_BLOB, BYTES(key, sizeof(key)), &stored);
	if (e == E_OK)
		e = items_read(stored, items, &count);
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	for (i = 0; i < count; i++)
		for (k = 0; k < items[i].count; k++)
			if (cell(&columns, items[i].columns[k]).n == 0 &&
			    columns.count < FORM_NOTE_COLUMNS_MAX) {
				columns.columns[columns.count] = items[i].columns[k];
				columns.values[columns.count++] = items[i].columns[k];
			}
	for (k = 0; k < columns.count; k++) {
		writer_str(w, k > 0 ? "," : "");
		write_text(w, columns.columns[k]);
	}
	for (i = 0; i < count; i++) {
		for (k = 0; k < columns.count; k++) {
			writer_str(w, k > 0 ? "," : "\n");
			write_text(w, cell(&items[i], columns.columns[k]));
		}
	}
	writer_str(w, "\n");
	return E_OK;
}

/* own_records: how many of each form in each month, from what the store keeps of its own records
 * anyway. */
struct own_row {
	const char *form;
	char month[16];
	unsigned n;
};

static void
count_own(struct peer *p, const struct own_record *own, struct own_row *rows, size_t *count)
{
	const struct form_entry *form = peer_form_by_key(p, own->form);
	time_t when = (time_t)own->created_s;
	struct tm local;
	char month[16];
	size_t i;

	if (form == NULL || own->is_void || localtime_r(&when, &local) == NULL)
		return;
	(void)strftime(month, sizeof(month), "%Y-%m-01", &local);
	for (i = 0; i < *count; i++)
		if (strcmp(rows[i].form, form_id(form->form)) == 0 &&
		    strcmp(rows[i].month, month) == 0)
			break;
	if (i == OWN_ROWS_MAX)
		return;
	if (i == *count) {
		rows[(*count)++] = (struct own_row){.form = form_id(form->form)};
		memcpy(rows[i].month, month, sizeof(month));
	}
	rows[i].n++;
}

static enum err
own_csv(struct peer *p, struct store_txn *txn, const char *area, struct writer *w)
{
	struct own_row *rows = calloc(OWN_ROWS_MAX, sizeof(*rows));
	struct store_cursor *cursor;
	struct bytes key, value;
	struct own_record own;
	size_t count = 0, i;
	enum err e;

	if (rows == NULL)
		return E_NO_MEMORY;
	if ((e = store_walk(txn, STORE_OWN_RECORD, BYTES_NONE, STORE_FORWARD, &cursor)) == E_OK) {
		while (store_next(cursor, &key, &value))
			if (own_record_read(key, value, &own) == E_OK &&
			    strcmp(own.area, area) == 0)
				count_own(p, &own, rows, &count);
		e = store_walk_end(cursor);
	}
	writer_str(w, "form,month,n\n");
	for (i = 0; i < count; i++) {
		csv_write(w, rows[i].form);
		writer_printf(w, ",%s,%u\n", rows[i].month, rows[i].n);
	}
	free(rows);
	return e;
}

static enum err
read_list(struct local *l, struct peer *p, struct store_txn *txn, const char *list,
	  const char *area)
{
	struct form_file *file = &l->files[l->count++];
	char name[80];
	struct writer w;
	enum err e;

	(void)snprintf(name, sizeof(name), "%.70s.csv", list);
	writer_heap_init(&w, 2u * LOCAL_BYTES_MAX);
	e = strcmp(list, FORM_LOCAL_OWN) == 0 ? own_csv(p, txn, area, &w)
					      : list_csv(txn, list, area, &w);
	if (e == E_OK && (e = writer_end(&w)) == E_OK) {
		file->name = arena_str(&l->arena, name, strlen(name));
		file->content = arena_bytes(&l->arena, writer_view(&w));
		e = file->name == NULL || (w.n > 0 && file->content.p == NULL) ? E_NO_MEMORY : E_OK;
	}
	writer_free(&w);
	return e;
}

enum err
local_read(struct local *l, struct peer *p, const struct form *form, const char *area)
{
	size_t i, lists = form_local_count(form);
	struct store_txn *txn;
	enum err e;

	memset(l, 0, sizeof(*l));
	if (lists == 0)
		return E_OK;
	if (lists > LOCAL_LISTS_MAX)
		return E_LIMIT;
	arena_init(&l->arena, 4u << 20);
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	for (i = 0; i < lists && e == E_OK; i++)
		e = read_list(l, p, txn, form_local_name(form, i), area);
	store_read_end(txn);
	return e;
}

void
local_free(struct local *l)
{
	arena_free(&l->arena);
	memset(l, 0, sizeof(*l));
}
