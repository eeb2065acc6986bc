#include "tools/node/roads/handed.h"

#include <stdlib.h>

#include "core/pack.h"

#define PREFIX "handed"
#define PIECES "pieces"
#define KEY_BYTES (sizeof(PREFIX) - 1 + 16)
#define DAY_S 86400u

void
handed_key(const struct ec_public *relay, uint8_t out[16])
{
	uint8_t hash[SHA256_BYTES];

	crypto_sha256(hash, BYTES(relay->b, sizeof(relay->b)));
	memcpy(out, hash, 16);
}

static struct bytes
row_key(uint8_t key[KEY_BYTES], const uint8_t relay[16])
{
	memcpy(key, PREFIX, sizeof(PREFIX) - 1);
	memcpy(key + sizeof(PREFIX) - 1, relay, 16);
	return BYTES(key, KEY_BYTES);
}

_Static_assert(sizeof(PREFIX) == sizeof(PIECES), "the same key but for its first bytes");

static struct bytes
pieces_key(uint8_t key[KEY_BYTES], const uint8_t relay[16])
{
	row_key(key, relay);
	memcpy(key, PIECES, sizeof(PIECES) - 1);
	return BYTES(key, KEY_BYTES);
}

static enum err
pieces_read(struct store_txn *txn, struct handed *h)
{
	uint8_t key[KEY_BYTES];
	struct reader r;
	struct bytes value;
	uint32_t i, count;
	enum err e = store_get(txn, STORE_CURSOR, pieces_key(key, h->relay), &value);

	h->piece_count = 0;
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	reader_begin(&r, value, 1, 2);
	if ((count = reader_array(&r)) > HANDED_PIECES_MAX)
		return E_LIMIT;
	for (i = 0; i < count; i++) {
		if (reader_array(&r) != 2)
			reader_fail(&r, E_PACK_TYPE);
		reader_bin_fixed(&r, h->pieces[i].id.b, ATTACH_ID_BYTES);
		h->pieces[i].chunks = (uint32_t)reader_u64_max(&r, ATTACH_CHUNKS_MAX);
	}
	h->piece_count = count;
	return reader_end(&r);
}

static enum err
pieces_write(struct store_txn *txn, const struct handed *h)
{
	uint8_t key[KEY_BYTES], memory[16 + HANDED_PIECES_MAX * (ATTACH_ID_BYTES + 12)];
	struct writer w;
	size_t i;
	enum err e;

	if (h->piece_count == 0) {
		e = store_del(txn, STORE_CURSOR, pieces_key(key, h->relay));
		return e == E_ABSENT ? E_OK : e;
	}
	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 2);
	pack_u64(&w, 1);
	pack_array(&w, (uint32_t)h->piece_count);
	for (i = 0; i < h->piece_count; i++) {
		pack_array(&w, 2);
		pack_bin(&w, BYTES(h->pieces[i].id.b, ATTACH_ID_BYTES));
		pack_u64(&w, h->pieces[i].chunks);
	}
	if ((e = writer_end(&w)) == E_OK)
		e = store_put(txn, STORE_CURSOR, pieces_key(key, h->relay), writer_view(&w));
	return e;
}

uint32_t *
handed_chunks(struct handed *h, const struct attach_id *id)
{
	size_t i;

	for (i = 0; i < h->piece_count; i++)
		if (ID_EQUAL(&h->pieces[i].id, id))
			return &h->pieces[i].chunks;
	if (h->piece_count == HANDED_PIECES_MAX)
		return NULL;
	h->pieces[h->piece_count] = (struct handed_pieces){.id = *id};
	return &h->pieces[h->piece_count++].chunks;
}

static enum err
row_read(struct bytes key, struct bytes value, struct handed *h)
{
	struct reader r;
	uint32_t i, count;

	memset(h, 0, sizeof(*h));
	if (key.n != KEY_BYTES)
		return E_STORE_DAMAGED;
	memcpy(h->relay, key.p + sizeof(PREFIX) - 1, 16);
	reader_begin(&r, value, 1, 5);
	h->time_s = reader_u64(&r);
	reader_text(&r, h->address, sizeof(h->address), true);
	h->epoch = reader_u64(&r);
	if ((count = reader_array(&r)) > HANDED_NUMBERS_MAX)
		return E_LIMIT;
	for (i = 0; i < count; i++)
		h->numbers[i] = reader_u64(&r);
	h->count = count;
	return reader_end(&r);
}

