/*
 * Where bytes are counted, what is urgent goes first: ahead of its turn, and not again when its
 * turn comes. FORMATS.md "Said ahead".
 */
#include <stdlib.h>

#include "core/parcel/parcel.h"
#include "tools/node/carry/carry_inside.h"

#define LABEL "rush"
#define LABEL_BYTES 4u
#define PREFIX_BYTES (LABEL_BYTES + ID_BYTES)
#define KEY_BYTES (PREFIX_BYTES + 8u)
#define LIFE_BYTES 8u

static struct bytes
key_of(uint8_t key[KEY_BYTES], const struct principal_id *id, uint64_t seq)
{
	memcpy(key, LABEL, LABEL_BYTES);
	memcpy(key + LABEL_BYTES, id->b, ID_BYTES);
	be64_put(key + PREFIX_BYTES, seq);
	return BYTES(key, KEY_BYTES);
}

void
carry_urgent_first(struct carry *c)
{
	c->urgent_first = true;
}

bool
carry_urgent_said(struct carry *c, struct store_txn *txn, uint64_t seq)
{
	uint8_t key[KEY_BYTES];
	struct bytes life;
	size_t i;

	if (c->repairing)
		return false;
	for (i = 0; i < c->urged_count; i++)
		if (c->urged[i].seq == seq)
			return true;
	return c->life != 0 &&
	       store_get(txn, STORE_CURSOR, key_of(key, &c->other.id, seq), &life) == E_OK &&
	       life.n == LIFE_BYTES && be64_get(life.p) == c->life;
}

/* The next urgent one past what was said, into c->say; nothing: there is none. */
enum err
carry_say_urgent(struct carry *c, struct store_txn *txn)
{
	uint64_t number, at;
	uint8_t flags;
	struct arrival a;
	enum err e = E_OK;

	c->urging = 0;
	if (!c->urgent_first || c->repairing)
		return E_OK;
	if (c->urgent_at < c->at)
		c->urgent_at = c->at;
	while (e == E_OK && c->say.count == 0 && c->urgent_at < c->bound) {
		at = ++c->urgent_at;
		if ((e = arrival_get(txn, at, &a)) == E_OK &&
		    parcel_peek(a.parcel, &number, &flags) == E_OK && (flags & PARCEL_URGENT) &&
		    !carry_urgent_said(c, txn, at))
			e = carry_say_shared(c, txn, &a);
		if (c->say.count > 0)
			c->urging = at;
		if (at % 256 == 0)
			store_forget(txn);
	}
	return e;
}

/* What is in c->say goes: it is urgent, and must not go again. */
enum err
carry_urgent_goes(struct carry *c)
{
	if (c->urging == 0)
		return E_OK;
	if (c->urged_count == c->urged_cap) {
		size_t cap = c->urged_cap == 0 ? 64 : 2 * c->urged_cap;
		struct carry_urged *more = realloc(c->urged, cap * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		c->urged = more;
		c->urged_cap = cap;
	}
	c->urged[c->urged_count++] = (struct carry_urged){c->urging, c->marks_said};
	c->urging = 0;
	return E_OK;
}

void
carry_urgent_again(struct carry *c)
{
	c->urged_count = 0;
	c->urgent_at = c->urging = 0;
	c->marks_said = c->marks_taken = 0;
}

/* Rows up to `upto` go: the cursor has come by. A few at a time, they are not deleted under a
 * walk. */
static enum err
drop_upto(struct store_txn *txn, const struct principal_id *id, uint64_t upto)
{
	uint8_t key[KEY_BYTES], first[KEY_BYTES];
	struct store_cursor *w;
	struct bytes at;
	enum err e;

	(void)key_of(key, id, 0);
	for (;;) {
		bool found = false;

		if ((e = store_walk_prefix(txn, STORE_CURSOR, BYTES(key, PREFIX_BYTES),
					   STORE_FORWARD, &w)) != E_OK)
			return e;
		if (store_next(w, &at, NULL) && at.n == KEY_BYTES) {
			memcpy(first, at.p, KEY_BYTES);
			found = be64_get(first + PREFIX_BYTES) <= upto;
		}
		if ((e = store_walk_end(w)) != E_OK || !found)
			return e;
		if ((e = store_del(txn, STORE_CURSOR, BYTES(first, KEY_BYTES))) != E_OK)
			return e;
	}
}

enum err
carry_taken(struct carry *c, struct store_txn *txn, const struct carry_cursor *said, bool behind)
{
	uint8_t key[KEY_BYTES], life[LIFE_BYTES];
	enum err e = carry_put_said(txn, &c->other.id, said);
	size_t i;

	if (e == E_OK)
		e = drop_upto(txn, &c->other.id, behind ? UINT64_MAX : said->seq);
	if (behind || c->life == 0)
		return e;
	be64_put(life, c->life);
	for (i = 0; i < c->urged_count && e == E_OK; i++)
		if (c->urged[i].mark <= c->marks_taken && c->urged[i].seq > said->seq)
			e = store_put(txn, STORE_CURSOR, key_of(key, &c->other.id, c->urged[i].seq),
				      BYTES(life, sizeof(life)));
	return e;
}

void
carry_taken_done(struct carry *c)
{
	c->marks_taken++;
}
