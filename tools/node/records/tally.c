/* What is gathered, and the rows of TALLY and CONFLICT that it becomes. */
#include "tools/node/records/tally_inside.h"

#include <stdlib.h>

#include "core/pack.h"

#define HEAD "h" /* of TALLY: be64, META "opened" when the counts were right */
#define KEY_BYTES (1u + STORE_NAME_BYTES)
#define ROW_BYTES_MAX 160u

/* ---- gathering ---- */

enum err
tally_new(struct tally **out)
{
	*out = calloc(1, sizeof(**out));
	return *out == NULL ? E_NO_MEMORY : E_OK;
}

void
tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	free(t->entries);
	free(t->slots);
	free(t->moves);
	free(t);
}

static uint64_t
hash_of(enum tally_kind kind, struct bytes subject)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)kind;
	size_t i;

	for (i = 0; i < subject.n; i++)
		h = (h ^ subject.p[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

/* The slot where it stands, or would. There are more slots than entries. */
static size_t
slot_of(const struct tally *t, enum tally_kind kind, struct bytes subject)
{
	size_t at = (size_t)hash_of(kind, subject) & (t->slot_count - 1);

	for (; t->slots[at] != 0; at = (at + 1) & (t->slot_count - 1)) {
		const struct tally_entry *x = &t->entries[t->slots[at] - 1];

		if (x->kind == kind && bytes_equal(BYTES(x->subject, x->subject_n), subject))
			break;
	}
	return at;
}

static enum err
grow(struct tally *t)
{
	size_t count = t->slot_count == 0 ? 64 : 2 * t->slot_count, i;
	struct tally_entry *entries = realloc(t->entries, count / 2 * sizeof(*entries));
	uint32_t *slots;

	if (entries == NULL)
		return E_NO_MEMORY;
	t->entries = entries;
	if ((slots = calloc(count, sizeof(*slots))) == NULL)
		return E_NO_MEMORY;
	free(t->slots);
	t->slots = slots;
	t->slot_count = count;
	for (i = 0; i < t->entry_count; i++) {
		const struct tally_entry *x = &entries[i];

		slots[slot_of(t, x->kind, BYTES(x->subject, x->subject_n))] = (uint32_t)i + 1;
	}
	return E_OK;
}

struct tally_entry *
tally_find(const struct tally *t, enum tally_kind kind, struct bytes subject)
{
	size_t at = t->slot_count == 0 ? 0 : slot_of(t, kind, subject);

	return t->slot_count == 0 || t->slots[at] == 0 ? NULL : &t->entries[t->slots[at] - 1];
}

/* counts[0 .. n - 1] of it change so. */
static enum err
add(struct tally *t, enum tally_kind kind, struct bytes subject, const int64_t *counts, size_t n)
{
	struct tally_entry *x = tally_find(t, kind, subject);
	enum err e;
	size_t i;

	if (x == NULL) {
		if (t->entry_count == t->slot_count / 2 && (e = grow(t)) != E_OK)
			return e;
		x = &t->entries[t->entry_count++];
		memset(x, 0, sizeof(*x));
		x->kind = kind;
		x->subject_n = subject.n;
		memcpy(x->subject, subject.p, subject.n);
		t->slots[slot_of(t, kind, subject)] = (uint32_t)t->entry_count;
	}
	for (i = 0; i < n; i++)
		x->counts[i] += counts[i];
	return E_OK;
}

static bool
contradicts(const struct record_row *row)
{
	return row != NULL && !(row->flags & RECORD_VOID) && row->conflicts > 0;
}

static enum err
move_conflict(struct tally *t, const struct record_row *row, bool is)
{
	struct tally_move *move;

	if (t->move_count == t->move_cap) {
		size_t cap = t->move_cap == 0 ? 16 : 2 * t->move_cap;
		struct tally_move *more = realloc(t->moves, cap * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		t->moves = more;
		t->move_cap = cap;
	}
	move = &t->moves[t->move_count++];
	be32_put(move->key, row->form.v);
	be64_put(move->key + 4, row->order);
	move->record = row->id;
	move->is = is;
	return E_OK;
}

static enum err
note(struct tally *t, const struct record_row *row, int64_t one)
{
	int64_t counts[TALLY_COUNTS] = {one};
	bool review = (row->flags & RECORD_REVIEW_CONFLICT) != 0;
	uint8_t month[8];
	enum err e;

	if (!(row->flags & RECORD_VOID)) {
		counts[TALLY_CONFLICTS] = one * ((int64_t)row->conflicts + review);
		counts[TALLY_CONFLICT_RECORDS] = row->conflicts > 0 || review ? one : 0;
		counts[TALLY_FAULTY] = row->flags & RECORD_FAULTY ? one : 0;
		counts[TALLY_EDITED] = row->flags & RECORD_EDITED ? one : 0;
		counts[TALLY_INCOMPLETE] = row->flags & RECORD_INCOMPLETE ? one : 0;
		counts[TALLY_CLOCKS] = row->flags & RECORD_CLOCK ? one : 0;
	}
	be32_put(month, row->form.v);
	be32_put(month + 4, row->received_s / TALLY_MONTH_S);
	if ((e = add(t, TALLY_AREA, bytes_of_str(row->area), counts, TALLY_COUNTS)) != E_OK ||
	    (e = add(t, TALLY_AUTHOR, BYTES(row->author.b, ID_BYTES), counts, 1)) != E_OK)
		return e;
	return add(t, TALLY_MONTH, BYTES(month, sizeof(month)), counts, 1);
}

enum err
tally_note(struct tally *t, const struct record_row *was, const struct record_row *is)
{
	enum err e = E_OK;

	if (was != NULL && (e = note(t, was, -1)) == E_OK && contradicts(was))
		e = move_conflict(t, was, false);
	if (e == E_OK && is != NULL && (e = note(t, is, 1)) == E_OK && contradicts(is))
		e = move_conflict(t, is, true);
	t->broken = t->broken || e != E_OK;
	return e;
}

bool
tally_is_broken(const struct tally *t)
{
	return t->broken;
}

/* ---- rows ---- */

static size_t
counts_of(enum tally_kind kind)
{
	return kind == TALLY_AREA ? TALLY_COUNTS : 1;
}

void
tally_row_key(const struct store *s, const struct tally_row *row, uint8_t out[KEY_BYTES])
{
	uint8_t name[1 + TALLY_SUBJECT_BYTES_MAX];

	out[0] = name[0] = (uint8_t)row->kind;
	memcpy(name + 1, row->subject, row->subject_n);
	store_key_name(s, STORE_TALLY, BYTES(name, 1 + row->subject_n), out + 1);
}

/* [1, subject bin, [count ...]] */
enum err
tally_row_pack(const struct tally_row *row, struct writer *out)
{
	size_t i, n = counts_of(row->kind);

	pack_array(out, 3);
	pack_u64(out, 1);
	pack_bin(out, BYTES(row->subject, row->subject_n));
	pack_array(out, (uint32_t)n);
	for (i = 0; i < n; i++)
		pack_u64(out, row->counts[i]);
	return writer_end(out);
}

enum err
tally_row_read(struct bytes key, struct bytes value, struct tally_row *out)
{
	struct bytes subject;
	struct reader r;
	size_t i, n;

	memset(out, 0, sizeof(*out));
	if (key.n != KEY_BYTES)
		return E_STORE_DAMAGED;
	out->kind = (enum tally_kind)key.p[0];
	n = counts_of(out->kind);
	reader_init(&r, value);
	reader_array_of(&r, 3);
	if (reader_u64(&r) != 1)
		reader_fail(&r, E_VERSION);
	subject = reader_bin(&r);
	if (subject.n > sizeof(out->subject))
		reader_fail(&r, E_STORE_DAMAGED);
	reader_array_of(&r, (uint32_t)n);
	for (i = 0; i < n; i++)
		out->counts[i] = reader_u64(&r);
	if (r.e == E_OK && (out->subject_n = subject.n) > 0)
		memcpy(out->subject, subject.p, subject.n);
	return reader_end(&r);
}

enum err
tally_of(struct store_txn *txn, enum tally_kind kind, struct bytes subject, struct tally_row *out)
{
	struct tally_row row = {.kind = kind, .subject_n = subject.n};
	uint8_t key[KEY_BYTES];
	struct bytes value;
	enum err e;

	memcpy(row.subject, subject.p, subject.n);
	tally_row_key(store_of(txn), &row, key);
	*out = row;
	e = store_get(txn, STORE_TALLY, BYTES(key, sizeof(key)), &value);
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	return tally_row_read(BYTES(key, sizeof(key)), value, out);
}

enum err
tally_walk(struct store_txn *txn, enum tally_kind kind, tally_fn *f, void *arg)
{
	uint8_t prefix = (uint8_t)kind;
	struct store_cursor *c;
	struct bytes key, value;
	struct tally_row row;
	enum err e, e2;

	if ((e = store_walk_prefix(txn, STORE_TALLY, BYTES(&prefix, 1), STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value))
		if ((e = tally_row_read(key, value, &row)) == E_OK)
			e = f(arg, &row);
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

/* ---- writing ---- */

enum err
tally_is_right(struct store_txn *txn, bool *out)
{
	struct bytes value;
	uint64_t opened;
	enum err e = store_meta_u64(txn, "opened", 0, &opened);

	if (e != E_OK)
		return e;
	e = store_get(txn, STORE_TALLY, BYTES_LIT(HEAD), &value);
	*out = e == E_OK && value.n == 8 && be64_get(value.p) == opened;
	return e == E_ABSENT ? E_OK : e;
}

/* *sound: false: more would go than there is, so the counts are wrong. */
static enum err
write_entry(struct store_txn *txn, const struct tally_entry *x, bool *sound)
{
	uint8_t key[KEY_BYTES], memory[ROW_BYTES_MAX];
	struct tally_row row;
	struct writer w;
	bool any = false, moved = false;
	enum err e;
	size_t i;

	for (i = 0; i < TALLY_COUNTS; i++)
		moved = moved || x->counts[i] != 0;
	if (!moved || (e = tally_of(txn, x->kind, BYTES(x->subject, x->subject_n), &row)) != E_OK)
		return moved ? e : E_OK;
	for (i = 0; i < TALLY_COUNTS; i++) {
		*sound = *sound && (x->counts[i] >= 0 || row.counts[i] >= (uint64_t)-x->counts[i]);
		row.counts[i] += (uint64_t)x->counts[i];
		any = any || row.counts[i] != 0;
	}
	tally_row_key(store_of(txn), &row, key);
	if (!any) {
		e = store_del(txn, STORE_TALLY, BYTES(key, sizeof(key)));
		return e == E_ABSENT ? E_OK : e;
	}
	writer_init(&w, memory, sizeof(memory));
	return (e = tally_row_pack(&row, &w)) != E_OK
		   ? e
		   : store_put(txn, STORE_TALLY, BYTES(key, sizeof(key)), writer_view(&w));
}

static enum err
write_move(struct store_txn *txn, const struct tally_move *move)
{
	struct bytes key = BYTES(move->key, sizeof(move->key));
	enum err e;

	if (move->is)
		return store_put(txn, STORE_CONFLICT, key, BYTES(move->record.b, ID_BYTES));
	e = store_del(txn, STORE_CONFLICT, key);
	return e == E_ABSENT ? E_OK : e;
}

enum err
tally_put_all(struct store_txn *txn, const struct tally *t, uint64_t opened)
{
	struct store_seq head = store_seq_of(opened);
	bool sound = true;
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < t->entry_count && e == E_OK; i++)
		e = write_entry(txn, &t->entries[i], &sound);
	for (i = 0; i < t->move_count && e == E_OK; i++)
		e = write_move(txn, &t->moves[i]);
	if (e != E_OK || !sound)
		return e != E_OK ? e : tally_forget(txn);
	return store_put(txn, STORE_TALLY, BYTES_LIT(HEAD), BYTES(head.b, sizeof(head.b)));
}

enum err
tally_write(struct store_txn *txn, const struct tally *t, const uint64_t *opened)
{
	uint64_t now;
	bool right;
	enum err e = tally_is_right(txn, &right);

	if (e != E_OK || !right || (opened == NULL && t->entry_count == 0))
		return e;
	if (opened == NULL && (e = store_meta_u64(txn, "opened", 0, &now)) != E_OK)
		return e;
	return tally_put_all(txn, t, opened == NULL ? now : *opened);
}

enum err
tally_forget(struct store_txn *txn)
{
	enum err e = store_clear(txn, STORE_TALLY);

	return e == E_OK ? store_clear(txn, STORE_CONFLICT) : e;
}
