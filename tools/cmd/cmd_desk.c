/* The store's side of `fill`: desk.def. Whoever asks may be any program that knows the secret: all
 * is checked here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pack.h"
#include "tools/enclose.h"
#include "tools/fill/desk.h"
#include "tools/fill/fill.h"
#include "tools/node/acting.h"
#include "tools/node/down/down_row.h"
#include "tools/node/outbox/finish.h"

/* hand: what was packed becomes the answer. */
static enum err
hand(struct call *c, struct writer *w)
{
	enum err e = writer_end(w);

	if (e == E_OK)
		call_out_bytes(c, writer_view(w));
	return e == E_OK ? E_OK : why_set(call_why(c), e, "%s", call_command(c)->name);
}

/* may_enter: drafts are for those who enter records here. */
static enum err
may_enter(struct call *c)
{
	return acting_identity(c) != NULL ? E_OK
					  : why_set(call_why(c), E_NOT_HERE, "entering a record");
}

/* bundle_read: the form as it came; a view into the transaction. */
static enum err
bundle_read(struct store_txn *txn, struct form_key key, struct bytes *bundle)
{
	struct bytes row;
	struct reader r;
	uint8_t be[4];
	enum err e;

	be32_put(be, key.v);
	if ((e = store_get(txn, STORE_FORM, BYTES(be, sizeof(be)), &row)) != E_OK)
		return e;
	reader_init(&r, row);
	reader_array_of(&r, 4);
	reader_u64(&r);
	reader_u64(&r);
	reader_str(&r);
	*bundle = reader_bin(&r);
	return reader_end(&r);
}

enum err
cmd_desk_form(struct call *c)
{
	struct peer *p = call_peer(c);
	struct finishing f;
	struct store_txn *txn;
	struct bytes bundle;
	struct writer w;
	size_t i;
	enum err e =
	    finish_begin(&f, p, acting_identity(c), call_arg(c, 0), call_arg(c, 1), call_why(c));

	if (e != E_OK)
		return e;
	writer_heap_init(&w, DESK_BYTES_MAX);
	if ((e = store_read_begin(p->store, &txn)) == E_OK) {
		if ((e = bundle_read(txn, f.form->key, &bundle)) == E_OK) {
			pack_array(&w, 6);
			pack_u64(&w, 2);
			pack_bin(&w, bundle);
			pthread_rwlock_rdlock(&p->lock);
			pack_cstr(&w, f.form->languages);
			pthread_rwlock_unlock(&p->lock);
			pack_cstr(&w, f.area);
			pack_i64(&w, (int64_t)peer_now_s(p) * 1000);
			pack_array(&w, (uint32_t)f.local.count);
			for (i = 0; i < f.local.count; i++) {
				pack_array(&w, 2);
				pack_cstr(&w, f.local.files[i].name);
				pack_bin(&w, f.local.files[i].content);
			}
		}
		store_read_end(txn);
	}
	e = e == E_OK ? hand(c, &w) : why_set(call_why(c), e, "%s", call_arg(c, 0));
	writer_free(&w);
	finish_end(&f);
	return e;
}

enum err
cmd_desk_drafts(struct call *c)
{
	struct store_cursor *cursor;
	struct store_txn *txn;
	struct bytes key, value;
	struct writer w, rows;
	uint32_t count = 0;
	enum err e;

	if ((e = may_enter(c)) != E_OK || (e = store_read_begin(call_peer(c)->store, &txn)) != E_OK)
		return e;
	writer_heap_init(&w, DESK_BYTES_MAX);
	writer_heap_init(&rows, DESK_BYTES_MAX);
	if ((e = store_walk(txn, STORE_DRAFT, BYTES_NONE, STORE_FORWARD, &cursor)) == E_OK) {
		while (store_next(cursor, &key, &value)) {
			if (key.n != 8 || writer_end(&rows) != E_OK)
				continue;
			pack_array(&rows, 2);
			pack_u64(&rows, be64_get(key.p));
			pack_bin(&rows, value);
			count++;
		}
		e = store_walk_end(cursor);
	}
	store_read_end(txn);
	if (e == E_OK)
		e = writer_end(&rows);
	pack_array(&w, count);
	writer_bytes(&w, writer_view(&rows));
	e = e == E_OK ? hand(c, &w) : why_set(call_why(c), e, "the drafts");
	writer_free(&rows);
	writer_free(&w);
	return e;
}

/* number_of: a draft's number; 0 is good for a new one. */
static enum err
number_of(struct call *c, size_t at, uint64_t *out)
{
	return decimal_decode(out, call_arg(c, at)) && *out <= DRAFT_NUMBER_MAX
		   ? E_OK
		   : why_set(call_why(c), E_USAGE, "a draft's number is not \"%s\"",
			     call_arg(c, at));
}

struct keeping {
	uint64_t number; /* 0: becomes a new one */
	struct bytes draft;
};

