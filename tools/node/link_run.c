/* A device's runs over TLS, and over its daemon's socket: link.c's state machine carried by sync/net. */
#include "core/cert.h"
#include "sync/net/net.h"
#include "tools/node/link_inside.h"

#define TLS_NAME "node"

static bool
tls_get(void *ctx, struct writer *out)
{
	struct link *l = ctx;
	struct store_txn *txn;
	struct bytes value;
	bool found = false;

	if (store_read_begin(l->peer->store, &txn) != E_OK)
		return false;
	if (store_get(txn, STORE_TLS_SESSION, BYTES_LIT(TLS_NAME), &value) == E_OK) {
		writer_bytes(out, value);
		found = writer_end(out) == E_OK;
	}
	store_read_end(txn);
	return found;
}

static enum err
tls_put_job(struct store_txn *txn, void *arg)
{
	return store_put(txn, STORE_TLS_SESSION, BYTES_LIT(TLS_NAME), *(struct bytes *)arg);
}

static void
tls_put(void *ctx, struct bytes session)
{
	struct link *l = ctx;

	(void)store_write(l->peer->store, tls_put_job, &session); /* only speed is lost without it */
}

static void
node_key_found(void *ctx, const struct ec_public *key)
{
	((struct link *)ctx)->node_key = *key;
}

static enum err
run_tls(struct link *l, const uint8_t *pin_sha256, struct why *why)
{
	struct peer *p = l->peer;
	struct net_client_config config = {
	    .address = p->home.address, .identity = {.key = &peer_self(p)->sign}, .source = link_source,
	    .device = peer_self(p)->id, .ctx = l, .begin = link_begin, .event = link_event, .room = link_room,
	    .tls_get = tls_get, .tls_put = tls_put, .node_key_found = node_key_found};
	struct writer der;
	enum err e;

	config.source.ctx = l;
	if (pin_sha256 != NULL)
		config.node_key_sha256 = pin_sha256;
	else
		config.node_key = &p->home.node_sign;
	writer_heap_init(&der, 4096);
	writer_heap_init(&l->parcel, PARCEL_BYTES_MAX);
	if ((e = cert_make(&peer_self(p)->sign, &peer_self(p)->id, &der)) == E_OK) {
		config.identity.certificate = writer_view(&der);
		e = net_client_run(&config, &l->result->counts, why);
	} else {
		why_set(why, e, "certificate");
	}
	writer_free(&der);
	writer_free(&l->parcel);
	if (l->why.e != E_OK) { /* what went wrong here says more than what the session made of it */
		*why = l->why;
		e = l->why.e;
	}
	return e;
}

enum err
link_sync(struct peer *p, uint64_t budget_bytes, struct link_result *result, struct why *why)
{
	struct link l = {.peer = p, .result = result, .exchange = EXCHANGE_SYNC, .budget_bytes = budget_bytes};
	enum err e = link_sync_open(&l, why);

	return e != E_OK ? e : link_sync_close(&l, run_tls(&l, NULL, why), why);
}

enum err
link_join(struct peer *p, const struct invite *invite, struct link_result *result, struct why *why)
{
	struct link l = {.peer = p, .result = result, .exchange = EXCHANGE_JOIN, .invite = invite};

	memset(result, 0, sizeof(*result));
	l.acked_epoch = peer_self(p)->epoch;
	return link_join_close(&l, run_tls(&l, invite->node_key_sha256, why), why);
}

enum err
link_ask(struct peer *p, const char *local_path, struct bytes ask, link_answer_fn *answer, void *ctx,
         uint8_t *status, struct why *why)
{
	struct link_result result;
	struct link l = {.peer = p, .result = &result, .exchange = EXCHANGE_ASK, .ask = ask, .answer = answer,
	                 .answer_ctx = ctx};
	struct why of_link = {.e = E_OK}; /* apart: `answer` may be telling the asker's own why */
	enum err e;

	memset(&result, 0, sizeof(result));
	if (local_path == NULL) {
		e = run_tls(&l, NULL, &of_link);
	} else {
		struct net_client_config config = {.local_path = local_path, .ctx = &l, .begin = link_begin,
		                                   .event = link_event, .room = link_room};

		e = net_client_run(&config, &result.counts, &of_link);
		if (l.why.e != E_OK) {
			of_link = l.why;
			e = l.why.e;
		}
	}
	if (e != E_OK && why != NULL)
		*why = of_link;
	*status = l.status;
	return e;
}
