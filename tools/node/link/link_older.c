/*
 * A device's older logs (before a fork, or before it was restored itself), when its node begins a
 * new life: each is offered once more, up to what an earlier life acknowledged. PROTOCOL.md "A
 * device's older logs".
 */
#include "core/parcel/arrival.h"
#include "tools/node/down/down.h"
#include "tools/node/link/link_inside.h"
#include "tools/node/outbox/outbox.h"

#define OLDER_LOGS_MAX 256u

/* The older logs of this device. */
static enum err
older_logs(struct peer *p, struct store_txn *txn, struct log_id out[OLDER_LOGS_MAX], size_t *count)
{
	struct identity *self = peer_self(p);
	size_t all, i, n = 0;
	enum err e = arrival_logs(txn, &self->id, out, OLDER_LOGS_MAX, &all);

	if (e == E_ABSENT || peer_is_node(p))
		all = 0;
	for (i = 0; i < all && i < OLDER_LOGS_MAX; i++)
		if (out[i].epoch != self->epoch)
			out[n++] = out[i];
	*count = n;
	return e == E_ABSENT ? E_OK : e;
}

enum err
link_older_note(struct peer *p, struct store_txn *txn)
{
	struct log_id logs[OLDER_LOGS_MAX];
	uint64_t acked;
	size_t count, i;
	enum err e = older_logs(p, txn, logs, &count);

	for (i = 0; i < count && e == E_OK; i++)
		if ((e = outbox_acked(txn, logs[i].epoch, &acked)) == E_OK && acked > 0)
			e = outbox_put_older(txn, logs[i].epoch, acked);
	return e;
}

/* The next one that must be offered: its epoch 0 when there is none. */
static enum err
older_next(struct link *l, struct store_txn *txn)
{
	struct log_id logs[OLDER_LOGS_MAX];
	size_t count, i;
	enum err e = older_logs(l->peer, txn, logs, &count);

	l->older = (struct link_older){0};
	for (i = 0; i < count && e == E_OK && l->older.upto == 0; i++) {
		l->older.epoch = logs[i].epoch;
		e = outbox_older(txn, logs[i].epoch, &l->older.upto);
	}
	return e;
}

bool
link_older_begin(struct link *l, struct session *s, uint64_t now_ms)
{
	struct session_mine mine = {.ask_first = true,
				    .budget_bytes = l->budget_bytes,
				    .incarnation = l->memory.incarnation};
	struct down_cursor cursors[2];
	struct store_txn *txn;
	enum err e;

	if (store_read_begin(l->peer->store, &txn) != E_OK)
		return false;
	if ((e = older_next(l, txn)) == E_OK)
		e = down_cursors(l->peer, txn, cursors);
	store_read_end(txn);
	if (e != E_OK || l->older.upto == 0)
		return false;
	mine.epoch = l->older.epoch;
	mine.head = mine.offered = l->older.upto;
	mine.cursor[0] = cursors[0].number;
	mine.cursor[1] = cursors[1].number;
	session_sync(s, &mine, now_ms);
	return true;
}

static enum err
offered_job(struct store_txn *txn, void *arg)
{
	struct link *l = arg;

	return outbox_put_older(txn, l->older.epoch, 0);
}

bool
link_older_end(struct link *l, enum err e)
{
	bool all = l->older.acked >= l->older.upto;

	if (l->older.forked)
		e = outbox_older_again(l->peer, peer_self(l->peer), l->older.epoch, l->older.upto,
				       &l->why);
	else if (all) /* whether the digests agree or not: the node may hold more of it by now */
		e = store_write(l->peer->store, offered_job, l);
	else if (e == E_OK)
		e = E_UNVERIFIED;
	l->older = (struct link_older){0};
	return e == E_OK;
}
