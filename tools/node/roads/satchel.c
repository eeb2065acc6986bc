#include "tools/node/roads/satchel.h"

#include <stdlib.h>

#include "core/pack.h"

#define KEY_BYTES 16u
#define MARK_BYTES 9u /* be64 order || handed over */
#define MARK_WAY 2u   /* added to the way of the row that it is about */
#define DAY_S 86400u
#define KEY_DAYS_MAX 30u /* as long as a device remembers what it gave to whom */

/* ---- a relay's rows ---- */

static void
row_key(uint8_t key[KEY_BYTES], enum satchel_way way, struct bytes envelope)
{
	uint8_t hash[SHA256_BYTES];

	crypto_sha256(hash, envelope);
	key[0] = (uint8_t)way;
	memcpy(key + 1, hash, KEY_BYTES - 1);
}

static enum err
row_read(struct bytes value, uint64_t *time_s, struct bytes *envelope)
{
	struct reader r;

	reader_begin(&r, value, 1, 3);
	*time_s = reader_u64(&r);
	*envelope = reader_bin(&r);
	return reader_end(&r);
}

enum err
satchel_used(struct store_txn *txn, uint64_t *out)
{
	return store_meta_u64(txn, "satchel bytes", 0, out);
}

enum err
satchel_room(struct store_txn *txn, const struct satchel_limits *limits, uint64_t *out)
{
	uint64_t used, given = 0;
	enum err e = satchel_used(txn, &used);

	if (e == E_OK)
		e = store_meta_u64(txn, "satchel given", 0, &given);
	used -= given < used ? given : used;
	*out = e == E_OK && used < limits->bytes_max ? (limits->bytes_max - used) / 2 : 0;
	return e;
}

/* [1, time, secret bin32, public bin65]; false: there is none that may still serve. */
static bool
key_kept(struct store_txn *txn, uint64_t now_s, struct ec_key *out)
{
	struct bytes value;
	struct reader r;
	uint64_t time_s;

	if (store_count(txn, STORE_SATCHEL) == 0 ||
	    store_meta_get(txn, "satchel key", &value) != E_OK)
		return false;
	reader_begin(&r, value, 1, 4);
	time_s = reader_u64(&r);
	reader_bin_fixed(&r, out->secret, sizeof(out->secret));
	reader_bin_fixed(&r, out->pub.b, sizeof(out->pub.b));
	return reader_end(&r) == E_OK && time_s <= now_s &&
	       now_s - time_s <= (uint64_t)KEY_DAYS_MAX * DAY_S;
}

enum err
satchel_key(struct store_txn *txn, uint64_t now_s, struct ec_key *out)
{
	uint8_t memory[160];
	struct writer w;
	enum err e;

	if (key_kept(txn, now_s, out))
		return E_OK;
	if ((e = crypto_ec_new(out)) != E_OK)
		return e;
	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 4);
	pack_u64(&w, 1);
	pack_u64(&w, now_s);
	pack_bin(&w, BYTES(out->secret, sizeof(out->secret)));
	pack_bin(&w, BYTES(out->pub.b, sizeof(out->pub.b)));
	if ((e = writer_end(&w)) == E_OK)
		e = store_meta_put(txn, "satchel key", writer_view(&w));
	crypto_wipe(memory, sizeof(memory));
	return e;
}

/* ---- in which order they came, and what was handed over ---- */

