/* Devices' sessions at the node: what they read, and how what they send becomes durable. */
#include <stdio.h>
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "core/parcel/parcel.h"
#include "tools/node/opener/aside.h"
#include "core/principals/rules.h"
#include "tools/node/attached/attached.h"
#include "tools/node/roads/satchel.h"
#include "tools/node/down/down.h"
#include "tools/node/link/link.h"
#include "tools/node/serve/quota.h"
#include "tools/node/serve/serve_inside.h"

#define BUSY_RETRY_S 600u

enum err
serve_standing(struct serve_conn *c, struct member *m, struct store_txn *txn, char thing[240])
{
	enum err e = member_get(txn, &c->peer.id, m);

	thing[0] = '\0';
	if (e == E_ABSENT)
		return E_STRANGER;
	if (e == E_OK && m->state == MEMBER_REVOKED) {
		snprintf(thing, 240, "%.200s", m->reason);
		return E_REVOKED;
	}
	if (e == E_OK && !member_is_ours(m->state)) {
		snprintf(thing, 240, "%.200s", m->enrolment.name);
		return E_STRANGER; /* of another office */
	}
	if (e == E_OK && m->state == MEMBER_PENDING) {
		snprintf(thing, 240, "%.200s", m->enrolment.name);
		return E_NOT_APPROVED;
	}
	return e;
}

static void
on_hello(struct serve_conn *c, const struct message_hello *h)
{
	struct peer *p = c->serve->peer;
	struct session *s = c->session;
	uint64_t now_ms = serve_now_ms(c), backlog = 0, aside = 0;
	struct log_id own = {c->peer.id, h->epoch};
	struct session_hello_reply reply = {.incarnation = store_incarnation(p->store)};
	struct serve_part *part = NULL;
	struct store_txn *txn;
	struct quota quota = {0, UINT64_MAX};
	struct member m;
	char thing[240];
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK) {
		serve_refuse(c, e, "the node's store", 60);
		return;
	}
	if ((e = serve_standing(c, &m, txn, thing)) == E_OK &&
	    (e = serve_head_of(txn, &own, &reply.held)) == E_OK &&
	    (e = aside_of(txn, &c->peer.id, &aside)) == E_OK &&
	    (e = opener_backlog(txn, &backlog)) == E_OK && m.enrolment.role != ROLE_NODE)
		e = quota_of(txn, &c->peer.id, &quota);
	reply.kept_aside = aside != 0;
	store_read_end(txn);
	if (e != E_OK) {
		serve_refuse(c, e, thing, 0);
		return;
	}
	if (backlog > meter_backlog_max(&c->serve->meters)) {
		serve_refuse(c, E_PEER_BUSY, "", BUSY_RETRY_S);
		return;
	}
	/* Cursors of another life of this node mean nothing here. */
	if (h->incarnation == reply.incarnation >> 32) {
		reply.down_from[0] = h->cursor[0];
		reply.down_from[1] = h->cursor[1];
	}
	c->epoch = h->epoch;
	c->number = 0;
	c->spare = (h->flags & HELLO_SPARE) != 0 || ((h->flags & HELLO_SPARE_LIFE) != 0 &&
						     h->incarnation != reply.incarnation >> 32);
	c->quota_left = quota_left(&quota);
	if ((h->flags & HELLO_ASK) != 0 &&
	    (part = serve_part_take(c->serve, &own, reply.held.number + 1)) != NULL)
		reply.part = writer_view(&part->bytes);
	session_settle_hello(s, &reply, now_ms);
	serve_part_free(part);
}

static void appended(void *arg, enum err);

/* A device that comes again after a cut: its older links are dead, whether or not this end knows.
 */
