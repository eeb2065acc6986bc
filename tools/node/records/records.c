#include "tools/node/records/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "core/pack.h"
#include "schemas/answers.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/records/tally.h"

#define CLOCK_AHEAD_S 86400u /* a day: zones and drift stay below */
#define CLOCK_BEHIND_S \
	(3u * 365u * 86400u) /* no link for so long is less likely than a clock in 1970 */
#define FAULTS_NOTED 8u

static int
by_arrival(const void *a, const void *b)
{
	const struct revision_row *x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return memcmp(x->m.id.b, y->m.id.b, ID_BYTES);
}

/* The revision that began the record: the first CREATE to arrive; else the first to arrive. */
static const struct revision_row *
root_of(const struct revision_row *rows, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (rows[i].m.kind == REVISION_CREATE)
			return &rows[i];
	return &rows[0];
}

/*
 * A member changes only records of its own, and who changes a record names its area. When a change
 * came before the record that it is about, nobody could tell whose that is, and where; now it
 * shows.
 */
static bool
may_stand(const struct revision_row *row, const struct revision_row *root)
{
	return strcmp(row->area, root->area) == 0 &&
	       (row->m.role != ROLE_MEMBER || ID_EQUAL(&row->m.author, &root->m.author));
}

/* Text of what the form says against the answers, a line each. */
static void
check_answers(struct peer *p, struct record_row *row, struct arena *a)
{
	struct form_entry *form = peer_form_by_key(p, row->form);
	struct answer_env env = {.now_ms = (int64_t)row->created_s *
					   1000, /* `today` is the day of the answer */
				 .device_id = "",
				 .username = "",
				 .area = row->area};
	struct answer_fault *faults = arena_alloc(a, FAULTS_NOTED * sizeof(*faults));
	struct answers *answers;
	struct writer text;
	size_t i, count = 0;

	if (form == NULL || faults == NULL)
		return;
	if (answers_from_values(&answers, form->form, &env, row->values, row->value_count, NULL) !=
	    E_OK) {
		row->flags |= RECORD_FAULTY;
		row->faults = BYTES_LIT("the answers do not fit the form");
		return;
	}
	if (answers_check(answers, faults, FAULTS_NOTED, &count) != E_OK && count > 0) {
		uint8_t *memory = arena_alloc(a, RECORD_FAULTS_BYTES_MAX);

		row->flags |= RECORD_FAULTY;
		if (memory != NULL) {
			writer_init(&text, memory, RECORD_FAULTS_BYTES_MAX);
			for (i = 0; i < count && i < FAULTS_NOTED &&
				    text.n + 600 < RECORD_FAULTS_BYTES_MAX;
			     i++)
				writer_printf(&text, "%s%s: %s", i == 0 ? "" : "\n", faults[i].ref,
					      faults[i].message);
			row->faults = writer_view(&text);
		}
	}
	answers_free(answers);
}

static void
order_key(uint8_t out[12], struct form_key form, uint64_t order)
{
	be32_put(out, form.v);
	be64_put(out + 4, order);
}

enum err
record_place(struct store_txn *txn, const struct record_row *row)
{
	uint8_t key[12];

	order_key(key, row->form, row->order);
	return store_put(txn, STORE_RECORD_BY_FORM, BYTES(key, sizeof(key)),
			 BYTES(row->id.b, ID_BYTES));
}

/* The order in which a record was first seen, kept for its life: its number; of another form it
 * goes to the end. */
static enum err
place(struct store_txn *txn, struct record_row *row, const struct record_row *was)
{
	uint8_t key[12];
	enum err e;

	if (was != NULL && was->form.v == row->form.v) {
		row->order = was->order;
		return E_OK;
	}
	if (was != NULL) { /* the form of its first revision became known later */
		order_key(key, was->form, was->order);
		if ((e = store_del(txn, STORE_RECORD_BY_FORM, BYTES(key, sizeof(key)))) != E_OK &&
		    e != E_ABSENT)
			return e;
	}
	e = was != NULL ? record_number_next(txn, &row->order)
			: record_number(txn, &row->id, &row->order);
	return e != E_OK ? e : record_place(txn, row);
}

static void
fill_row(struct record_row *row, const struct merged *m, const struct revision_row *root,
	 struct arena *a)
{
	size_t i;

