/* A device's runs over TLS, and over its daemon's socket: link.c's state machine carried by
 * sync/net. */
#include <stdlib.h>

#include "core/crypto/cert.h"
#include "core/fault.h"
#include "sync/net/net.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/link/link_inside.h"
#include "tools/node/link/link_successor.h"
#include "tools/node/link/pace.h"
#include "tools/node/link/twins.h"
#include "tools/node/enrol/upper.h"

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

	(void)store_write(l->peer->store, tls_put_job,
			  &session); /* only speed is lost without it */
}

static void
node_key_found(void *ctx, const struct ec_public *key)
{
	((struct link *)ctx)->node_key = *key;
}

/* A link, and the connection that carries it. */
struct link_open {
	struct link l;
	struct net_client_config config;
	struct net_client *client;
	struct writer der;
};

/* What went wrong here says more than what the session made of it. */
static enum err
said(const struct link *l, enum err e, struct why *why)
{
	if (l->why.e == E_OK)
		return e;
	*why = l->why;
	return l->why.e;
}

static void
wire_fini(struct link_open *o)
{
	net_client_close(o->client);
	o->client = NULL;
	writer_free(&o->der);
	writer_free(&o->l.parcel);
}

/* Connect, and run the first exchange. wire_fini follows in any case. */
static enum err
wire_open(struct link_open *o, const uint8_t *pin_sha256, struct why *why)
{
	struct link *l = &o->l;
	struct peer *p = l->peer;
	enum err e;

	if ((e = link_whom(l)) != E_OK)
		return why_set(why, e, "sync: no node is above this one");
	o->config = (struct net_client_config){.address = l->above.address,
					       .identity = {.key = &peer_self(p)->sign},
					       .source = link_source,
					       .device = peer_self(p)->id,
					       .ctx = l,
					       .begin = link_begin,
					       .event = link_event,
					       .room = link_room,
					       .tls_get = tls_get,
					       .tls_put = tls_put,
					       .node_key_found = node_key_found};
	o->config.source.ctx = l;
	o->config.bytes_max = l->budget_bytes;
	o->config.record_bytes = l->exchange == EXCHANGE_SYNC ? pace_record(l->pace) : 0;
	if (pin_sha256 != NULL)
		o->config.node_key_sha256 = pin_sha256;
	else
		o->config.node_key = &l->above.sign;
	writer_heap_init(&o->der, 4096);
	writer_heap_init(&l->parcel, PARCEL_BYTES_MAX);
	if ((e = cert_make(&peer_self(p)->sign, &peer_self(p)->id, &o->der)) != E_OK)
		return why_set(why, e, "certificate");
	o->config.identity.certificate = writer_view(&o->der);
	e = net_client_open(&o->client, &o->config, &l->result->counts, why);
	if (e == E_NODE_KEY && pin_sha256 == NULL && !l->upper &&
	    (e = link_successor(p, l->above.address, why)) == E_OK &&
	    (e = peer_above(p, &l->above)) == E_OK) { /* another node is pinned now */
		net_client_close(o->client);
		e = net_client_open(&o->client, &o->config, &l->result->counts, why);
	}
	if (e == E_BUDGET_SMALL &&
	    !l->result->counts.resumed) /* it went into the handshake: the next one is short */
		e = why_set(why, E_BUDGET, "%s", "");
	return said(l, e, why);
}

static enum err
run_tls(struct link_open *o, const uint8_t *pin_sha256, struct why *why)
{
	enum err e = wire_open(o, pin_sha256, why);

	wire_fini(o);
	return e;
}

static enum err
sync_any(struct peer *p, uint64_t budget_bytes, struct link_result *result, struct why *why)
{
	struct link_open o = {.l = {.peer = p,
				    .result = result,
				    .exchange = EXCHANGE_SYNC,
				    .budget_bytes = budget_bytes}};
	struct link fresh = o.l;
	size_t others = twins_count(p);
	struct why back;
	bool returned = false;
	enum err e;

	for (;;) { /* a node that cannot be reached: the office may have another one */
		if ((e = link_sync_open(&o.l, why)) != E_OK)
			return e;
		e = link_sync_close(&o.l, run_tls(&o, NULL, why), why);
		if (e == E_STRANGER && !returned) { /* a node that lost its list, or has it from
						       before this store joined */
			returned = true;
			if (link_return(p, o.l.above.address, &back) == E_OK) {
				o.l = fresh;
				continue;
			}
		}
		if (e != E_CONNECT || others-- == 0 || twins_switch(p) != E_OK)
			return e;
		o.l = fresh;
	}
}

/* May the node above be reached where this one could not? */
static bool
is_away(enum err e)
{
	return e == E_CONNECT || e == E_PEER_GONE || e == E_PEER_TIMEOUT || e == E_PEER_BUSY;
}

/*
 * A second node of an office: with the one that invited it, which syncs with the node above; if
 * that cannot be reached, or is shut out, with the node above itself.
 */
