/* What a device's session reads at the node. */
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "core/parcel/parcel.h"
#include "tools/node/carry/accept.h"
#include "tools/node/down/down_row.h"
#include "tools/node/serve/serve_inside.h"

#define SPARE_BYTES_MIN 200u /* what is shorter is sooner said than asked for */

static struct log_id
log_of(struct serve_conn *c, enum session_log log, uint64_t epoch)
{
	struct peer *p = c->serve->peer;

	if (log == SESSION_LOG_BROADCAST)
		return down_broadcast_log(p);
	if (log == SESSION_LOG_INBOX)
		return down_inbox_log(p, &c->peer.id);
	return (struct log_id){c->peer.id, epoch};
}

static enum err
source_parcel(void *ctx, enum session_log log, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	struct serve_conn *c = ctx;
	struct log_id id = log_of(c, log, 0);
	struct store_txn *txn;
	struct parcel_hash hash;
	struct arrival a;
	uint64_t seq;
	enum err e;

	if (log == SESSION_LOG_OWN)
		return E_ABSENT;
	if ((e = store_read_begin(c->serve->peer->store, &txn)) != E_OK)
		return e;
	if ((e = arrival_find(txn, &id, number, &seq, &hash)) == E_OK &&
	    (e = arrival_get(txn, seq, &a)) == E_OK) {
		writer_reset(&c->parcel);
		if (c->spare && log == SESSION_LOG_BROADCAST && down_may_spare(a.parcel))
			e = parcel_spare(a.parcel, SPARE_BYTES_MIN, &c->parcel);
		else
			writer_bytes(&c->parcel, a.parcel);
		e = e == E_OK ? writer_end(&c->parcel) : e;
		*out = writer_view(&c->parcel);
		*epoch = id.epoch;
	}
	store_read_end(txn);
	return e;
}

enum err
serve_head_of(struct store_txn *txn, const struct log_id *id, struct session_head *out)
{
	struct arrival_head *head = malloc(sizeof(*head));
	enum err e;

	if (head == NULL)
		return E_NO_MEMORY;
	e = arrival_head(txn, id, head);
	*out = (struct session_head){id->epoch, head->number, head->hash};
	free(head);
	return e == E_ABSENT ? E_OK : e;
}

static enum err
source_heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	struct serve_conn *c = ctx;
	struct peer *p = c->serve->peer;
	struct store_txn *txn;
	enum err e;
	int i;

	memset(out, 0, sizeof(*out));
	out->incarnation = store_incarnation(p->store);
	out->now_s = peer_now_s(p);
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	for (i = 0; e == E_OK && i < SESSION_LOG_COUNT; i++) {
		struct log_id id = log_of(c, (enum session_log)i, epoch);

		e = serve_head_of(txn, &id, &out->log[i]);
		if (e == E_OK && i == SESSION_LOG_OWN)
			e = accept_safe(txn, &id, out->log[i].number, &out->safe);
	}
	store_read_end(txn);
	return e;
}

void
serve_source(struct serve_conn *c)
{
	c->source = (struct session_source){.ctx = c,
					    .parcel = source_parcel,
					    .heads = source_heads,
					    .node_next = serve_node_next,
					    .node_close = serve_node_close};
}
