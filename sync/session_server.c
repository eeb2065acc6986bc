/* The node's end of a session: parcels. Newcomers and commands: session_asked.c. */
#include "sync/session_own.h"

#include <assert.h>

bool
server_expects(const struct session *s, uint8_t type)
{
	bool remote = !s->config.local;

	switch (type) {
	case MESSAGE_ERROR:
		return true;
	case MESSAGE_HELLO:
		return s->state == STATE_IDLE && remote;
	case MESSAGE_AGAIN:
		return s->state == STATE_IDLE && remote && s->known.can;
	case MESSAGE_PARCEL:
	case MESSAGE_END:
		return s->state == STATE_RECEIVING;
	case MESSAGE_REST:
		return s->state == STATE_RECEIVING && s->part_number == s->server.next;
	case MESSAGE_BUDGET:
		return remote && (s->state == STATE_IDLE || s->state == STATE_RECEIVING);
	case MESSAGE_JOIN:
	case MESSAGE_SUCCESSOR:
	case MESSAGE_RETURN:
		return s->state == STATE_IDLE && remote;
	case MESSAGE_ASK:
		return s->state == STATE_IDLE;
	case MESSAGE_INPUT:
		return s->server.input_open && (s->state == STATE_ASKED || s->state == STATE_IDLE);
	default:
		return false;
	}
}

bool
server_blocked(const struct session *s)
{
	const struct server *v = &s->server;

	if (s->state == STATE_NODE_HELD)
		return true;
	if (s->config.side == SESSION_CLIENT)
		return false;
	switch (s->state) {
	case STATE_GREETED:
	case STATE_SETTLING:
	case STATE_SENDING:
	case STATE_JOIN:
	case STATE_NODE_GREETED:
	case STATE_NODE_SENDING:
	case STATE_NODE_HELD:
		return true;
	case STATE_ASKED:
		return !v->input_open;
	case STATE_RECEIVING:
		return v->next - 1 - v->taken >= SESSION_UNSETTLED_MAX ||
		       v->open_bytes_sum >= SESSION_UNSETTLED_BYTES;
	case STATE_IDLE:
	case STATE_ASKING:
	case STATE_OFFERING:
	case STATE_WAITING:
	case STATE_TAKING:
	case STATE_JOINING:
	case STATE_RUNNING:
	case STATE_NODE_OFFERING:
	case STATE_NODE_WAITING:
	case STATE_NODE_TAKING:
	case STATE_OVER:
		return false;
	}
	return false;
}

/* ---- answers of the protocol ---- */

/* A flight begins (again): its first PARCEL has the number after `number`. */
static void
expect_after(struct server *v, uint64_t number)
{
	v->taken = number;
	v->next = number + 1;
	v->dropping = v->behind = false;
	v->open_bytes_sum = 0;
	memset(v->open_bytes, 0, sizeof(v->open_bytes));
}

static void
put_ack(struct session *s, uint64_t number, uint64_t hash, uint64_t status)
{
	struct message m = {.type = MESSAGE_ACK};

	m.u.ack = (struct message_ack){number, hash, status};
	s->server.last_ack = number;
	session_put(s, &m);
	s->server.ack_due = false;
}

/* Everything that came is durable: the last word on it, then what goes down. */
static void
put_last(struct session *s)
{
	struct server *v = &s->server;
	struct message m = {.type = MESSAGE_LAST};
	enum err e;
	size_t i;

	v->heads = (struct session_heads){0};
	if ((e = s->config.source.heads(s->config.source.ctx, v->hello.epoch, &v->heads)) != E_OK) {
		session_fail(s, e, "reading the heads of the logs");
		return;
	}
	v->down_any = false;
	for (i = 0; i < 2; i++) {
		v->down_next[i] = v->reply.down_from[i] + 1;
		v->down_any = v->down_any || v->down_next[i] <= v->heads.log[i].number;
	}
	m.u.last = (struct message_last){
	    .number = v->settled,
	    .status = v->flight_status | (v->down_any ? LAST_MORE : 0),
	    .incarnation =
		v->heads.incarnation >> 32 == v->hello.incarnation ? 0 : v->heads.incarnation,
	    .safe = v->heads.safe,
	    .node_time_s = v->heads.now_s,
	    .head = {v->heads.log[0].number, v->heads.log[1].number},
	    .digest = session_digest(&s->config.device, &v->heads),
	};
	if (v->ack_due &&
	    v->settled_status ==
		STATUS_FORKED) /* with the hash: is it the device's own that is kept? */
		put_ack(s, v->settled, v->settled_hash, STATUS_FORKED);
	v->ack_due = false;
	if (server_as_known(s, &m.u.last))
		m = (struct message){.type = MESSAGE_AGAIN};
	else
		server_know(s, &m.u.last);
	session_put(s, &m);
	if (s->state == STATE_OVER)
		return;
	s->state = v->down_any ? STATE_SENDING : STATE_IDLE;
	v->down_left = s->down_budget == 0 ? UINT64_MAX : s->down_budget;
	s->down_budget = 0;
	s->in_since_ms = s->now_ms;
}