static enum err
sync_node(struct peer *p, uint64_t budget_bytes, struct link_result *result, struct why *why)
{
	struct link_open o = {.l = {.peer = p,
				    .result = result,
				    .exchange = EXCHANGE_SYNC,
				    .budget_bytes = budget_bytes,
				    .upper = true}};
	enum err e, e2;

	if ((e = upper_leave(p)) != E_OK) /* it was stopped there */
		return why_set(why, e, "%s", p->path);
	if (!upper_first_gone(p)) {
		e = sync_any(p, budget_bytes, result, why);
		if (!p->above.twin || !p->upper.known || !is_away(e)) {
			e2 = e == E_OK ? upper_tell(p) : E_OK;
			return e2 == E_OK ? e : why_set(why, e2, "%s", p->path);
		}
	}
	if ((e = upper_enter(p)) != E_OK)
		return why_set(why, e, "%s", p->path);
	if (why != NULL)
		why->e = E_OK;
	if ((e = link_sync_open(&o.l, why)) == E_OK)
		e = link_sync_close(&o.l, run_tls(&o, NULL, why), why);
	e2 = upper_leave(p);
	return e == E_OK && e2 != E_OK ? why_set(why, e2, "%s", p->path) : e;
}

/* What came down may have been an order to erase; what cannot be done now stays due. */
static void
settle(struct peer *p)
{
	pthread_mutex_lock(&p->acting);
	(void)erasures_settle(p, NULL);
	pthread_mutex_unlock(&p->acting);
}

enum err
link_sync(struct peer *p, uint64_t budget_bytes, struct link_result *result, struct why *why)
{
	enum err e;

	pthread_mutex_lock(&p->syncing); /* a daemon's clock and a person may both want to */
	e = peer_is_node(p) ? sync_node(p, budget_bytes, result, why)
			    : sync_any(p, budget_bytes, result, why);
	pthread_mutex_unlock(&p->syncing);
	settle(p);
	return e;
}

static enum err
open_any(struct link_open *o, struct why *why)
{
	struct link_open fresh = *o;
	size_t others = twins_count(o->l.peer);
	enum err e;

	for (;;) {
		if ((e = link_sync_open(&o->l, why)) != E_OK)
			return e;
		e = link_sync_close(&o->l, wire_open(o, NULL, why), why);
		if (e == E_OK)
			return e;
		wire_fini(o);
		if (e != E_CONNECT || others-- == 0 || twins_switch(o->l.peer) != E_OK)
			return e;
		*o = fresh;
	}
}

enum err
link_open(struct link_open **out, struct peer *p, uint64_t budget_bytes, struct link_result *result,
	  struct why *why)
{
	struct link_open *o = fault_malloc(sizeof(*o));
	enum err e;

	*out = NULL;
	memset(result, 0, sizeof(*result));
	if (o == NULL)
		return why_set(why, E_NO_MEMORY, "the connection");
	*o = (struct link_open){.l = {.peer = p,
				      .result = result,
				      .exchange = EXCHANGE_SYNC,
				      .budget_bytes = budget_bytes}};
	pthread_mutex_lock(&p->syncing);
	e = open_any(o, why);
	pthread_mutex_unlock(&p->syncing);
	settle(p);
	if (e == E_OK)
		*out = o;
	else
		link_close(o);
	return e;
}

enum err
link_again(struct link_open *o, struct link_result *result, struct why *why)
{
	struct peer *p = o->l.peer;
	enum err e;

	pthread_mutex_lock(&p->syncing);
	o->l.result = result;
	if ((e = link_sync_open(&o->l, why)) == E_OK) {
		e = net_client_again(o->client, &result->counts, why);
		e = link_sync_close(&o->l, said(&o->l, e, why), why);
	}
	pthread_mutex_unlock(&p->syncing);
	settle(p);
	return e;
}

void
link_close(struct link_open *o)
{
	if (o == NULL)
		return;
	wire_fini(o);
	crypto_wipe(o, sizeof(*o));
	free(o);
}

enum err
link_join(struct peer *p, const struct invite *invite, struct link_result *result, struct why *why)
{
	struct link_open o = {
	    .l = {.peer = p, .result = result, .exchange = EXCHANGE_JOIN, .invite = invite}};

	memset(result, 0, sizeof(*result));
	o.l.acked_epoch = peer_self(p)->epoch;
	return link_join_close(&o.l, run_tls(&o, invite->node_key_sha256, why), why);
}

enum err
link_ask(struct peer *p, const char *local_path, struct bytes ask, link_answer_fn *answer,
	 void *ctx, uint8_t *status, struct why *why)
{
	struct link_result result;
	struct link_open o = {.l = {.peer = p,
				    .result = &result,
				    .exchange = EXCHANGE_ASK,
				    .ask = ask,
				    .answer = answer,
				    .answer_ctx = ctx}};
	struct why of_link = {.e = E_OK}; /* apart: `answer` may be telling the asker's own why */
	enum err e;

	memset(&result, 0, sizeof(result));
	if (local_path == NULL) {
		e = run_tls(&o, NULL, &of_link);
	} else {
		struct net_client_config config = {.local_path = local_path,
						   .ctx = &o.l,
						   .begin = link_begin,
						   .event = link_event,
						   .room = link_room};

		e = said(&o.l, net_client_run(&config, &result.counts, &of_link), &of_link);
	}
	if (e != E_OK && why != NULL)
		*why = of_link;
	*status = o.l.status;
	return e;
}

enum err
link_ask_verb(struct peer *p, const char *verb, const char *arg, struct bytes input,
	      link_answer_fn *answer, void *ctx, uint8_t *status, struct why *why)
{
	struct link_result result;
	struct link_open o = {.l = {.peer = p,
				    .result = &result,
				    .exchange = EXCHANGE_ASK,
				    .ask = input,
				    .verb = verb,
				    .verb_arg = arg,
				    .answer = answer,
				    .answer_ctx = ctx}};
	enum err e;

	memset(&result, 0, sizeof(result));
	e = run_tls(&o, NULL, why);
	*status = o.l.status;
	return e;
}
