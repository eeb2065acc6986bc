/* What a device's session reads from its store, and what a store remembers of its syncs. */
#include "tools/node/link/link_inside.h"

#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "core/pack.h"
#include "tools/node/down/down.h"
#include "tools/node/outbox/outbox.h"

enum err
sync_memory_named(struct store_txn *txn, const char *name, struct sync_memory *m)
{
	struct bytes value;
	struct reader r;
	enum err e = store_meta_get(txn, name, &value);

	memset(m, 0, sizeof(*m));
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	reader_begin(&r, value, 1, 6);
	m->incarnation = reader_u64(&r);
	m->last_sync_s = reader_u64(&r);
	m->clock_offset_s = reader_i64(&r);
	m->verified = reader_bool(&r);
	m->safe = reader_u64(&r);
	return reader_end(&r);
}

enum err
sync_memory_get(struct store_txn *txn, struct sync_memory *m)
{
	return sync_memory_named(txn, "sync", m);
}

enum err
sync_memory_put_named(struct store_txn *txn, const char *name, const struct sync_memory *m)
{
	uint8_t memory[64];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 6);
	pack_u64(&w, 1);
	pack_u64(&w, m->incarnation);
	pack_u64(&w, m->last_sync_s);
	pack_i64(&w, m->clock_offset_s);
	pack_bool(&w, m->verified);
	pack_u64(&w, m->safe);
	if ((e = writer_end(&w)) != E_OK)
		return e;
	return store_meta_put(txn, name, writer_view(&w));
}

enum err
sync_memory_put(struct store_txn *txn, const struct sync_memory *m)
{
	return sync_memory_put_named(txn, "sync", m);
}

/* The log that the exchange is about. */
static struct log_id
log_now(const struct link *l)
{
	struct identity *self = peer_self(l->peer);

	return (struct log_id){self->id, l->older.upto > 0 ? l->older.epoch : self->epoch};
}

static enum err
source_parcel(void *ctx, enum session_log log, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	struct link *l = ctx;
	struct log_id id = log_now(l);
	struct store_txn *txn;
	struct parcel_hash hash;
	struct arrival a;
	uint64_t seq;
	enum err e;

	if (log != SESSION_LOG_OWN)
		return E_ABSENT;
	if ((e = store_read_begin(l->peer->store, &txn)) != E_OK)
		return e;
	if ((e = arrival_find(txn, &id, number, &seq, &hash)) == E_OK &&
	    (e = arrival_get(txn, seq, &a)) == E_OK) {
		writer_reset(&l->parcel);
		writer_bytes(&l->parcel, a.parcel);
		e = a.parcel.n == 0 ? E_ABSENT
				    : writer_end(&l->parcel); /* safe, and so given up here */
		*out = writer_view(&l->parcel);
		*epoch = id.epoch;
	}
	store_read_end(txn);
	return e;
}

static enum err
source_own_hash(void *ctx, uint64_t number, struct parcel_hash *out)
{
	struct link *l = ctx;
	struct log_id id = log_now(l);
	struct store_txn *txn;
	uint64_t seq;
	enum err e;

	if ((e = store_read_begin(l->peer->store, &txn)) != E_OK)
		return e;
	e = arrival_find(txn, &id, number, &seq, out);
	store_read_end(txn);
	return e;
}

enum err
link_own_head(struct peer *p, struct store_txn *txn, struct session_head *out)
{
	struct log_id id = {peer_self(p)->id, peer_self(p)->epoch};
	struct arrival_head *head;
	enum err e;

	if (peer_is_node(p) &&
	    p->home.key_no != 0) { /* a node has no log that goes up as its own: CARRIED does it */
		*out = (struct session_head){0};
		return E_OK;
	}
	head = malloc(sizeof(*head));
	if (head == NULL)
		return E_NO_MEMORY;
	e = arrival_head(txn, &id, head);
	*out = (struct session_head){id.epoch, head->number, head->hash};
	free(head);
	return e == E_ABSENT ? E_OK : e;
}

static enum err
source_heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	struct link *l = ctx;
	struct session_head *own = &out->log[SESSION_LOG_OWN];
	struct down_cursor cursors[2];
	struct log_id id = log_now(l);
	struct store_txn *txn;
	uint64_t seq;
	enum err e;
	int i;

	(void)epoch;
	memset(out, 0, sizeof(*out));
	if ((e = store_read_begin(l->peer->store, &txn)) != E_OK)
		return e;
	*own = (struct session_head){.epoch = id.epoch, .number = l->older.upto};
	e = l->older.upto > 0 ? arrival_find(txn, &id, l->older.upto, &seq, &own->hash)
			      : link_own_head(l->peer, txn, own);
	if (e == E_OK)
		e = down_cursors(l->peer, txn, cursors);
	store_read_end(txn);
	for (i = 0; e == E_OK && i < 2; i++)
		out->log[i] =
		    (struct session_head){cursors[i].epoch, cursors[i].number, cursors[i].hash};
	return e;
}

const struct session_source link_source = {.parcel = source_parcel,
					   .own_hash = source_own_hash,
					   .heads = source_heads,
					   .node_next = link_node_next,
					   .node_close = link_node_close};

uint64_t
link_records_between(struct store_txn *txn, uint64_t epoch, uint64_t from, uint64_t upto)
{
	struct store_cursor *c;
	struct bytes key, value;
	uint64_t n = 0;

	if (store_walk(txn, STORE_OWN_RECORD, BYTES_NONE, STORE_FORWARD, &c) != E_OK)
		return 0;
	while (store_next(c, &key, &value)) {
		struct own_record own;

		if (own_record_read(key, value, &own) == E_OK && own.epoch == epoch &&
		    own.number > from && own.number <= upto)
			n++;
	}
	return store_walk_end(c) == E_OK ? n : 0;
}
