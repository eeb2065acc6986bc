#include "tools/node/opener/opener_queue.h"

#include "tools/node/opener/epochs.h"

/*
 * CURSOR rows beside META "opened": "urgent" be64 seq: before its turn. "early" author be64 seq:
 * may go early. "ahead" be64 seq: was opened early, and the cursor has not come there. "fair": the
 * author that went early last.
 */
#define URGENT "urgent"
#define EARLY "early"
#define AHEAD "ahead"
#define URGENT_BYTES 14u
#define EARLY_BYTES (5u + ID_BYTES + 8u)
#define AHEAD_BYTES 13u

static struct bytes
urgent_key(uint8_t key[URGENT_BYTES], uint64_t seq)
{
	memcpy(key, URGENT, 6);
	be64_put(key + 6, seq);
	return BYTES(key, URGENT_BYTES);
}

static struct bytes
early_key(uint8_t key[EARLY_BYTES], const struct principal_id *author, uint64_t seq)
{
	memcpy(key, EARLY, 5);
	memcpy(key + 5, author->b, ID_BYTES);
	be64_put(key + 5 + ID_BYTES, seq);
	return BYTES(key, EARLY_BYTES);
}

static struct bytes
ahead_key(uint8_t key[AHEAD_BYTES], uint64_t seq)
{
	memcpy(key, AHEAD, 5);
	be64_put(key + 5, seq);
	return BYTES(key, AHEAD_BYTES);
}

/* ---- in ---- */

/* While many wait, a few of each author's need not: those of somebody with few are all among them.
 */
static enum err
note_early(struct store_txn *txn, const struct arrival *a)
{
	struct store_cursor *c;
	struct bytes found;
	uint8_t key[EARLY_BYTES];
	uint64_t waiting;
	size_t count = 0;
	enum err e = opener_backlog(txn, &waiting);

	if (e != E_OK || waiting <= QUEUE_LONG)
		return e;
	early_key(key, &a->log.author, a->seq);
	if ((e = store_walk_prefix(txn, STORE_CURSOR, BYTES(key, 5 + ID_BYTES), STORE_FORWARD,
				   &c)) != E_OK)
		return e;
	while (count < QUEUE_EARLY_MAX && store_next(c, &found, NULL))
		count++;
	if ((e = store_walk_end(c)) != E_OK || count == QUEUE_EARLY_MAX)
		return e;
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES_LIT("1"));
}

enum err
opener_note(struct store_txn *txn, const struct arrival *a, bool urgent)
{
	uint8_t key[URGENT_BYTES];
	enum err e;

	/* carried ones come in any order: the first of their log that arrives notes it */
	if ((a->number == 1 || (a->flags & ARRIVAL_CARRIED)) &&
	    (e = epochs_note(txn, &a->log)) != E_OK)
		return e;
	return urgent ? store_put(txn, STORE_CURSOR, urgent_key(key, a->seq), BYTES_LIT("1"))
		      : note_early(txn, a);
}

enum err
opener_backlog(struct store_txn *txn, uint64_t *out)
{
	uint64_t opened, last;
	enum err e;

	if ((e = store_meta_u64(txn, "opened", 0, &opened)) != E_OK ||
	    (e = arrival_last(txn, &last)) != E_OK)
		return e;
	*out = last > opened ? last - opened : 0;
	return E_OK;
}

static enum err
any_with(struct store_txn *txn, struct bytes prefix, bool *out)
{
	struct store_cursor *c;
	struct bytes key;
	enum err e = store_walk_prefix(txn, STORE_CURSOR, prefix, STORE_FORWARD, &c);

	if (e != E_OK)
		return e;
	*out = store_next(c, &key, NULL);
	return store_walk_end(c);
}

enum err
queue_urgent(struct store_txn *txn, bool *out)
{
	return any_with(txn, BYTES_LIT(URGENT), out);
}

/* ---- out ---- */

static enum err
pick_urgent(struct store_txn *txn, size_t max, struct opening *o)
{
	struct store_cursor *c;
	struct bytes key;
	enum err e = store_walk_prefix(txn, STORE_CURSOR, BYTES_LIT(URGENT), STORE_FORWARD, &c);

	if (e != E_OK)
		return e;
	while (o->count < max && store_next(c, &key, NULL))
		if (key.n == URGENT_BYTES)
			o->arrivals[o->count++] =
			    (struct opening_arrival){.seq = be64_get(key.p + 6), .urgent = true};
	return store_walk_end(c);
}

/* The oldest of each author that may go early, beginning after the author `after`; NULL: from the
 * first on. */
static enum err
pick_early(struct store_txn *txn, size_t max, const struct principal_id *after, struct opening *o)
{
	struct principal_id last;
	struct store_cursor *c;
	struct bytes key;
	bool any = false;
	enum err e = store_walk_prefix(txn, STORE_CURSOR, BYTES_LIT(EARLY), STORE_FORWARD, &c);

	if (e != E_OK)
		return e;
	while (o->count < max && store_next(c, &key, NULL)) {
		struct principal_id author;
		size_t i;

		if (key.n != EARLY_BYTES)
			continue;
		memcpy(author.b, key.p + 5, ID_BYTES);
		if ((after != NULL && memcmp(author.b, after->b, ID_BYTES) <= 0) ||
		    (any && ID_EQUAL(&author, &last)))
			continue;
		for (i = 0; i < o->count; i++) /* the circle has come round */
			if (o->arrivals[i].early &&
			    ID_EQUAL(&o->arrivals[i].arrival.log.author, &author))
				break;
		if (i < o->count)
			continue;
		last = author;
		any = true;
		o->arrivals[o->count] =
		    (struct opening_arrival){.seq = be64_get(key.p + 5 + ID_BYTES), .early = true};
		o->arrivals[o->count++].arrival.log.author = author;
	}
	return store_walk_end(c);
}

