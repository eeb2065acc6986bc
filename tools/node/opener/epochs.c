#include "tools/node/opener/epochs.h"

#include "core/set/shared.h"
#include "tools/node/opener/aside.h"
#include "tools/node/opener/opener.h"

#define ALLOWED_MAX \
	(EPOCHS_MAX * 64u) /* an officer who approves so often should shut the device out */

/* CURSOR row "logs" || author: be32 how many may count, then be64 the epoch of each that does, as
 * they came. */
struct logs {
	uint8_t key[4 + ID_BYTES];
	uint32_t allowed;
	size_t count;
	uint64_t epoch[ALLOWED_MAX];
};

static enum err
logs_get(struct store_txn *txn, const struct principal_id *author, struct logs *l)
{
	struct bytes value;
	enum err e;
	size_t i;

	memcpy(l->key, "logs", 4);
	memcpy(l->key + 4, author->b, ID_BYTES);
	l->allowed = EPOCHS_MAX;
	l->count = 0;
	if ((e = store_get(txn, STORE_CURSOR, BYTES(l->key, sizeof(l->key)), &value)) != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (value.n < 4 || value.n % 8 != 4 || value.n / 8 > ALLOWED_MAX)
		return E_STORE_DAMAGED;
	l->allowed = be32_get(value.p);
	l->count = value.n / 8;
	for (i = 0; i < l->count; i++)
		l->epoch[i] = be64_get(value.p + 4 + 8 * i);
	return E_OK;
}

static enum err
logs_put(struct store_txn *txn, const struct logs *l)
{
	uint8_t value[4 + 8 * ALLOWED_MAX];
	size_t i;

	be32_put(value, l->allowed);
	for (i = 0; i < l->count; i++)
		be64_put(value + 4 + 8 * i, l->epoch[i]);
	return store_put(txn, STORE_CURSOR, BYTES(l->key, sizeof(l->key)),
			 BYTES(value, 4 + 8 * l->count));
}

static bool
counts(const struct logs *l, uint64_t epoch)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (l->epoch[i] == epoch)
			return true;
	return false;
}

enum err
epochs_note(struct store_txn *txn, const struct log_id *log)
{
	struct logs l;
	enum err e = logs_get(txn, &log->author, &l);

	if (e != E_OK || l.count >= l.allowed || counts(&l, log->epoch))
		return e;
	l.epoch[l.count++] = log->epoch;
	return logs_put(txn, &l);
}

enum err
epochs_check(struct store_txn *txn, const struct log_id *log)
{
	struct logs l;
	enum err e = logs_get(txn, &log->author, &l);

	return e != E_OK || l.count < l.allowed || counts(&l, log->epoch) ? e : E_EPOCHS;
}

enum err
epochs_first(struct store_txn *txn, const struct principal_id *author,
	     struct log_id out[EPOCHS_MAX], size_t *count)
{
	struct logs l;
	enum err e = logs_get(txn, author, &l);

	for (*count = 0; e == E_OK && *count < l.count && *count < EPOCHS_MAX; ++*count)
		out[*count] = (struct log_id){*author, l.epoch[*count]};
	return e;
}

/* One arrival that waited for the officer: it goes before all others, and its log counts as long as
 * there is room. */
static enum err
let_in(struct store_txn *txn, struct logs *l, const struct arrival *a)
{
	struct store_seq key = store_seq_of(a->seq);
	enum err e;

	if (!counts(l, a->log.epoch)) {
		if (l->count >= l->allowed)
			return E_OK;
		l->epoch[l->count++] = a->log.epoch;
	}
	if ((e = store_del(txn, STORE_QUARANTINE, BYTES(key.b, 8))) != E_OK)
		return e;
	return opener_note(txn, a, true);
}

enum err
epochs_allow(struct store_txn *txn, const struct principal_id *author)
{
	struct quarantine_row row;
	struct store_cursor *c;
	struct bytes key, value;
	struct logs l;
	uint64_t seq = 0;
	enum err e = logs_get(txn, author, &l);

	if (e == E_OK)
		e = aside_clear(txn, author);
	if (e != E_OK || l.count < l.allowed || l.allowed >= ALLOWED_MAX)
		return e;
	l.allowed += EPOCHS_MAX;
	for (;;) { /* a row goes under the cursor's feet: look anew from the one after */
		struct store_seq from = store_seq_of(seq + 1);
		struct arrival a;
		bool found = false;

		if ((e = store_walk(txn, STORE_QUARANTINE, BYTES(from.b, 8), STORE_FORWARD, &c)) !=
		    E_OK)
			return e;
		while (!found && store_next(c, &key, &value))
			found = quarantine_read(key, value, &row) == E_OK && row.e == E_EPOCHS &&
				arrival_get(txn, row.seq, &a) == E_OK &&
				ID_EQUAL(&a.log.author, author);
		if ((e = store_walk_end(c)) != E_OK)
			return e;
		if (!found)
			break;
		seq = row.seq;
		if ((e = let_in(txn, &l, &a)) != E_OK)
			return e;
	}
	if (seq > 0 && (e = shared_forget(txn)) != E_OK) /* what was nobody else's affair is now */
		return e;
	return logs_put(txn, &l);
}