static enum err
keep_job(struct store_txn *txn, void *arg)
{
	struct keeping *k = arg;
	struct store_seq key;
	enum err e;

	if (k->number == 0) {
		if ((e = store_last_seq(txn, STORE_DRAFT, &k->number)) != E_OK)
			return e;
		if (++k->number > DRAFT_NUMBER_MAX)
			return E_LIMIT;
	}
	key = store_seq_of(k->number);
	return store_put(txn, STORE_DRAFT, BYTES(key.b, sizeof(key.b)), k->draft);
}

static enum err
drop_job(struct store_txn *txn, void *arg)
{
	struct keeping *k = arg;
	struct store_seq key = store_seq_of(k->number);

	return store_del(txn, STORE_DRAFT, BYTES(key.b, sizeof(key.b)));
}

enum err
cmd_desk_keep(struct call *c)
{
	struct keeping k;
	uint8_t memory[16];
	struct writer w;
	enum err e;

	if ((e = may_enter(c)) != E_OK || (e = number_of(c, 0, &k.number)) != E_OK ||
	    (e = call_input(c, "draft", &k.draft)) != E_OK)
		return e;
	if (k.draft.n == 0 || k.draft.n > FILL_DRAFT_BYTES_MAX)
		return why_set(call_why(c), E_NO_ROOM, "the draft");
	if ((e = store_write(call_peer(c)->store, keep_job, &k)) != E_OK)
		return why_set(call_why(c), e, "the draft");
	writer_init(&w, memory, sizeof(memory));
	pack_u64(&w, k.number);
	return hand(c, &w);
}

enum err
cmd_desk_drop(struct call *c)
{
	struct keeping k = {.draft = BYTES_NONE};
	enum err e;

	if ((e = may_enter(c)) != E_OK || (e = number_of(c, 0, &k.number)) != E_OK)
		return e;
	e = store_write(call_peer(c)->store, drop_job, &k);
	return e == E_OK || e == E_ABSENT ? E_OK : why_set(call_why(c), e, "the draft");
}

/* same_form: the version that was answered, even if a newer one came meanwhile. */
static enum err
same_form(struct call *c, struct finishing *f)
{
	const char *text = call_arg(c, 1);
	struct form_key key;
	char *end;

	key.v = (uint32_t)strtoul(text, &end, 16);
	f->form = *end == '\0' && strlen(text) == 8 ? peer_form_by_key(f->peer, key) : NULL;
	if (f->form == NULL || strcmp(form_id(f->form->form), call_arg(c, 0)) != 0)
		return why_set(call_why(c), E_FORM_UNKNOWN, "%s, version %s,", call_arg(c, 0),
			       text);
	return E_OK;
}

/* check: as submit and the node do. */
static enum err
check(struct call *c, const struct finishing *f, const struct field_value *values, size_t count)
{
	struct answer_env env = finish_env(f, 0);
	struct answer_fault fault = {0};
	struct answers *a;
	size_t faults = 0;
	enum err e;

	if ((e = answers_from_values(&a, f->form->form, &env, values, count, call_why(c))) != E_OK)
		return e;
	if ((e = answers_check(a, &fault, 1, &faults)) != E_OK)
		e = why_set(call_why(c), e, "%s: %s", fault.ref, fault.message);
	answers_free(a);
	return e;
}

enum err
cmd_desk_finish(struct call *c)
{
	struct finishing f;
	struct finished record = {0};
	struct enclosed enclosed = {.count = 0};
	const char *field = "";
	struct field_value *values;
	struct arena arena;
	struct bytes input;
	struct writer w;
	uint8_t memory[ID_BYTES + 8];
	enum err e;

	if ((e = finish_begin(&f, call_peer(c), acting_identity(c), call_arg(c, 0), call_arg(c, 2),
			      call_why(c))) != E_OK)
		return e;
	arena_init(&arena, FILL_DRAFT_BYTES_MAX);
	if (call_arg(c, 3) != NULL)
		e = number_of(c, 3, &record.draft);
	if (e == E_OK && (e = same_form(c, &f)) == E_OK &&
	    (e = call_input(c, "values", &input)) == E_OK &&
	    (e = fill_values_read(input, &arena, &values, &record.value_count)) == E_OK &&
	    (e = check(c, &f, values, record.value_count)) == E_OK &&
	    (e = enclose(c, f.form->form, NULL, values, record.value_count, &arena, &enclosed,
			 &field, call_why(c))) == E_OK) {
		record.attached = enclosed.files;
		record.attached_count = enclosed.count;
		record.form = f.form;
		record.area = f.area;
		record.values = values;
		record.time_s = peer_now_s(f.peer);
		record.urgent = finish_urgent(f.form->form, values, record.value_count);
		e = finish_records(&f, &record, 1, call_why(c));
	} else if (e == E_ANSWER_CONSTRAINT && *field != '\0') {
		struct why why = *call_why(c);

		(void)why_set(call_why(c), e, "%s: %s", field, why.thing);
	}
	if (e == E_OK) {
		call_kept(c, "the record is finished and kept");
		*call_why(c) = f.behind;
		call_after(c, f.behind.e);
		writer_init(&w, memory, sizeof(memory));
		pack_bin(&w, BYTES(record.id.b, sizeof(record.id.b)));
		e = hand(c, &w);
	}
	arena_free(&arena);
	enclose_free(&enclosed);
	finish_end(&f);
	return e;
}