	row->form = root->m.form;
	memcpy(row->area, root->area, sizeof(row->area));
	row->author = root->m.author;
	row->created_s = root->m.claimed_s;
	row->received_s = root->m.received_s;
	row->review = m->review;
	row->conflicts = (uint32_t)m->conflict_count;
	row->flags = (m->is_void ? RECORD_VOID : 0) | (m->incomplete ? RECORD_INCOMPLETE : 0) |
		     (m->review_conflict ? RECORD_REVIEW_CONFLICT : 0) |
		     (m->changed_since_review ? RECORD_EDITED : 0);
	if (root->m.claimed_s > root->m.received_s &&
	    root->m.claimed_s - root->m.received_s > CLOCK_AHEAD_S)
		row->flags |= RECORD_CLOCK;
	if (root->m.received_s > root->m.claimed_s &&
	    root->m.received_s - root->m.claimed_s > CLOCK_BEHIND_S)
		row->flags |= RECORD_CLOCK;
	row->head_count = m->head_count > PARENTS_MAX ? PARENTS_MAX : m->head_count;
	memcpy(row->heads, m->heads, row->head_count * sizeof(row->heads[0]));
	row->values = arena_alloc(a, (m->value_count + 1) * sizeof(*row->values));
	for (i = 0; row->values != NULL && i < m->value_count; i++)
		if (m->values[i].shown &&
		    !(m->values[i].value.n == 1 && m->values[i].value.p[0] == 0xc0))
			row->values[row->value_count++] = (struct field_value){
			    m->values[i].key, m->values[i].identifying, m->values[i].value};
}

enum err
record_merged(struct store_txn *txn, const struct record_id *id, struct arena *a,
	      struct record_merged *out)
{
	struct merge_revision *revisions;
	struct revision_row *rows;
	enum err e;
	size_t i, count;

	memset(out, 0, sizeof(*out));
	if ((e = revision_rows(txn, id, a, &rows, &count)) != E_OK)
		return e;
	if (count == 0)
		return E_ABSENT;
	qsort(rows, count, sizeof(*rows), by_arrival);
	if ((revisions = arena_alloc(a, count * sizeof(*revisions))) == NULL ||
	    (out->rows = arena_alloc(a, count * sizeof(*rows))) == NULL)
		return E_NO_MEMORY;
	out->root = root_of(rows, count);
	for (i = 0; i < count; i++)
		if (may_stand(&rows[i], out->root)) {
			out->rows[out->count] = rows[i];
			revisions[out->count++] = rows[i].m;
		}
	return merge_revisions(&out->m, revisions, out->count, a);
}

enum err
record_state(struct peer *p, const struct record_id *id, const struct record_merged *merged,
	     struct arena *a, struct record_row *out)
{
	size_t i;

	memset(out, 0, sizeof(*out));
	out->id = *id;
	out->revisions = (uint32_t)merged->count;
	fill_row(out, &merged->m, merged->root, a);
	if (out->values == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < merged->count; i++)
		if (merged->rows[i].elsewhere)
			out->flags |= RECORD_ELSEWHERE;
	if (!(out->flags & (RECORD_VOID | RECORD_INCOMPLETE | RECORD_ELSEWHERE)))
		check_answers(p, out, a);
	return E_OK;
}

/* The row in the place of what was there. */
static enum err
replace(struct store_txn *txn, struct record_row *row, struct arena *a, struct tally *tally)
{
	struct record_row there;
	const struct record_row *was = &there;
	enum err e = record_row_get(txn, &row->id, a, &there);

	if (e == E_ABSENT)
		was = NULL;
	else if (e != E_OK)
		return e;
	if ((e = place(txn, row, was)) != E_OK || (e = record_row_put(txn, row)) != E_OK)
		return e;
	return tally_note(tally, was, row);
}

enum err
record_remerge(struct peer *p, struct store_txn *txn, const struct record_id *id,
	       struct tally *tally)
{
	struct tally *own = NULL;
	struct record_merged merged;
	struct record_row row;
	struct arena a;
	size_t i;
	enum err e;

	if (tally == NULL && (e = tally_new(&own)) != E_OK)
		return e;
	arena_init(&a, 64u << 20);
	if ((e = record_merged(txn, id, &a, &merged)) == E_OK &&
	    (e = record_state(p, id, &merged, &a, &row)) == E_OK)
		e = replace(txn, &row, &a, tally == NULL ? own : tally);
	for (i = 0; e == E_OK && (row.flags & RECORD_VOID) && i < merged.count; i++)
		e = revision_row_refuse(txn, &merged.rows[i]);
	if (e == E_OK && own != NULL)
		e = tally_write(txn, own, NULL);
	if (e == E_NO_MEMORY && !a.failed && !store_lacked(txn) &&
	    (tally == NULL || !tally_is_broken(tally)))
		e = E_LIMIT; /* more than a record may take, on any machine */
	arena_free(&a);
	tally_free(own);
	return e == E_ABSENT ? E_OK : e;
}