/* A row of an earlier version has none: it came first. */
static enum err
mark_get(struct store_txn *txn, const uint8_t key[KEY_BYTES], uint64_t *order, bool *given)
{
	uint8_t mark[KEY_BYTES];
	struct bytes value;
	enum err e;

	memcpy(mark, key, KEY_BYTES);
	mark[0] = (uint8_t)(mark[0] + MARK_WAY);
	*order = 0;
	*given = false;
	if ((e = store_get(txn, STORE_SATCHEL, BYTES(mark, KEY_BYTES), &value)) != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (value.n != MARK_BYTES)
		return E_STORE_DAMAGED;
	*order = be64_get(value.p);
	*given = value.p[8] != 0;
	return E_OK;
}

static enum err
mark_put(struct store_txn *txn, const uint8_t key[KEY_BYTES], uint64_t order, bool given)
{
	uint8_t mark[KEY_BYTES], value[MARK_BYTES];

	memcpy(mark, key, KEY_BYTES);
	mark[0] = (uint8_t)(mark[0] + MARK_WAY);
	be64_put(value, order);
	value[8] = given;
	return store_put(txn, STORE_SATCHEL, BYTES(mark, KEY_BYTES), BYTES(value, MARK_BYTES));
}

static enum err
mark_new(struct store_txn *txn, const uint8_t key[KEY_BYTES])
{
	uint64_t order;
	enum err e = store_meta_u64(txn, "satchel order", 0, &order);

	if (e != E_OK || (e = store_meta_put_u64(txn, "satchel order", order + 1)) != E_OK)
		return e;
	return mark_put(txn, key, order + 1, false);
}

enum err
satchel_put(struct store_txn *txn, enum satchel_way way, struct bytes envelope, uint32_t now_s,
	    uint64_t room)
{
	uint8_t key[KEY_BYTES];
	struct envelope_hint hint;
	struct writer w;
	uint64_t used;
	enum err e;

	row_key(key, way, envelope);
	if (store_has(txn, STORE_SATCHEL, BYTES(key, sizeof(key))))
		return E_OK;
	if ((e = envelope_peek(envelope, &hint)) != E_OK || (e = satchel_used(txn, &used)) != E_OK)
		return e;
	if (envelope.n > room || store_count(txn, STORE_SATCHEL) >= 2 * SATCHEL_ROWS_MAX)
		return E_RELAY_FULL;
	writer_heap_init(&w, ENVELOPE_BYTES_MAX + 64);
	pack_array(&w, 3);
	pack_u64(&w, 1);
	pack_u64(&w, now_s);
	pack_bin(&w, envelope);
	if ((e = writer_end(&w)) == E_OK &&
	    (e = store_put(txn, STORE_SATCHEL, BYTES(key, sizeof(key)), writer_view(&w))) == E_OK &&
	    (e = mark_new(txn, key)) == E_OK)
		e = store_meta_put_u64(txn, "satchel bytes", used + envelope.n);
	writer_free(&w);
	return e;
}

static enum err
count_given(struct store_txn *txn, size_t more, size_t less)
{
	uint64_t given;
	enum err e = store_meta_u64(txn, "satchel given", 0, &given);

	given += more;
	return e == E_OK ? store_meta_put_u64(txn, "satchel given", given > less ? given - less : 0)
			 : e;
}

static enum err
del_key(struct store_txn *txn, const uint8_t key[KEY_BYTES], size_t bytes)
{
	uint8_t mark[KEY_BYTES];
	uint64_t used, order;
	bool given;
	enum err e = mark_get(txn, key, &order, &given);

	if (e != E_OK || (e = store_del(txn, STORE_SATCHEL, BYTES(key, KEY_BYTES))) != E_OK)
		return e == E_ABSENT ? E_OK : e;
	memcpy(mark, key, KEY_BYTES);
	mark[0] = (uint8_t)(mark[0] + MARK_WAY);
	if (((e = store_del(txn, STORE_SATCHEL, BYTES(mark, KEY_BYTES))) != E_OK &&
	     e != E_ABSENT) ||
	    (given && (e = count_given(txn, 0, bytes)) != E_OK) ||
	    (e = satchel_used(txn, &used)) != E_OK)
		return e;
	return store_meta_put_u64(txn, "satchel bytes", used > bytes ? used - bytes : 0);
}

enum err
satchel_del(struct store_txn *txn, enum satchel_way way, struct bytes envelope)
{
	uint8_t key[KEY_BYTES];

	row_key(key, way, envelope);
	return del_key(txn, key, envelope.n);
}

/* A few at a time: rows are not deleted under a walk. */
enum err
satchel_expire(struct store_txn *txn, const struct satchel_limits *limits, uint32_t now_s)
{
	uint8_t keys[256][KEY_BYTES];
	size_t bytes[256], count = 0, i;
	struct store_cursor *c;
	struct bytes key, value, envelope;
	uint64_t time_s;
	enum err e = store_walk(txn, STORE_SATCHEL, BYTES_NONE, STORE_FORWARD, &c);

	if (e != E_OK)
		return e;
	while (count < 256 && store_next(c, &key, &value))
		if (key.n == KEY_BYTES && row_read(value, &time_s, &envelope) == E_OK &&
		    time_s + (uint64_t)limits->days_max * DAY_S < now_s) {
			memcpy(keys[count], key.p, KEY_BYTES);
			bytes[count++] = envelope.n;
		}
	e = store_walk_end(c);
	for (i = 0; i < count && e == E_OK; i++)
		e = del_key(txn, keys[i], bytes[i]);
	return e;
}

/* ---- all of a way, as they came ---- */

struct place {
	uint64_t order;
	uint8_t key[KEY_BYTES];
	bool given;
};

static int
by_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->order != y->order ? (x->order > y->order) - (x->order < y->order)
				    : memcmp(x->key, y->key, KEY_BYTES);
}

