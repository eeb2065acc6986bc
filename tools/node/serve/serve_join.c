/* Who comes to a node for the first time, or comes back to a successor. */
#include <stdlib.h>

#include "tools/node/enrol/enrol.h"
#include "tools/node/serve/serve_inside.h"
#include "tools/node/enrol/succeed.h"

/* A newcomer's enrolment waits for the disk: not where sessions are fed. */
struct join_work {
	struct serve_conn *conn;
	struct message_join join;
	struct message_came_back came_back; /* instead of it, if own_enrolment is not empty */
	struct message_welcome welcome;
	struct arena arena;
	struct why why;
	enum err e;
};

static void
join_run(void *arg)
{
	struct join_work *w = arg;

	struct peer *p = w->conn->serve->peer;
	const struct serve_who *who = &w->conn->peer;

	if (w->came_back.own_enrolment.n > 0)
		w->e = succeed_return(p, &w->came_back, &who->id, &who->key, &w->welcome, &w->arena,
				      &w->why);
	else
		w->e = enrol_join(p, &w->join, &who->key, &w->welcome, &w->arena, &w->why);
}

static void
join_done(void *arg)
{
	struct join_work *w = arg;
	struct serve_conn *c = w->conn;

	c->jobs--;
	if (c->session != NULL) {
		struct session *s = c->session;
		uint64_t now_ms = serve_now_ms(c);

		if (w->e == E_OK)
			w->e = session_welcome(s, &w->welcome, now_ms);
		if (w->e != E_OK)
			serve_refuse(c, w->e, w->why.thing, 0);
		c->serve->host->pump(c);
	}
	serve_conn_drop(c);
	arena_free(&w->arena);
	crypto_wipe(w, sizeof(*w));
	free(w);
}

static void
join_aside(struct serve_conn *c, const struct message_join *join,
	   const struct message_came_back *back)
{
	struct join_work *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		serve_refuse(c, E_PEER_BUSY, "", 60);
		return;
	}
	w->conn = c;
	arena_init(&w->arena, 1u << 20);
	if (join != NULL) {
		w->join = *join;
		w->join.name = BYTES_NONE; /* the invitation says what the newcomer is called */
	} else {
		w->came_back.own_enrolment = arena_bytes(&w->arena, back->own_enrolment);
		w->came_back.node_enrolment = arena_bytes(&w->arena, back->node_enrolment);
	}
	c->jobs++;
	if (w->arena.failed || !c->serve->host->aside(c->serve, join_run, join_done, w)) {
		w->e = E_PEER_BUSY;
		join_done(w);
	}
}

/* The root's word about this node, to whoever pinned one before it. Anybody may hear it: it is
 * signed, and names nobody. */
void
serve_successor(struct serve_conn *c)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct writer statement;
	enum err e;

	writer_init(&statement, memory, sizeof(memory));
	if ((e = succeed_statement(c->serve->peer, &statement)) == E_OK)
		session_succession(c->session, writer_view(&statement), serve_now_ms(c));
	else
		serve_refuse(c, e == E_ABSENT ? E_STRANGER : e, "another node", 0);
}

void
serve_join(struct serve_conn *c, const struct message_join *join)
{
	/* a newcomer may only speak for the key that it showed in the handshake */
	if (!ID_EQUAL(&join->principal, &c->peer.id))
		serve_refuse(c, E_STRANGER, "another principal", 0);
	else
		join_aside(c, join, NULL);
}

void
serve_return(struct serve_conn *c, const struct message_came_back *back)
{
	join_aside(c, NULL, back);
}
