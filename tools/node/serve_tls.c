#include "tools/node/serve_tls.h"

#include <stdlib.h>

struct tls_row {
	uint8_t key[STORE_NAME_BYTES];
	struct writer value;
};

static enum err
tls_job(struct store_txn *txn, void *arg)
{
	struct tls_row *row = arg;

	return store_put(txn, STORE_TLS_SESSION, BYTES(row->key, sizeof(row->key)), writer_view(&row->value));
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
tls_place(struct serve *s, struct bytes id, uint8_t key[STORE_NAME_BYTES])
{
	uint8_t place[4];

	be32_put(place, be32_get(id.p) % TLS_ROWS_MAX);
	store_key_name(s->peer->store, STORE_TLS_SESSION, BYTES(place, sizeof(place)), key);
}

void
serve_tls_put(void *ctx, struct bytes id, struct bytes session)
{
	struct serve *s = ctx;
	struct tls_row *row = calloc(1, sizeof(*row));

	if (row == NULL)
		return;
	tls_place(s, id, row->key);
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
	uint8_t key[STORE_NAME_BYTES];
	struct store_txn *txn;
	struct bytes value;
	bool found = false;

	tls_place(s, id, key);
	if (store_read_begin(s->peer->store, &txn) != E_OK)
		return false;
	if (store_get(txn, STORE_TLS_SESSION, BYTES(key, sizeof(key)), &value) == E_OK && value.n > id.n &&
	    crypto_equal(value.p, id.p, id.n)) {
		writer_bytes(out, BYTES(value.p + id.n, value.n - id.n));
		found = writer_end(out) == E_OK;
	}
	store_read_end(txn);
	return found;
}
