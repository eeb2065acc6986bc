/* The device's end of a session. */
#include "sync/session_own.h"

#include <assert.h>
#include <stdio.h>

bool
client_expects(const struct session *s, uint8_t type)
{
	switch (type) {
	case MESSAGE_ERROR:
		return true;
	case MESSAGE_PART:
		return s->state == STATE_ASKING;
	case MESSAGE_VERSION:
	case MESSAGE_ACK:
		return s->state == STATE_ASKING || s->state == STATE_OFFERING || s->state == STATE_WAITING;
	case MESSAGE_LAST:
		return s->state == STATE_WAITING;
	case MESSAGE_AGAIN:
		return s->state == STATE_WAITING && s->client.again;
	case MESSAGE_DOWN:
	case MESSAGE_END:
		return s->state == STATE_TAKING && !s->client.ended;
	case MESSAGE_WELCOME:
	case MESSAGE_SUCCESSION:
		return s->state == STATE_JOINING;
	case MESSAGE_ANSWER:
	case MESSAGE_DONE:
		return s->state == STATE_RUNNING;
	default:
		return false;
	}
}

/* ---- beginning ---- */

void
client_begin(struct session *s, enum session_state state, uint64_t now_ms)
{
	assert(s->config.side == SESSION_CLIENT && s->state == STATE_IDLE);
	s->client = (struct client){0};
	s->now_ms = s->in_since_ms = now_ms;
	s->in_credit = s->out_credit = 0;
	s->state = state;
}

static void
put_hello(struct session *s, uint8_t flags)
{
	const struct session_mine *mine = &s->client.mine;
	struct message m = {.type = MESSAGE_HELLO};

	m.u.hello = (struct message_hello){
	    .proto_low = version_low(s),
	    .proto_high = version_high(s),
	    .flags = flags | HELLO_KNOWS_AGAIN | (mine->spare ? HELLO_SPARE : 0) |
	             (mine->incarnation != 0 && mine->cursor[0] > 0 ? HELLO_SPARE_LIFE : 0),
	    .epoch = mine->epoch,
	    .acked = mine->acked,
	    .incarnation = mine->incarnation >> 32,
	    .cursor = {mine->cursor[0], mine->cursor[1]},
	};
	session_put(s, &m);
}

/* Is everything that HELLO would say what the last exchange ended with? */
static bool
as_known(const struct session *s, const struct session_mine *mine)
{
	const struct known *k = &s->known;

	return k->can && mine->epoch == k->epoch && mine->acked == k->last.number &&
	       mine->incarnation == k->incarnation && mine->cursor[0] == k->last.head[0] &&
	       mine->cursor[1] == k->last.head[1];
}

void
client_greet(struct session *s, uint8_t flags)
{
	struct message m = {.type = MESSAGE_AGAIN, .u.again = {flags}};

	s->client.again = (flags & HELLO_ASK) == 0 && as_known(s, &s->client.mine);
	s->known.can = false; /* the node's last LAST is another one from here on: until this exchange agrees */
	if (s->client.again)
		session_put(s, &m);
	else
		put_hello(s, flags);
}

void
session_sync(struct session *s, const struct session_mine *mine, uint64_t now_ms)
{
	bool nothing = mine->head <= mine->acked;
	bool ask = mine->ask_first || (mine->offered > mine->acked && !nothing);

	client_begin(s, ask ? STATE_ASKING : nothing ? STATE_WAITING : STATE_OFFERING, now_ms);
	s->client.mine = *mine;
	s->client.asked = ask;
	s->client.acked = mine->acked;
	s->client.next = mine->acked + 1;
	s->budget_bytes = mine->budget_bytes;
	s->client.greet_flags = ask ? HELLO_ASK : nothing ? HELLO_NOTHING : 0;
	if (mine->budget_bytes != 0)
		s->client.greet_due = true;
	else
		client_greet(s, s->client.greet_flags);
}

