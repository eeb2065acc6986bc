/* The device's end of a session. */
#include "sync/session_own.h"

#include <assert.h>

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
		return s->state == STATE_ASKING || s->state == STATE_OFFERING ||
		       s->state == STATE_WAITING;
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

void
client_hello(struct session *s, uint8_t flags)
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
	s->known.can = false; /* the node's last LAST is another one from here on: until this
				 exchange agrees */
	if (s->client.again)
		session_put(s, &m);
	else
		client_hello(s, flags);
}

void
session_sync(struct session *s, const struct session_mine *mine, uint64_t now_ms)
{
	bool nothing = mine->head <= mine->acked;
	bool ask = mine->ask_first || (mine->offered > mine->acked && !nothing);

	client_begin(s, ask ? STATE_ASKING : nothing ? STATE_WAITING : STATE_OFFERING, now_ms);
	s->client.mine = *mine;
	s->client.asked = ask;
	s->client.acked = s->client.told = mine->acked;
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

/* The log has a twin at the node; ours is kept there up to `number`. Said once, when LAST shows
 * whose life it is. */
void
client_twin(struct session *s, uint64_t number)
{
	if (s->client.forked)
		return;
	s->client.forked = true;
	s->client.fork_number = number;
}

uint64_t
client_kept(const struct client *c)
{
	return c->new_life || c->proved > c->mine.kept ? c->proved : c->mine.kept;
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
	bool asking = s->state == STATE_ASKING, ours = same_log(s, ack->number, ack->hash);

	if (ack->status == STATUS_BEHIND && (asking || c->went_back || ack->number >= c->next)) {
		session_fail(s, E_PROTOCOL, "ACK asks for the same parcels again");
		return;
	}
	if (ack->status == STATUS_FORKED || !ours) {
		if (s->state != STATE_WAITING || ack->status == STATUS_BEHIND) {
			c->went_back = ack->status == STATUS_BEHIND;
			go_on_after(
			    s, c->mine.head); /* nothing more of this log: END, and hear the rest */
		}
		client_twin(s, ack->status == STATUS_FORKED && ours ? ack->number : client_kept(c));
		return;
	}
	if (asking || ack->status == STATUS_BEHIND) {
		c->went_back = ack->status == STATUS_BEHIND;
		go_on_after(s, ack->number);
	}
	if (ack->number > c->acked)
		c->acked = ack->number;
	if (ack->number > c->proved)
		c->proved = ack->number;
	event.u.acked.number = ack->number;
	event.u.acked.status = (enum message_status)ack->status;
	s->counts.parcels_acked = ack->number;
	session_raise(s, &event);
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
		client_last(s, &m->u.last);
		return;
	case MESSAGE_AGAIN:
		client_again(s);
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