void
server_pull(struct session *s)
{
	struct server *v = &s->server;

	/* On the way up: once for what was settled together, and at least for every so many. */
	if (v->ack_due && s->state == STATE_RECEIVING &&
	    (v->taken + 1 == v->next || v->settled >= v->last_ack + SESSION_UNSETTLED_MAX / 4u)) {
		put_ack(s, v->settled, v->settled_hash, v->settled_status);
		v->settled_status = STATUS_OK;
	}
	while (s->state == STATE_SENDING && session_room(s)) {
		struct message m = {.type = MESSAGE_DOWN};
		size_t log = v->down_next[0] <= v->heads.log[0].number ? 0 : 1;
		enum err e;

		if (v->down_next[log] > v->heads.log[log].number) {
			m.type = MESSAGE_END;
			session_put(s, &m);
			if (s->state == STATE_SENDING)
				s->state = STATE_IDLE;
			s->in_since_ms = s->now_ms;
			return;
		}
		m.u.down.log = log;
		e = s->config.source.parcel(s->config.source.ctx, (enum session_log)log,
					    v->down_next[log], &m.u.down.parcel, &m.u.down.epoch);
		if (e != E_OK) {
			session_fail(s, e, "parcel %llu of the node's own",
				     (unsigned long long)v->down_next[log]);
			return;
		}
		if (frame_cost(s, m.u.down.parcel.n + 20u) >
		    v->down_left) { /* what the peer cannot pay for waits */
			v->down_next[0] = v->heads.log[0].number + 1;
			v->down_next[1] = v->heads.log[1].number + 1;
			continue;
		}
		if (v->down_left != UINT64_MAX)
			v->down_left -= frame_cost(s, m.u.down.parcel.n + 20u);
		session_put(s, &m);
		v->down_next[log]++;
		s->counts.parcels_sent++;
	}
}

/* ---- the host's answers ---- */

void
session_settle_hello(struct session *s, const struct session_hello_reply *reply, uint64_t now_ms)
{
	struct server *v = &s->server;
	uint64_t flags = v->hello.flags;

	s->now_ms = s->in_since_ms = now_ms;
	if (s->state != STATE_GREETED)
		return;
	v->reply = *reply;
	v->flight_status = reply->kept_aside ? STATUS_QUARANTINED : STATUS_OK;
	v->settled = reply->held.number;
	v->settled_hash = reply->held.number == 0 ? 0 : hash_prefix(&reply->held.hash);
	s->state = STATE_RECEIVING;
	expect_after(v, v->hello.acked);
	if (flags & HELLO_ASK) {
		expect_after(v, v->settled);
		server_put_part(s, reply->part);
		put_ack(s, v->settled, v->settled_hash, STATUS_OK);
	} else if (v->settled < v->hello.acked) {
		v->behind = v->dropping = true;
		if (flags & HELLO_NOTHING) {
			put_ack(s, v->settled, v->settled_hash, STATUS_BEHIND);
			expect_after(v, v->settled);
		}
	} else if (flags & HELLO_NOTHING) {
		put_last(s);
	}
}

void
session_settle_parcel(struct session *s, uint64_t number, const struct parcel_hash *hash,
		      enum message_status status, uint64_t now_ms)
{
	struct server *v = &s->server;
	uint64_t n;