void
session_join(struct session *s, const struct message_join *join, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_JOIN};

	client_begin(s, STATE_JOINING, now_ms);
	m.u.join = *join;
	session_put(s, &m);
	crypto_wipe(&m, sizeof(m));
}

void
session_successor(struct session *s, const struct principal_id *node, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_SUCCESSOR, .u.successor = {*node}};

	client_begin(s, STATE_JOINING, now_ms);
	session_put(s, &m);
}

void
session_return(struct session *s, const struct message_came_back *who, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_RETURN, .u.came_back = *who};

	client_begin(s, STATE_JOINING, now_ms);
	session_put(s, &m);
}

/* ---- answers ---- */

/* The log has a twin at the node; ours is kept there up to `number`. Said once, when LAST shows whose life it is. */
void
client_twin(struct session *s, uint64_t number)
{
	if (s->client.forked)
		return;
	s->client.forked = true;
	s->client.fork_number = number;
}

/* A node in a new life may have lost what it acknowledged in another one. */
static void
raise_twin(struct session *s, uint64_t life)
{
	struct session_event event = {.kind = SESSION_FORKED};

	s->client.fork_told = true;
	event.u.forked.incarnation = life;
	event.u.forked.number = s->client.new_life ? 0 : s->client.fork_number;
	event.u.forked.gap = s->client.gap != 0;
	session_raise(s, &event);
}

/* Is the node's log ours up to `number`? */
static bool
same_log(struct session *s, uint64_t number, uint64_t hash)
{
	struct parcel_hash own;

	if (number == 0)
		return true;
	if (number > s->client.mine.head)
		return false;
	if (s->config.source.own_hash(s->config.source.ctx, number, &own) != E_OK)
		return true; /* forgotten long ago; the digest will tell */
	return hash_prefix(&own) == hash;
}

/* Go on with what the node lacks after `number`. */
static void
go_on_after(struct session *s, uint64_t number)
{
	s->client.next = number + 1;
	s->state = STATE_OFFERING;
}

static void
on_ack(struct session *s, const struct message_ack *ack)
{
	struct client *c = &s->client;
	struct session_event event = {.kind = SESSION_ACKED};
	bool asking = s->state == STATE_ASKING;

	if (ack->status == STATUS_BEHIND && (asking || c->went_back || ack->number >= c->next)) {
		session_fail(s, E_PROTOCOL, "ACK asks for the same parcels again");
		return;
	}
	if (ack->status == STATUS_FORKED || !same_log(s, ack->number, ack->hash)) {
		if (s->state != STATE_WAITING || ack->status == STATUS_BEHIND) {
			c->went_back = ack->status == STATUS_BEHIND;
			go_on_after(s, c->mine.head); /* nothing more of this log: END, and hear the rest */
		}
		client_twin(s, ack->status == STATUS_FORKED ? ack->number : c->mine.acked);
		return;
	}
	if (asking || ack->status == STATUS_BEHIND) {
		c->went_back = ack->status == STATUS_BEHIND;
		go_on_after(s, ack->number);
	}
	if (ack->number > c->acked)
		c->acked = ack->number;
	event.u.acked.number = ack->number;
	event.u.acked.status = (enum message_status)ack->status;
	s->counts.parcels_acked = ack->number;
	session_raise(s, &event);
}

/* They differ. Once an exchange the node is asked what it holds: a twin shows, a lost cursor is mended. */
static void
ask_again(struct session *s, const struct session_heads *heads)
{
	struct client *c = &s->client;

	c->asked = true;
	c->went_back = c->ended = false;
	c->mine.acked = c->acked < c->last.number ? c->acked : c->last.number;
	c->mine.cursor[0] = heads->log[SESSION_LOG_BROADCAST].number;
	c->mine.cursor[1] = heads->log[SESSION_LOG_INBOX].number;
	if (c->last.incarnation != 0)
		c->mine.incarnation = c->last.incarnation;
	s->state = STATE_ASKING;
	s->in_since_ms = s->now_ms;
	put_hello(s, HELLO_ASK);
}

