#include "tools/node/serve/serve_tls.h"

#include <stdlib.h>

#define PLACES \
	2u /* of a session: of a thousand devices almost all find their own again after a power \
	      cut */

struct tls_row {
	uint8_t keys[PLACES][STORE_NAME_BYTES];
	size_t id_bytes;
	struct writer value; /* the id, the session */
};

static bool
is_of(struct bytes value, struct bytes id)
{
	return value.n > id.n && crypto_equal(value.p, id.p, id.n);
}

/* The first place that is free, or else the last. */
static enum err
tls_job(struct store_txn *txn, void *arg)
{
	struct tls_row *row = arg;
	struct bytes value, mine = writer_view(&row->value), key = BYTES_NONE;
	size_t i;
	enum err e = E_OK;

	for (i = 0; i < PLACES && e == E_OK; i++) {
		key = BYTES(row->keys[i], STORE_NAME_BYTES);
		e = store_get(txn, STORE_TLS_SESSION, key, &value);
		if (e == E_OK && is_of(value, BYTES(mine.p, row->id_bytes)))
			break;
	}
	return e == E_OK || e == E_ABSENT ? store_put(txn, STORE_TLS_SESSION, key, mine) : e;
}

static void
tls_done(void *arg, enum err e)
{
	struct tls_row *row = arg;

	(void)e; /* only speed is lost */
	writer_free(&row->value);
	free(row);
}

/* A handshake costs a stranger little: what it leaves on the disk has a fixed number of places. */
static void
tls_places(struct serve *s, struct bytes id, uint8_t keys[PLACES][STORE_NAME_BYTES])
{
	uint8_t place[4];
	size_t i;

	for (i = 0; i < PLACES; i++) {
		be32_put(place, be32_get(id.p + 4 * i) % TLS_ROWS_MAX);
		store_key_name(s->peer->store, STORE_TLS_SESSION, BYTES(place, sizeof(place)),
			       keys[i]);
	}
}

void
serve_tls_put(void *ctx, struct bytes id, struct bytes session)
{
	struct serve *s = ctx;
	struct tls_row *row = calloc(1, sizeof(*row));

	if (row == NULL)
		return;
	tls_places(s, id, row->keys);
	row->id_bytes = id.n;
	writer_heap_init(&row->value, 1u << 16);
	writer_bytes(&row->value, id);
	writer_bytes(&row->value, session);
	if (writer_end(&row->value) != E_OK ||
	    store_write_async(s->peer->store, tls_job, row, tls_done, row) != E_OK)
		tls_done(row, E_OK);
}

bool
serve_tls_get(void *ctx, struct bytes id, struct writer *out)
{
	struct serve *s = ctx;
	uint8_t keys[PLACES][STORE_NAME_BYTES];
	struct store_txn *txn;
	struct bytes value;
	bool found = false;
	size_t i;

	tls_places(s, id, keys);
	if (store_read_begin(s->peer->store, &txn) != E_OK)
		return false;
	for (i = 0; i < PLACES && !found; i++) {
		if (store_get(txn, STORE_TLS_SESSION, BYTES(keys[i], STORE_NAME_BYTES), &value) !=
			E_OK ||
		    !is_of(value, id))
			continue;
		writer_bytes(out, BYTES(value.p + id.n, value.n - id.n));
		found = writer_end(out) == E_OK;
	}
	store_read_end(txn);
	return found;
}
