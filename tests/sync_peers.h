/*
 * sync_peers: a device and a node in memory, for tests of sessions: logs are arrays of small
 * parcels, and a parcel's hash is the digest of (hash before, bytes). The node settles at once or
 * when told.
 */
#ifndef BANYAN_TESTS_SYNC_PEERS_H
#define BANYAN_TESTS_SYNC_PEERS_H

#include "core/crypto/crypto.h"
#include "sync/session.h"
#include "tests/check.h"

#define LOG_MAX 400

struct log {
	uint64_t epoch, number;
	uint8_t bytes[LOG_MAX][48];
	size_t n[LOG_MAX];
	struct parcel_hash hash[LOG_MAX];
};

static inline void
log_add(struct log *l, struct bytes b)
{
	uint64_t i = ++l->number;
	struct bytes parts[2] = {BYTES(l->hash[i - 1].b, HASH_BYTES), b};

	if (i == 1)
		memset(&l->hash[0], 0, sizeof(l->hash[0]));
	memcpy(l->bytes[i], b.p, b.n);
	l->n[i] = b.n;
	crypto_sha256_parts(l->hash[i].b, parts, 2);
}

static inline void
log_add_text(struct log *l, const char *text, int i)
{
	char b[48];

	snprintf(b, sizeof(b), "%s %d", text, i);
	log_add(l, bytes_of_str(b));
}

static inline struct session_head
log_head(const struct log *l)
{
	return (struct session_head){l->epoch, l->number, l->hash[l->number]};
}

/* Either side: the device's log as it has it, and the node's two. */
struct side {
	struct session *s;
	struct log own, down[2];
	uint64_t incarnation;
	uint64_t acked, offered, seen_incarnation, erased;
	uint64_t elsewhere; /* so many of acked are another node's word */
	/* node: */
	bool settle_later;
	uint64_t unsettled; /* number to settle up to, later */
	enum message_status worst;
	struct log twin; /* forked parcels are put here */
	bool refuse_join, wrong_digest;
	int hellos, parcels, joins, asks, inputs;
	/* device: */
	bool finished, verified, forked, lacks;
	uint64_t forked_at;
	enum err reason;
	char thing[240];
	uint32_t retry_s;
	int exit_status, answers, welcomes, quarantined;
	char answer[200];
};

static inline enum err
side_parcel(void *ctx, enum session_log which, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	struct side *p = ctx;
	struct log *l = which == SESSION_LOG_OWN ? &p->own : &p->down[which];

	if (number == 0 || number > l->number || (which == SESSION_LOG_OWN && number == p->erased))
		return E_ABSENT;
	*out = BYTES(l->bytes[number], l->n[number]);
	*epoch = l->epoch;
	return E_OK;
}

static inline enum err
side_own_hash(void *ctx, uint64_t number, struct parcel_hash *out)
{
	struct side *p = ctx;

	if (number > p->own.number)
		return E_ABSENT;
	*out = p->own.hash[number];
	return E_OK;
}

static inline enum err
side_heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	struct side *p = ctx;

	if (p->own.epoch == epoch)
		out->log[SESSION_LOG_OWN] = log_head(&p->own);
	out->log[0] = log_head(&p->down[0]);
	out->log[1] = log_head(&p->down[1]);
	if (p->wrong_digest)
		out->log[0].hash.b[0] ^= 1;
	out->incarnation = p->incarnation;
	out->safe = p->own.number / 2;
	out->now_s = 1790000000;
	return E_OK;
}

static inline struct session_source
side_source(struct side *p)
{
	return (struct session_source){
	    .ctx = p, .parcel = side_parcel, .own_hash = side_own_hash, .heads = side_heads};
}

static inline void
side_mine(const struct side *p, struct session_mine *out)
{
	*out = (struct session_mine){.epoch = p->own.epoch,
				     .head = p->own.number,
				     .acked = p->acked,
				     .kept = p->acked - p->elsewhere,
				     .offered = p->offered,
				     .incarnation = p->seen_incarnation,
				     .cursor = {p->down[0].number, p->down[1].number}};
}

/* The node takes a parcel of the device's log. */
static inline void
node_take(struct side *n, uint64_t epoch, uint64_t number, struct bytes b, uint64_t now)
{
	struct log *l = &n->own;
	enum message_status status = STATUS_OK;

	n->parcels++;
	if (l->epoch != epoch) {
		memset(l, 0, sizeof(*l));
		l->epoch = epoch;
	}
	if (number <= l->number) {
		if (!bytes_equal(b, BYTES(l->bytes[number], l->n[number]))) {
			struct bytes parts[2] = {BYTES(l->hash[number - 1].b, HASH_BYTES), b};

			log_add(&n->twin, b);
			crypto_sha256_parts(n->twin.hash[n->twin.number].b, parts,
					    2); /* behind what stands there */
			status = STATUS_FORKED;
		}
	} else {
		CHECK(number == l->number + 1);
		log_add(l, b);
		if (b.n >= 3 && memcmp(b.p, "odd", 3) == 0)
			status = STATUS_QUARANTINED;
	}
	if (status > n->worst)
		n->worst = status;
	n->unsettled = number;
	if (!n->settle_later || status == STATUS_FORKED) {
		session_settle_parcel(n->s, number,
				      status == STATUS_FORKED ? &n->twin.hash[n->twin.number]
							      : &l->hash[number],
				      status, now);
		n->unsettled = 0;
	}
}

/* What a cut left of a parcel, when the node keeps it. */
static bool keeps_parts;
static uint8_t kept[200];
static size_t kept_n;
static uint64_t kept_epoch, kept_number;