/* Both ends agree: the next exchange of this session may say so in a word. */
static void
know(struct session *s)
{
	const struct client *c = &s->client;

	s->known = (struct known){.can = (c->last.status & LAST_AGAIN) != 0,
	                          .epoch = c->mine.epoch,
	                          .incarnation = c->last.incarnation != 0 ? c->last.incarnation
	                                                                  : c->mine.incarnation,
	                          .last = c->last};
}

/* The node kept some of its parcels to itself, as it was told to. */
static bool
downs_lack(const struct client *c, const struct session_heads *heads)
{
	return heads->log[SESSION_LOG_BROADCAST].number < c->last.head[0] ||
	       heads->log[SESSION_LOG_INBOX].number < c->last.head[1];
}

/* All DOWNs are in and settled, and the host knows of LAST: do both sides agree? */
void
client_compare(struct session *s)
{
	struct client *c = &s->client;
	struct session_heads heads = {0};
	char thing[120];
	enum err e;

	if (s->state != STATE_TAKING || !c->ended || c->downs_open > 0)
		return;
	if ((e = s->config.source.heads(s->config.source.ctx, c->mine.epoch, &heads)) != E_OK) {
		session_finish(s, false, e, "reading the heads of the logs");
		return;
	}
	if (c->gap != 0) {
		snprintf(thing, sizeof(thing), "the node asks for parcel %llu, which is not here any more",
		         (unsigned long long)c->gap);
		session_finish(s, false, E_UNVERIFIED, thing);
	} else if (c->forked) { /* the log has ended: nothing more is asked about it, whatever else lacks */
		snprintf(thing, sizeof(thing), "parcel %llu", (unsigned long long)c->last.number);
		session_finish(s, false, E_FORK, thing);
	} else if (c->lacks) { /* from the one on that could not be filled, whole */
		c->lacks = c->mine.spare = false;
		ask_again(s, &heads);
	} else if (c->budget_cut && c->lacked > 0) {
		snprintf(thing, sizeof(thing), "parcel %llu needs %llu bytes more than are left",
		         (unsigned long long)c->next, (unsigned long long)c->lacked);
		session_finish(s, false, E_BUDGET_SMALL, thing);
	} else if (c->budget_cut || (s->budget_bytes != 0 && downs_lack(c, &heads))) {
		session_finish(s, false, E_BUDGET, "");
	} else if (session_digest(&s->config.device, &heads) == c->last.digest) {
		know(s);
		session_finish(s, true, E_OK, "");
	} else if (!c->asked) {
		ask_again(s, &heads);
	} else {
		snprintf(thing, sizeof(thing), "the node has %llu, %llu and %llu parcels; here are %llu, %llu and %llu",
		         (unsigned long long)c->last.number, (unsigned long long)c->last.head[0],
		         (unsigned long long)c->last.head[1],
		         (unsigned long long)heads.log[SESSION_LOG_OWN].number,
		         (unsigned long long)heads.log[SESSION_LOG_BROADCAST].number,
		         (unsigned long long)heads.log[SESSION_LOG_INBOX].number);
		session_finish(s, false, E_UNVERIFIED, thing);
	}
}