static void
supersede(struct serve_conn *c)
{
	struct serve_conn *other;

	do {
		for (other = c->serve->conns; other != NULL; other = other->next)
			if (other != c && other->session != NULL && !other->peer.local &&
			    other->ask == NULL && ID_EQUAL(&other->peer.id, &c->peer.id) &&
			    !session_over(other->session))
				break;
		if (other != NULL) {
			struct session *s = other->session;

			serve_part_keep(other);
			session_eof(s, "the device came again");
			c->serve->host->pump(other); /* may free it */
		}
	} while (other != NULL);
}

static enum err
nothing_job(struct store_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return E_OK;
}

/* What is held is said when all that the device's older links brought is settled: it takes its turn
 * at the writer. */
static void
on_ask_held(struct serve_conn *c, const struct message_hello *h)
{
	struct serve_done *d = calloc(1, sizeof(*d));
	enum err e = E_NO_MEMORY;

	supersede(c);
	if (d != NULL) {
		d->conn = c;
		d->greeted = true;
		d->hello = *h;
		writer_heap_init(&d->bytes, 1);
		e = store_write_async(c->serve->peer->store, nothing_job, d, appended, d);
	}
	if (e == E_OK) {
		c->jobs++;
		return;
	}
	free(d);
	serve_refuse(c, E_PEER_BUSY, "", 60);
}

/* The hash that number - 1 of the log has here; zeros for the first. */
static enum err
previous_hash(struct serve_conn *c, uint64_t epoch, uint64_t number, struct parcel_hash *out)
{
	struct log_id id = {c->peer.id, epoch};
	struct store_txn *txn;
	uint64_t seq;
	enum err e;

	memset(out, 0, sizeof(*out));
	if (number <= 1)
		return E_OK;
	if (c->epoch == epoch &&
	    c->number == number - 1) { /* it came just before, perhaps not yet committed */
		*out = c->hash;
		return E_OK;
	}
	if ((e = store_read_begin(c->serve->peer->store, &txn)) != E_OK)
		return e;
	e = arrival_find(txn, &id, number - 1, &seq, out);
	store_read_end(txn);
	return e;
}

static enum err
append_job(struct store_txn *txn, void *arg)
{
	struct serve_done *d = arg;
	enum arrival_result result;
	struct member m;
	enum err e;

	d->arrival.flags &= ~(uint32_t)ARRIVAL_FORK; /* a job may run twice */
	/* Checked again at the commit: it may have been shut out since it greeted. */
	if ((e = member_get(txn, &d->arrival.via, &m)) != E_OK)
		return e;
	if (m.state != MEMBER_APPROVED) {
		snprintf(d->reason, sizeof(d->reason), "%s", m.reason);
		return E_REVOKED;
	}
	if ((e = arrival_append(txn, &d->arrival, &result)) != E_OK)
		return e;
	d->forked = result == ARRIVAL_FORKED;
	if (result != ARRIVAL_DUPLICATE && m.enrolment.role != ROLE_NODE &&
	    (e = quota_take(txn, &d->arrival.via, d->arrival.parcel.n)) != E_OK)
		return e;
	if (result == ARRIVAL_DUPLICATE) { /* of a twin it is a fork again: the word about it may
					      have been lost */
		struct parcel_hash first;
		uint64_t seq;

		if ((e = arrival_find(txn, &d->arrival.log, d->number, &seq, &first)) == E_OK)
			d->forked = !ID_EQUAL(&first, &d->hash);
		else if (e == E_ABSENT) { /* it stands on a fork's branch only */
			d->forked = true;
			e = E_OK;
		}
		return e;
	}
	if ((e = peer_saw_time(txn, d->now_s)) != E_OK)
		return e;
	return opener_note(txn, &d->arrival, d->urgent);
}

/* On the writer's thread, after the commit. */
static void
appended(void *arg, enum err e)
{
	struct serve_done *d = arg;
	struct serve *serve = d->conn->serve;

	d->e = e;
	d->next = NULL;
	pthread_mutex_lock(&serve->lock);
	*serve->done_last = d;
	serve->done_last = &d->next;
	pthread_mutex_unlock(&serve->lock);
	serve->host->wake(serve);
}