static inline void
node_joins(struct side *n, uint64_t now)
{
	static const struct message_welcome welcome = {
	    .programme_name = {(const uint8_t *)"Demo", 4}, .area = {(const uint8_t *)"KH01", 4}};

	n->joins++;
	if (n->refuse_join)
		session_refuse(n->s, E_INVITE_USED, "the invitation", 0, now);
	else
		CHECK(session_welcome(n->s, &welcome, now) == E_OK);
}

/* "hello " and the first word; with an input, that follows (SESSION_INPUT). */
static inline void
node_asked(struct side *n, const struct message_ask *ask, uint64_t now)
{
	n->asks++;
	if (!ask->has_input) {
		CHECK(session_answer(n->s, STREAM_OUT, BYTES_LIT("hello "), now) == E_OK);
		CHECK(session_answer(n->s, STREAM_OUT, ask->args.str[0], now) == E_OK);
		session_done(n->s, 65, now);
	}
}

static inline void
node_event(struct side *n, const struct session_event *e, uint64_t now)
{
	struct session_hello_reply reply = {.incarnation = n->incarnation};

	switch (e->kind) {
	case SESSION_HELLO:
		n->hellos++;
		if (n->own.epoch == e->u.hello.epoch)
			reply.held = log_head(&n->own);
		if (keeps_parts && kept_epoch == e->u.hello.epoch &&
		    kept_number == reply.held.number + 1)
			reply.part = BYTES(kept, kept_n);
		reply.down_from[0] = e->u.hello.cursor[0];
		reply.down_from[1] = e->u.hello.cursor[1];
		session_settle_hello(n->s, &reply, now);
		break;
	case SESSION_PARCEL:
		node_take(n, e->u.parcel.epoch, e->u.parcel.number, e->u.parcel.bytes, now);
		break;
	case SESSION_JOIN:
		node_joins(n, now);
		break;
	case SESSION_SUCCESSOR:
		session_succession(n->s, BYTES_LIT("a statement"), now);
		break;
	case SESSION_ASK:
		node_asked(n, &e->u.ask, now);
		break;
	case SESSION_INPUT:
		n->inputs++;
		if (e->u.input.n == 0)
			session_done(n->s, 0, now);
		else
			session_answer(n->s, STREAM_OUT, e->u.input, now);
		break;
	case SESSION_FINISHED:
		n->finished = true;
		n->reason = e->u.finished.why.e;
		snprintf(n->thing, sizeof(n->thing), "%s", e->u.finished.why.thing);
		break;
	case SESSION_DOWN:
	case SESSION_ACKED:
	case SESSION_FORKED:
	case SESSION_RETURN:
	case SESSION_SUCCESSION:
	case SESSION_WELCOME:
	case SESSION_NODE:
	case SESSION_NODE_ITEM:
	case SESSION_NODE_MARK:
	case SESSION_NODE_TAKEN:
	case SESSION_ANSWER:
		CHECK(!"an event of the device at the node");
		break;
	}
}

static inline void
device_event(struct side *d, const struct session_event *e, uint64_t now)
{
	switch (e->kind) {
	case SESSION_DOWN:
		if (d->lacks) { /* a body that the node took for known */
			d->lacks = false;
			session_down_lacks(d->s, now);
			break;
		}
		d->down[e->u.down.log].epoch = e->u.down.epoch;
		log_add(&d->down[e->u.down.log], e->u.down.bytes);
		session_settle_down(d->s, E_OK, NULL, now);
		break;
	case SESSION_ACKED:
		d->acked = e->u.acked.number;
		d->quarantined += e->u.acked.status == STATUS_QUARANTINED;
		if (e->u.acked.last)
			d->seen_incarnation = e->u.acked.incarnation;
		break;
	case SESSION_FORKED:
		d->forked = true;
		d->forked_at = e->u.forked.number;
		break;
	case SESSION_WELCOME:
		d->welcomes++;
		CHECK(bytes_equal(e->u.welcome.area, BYTES_LIT("KH01")));
		break;
	case SESSION_SUCCESSION:
		d->answers++;
		CHECK(bytes_equal(e->u.succession.statement, BYTES_LIT("a statement")));
		break;
	case SESSION_ANSWER:
		d->answers++;
		strncat(d->answer, (const char *)e->u.answer.bytes.p,
			e->u.answer.bytes.n < 50 ? e->u.answer.bytes.n : 50);
		break;
	case SESSION_FINISHED:
		d->finished = true;
		d->verified = e->u.finished.verified;
		d->reason = e->u.finished.why.e;
		snprintf(d->thing, sizeof(d->thing), "%s", e->u.finished.why.thing);
		d->retry_s = e->u.finished.retry_s;
		d->exit_status = e->u.finished.exit_status;
		break;
	case SESSION_HELLO:
	case SESSION_PARCEL:
	case SESSION_JOIN:
	case SESSION_SUCCESSOR:
	case SESSION_RETURN:
	case SESSION_ASK:
	case SESSION_NODE:
	case SESSION_NODE_ITEM:
	case SESSION_NODE_MARK:
	case SESSION_NODE_TAKEN:
	case SESSION_INPUT:
		CHECK(!"an event of the node at the device");
		break;
	}
}

/* sides_begin: a device with `own` parcels that wait, and a node with so many words for all. */
static inline void
sides_begin(struct side *device, struct side *node, int own, int broadcast)
{
	int i;

	memset(device, 0, sizeof(*device));
	memset(node, 0, sizeof(*node));
	device->own.epoch = 0x1234567890abcdefu;
	node->incarnation = 0xaabbccdd00112233u;
	node->down[0].epoch = 50;
	node->down[1].epoch = 60;
	for (i = 1; i <= own; i++)
		log_add_text(&device->own, "report", i);
	for (i = 1; i <= broadcast; i++)
		log_add_text(&node->down[0], "form", i);
}

#endif
