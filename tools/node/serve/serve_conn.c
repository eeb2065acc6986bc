/* Connections of a node: who may come in. What they read and say: serve_source.c, serve_session.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tools/node/carry/carry.h"
#include "tools/node/serve/serve_inside.h"

void
serve_init(struct serve *s, struct peer *p, const struct serve_host *host)
{
	memset(s, 0, sizeof(*s));
	s->peer = p;
	s->host = host;
	s->done_last = &s->done_first;
	pthread_mutex_init(&s->lock, NULL);
}

void
serve_fini(struct serve *s)
{
	serve_parts_fini(s);
	pthread_mutex_destroy(&s->lock);
}

void
serve_conn_drop(struct serve_conn *c)
{
	if (!c->left || c->jobs > 0 || c->ask != NULL)
		return;
	writer_free(&c->parcel);
	writer_free(&c->input);
	carry_free(c->carry);
	free(c);
}

struct seen {
	struct principal_id id;
	uint32_t now_s;
};

/* PEER row: be32 last seen. */
static enum err
seen_job(struct store_txn *txn, void *arg)
{
	struct seen *seen = arg;
	uint8_t value[4];

	be32_put(value, seen->now_s);
	return store_put(txn, STORE_PEER, BYTES(seen->id.b, ID_BYTES), BYTES(value, sizeof(value)));
}

static void
seen_done(void *arg, enum err e)
{
	(void)e; /* only a date on a list is lost */
	free(arg);
}

static void
note_seen(struct serve *s, const struct principal_id *id)
{
	struct seen *seen = malloc(sizeof(*seen));

	if (seen == NULL)
		return;
	*seen = (struct seen){*id, peer_now_s(s->peer)};
	if (store_write_async(s->peer->store, seen_job, seen, seen_done, seen) != E_OK)
		free(seen);
}

/* One peer, or strangers together, must not use up the places of all. */
static bool
crowded(const struct serve *s, const struct serve_who *who, bool stranger)
{
	const struct serve_conn *c;
	size_t same = 0, strangers = 0;

	for (c = s->conns; c != NULL; c = c->next) {
		same += !c->peer.local && ID_EQUAL(&c->peer.id, &who->id);
		strangers += c->stranger;
	}
	return same >= CONNS_EACH_MAX || (stranger && strangers >= STRANGERS_MAX);
}

/* What the office's list says of a newcomer: a stranger may only join. */
static enum err
known(struct serve *s, const struct serve_who *who, bool *stranger, char thing[240])
{
	struct store_txn *txn;
	struct member m;
	enum err e;

	if ((e = store_read_begin(s->peer->store, &txn)) != E_OK)
		return e;
	e = member_get(txn, &who->id, &m);
	store_read_end(txn);
	*stranger = e == E_ABSENT;
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (memcmp(&m.enrolment.sign_pub, &who->key, sizeof(who->key)) != 0) {
		snprintf(thing, 240, "this device");
		return E_STRANGER; /* somebody else's id */
	}
	if (m.state == MEMBER_REVOKED) {
		snprintf(thing, 240, "%.200s", m.reason);
		return E_REVOKED;
	}
	return E_OK;
}

/* The host's log, if it has one. */
static void
note(struct serve *s, enum serve_log_event event, const struct serve_log_about *about)
{
	if (s->log != NULL)
		serve_log(s->log, event, about);
}

static void
note_refused(struct serve *s, const struct principal_id *peer, enum err e)
{
	meter_refused(&s->meters, e);
	note(s, LOG_REFUSED, &(struct serve_log_about){.peer = peer, .error = e});
}

void
serve_refuse(struct serve_conn *c, enum err e, const char *thing, uint32_t retry_s)
{
	note_refused(c->serve, &c->peer.id, e);
	session_refuse(c->session, e, thing, retry_s, serve_now_ms(c));
}

static enum err
admit(struct serve *s, const struct serve_who *who, struct serve_conn **out, char thing[240])
{
	struct serve_conn *c;
	bool stranger = false;
	enum err e;

	thing[0] = '\0';
	*out = NULL;
	if (!who->local) {
		if ((e = known(s, who, &stranger, thing)) != E_OK)
			return e;
		if (crowded(s, who, stranger))
			return E_PEER_BUSY;
		if (!stranger)
			note_seen(s, &who->id);
	}
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return E_NO_MEMORY;
	c->serve = s;
	c->peer = *who;
	c->stranger = stranger;
	c->next = s->conns;
	s->conns = c;
	writer_heap_init(&c->parcel, PARCEL_BYTES_MAX);
	writer_heap_init(&c->input, ASK_BYTES_MAX);
	serve_source(c);
	*out = c;
	return E_OK;
}

enum err
serve_admit(struct serve *s, const struct serve_who *who, struct serve_conn **out, char thing[240])
{
	enum err e = admit(s, who, out, thing);

	if (e != E_OK) {
		note_refused(s, &who->id, e);
	} else {
		meter_add(&s->meters, METER_CONNECTIONS, 1);
		if (!who->local)
			note(s, LOG_ADMITTED, &(struct serve_log_about){.peer = &who->id});
	}
	return e;
}

void
serve_leave(struct serve_conn *c)
{
	struct serve_conn **at;

	if (c->peer.local)
		note(c->serve, LOG_ASKED, NULL);
	else
		note(c->serve, LOG_LEFT,
		     &(struct serve_log_about){
			 .peer = &c->peer.id, .n = c->acknowledged, .bytes = c->bytes});

	for (at = &c->serve->conns; *at != NULL && *at != c; at = &(*at)->next)
		;
	if (*at == c)
		*at = c->next;
	c->session = NULL;
	c->left = true;
	serve_conn_drop(c);
}