/* Heap: *out, also when it fails. */
static enum err
places_of(struct store_txn *txn, enum satchel_way way, struct place **out, size_t *count)
{
	uint8_t first = (uint8_t)way;
	struct store_cursor *c;
	struct bytes key, value;
	size_t i, most = (size_t)store_count(txn, STORE_SATCHEL);
	enum err e;

	*count = 0;
	if ((*out = malloc((most + 1) * sizeof(**out))) == NULL)
		return E_NO_MEMORY;
	if ((e = store_walk_prefix(txn, STORE_SATCHEL, BYTES(&first, 1), STORE_FORWARD, &c)) !=
	    E_OK)
		return e;
	while (*count < most && store_next(c, &key, &value))
		if (key.n == KEY_BYTES)
			memcpy((*out)[(*count)++].key, key.p, KEY_BYTES);
	e = store_walk_end(c);
	for (i = 0; i < *count && e == E_OK; i++)
		e = mark_get(txn, (*out)[i].key, &(*out)[i].order, &(*out)[i].given);
	qsort(*out, *count, sizeof(**out), by_order);
	return e;
}

static enum err
envelope_at(struct store_txn *txn, const uint8_t key[KEY_BYTES], struct bytes *envelope)
{
	struct bytes value;
	uint64_t time_s;
	enum err e = store_get(txn, STORE_SATCHEL, BYTES(key, KEY_BYTES), &value);

	return e == E_OK ? row_read(value, &time_s, envelope) : e;
}

enum err
satchel_walk(struct store_txn *txn, enum satchel_way way, satchel_fn *f, void *arg)
{
	struct bytes envelope;
	struct place *places;
	size_t i, count;
	enum err e = places_of(txn, way, &places, &count);

	for (i = 0; i < count && e == E_OK; i++) {
		if ((e = envelope_at(txn, places[i].key, &envelope)) == E_OK)
			e = f(arg, envelope);
		store_forget(txn);
	}
	free(places);
	return e;
}

enum err
satchel_given(struct store_txn *txn, struct bytes envelope)
{
	uint8_t key[KEY_BYTES];
	uint64_t order;
	bool given;
	enum err e;

	row_key(key, SATCHEL_DOWN, envelope);
	if (!store_has(txn, STORE_SATCHEL, BYTES(key, sizeof(key))))
		return E_OK;
	if ((e = mark_get(txn, key, &order, &given)) != E_OK || given)
		return e;
	return (e = mark_put(txn, key, order, true)) == E_OK ? count_given(txn, envelope.n, 0) : e;
}

enum err
satchel_shrink(struct store_txn *txn, const struct satchel_limits *limits)
{
	struct bytes envelope;
	struct place *places;
	size_t i, count;
	uint64_t used;
	enum err e = satchel_used(txn, &used);

	if (e != E_OK || used <= limits->bytes_max)
		return e;
	e = places_of(txn, SATCHEL_DOWN, &places, &count);
	for (i = 0; i < count && e == E_OK && used > limits->bytes_max; i++) {
		if (!places[i].given)
			continue;
		if ((e = envelope_at(txn, places[i].key, &envelope)) == E_OK &&
		    (e = del_key(txn, places[i].key, envelope.n)) == E_OK)
			e = satchel_used(txn, &used);
	}
	free(places);
	return e;
}