static void
on_last(struct session *s, const struct message_last *last)
{
	struct client *c = &s->client;
	struct session_event event = {.kind = SESSION_ACKED};
	uint64_t status = last->status & 3u;
	uint64_t life = last->incarnation != 0 ? last->incarnation : c->mine.incarnation;

	c->last = *last;
	c->ended = (last->status & LAST_MORE) == 0;
	c->new_life = c->new_life || (c->mine.incarnation != 0 && life != c->mine.incarnation);
	s->state = STATE_TAKING;
	if (status == STATUS_FORKED || last->number > c->mine.head)
		client_twin(s, status == STATUS_FORKED ? last->number : c->mine.acked);
	if (c->forked && !c->fork_told) {
		raise_twin(s, life);
	} else if (!c->forked) {
		/* without a hash, the word of a node in another life is nothing until the digests agree */
		event.u.acked.number = c->new_life && !c->asked && !c->went_back ? 0 : last->number;
		if (event.u.acked.number >= c->next) /* cut short by a budget: past what was said it may be a twin's */
			event.u.acked.number = c->next - 1;
		event.u.acked.status = (enum message_status)status;
		event.u.acked.last = true;
		event.u.acked.incarnation = life;
		event.u.acked.safe = last->safe;
		event.u.acked.node_time_s = (uint32_t)last->node_time_s;
		s->counts.parcels_acked = last->number;
		session_raise(s, &event);
	}
}

/* Nothing changed at the node since it said LAST. */
static void
on_again(struct session *s)
{
	struct message_last last = s->known.last;

	last.status = LAST_AGAIN;
	last.incarnation = last.node_time_s = 0;
	on_last(s, &last);
}

void
session_settle_down(struct session *s, enum err e, const char *thing, uint64_t now_ms)
{
	s->now_ms = now_ms;
	if (s->state != STATE_TAKING)
		return;
	assert(s->client.downs_open > 0);
	s->client.downs_open--;
	if (e != E_OK)
		session_fail(s, e, "%s", thing == NULL ? "" : thing);
	client_compare(s);
}

void
session_down_lacks(struct session *s, uint64_t now_ms)
{
	s->now_ms = now_ms;
	if (s->state != STATE_TAKING)
		return;
	assert(s->client.downs_open > 0);
	s->client.downs_open--;
	if (s->client.lacked_once)
		session_fail(s, E_PROTOCOL, "a parcel of the node without its body");
	s->client.lacks = s->client.lacked_once = true;
	client_compare(s);
}

static void
on_down(struct session *s, const struct message_down *down)
{
	struct session_event event = {.kind = SESSION_DOWN};

	if (s->client.lacks)
		return; /* it comes again */
	s->client.downs_open++;
	s->counts.parcels_received++;
	event.u.down.log = (enum session_log)down->log;
	event.u.down.epoch = down->epoch;
	event.u.down.bytes = down->parcel;
	session_raise(s, &event);
}

static void
on_done(struct session *s, const struct message_done *done)
{
	if (s->client.input_open)
		session_input(s, BYTES_NONE, s->now_ms);
	session_finish(s, false, E_OK, "");
	s->finished.u.finished.exit_status = (uint8_t)done->exit_status;
}

void
client_on(struct session *s, const struct message *m)
{
	struct session_event event = {.kind = SESSION_WELCOME};

	switch (m->type) {
	case MESSAGE_VERSION:
		version_heard(s, m->u.version.spoken);
		return;
	case MESSAGE_PART:
		s->client.part = m->u.part;
		return;
	case MESSAGE_ACK:
		on_ack(s, &m->u.ack);
		return;
	case MESSAGE_LAST:
		on_last(s, &m->u.last);
		return;
	case MESSAGE_AGAIN:
		on_again(s);
		return;
	case MESSAGE_DOWN:
		on_down(s, &m->u.down);
		return;
	case MESSAGE_END:
		s->client.ended = true;
		return;
	case MESSAGE_SUCCESSION:
		event.kind = SESSION_SUCCESSION;
		event.u.succession = m->u.succession;
		session_raise(s, &event);
		session_finish(s, false, E_OK, "");
		return;
	case MESSAGE_WELCOME:
		event.u.welcome = m->u.welcome;
		session_raise(s, &event);
		session_finish(s, false, E_OK, "");
		return;
	case MESSAGE_ANSWER:
		event.kind = SESSION_ANSWER;
		event.u.answer = m->u.answer;
		session_raise(s, &event);
		return;
	case MESSAGE_DONE:
		on_done(s, &m->u.done);
		return;
	default:
		assert(!"client_expects let it through");
	}
}