enum err
handed_of(struct store_txn *txn, const uint8_t relay[16], uint64_t epoch, uint64_t now_s,
	  struct handed *h)
{
	uint8_t key[KEY_BYTES];
	struct bytes value;
	enum err e = store_get(txn, STORE_CURSOR, row_key(key, relay), &value);

	if (e == E_OK)
		e = row_read(BYTES(key, KEY_BYTES), value, h);
	if (e == E_OK)
		e = pieces_read(txn, h);
	if (e != E_OK && e != E_ABSENT)
		return e;
	if (e == E_ABSENT || h->epoch != epoch ||
	    h->time_s + (uint64_t)HANDED_DAYS_MAX * DAY_S < now_s) {
		memset(h, 0, sizeof(*h));
		memcpy(h->relay, relay, 16);
		h->epoch = epoch;
	}
	return E_OK;
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

bool
handed_has(const struct handed *h, uint64_t number)
{
	return bsearch(&number, h->numbers, h->count, sizeof(number), by_number) != NULL;
}

bool
handed_add(struct handed *h, uint64_t number)
{
	size_t i = h->count;

	if (i == HANDED_NUMBERS_MAX)
		return false;
	for (; i > 0 && h->numbers[i - 1] > number; i--)
		h->numbers[i] = h->numbers[i - 1];
	h->numbers[i] = number;
	h->count++;
	return true;
}

struct oldest {
	size_t count;
	uint64_t time_s;
	uint8_t relay[16];
};

static enum err
find_oldest(void *arg, const struct handed *h)
{
	struct oldest *g = arg;

	if (g->count++ == 0 || h->time_s < g->time_s) {
		g->time_s = h->time_s;
		memcpy(g->relay, h->relay, 16);
	}
	return E_OK;
}

enum err
handed_put(struct store_txn *txn, const struct handed *h)
{
	struct oldest oldest = {0};
	uint8_t key[KEY_BYTES];
	struct writer w;
	size_t i;
	enum err e;

	row_key(key, h->relay);
	if (!store_has(txn, STORE_CURSOR, BYTES(key, KEY_BYTES)) &&
	    ((e = handed_walk(txn, find_oldest, &oldest)) != E_OK ||
	     (oldest.count >= HANDED_RELAYS_MAX && (e = handed_clear(txn, oldest.relay)) != E_OK)))
		return e;
	writer_heap_init(&w, 16u << 10);
	pack_array(&w, 5);
	pack_u64(&w, 1);
	pack_u64(&w, h->time_s);
	pack_cstr(&w, h->address);
	pack_u64(&w, h->epoch);
	pack_array(&w, (uint32_t)h->count);
	for (i = 0; i < h->count; i++)
		pack_u64(&w, h->numbers[i]);
	if ((e = writer_end(&w)) == E_OK)
		e = store_put(txn, STORE_CURSOR, BYTES(key, KEY_BYTES), writer_view(&w));
	writer_free(&w);
	return e == E_OK ? pieces_write(txn, h) : e;
}

enum err
handed_clear(struct store_txn *txn, const uint8_t relay[16])
{
	uint8_t key[KEY_BYTES];
	enum err e = store_del(txn, STORE_CURSOR, row_key(key, relay));

	if (e == E_OK || e == E_ABSENT)
		e = store_del(txn, STORE_CURSOR, pieces_key(key, relay));
	return e == E_ABSENT ? E_OK : e;
}

enum err
handed_walk(struct store_txn *txn, handed_fn *f, void *arg)
{
	struct handed *h = malloc(sizeof(*h));
	struct store_cursor *c;
	struct bytes key, value;
	enum err e, e2;

	if (h == NULL)
		return E_NO_MEMORY;
	if ((e = store_walk_prefix(txn, STORE_CURSOR, BYTES_LIT(PREFIX), STORE_FORWARD, &c)) !=
	    E_OK) {
		free(h);
		return e;
	}
	while (e == E_OK && store_next(c, &key, &value))
		if (key.n == KEY_BYTES && (e = row_read(key, value, h)) ==
					      E_OK) /* or a hidden name that begins like it */
			e = f(arg, h);
	e2 = store_walk_end(c);
	free(h);
	return e != E_OK ? e : e2;
}
