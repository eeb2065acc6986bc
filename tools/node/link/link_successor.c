#include "tools/node/link/link_successor.h"

#include "core/crypto/cert.h"
#include "sync/net/net.h"
#include "tools/node/enrol/succeed.h"

/* Two small exchanges, each in a connection of its own. */
struct asking {
	struct peer *peer;
	struct principal_id node;             /* whose successor is sought */
	const struct message_came_back *back; /* instead */
	struct ec_public found;
	struct writer statement;
	bool welcomed;
};

static void
begin(void *ctx, struct session *s, uint64_t now_ms)
{
	struct asking *a = ctx;

	if (a->back != NULL)
		session_return(s, a->back, now_ms);
	else
		session_successor(s, &a->node, now_ms);
}

static void
event(void *ctx, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	struct asking *a = ctx;

	(void)s;
	(void)now_ms;
	if (ev->kind == SESSION_SUCCESSION && a->back == NULL)
		writer_bytes(&a->statement, ev->u.succession.statement);
	if (ev->kind == SESSION_WELCOME && a->back != NULL)
		a->welcomed = true;
}

static void
key_found(void *ctx, const struct ec_public *key)
{
	((struct asking *)ctx)->found = *key;
}

static enum err
run(struct asking *a, const char *address, const struct ec_key *key, const struct principal_id *id,
    const struct ec_public *pin, struct why *why)
{
	struct net_client_config config = {.address = address,
					   .identity = {.key = key},
					   .node_key = pin,
					   .any_key = pin == NULL,
					   .device = *id,
					   .ctx = a,
					   .begin = begin,
					   .event = event,
					   .node_key_found = key_found};
	struct writer der;
	enum err e;

	writer_heap_init(&der, 4096);
	writer_heap_init(&a->statement, STATEMENT_BYTES_MAX);
	if ((e = cert_make(key, id, &der)) == E_OK) {
		config.identity.certificate = writer_view(&der);
		e = net_client_run(&config, NULL, why);
	}
	writer_free(&der);
	return e;
}

enum err
link_successor(struct peer *p, const char *address, struct why *why)
{
	struct asking a = {.peer = p};
	struct principal_id nobody;
	struct ec_key key;
	struct above at;
	struct why ignored;
	enum err e;

	if ((e = peer_above(p, &at)) != E_OK || (e = crypto_ec_new(&key)) != E_OK)
		return why_set(why, e, "%s", address);
	crypto_random(nobody.b, sizeof(nobody.b));
	a.node = at.node;
	e = run(&a, address, &key, &nobody, NULL, &ignored);
	if (e == E_OK && a.statement.n > 0)
		e = succeed_take(p, writer_view(&a.statement), &a.found, why);
	else if (e != E_CONNECT && e != E_PEER_GONE && e != E_NO_MEMORY)
		e = why_set(why, E_NODE_KEY,
			    "another key"); /* it follows nobody, or is too old to say */
	else
		why_set(why, e, "%s", address);
	crypto_wipe(&key, sizeof(key));
	writer_free(&a.statement);
	return e;
}

enum err
link_return(struct peer *p, const char *address, struct why *why)
{
	struct message_came_back back;
	struct asking a = {.peer = p, .back = &back};
	struct arena arena;
	struct above at;
	enum err e;

	if ((e = peer_above(p, &at)) != E_OK)
		return e;
	arena_init(&arena, 16384);
	if ((e = succeed_came_back(p, &back, &arena)) == E_OK) {
		e = run(&a, address, &peer_self(p)->sign, &peer_self(p)->id, &at.sign, why);
		writer_free(&a.statement);
		if (e == E_OK && !a.welcomed)
			e = why_set(why, E_PROTOCOL, "the answer to RETURN");
	}
	arena_free(&arena);
	return e;
}