static void
done_free(struct serve_done *d)
{
	writer_free(&d->bytes);
	free(d);
}

/* Hash it in its place in the log; the signature is checked behind the commit. */
static enum err
prepare(struct serve_conn *c, struct serve_done *d, uint64_t epoch, uint64_t number,
	struct bytes bytes, struct why *why)
{
	struct peer *p = c->serve->peer;
	struct parcel_context context = {.programme = p->programme.id, .log = {c->peer.id, epoch}};
	struct parcel parcel;
	struct arena arena;
	enum err e;

	writer_heap_init(&d->bytes, PARCEL_BYTES_MAX);
	writer_bytes(&d->bytes, bytes);
	if ((e = writer_end(&d->bytes)) != E_OK ||
	    (e = previous_hash(c, epoch, number, &context.previous)) != E_OK)
		return e;
	arena_init(&arena, 64u << 20);
	e = parcel_read(&parcel, bytes, &context, &arena, why);
	if (e == E_OK && parcel.number != number)
		e = why_set(why, E_PARCEL, "its number is not its place");
	if (e == E_OK) {
		d->urgent = (parcel.flags & PARCEL_URGENT) != 0;
		d->hash = parcel.hash;
		d->arrival = (struct arrival){.log = context.log,
					      .number = number,
					      .hash = parcel.hash,
					      .received_s = d->now_s,
					      .via = c->peer.id,
					      .flags = ARRIVAL_UNVERIFIED,
					      .parcel = writer_view(&d->bytes)};
	}
	arena_free(&arena);
	return e;
}

static void
on_parcel(struct serve_conn *c, uint64_t epoch, uint64_t number, struct bytes bytes)
{
	struct serve_done *d = calloc(1, sizeof(*d));
	struct why why = {.e = E_OK};
	enum err e;

	if (d == NULL) {
		serve_refuse(c, E_PEER_BUSY, "", 60);
		return;
	}
	if (bytes.n > c->quota_left) { /* at the commit it is asked again */
		free(d);
		serve_refuse(c, E_QUOTA, "this device", 0);
		return;
	}
	c->quota_left -= bytes.n;
	d->conn = c;
	d->epoch = epoch;
	d->number = number;
	d->now_s = peer_now_s(c->serve->peer);
	if ((e = prepare(c, d, epoch, number, bytes, &why)) == E_OK)
		e = store_write_async(c->serve->peer->store, append_job, d, appended, d);
	if (e != E_OK) {
		done_free(d);
		serve_refuse(c, e == E_STORE_QUEUE ? E_PEER_BUSY : e, why.thing, 60);
		return;
	}
	c->jobs++;
	c->epoch = epoch;
	c->number = number;
	c->hash = d->hash;
}

static void
settle_one(struct serve_done *d)
{
	struct serve_conn *c = d->conn;
	uint64_t now_ms;

	if (c->session != NULL) {
		now_ms = serve_now_ms(c);
		if (d->e == E_OK && d->greeted) {
			on_hello(c, &d->hello);
		} else if (d->e == E_OK) {
			c->acknowledged++;
			meter_add(&c->serve->meters, METER_PARCELS, 1);
			meter_add(&c->serve->meters, METER_FORKED, d->forked);
			session_settle_parcel(c->session, d->number, &d->hash,
					      d->forked ? STATUS_FORKED : STATUS_OK, now_ms);
		} else {
			serve_refuse(c, d->e, d->e == E_QUOTA ? "this device" : d->reason, 60);
		}
		c->serve->host->pump(c); /* may close it: the job still holds c */
	}
	c->jobs--;
	serve_conn_drop(c);
	done_free(d);
}

void
serve_settle(struct serve *serve)
{
	struct serve_done *d;
	bool any;

	pthread_mutex_lock(&serve->lock);
	d = serve->done_first;
	serve->done_first = NULL;
	serve->done_last = &serve->done_first;
	pthread_mutex_unlock(&serve->lock);
	any = d != NULL;
	while (d != NULL) {
		struct serve_done *next = d->next;

		settle_one(d);
		d = next;
	}
	if (any)
		serve->host->arrived(serve);
}