enum err
record_begun(struct store_txn *txn, const struct record_row *row)
{
	struct revision_row *rows;
	struct arena arena;
	size_t i, count = 0;
	enum err e;

	if (!(row->flags & RECORD_INCOMPLETE))
		return E_OK;
	arena_init(&arena, 64u << 20);
	e = revision_rows(txn, &row->id, &arena, &rows, &count);
	for (i = 0; e == E_OK && i < count && rows[i].m.kind != REVISION_CREATE; i++)
		;
	if (e == E_NO_MEMORY && !arena.failed && !store_lacked(txn))
		e = E_LIMIT; /* it cannot be merged either */
	arena_free(&arena);
	return e != E_OK ? e : i < count ? E_OK : E_ABSENT;
}

/* ---- finding and walking ---- */

static enum err
find_in(struct store_txn *txn, enum store_table table, struct bytes from, size_t digits,
	const char *text, struct record_id *out, size_t *found)
{
	struct store_cursor *c;
	struct bytes key;
	char hex[2 * ID_BYTES + 1];
	enum err e;

	if ((e = store_walk(txn, table, from, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (store_next(c, &key, NULL)) {
		if (key.n != ID_BYTES)
			break;
		hex_encode(hex, key.p, ID_BYTES);
		if (strncasecmp(hex, text, digits) != 0)
			break;
		if (*found == 0 || memcmp(out->b, key.p, ID_BYTES) != 0)
			++*found;
		memcpy(out->b, key.p, ID_BYTES);
		if (*found > 1)
			break;
	}
	return store_walk_end(c);
}

enum err
record_find(struct store_txn *txn, const char *text, struct record_id *out, struct why *why)
{
	size_t digits = strlen(text), found = 0, i;
	char padded[2 * ID_BYTES + 1];
	uint8_t from[ID_BYTES];
	enum err e;

	memset(padded, '0', sizeof(padded) - 1);
	padded[2 * ID_BYTES] = '\0';
	if (digits < 8 || digits > 2 * ID_BYTES)
		return why_set(why, E_RECORD_ID, "%s", text);
	for (i = 0; i < digits; i++)
		padded[i] = text[i];
	if (hex_decode(from, ID_BYTES, padded) != E_OK)
		return why_set(why, E_RECORD_ID, "%s", text);
	if ((e = find_in(txn, STORE_RECORD_NUMBER, BYTES(from, ID_BYTES), digits, text, out,
			 &found)) != E_OK ||
	    (e = find_in(txn, STORE_OWN_RECORD, BYTES(from, ID_BYTES), digits, text, out,
			 &found)) != E_OK)
		return e;
	if (found == 0)
		return why_set(why, E_RECORD_UNKNOWN, "%s", text);
	return found == 1 ? E_OK : why_set(why, E_RECORD_AMBIGUOUS, "%s", text);
}

enum err
record_walk_index(struct store_txn *txn, enum store_table index, struct bytes prefix, record_fn *f,
		  void *arg)
{
	struct arena_mark mark = store_mark(txn);
	struct store_cursor *c;
	struct bytes key, value;
	enum err e, e2;

	if ((e = store_walk_prefix(txn, index, prefix, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		struct record_row row;
		struct record_id id;
		struct arena a;

		if (value.n != ID_BYTES) {
			e = E_STORE_DAMAGED;
			break;
		}
		memcpy(id.b, value.p, ID_BYTES);
		arena_init(&a, 8u << 20);
		if ((e = record_row_get(txn, &id, &a, &row)) == E_OK)
			e = f(arg, txn, &row);
		arena_free(&a);
		store_forget_since(txn, &mark); /* of millions of records too */
	}
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

enum err
record_walk_version(struct store_txn *txn, struct form_key form, record_fn *f, void *arg)
{
	uint8_t prefix[4];

	be32_put(prefix, form.v);
	return record_walk_index(txn, STORE_RECORD_BY_FORM, BYTES(prefix, sizeof(prefix)), f, arg);
}

enum err
record_walk(struct peer *p, struct store_txn *txn, const char *form_id_wanted, record_fn *f,
	    void *arg)
{
	struct form_entry *entry, *first;
	uint8_t prefix[4];
	enum err e = E_OK;

	if (form_id_wanted == NULL)
		return record_walk_index(txn, STORE_RECORD_BY_FORM, BYTES_NONE, f, arg);
	pthread_rwlock_rdlock(&p->lock);
	first = p->forms; /* the list only grows at its head */
	pthread_rwlock_unlock(&p->lock);
	for (entry = first; entry != NULL && e == E_OK; entry = entry->next) {
		if (strcmp(form_id(entry->form), form_id_wanted) != 0)
			continue;
		be32_put(prefix, entry->key.v);
		e = record_walk_index(txn, STORE_RECORD_BY_FORM, BYTES(prefix, sizeof(prefix)), f,
				      arg);
	}
	return e;
}