	s->now_ms = now_ms;
	if ((s->state != STATE_RECEIVING && s->state != STATE_SETTLING) || v->dropping ||
	    number <= v->taken || number >= v->next)
		return; /* of a flight that ended: forked, or refused */
	assert(status != STATUS_BEHIND);
	for (n = v->taken + 1; n <= number; n++) {
		v->open_bytes_sum -= v->open_bytes[n % SESSION_UNSETTLED_MAX];
		v->open_bytes[n % SESSION_UNSETTLED_MAX] = 0;
	}
	v->taken = number;
	if (number >= v->settled || status == STATUS_FORKED) {
		v->settled = number;
		v->settled_hash = hash_prefix(hash);
	}
	if (status != STATUS_OK)
		v->settled_status = v->flight_status = status;
	v->ack_due = true;
	if (status == STATUS_FORKED) {
		expect_after(v, number);
		v->dropping = true;
	}
	if (!server_blocked(s))
		s->in_since_ms = now_ms;
	if (s->state == STATE_SETTLING && v->taken + 1 == v->next)
		put_last(s);
}

/* ---- what comes ---- */

static void
on_hello(struct session *s, const struct message_hello *hello)
{
	struct session_event event = {.kind = SESSION_HELLO};

	if (!version_meet(s, hello))
		return;
	s->server = (struct server){.hello = *hello};
	s->part_number = 0;
	writer_free(&s->part);
	s->state = STATE_GREETED;
	version_say(s);
	event.u.hello = *hello;
	session_raise(s, &event);
}

/* HELLO in a word: all as the last LAST said. */
static void
on_again(struct session *s, uint64_t flags)
{
	const struct known *k = &s->known;
	struct message_hello hello = {
	    .proto_low = s->version,
	    .proto_high = s->version,
	    .flags = (flags & HELLO_NOTHING) | HELLO_KNOWS_AGAIN,
	    .epoch = k->epoch,
	    .acked = k->last.number,
	    .incarnation = k->incarnation >> 32,
	    .cursor = {k->last.head[0], k->last.head[1]},
	};

	on_hello(s, &hello);
	s->server.again = true;
}

static void
on_parcel(struct session *s, struct bytes bytes)
{
	struct session_event event = {.kind = SESSION_PARCEL};
	struct server *v = &s->server;

	if (v->dropping)
		return;
	event.u.parcel.epoch = v->hello.epoch;
	event.u.parcel.number = v->next;
	event.u.parcel.bytes = bytes;
	v->open_bytes[v->next % SESSION_UNSETTLED_MAX] = bytes.n;
	v->open_bytes_sum += bytes.n;
	v->next++;
	s->counts.parcels_received++;
	session_raise(s, &event);
}

static void
on_rest(struct session *s, struct bytes rest)
{
	writer_bytes(&s->part, rest);
	s->part_number = 0; /* the bytes stay for the event */
	if (writer_end(&s->part) != E_OK)
		session_fail(s, E_FRAME_LONG, "REST");
	else
		on_parcel(s, writer_view(&s->part));
}

static void
on_end(struct session *s)
{
	struct server *v = &s->server;

	if (v->behind) {
		put_ack(s, v->settled, v->settled_hash, STATUS_BEHIND);
		expect_after(v, v->settled);
		return;
	}
	s->state = STATE_SETTLING;
	if (v->taken + 1 == v->next)
		put_last(s);
}

void
server_on(struct session *s, const struct message *m)
{
	switch (m->type) {
	case MESSAGE_HELLO:
		on_hello(s, &m->u.hello);
		return;
	case MESSAGE_AGAIN:
		on_again(s, m->u.again.flags);
		return;
	case MESSAGE_PARCEL:
		on_parcel(s, m->u.parcel.bytes);
		return;
	case MESSAGE_REST:
		on_rest(s, m->u.rest.bytes);
		return;
	case MESSAGE_BUDGET:
		s->down_budget = m->u.budget.bytes;
		return;
	case MESSAGE_END:
		on_end(s);
		return;
	case MESSAGE_JOIN:
	case MESSAGE_SUCCESSOR:
	case MESSAGE_RETURN:
		server_on_newcomer(s, m);
		return;
	case MESSAGE_ASK:
	case MESSAGE_INPUT:
		server_on_ask(s, m);
		return;
	default:
		assert(!"server_expects let it through");
	}
}