static bool
is_picked(const struct opening *o, size_t count, uint64_t seq)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (o->arrivals[i].seq == seq)
			return true;
	return false;
}

enum err
queue_pick(struct store_txn *txn, size_t max, struct opening *o)
{
	struct principal_id after;
	struct bytes value;
	uint8_t key[AHEAD_BYTES];
	uint64_t last;
	size_t half, before;
	enum err e;

	if ((e = pick_urgent(txn, max, o)) != E_OK ||
	    (e = store_meta_u64(txn, "opened", 0, &o->opened)) != E_OK ||
	    (e = arrival_last(txn, &last)) != E_OK ||
	    (e = store_meta_u64(txn, "anew", 0, &o->anew_upto)) != E_OK)
		return e;
	o->opened_before = o->opened;
	half = o->count + (max - o->count) / 2;
	e = store_get(txn, STORE_CURSOR, BYTES_LIT("fair"), &value);
	if (e == E_OK && value.n == ID_BYTES) {
		memcpy(after.b, value.p, ID_BYTES);
		e = pick_early(txn, half, &after, o);
	}
	if ((e != E_OK && e != E_ABSENT) || (e = pick_early(txn, half, NULL, o)) != E_OK)
		return e;
	before = o->count;
	while (o->count < max && o->opened < last) {
		o->opened++;
		if (!is_picked(o, before, o->opened) &&
		    !store_has(txn, STORE_CURSOR, ahead_key(key, o->opened)))
			o->arrivals[o->count++] = (struct opening_arrival){.seq = o->opened};
	}
	return E_OK;
}

/* ---- done ---- */

/* The cursor has come by: what was opened before its turn need not be known any more. */
static enum err
drop_ahead(struct store_txn *txn, uint64_t upto)
{
	struct store_cursor *c;
	struct bytes key;
	uint8_t first[AHEAD_BYTES];
	enum err e;

	for (;;) {
		bool found = false;

		if ((e = store_walk_prefix(txn, STORE_CURSOR, BYTES_LIT(AHEAD), STORE_FORWARD,
					   &c)) != E_OK)
			return e;
		while (!found && store_next(c, &key, NULL))
			if ((found = key.n == AHEAD_BYTES))
				memcpy(first, key.p, AHEAD_BYTES);
		if ((e = store_walk_end(c)) != E_OK || !found || be64_get(first + 5) > upto)
			return e;
		if ((e = store_del(txn, STORE_CURSOR, BYTES(first, AHEAD_BYTES))) != E_OK)
			return e;
	}
}

static enum err
del_if_there(struct store_txn *txn, struct bytes key)
{
	enum err e = store_del(txn, STORE_CURSOR, key);

	return e == E_ABSENT ? E_OK : e;
}

enum err
queue_opened(struct store_txn *txn, const struct opening *o)
{
	const struct principal_id *fair = NULL;
	uint8_t urgent[URGENT_BYTES], early[EARLY_BYTES], ahead[AHEAD_BYTES];
	bool any_early = false;
	enum err e = any_with(txn, BYTES_LIT(EARLY), &any_early);
	size_t i;

	for (i = 0; i < o->count && e == E_OK; i++) {
		const struct opening_arrival *at = &o->arrivals[i];

		if (at->urgent)
			e = del_if_there(txn, urgent_key(urgent, at->seq));
		else if (any_early)
			e = del_if_there(txn, early_key(early, &at->arrival.log.author, at->seq));
		if (at->early)
			fair = &at->arrival.log.author;
		if (e == E_OK && at->early && at->seq > o->opened)
			e = store_put(txn, STORE_CURSOR, ahead_key(ahead, at->seq), BYTES_LIT("1"));
	}
	if (e == E_OK && fair != NULL)
		e = store_put(txn, STORE_CURSOR, BYTES_LIT("fair"), BYTES(fair->b, ID_BYTES));
	if (e == E_OK)
		e = drop_ahead(txn, o->opened);
	return e == E_OK ? store_meta_put_u64(txn, "opened", o->opened) : e;
}

static enum err
drop_early(struct store_txn *txn)
{
	struct store_cursor *c;
	struct bytes key;
	uint8_t first[EARLY_BYTES];
	enum err e;

	for (;;) {
		bool found = false;

		if ((e = store_walk_prefix(txn, STORE_CURSOR, BYTES_LIT(EARLY), STORE_FORWARD,
					   &c)) != E_OK)
			return e;
		while (!found && store_next(c, &key, NULL))
			if ((found = key.n == EARLY_BYTES))
				memcpy(first, key.p, EARLY_BYTES);
		if ((e = store_walk_end(c)) != E_OK || !found)
			return e;
		if ((e = store_del(txn, STORE_CURSOR, BYTES(first, EARLY_BYTES))) != E_OK)
			return e;
	}
}

enum err
queue_forget(struct store_txn *txn)
{
	enum err e = drop_ahead(txn, UINT64_MAX);

	return e == E_OK ? drop_early(txn) : e;
}
