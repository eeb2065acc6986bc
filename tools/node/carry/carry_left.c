/* What a node did not take from above, because somebody will still bring it whole. FORMATS.md "Left
 * to others". */
#include <stdlib.h>

#include "tools/node/carry/carry_inside.h"

#define PREFIX_BYTES (4u + ID_BYTES)
#define KEY_BYTES (PREFIX_BYTES + ID_BYTES + 16u)

static void
prefix_of(const struct carry *c, uint8_t key[KEY_BYTES])
{
	memcpy(key, "left", 4);
	memcpy(key + 4, c->other.id.b, ID_BYTES);
}

static void
key_of(const struct carry *c, const struct log_id *log, uint64_t number, uint8_t key[KEY_BYTES])
{
	prefix_of(c, key);
	memcpy(key + PREFIX_BYTES, log->author.b, ID_BYTES);
	be64_put(key + PREFIX_BYTES + ID_BYTES, log->epoch);
	be64_put(key + PREFIX_BYTES + ID_BYTES + 8, number);
}

static struct sketch_item
item_of(const struct carry *c, const struct carry_left *l)
{
	return sketch_item(&c->key, sketch_log_tag(&c->key, &l->log), &l->log, l->number, &l->hash);
}

static enum err
add(struct carry *c, const struct carry_left *l)
{
	if (c->left_count == c->left_cap) {
		size_t cap = c->left_cap == 0 ? 64 : 2 * c->left_cap;
		struct carry_left *more = realloc(c->left, cap * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		c->left = more;
		c->left_cap = cap;
	}
	c->left[c->left_count++] = *l;
	c->left_sum += item_of(c, l).whole;
	c->counts.withheld = c->left_count;
	return E_OK;
}

/* Is it still waited for? */
static enum err
waits(struct carry *c, struct store_txn *txn, const struct carry_left *l, bool *out)
{
	struct parcel_hash here;
	uint64_t seq;
	enum err e = arrival_find(txn, &l->log, l->number, &seq, &here);

	*out = e == E_ABSENT || (e == E_OK && !ID_EQUAL(&here, &l->hash));
	if ((e != E_OK && e != E_ABSENT) || !*out)
		return e == E_ABSENT ? E_OK : e;
	return carry_may_come_whole(c, txn, &l->log.author, out);
}

static enum err
read_row(struct bytes key, struct bytes value, struct carry_left *out)
{
	if (key.n != KEY_BYTES || value.n != HASH_BYTES)
		return E_STORE_DAMAGED;
	memcpy(out->log.author.b, key.p + PREFIX_BYTES, ID_BYTES);
	out->log.epoch = be64_get(key.p + PREFIX_BYTES + ID_BYTES);
	out->number = be64_get(key.p + PREFIX_BYTES + ID_BYTES + 8);
	memcpy(out->hash.b, value.p, HASH_BYTES);
	return E_OK;
}

static enum err
load_job(struct store_txn *txn, void *arg)
{
	struct carry *c = arg;
	uint8_t prefix[KEY_BYTES], key[KEY_BYTES];
	struct store_cursor *w;
	struct bytes at, value;
	struct carry_left *gone = NULL;
	size_t gone_count = 0, i;
	enum err e, e2;

	c->left_count = 0; /* a job may run twice */
	c->left_sum = 0;
	c->counts.withheld = 0;
	prefix_of(c, prefix);
	if ((e = store_walk_prefix(txn, STORE_CURSOR, BYTES(prefix, PREFIX_BYTES), STORE_FORWARD,
				   &w)) != E_OK)
		return e;
	while (e == E_OK && store_next(w, &at, &value)) {
		struct carry_left l;
		bool still = false;

		if ((e = read_row(at, value, &l)) != E_OK ||
		    (e = waits(c, txn, &l, &still)) != E_OK)
			break;
		if (still) {
			e = add(c, &l);
			continue;
		}
		if (gone_count % 64 == 0) {
			struct carry_left *more = realloc(gone, (gone_count + 64) * sizeof(*more));

			if (more == NULL) {
				e = E_NO_MEMORY;
				break;
			}
			gone = more;
		}
		gone[gone_count++] = l;
	}
	e2 = store_walk_end(w);
	e = e != E_OK ? e : e2;
	for (i = 0; i < gone_count && e == E_OK; i++) {
		key_of(c, &gone[i].log, gone[i].number, key);
		e = store_del(txn, STORE_CURSOR, BYTES(key, sizeof(key)));
	}
	free(gone);
	return e;
}

enum err
carry_left_load(struct carry *c)
{
	return c->other.road == CARRY_UP ? store_write(c->peer->store, load_job, c) : E_OK;
}

uint64_t
carry_left_count(struct store_txn *txn)
{
	struct store_cursor *w;
	struct bytes key;
	uint64_t n = 0;

	if (store_walk_prefix(txn, STORE_CURSOR, BYTES_LIT("left"), STORE_FORWARD, &w) != E_OK)
		return 0;
	while (store_next(w, &key, NULL))
		n += key.n == KEY_BYTES;
	return store_walk_end(w) == E_OK ? n : 0;
}

enum err
carry_left_put(struct carry *c, struct store_txn *txn, const struct arrival *a, bool *fresh)
{
	uint8_t key[KEY_BYTES];
	struct bytes had;
	enum err e;

	key_of(c, &a->log, a->number, key);
	e = store_get(txn, STORE_CURSOR, BYTES(key, sizeof(key)), &had);
	*fresh = e == E_ABSENT;
	return *fresh ? store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)),
				  BYTES(a->hash.b, HASH_BYTES))
		      : e;
}

enum err
carry_left_note(struct carry *c, const struct arrival *a)
{
	return add(c, &(struct carry_left){.log = a->log, .number = a->number, .hash = a->hash});
}

static enum err
drop_job(struct store_txn *txn, void *arg)
{
	uint8_t prefix[KEY_BYTES];

	prefix_of(arg, prefix);
	return store_del_prefix(txn, STORE_CURSOR, BYTES(prefix, PREFIX_BYTES));
}

enum err
carry_left_drop(struct carry *c)
{
	if (c->left_count == 0)
		return E_OK;
	c->left_count = 0;
	c->left_sum = 0;
	c->counts.withheld = 0;
	return store_write(c->peer->store, drop_job, c);
}

enum err
carry_left_sketch(struct carry *c, const struct sketch **out)
{
	size_t i;

	*out = shared_sketch(c->shared);
	if (c->left_count == 0)
		return E_OK;
	if (c->with_left == NULL && (c->with_left = malloc(sizeof(*c->with_left))) == NULL)
		return E_NO_MEMORY;
	*c->with_left = **out;
	for (i = 0; i < c->left_count; i++) {
		struct sketch_item item = item_of(c, &c->left[i]);

		sketch_add(c->with_left, &c->key, &item);
	}
	*out = c->with_left;
	return E_OK;
}