/* Only who works for the office asks from elsewhere; a member's device has nothing to ask. */
static void
on_ask(struct serve_conn *c, const struct message_ask *ask)
{
	struct store_txn *txn;
	struct member m;
	char thing[240] = "";
	enum err e = E_OK;
	enum serve_ask_kind kind = SERVE_CALL;

	if (bytes_equal(ask->verb, BYTES_LIT(SATCHEL_VERB)))
		kind = SERVE_CARRY;
	else if (bytes_equal(ask->verb, BYTES_LIT(ATTACH_VERB)))
		kind = SERVE_ATTACH;
	else if (bytes_equal(ask->verb, BYTES_LIT(ATTACH_TWIN_VERB)))
		kind = SERVE_TWIN;
	if (!ask->has_input ||
	    (kind == SERVE_CALL && !bytes_equal(ask->verb, BYTES_LIT(LINK_CALL_VERB))) ||
	    (kind != SERVE_CALL && c->peer.local)) {
		serve_refuse(c, E_PROTOCOL, "an unknown verb", 0);
		return;
	}
	if (!c->peer.local && (e = store_read_begin(c->serve->peer->store, &txn)) == E_OK) {
		e = serve_standing(c, &m, txn, thing);
		store_read_end(txn);
		if (e == E_OK && kind == SERVE_TWIN &&
		    (m.enrolment.role != ROLE_NODE ||
		     strcmp(m.enrolment.area, c->serve->peer->home.area) != 0)) {
			e = E_FORBIDDEN;
			(void)snprintf(thing, sizeof(thing), "be given attachments of others");
		} else if (e == E_OK && kind != SERVE_CALL && kind != SERVE_TWIN) {
			enum act act = kind == SERVE_CARRY ? ACT_RELAY : ACT_CREATE;

			if (rules_may(act, m.enrolment.role) == MAY_NEVER) {
				e = E_FORBIDDEN;
				(void)snprintf(thing, sizeof(thing), "%s", act_what(act));
			}
		}
		if (e == E_OK && kind == SERVE_CALL && m.enrolment.role == ROLE_MEMBER) {
			e = E_FORBIDDEN;
			(void)snprintf(thing, sizeof(thing), "ask the node to act");
		}
	}
	if (e == E_OK)
		serve_ask_begin(c, kind, ask);
	else
		serve_refuse(c, e, thing, 0);
}

void
serve_event(struct serve_conn *c, const struct session_event *ev)
{
	switch (ev->kind) {
	case SESSION_HELLO:
		if (ev->u.hello.flags & HELLO_ASK)
			on_ask_held(c, &ev->u.hello);
		else
			on_hello(c, &ev->u.hello);
		break;
	case SESSION_PARCEL:
		on_parcel(c, ev->u.parcel.epoch, ev->u.parcel.number, ev->u.parcel.bytes);
		break;
	case SESSION_JOIN:
		serve_join(c, &ev->u.join);
		break;
	case SESSION_SUCCESSOR:
		serve_successor(c);
		break;
	case SESSION_RETURN:
		serve_return(c, &ev->u.came_back);
		break;
	case SESSION_ASK:
		on_ask(c, &ev->u.ask);
		break;
	case SESSION_INPUT:
		serve_ask_input(c, ev->u.input);
		break;
	case SESSION_NODE:
	case SESSION_NODE_ITEM:
	case SESSION_NODE_MARK:
		serve_node_event(c, ev);
		break;
	case SESSION_FINISHED:
		serve_part_keep(c);
		break;
	case SESSION_NODE_TAKEN:
	case SESSION_DOWN:
	case SESSION_ACKED:
	case SESSION_FORKED:
	case SESSION_WELCOME:
	case SESSION_SUCCESSION:
	case SESSION_ANSWER:
		break; /* the device's, or nothing to do */
	}
}
