#include "sync/exchange_node.h"

#include <assert.h>
#include <stdio.h>

#include "sync/repair.h"

/* ---- what is in place ---- */

bool
node_expects(const struct session *s, uint8_t type)
{
	bool client = s->config.side == SESSION_CLIENT;

	if (type == MESSAGE_SUMS)
		return !client && s->state == STATE_IDLE && !s->config.local;
	if (repair_takes(type) || s->node.repairing)
		return repair_takes(type) && s->node.repairing &&
		       s->state == (client ? STATE_NODE_WAITING : STATE_NODE_TAKING);
	switch (type) {
	case MESSAGE_NODE:
		return !client && s->state == STATE_IDLE && !s->config.local;
	case MESSAGE_STATEMENT:
	case MESSAGE_STANZA:
	case MESSAGE_CARRIED:
	case MESSAGE_MARK:
	case MESSAGE_CLOSE:
		return s->state == (client ? STATE_NODE_WAITING : STATE_NODE_TAKING);
	case MESSAGE_TAKEN:
		return client &&
		       (s->state == STATE_NODE_OFFERING || s->state == STATE_NODE_WAITING);
	default:
		return false;
	}
}

/* ---- a budget ---- */

#define CLOSE_COST 160u /* CLOSE of both, with their records */
#define NODE_COST 100u  /* BUDGET and NODE */

/* What the other's flight may take: a part, if there is something to say here; else all. */
static uint64_t
grant(const struct session *s, const struct session_node *mine)
{
	uint64_t left = session_budget_left(s), around = NODE_COST + CLOSE_COST + 2 * ACK_COST;

	left = left > around ? left - around : 1;
	if ((mine->flags & NODE_NOTHING) == 0)
		left = mine->up_only ? 1 : mine->down_most ? left - left / 4 : left / 4 + 1;
	return left < UINT32_MAX ? left : UINT32_MAX;
}

/* What one's own flight may still take. */
static uint64_t
flight_room(const struct session *s)
{
	uint64_t record = s->record_bytes == 0 ? 16384u : s->record_bytes;
	uint64_t keep = s->node.granted + CLOSE_COST + ACK_COST * (s->node.marks_open + 2u);
	uint64_t left;

	if (s->config.side == SESSION_SERVER)
		return s->node.room;
	if ((left = session_budget_left(s)) == UINT64_MAX)
		return left;
	left = left > keep ? left - keep : 0;
	return left / (record + 29u) * record + left % (record + 29u) * record / (record + 29u);
}

/* An item went into the outbox, which grew by so many bytes. */
static void
pay(struct session *s, uint64_t before)
{
	uint64_t cost = frame_cost(s, s->counts.bytes_out - before);

	if (s->node.room != UINT64_MAX)
		s->node.room -= cost < s->node.room ? cost : s->node.room;
}

/* Where a flight was cut short nothing can be compared. */
static bool
finish_cut(struct session *s)
{
	const struct node *n = &s->node;
	uint64_t lacks = n->lacked > 0 ? n->lacked : n->other_lacked;
	char thing[80];

	if (lacks == 0)
		return false;
	(void)snprintf(thing, sizeof(thing), "the next parcel needs %llu bytes more than are left",
		       (unsigned long long)lacks);
	if (n->moved)
		session_finish(s, false, E_BUDGET, "");
	else
		session_finish(s, false, E_BUDGET_SMALL, thing);
	return true;
}

/* ---- the client begins ---- */

void
session_node(struct session *s, const struct session_node *mine, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_NODE};

	assert(s->config.side == SESSION_CLIENT && s->state == STATE_IDLE);
	s->node = (struct node){.mine = *mine, .room = UINT64_MAX};
	s->now_ms = s->in_since_ms = now_ms;
	s->in_credit = s->out_credit = 0;
	if (s->budget_bytes != 0) {
		m.type = MESSAGE_BUDGET;
		m.u.budget.bytes = s->node.granted = grant(s, mine);
		session_put(s, &m);
		m.type = MESSAGE_NODE;
	}
	m.u.node = (struct message_node){.flags = mine->flags,
					 .incarnation = mine->incarnation >> 32,
					 .from = mine->from,
					 .above = mine->above >> 32,
					 .down = mine->down};
	session_put(s, &m);
	s->state = mine->flags & NODE_NOTHING ? STATE_NODE_WAITING : STATE_NODE_OFFERING;
}

/* ---- sending ---- */

/* All is said: the last word of a flight. The upper node's names the sum. */
static void
put_close(struct session *s)
{
	struct message m = {.type = MESSAGE_CLOSE};
	enum err e = s->config.source.node_close(s->config.source.ctx, &m.u.close);

	if (e != E_OK) {
		session_fail(s, e, "what is shared");
		return;
	}
	if (s->config.side == SESSION_CLIENT)
		m.u.close.count = m.u.close.digest = m.u.close.incarnation = 0;
	else if (s->node.lacked > 0) { /* no sum: the sum of nothing would be 0 */
		m.u.close.count = 0;
		m.u.close.digest = s->node.lacked;
	}
	session_put(s, &m);
	if (s->state == STATE_OVER)
		return;
	s->state = s->config.side == SESSION_CLIENT ? STATE_NODE_WAITING : STATE_IDLE;
	s->in_since_ms = s->now_ms;
}

void
node_pull(struct session *s)
{
	while ((s->state == STATE_NODE_OFFERING || s->state == STATE_NODE_SENDING) &&
	       session_room(s)) {
		struct message m = {.type = 0};
		uint64_t room = flight_room(s), before = s->counts.bytes_out;
		enum err e = s->config.source.node_next(s->config.source.ctx, room, &m);

		if (e == E_BUDGET)
			s->node.lacked = m.u.budget.bytes > room ? m.u.budget.bytes - room : 1;
		if (e == E_ABSENT || e == E_BUDGET) {
			put_close(s);
			return;
		}
		if (e != E_OK) {
			session_fail(s, e, "what the other node lacks");
			return;
		}
		session_put(s, &m);
		pay(s, before);
		s->node.marks_open += m.type == MESSAGE_MARK;
		s->node.moved |= m.type != MESSAGE_MARK;
		s->counts.parcels_sent += m.type == MESSAGE_CARRIED;
	}
}

/* ---- what comes ---- */

static void
on_node(struct session *s, const struct message_node *node)
{
	struct session_event event = {.kind = SESSION_NODE, .u.node = *node};

	if (s->config.source.node_next == NULL) {
		session_fail(s, E_PROTOCOL, "no node is at this end");
		return;
	}
	s->node = (struct node){.flags = node->flags,
				.from = node->from,
				.room = s->down_budget == 0 ? UINT64_MAX : s->down_budget};
	s->down_budget = 0;
	s->state = STATE_NODE_GREETED;
	session_raise(s, &event);
}

void
session_settle_node(struct session *s, uint64_t held, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_TAKEN, .u.taken = {held, STATUS_BEHIND}};
	bool behind = held < s->node.from;

	s->now_ms = s->in_since_ms = now_ms;
	if (s->state != STATE_NODE_GREETED)
		return;
	s->node.held = held;
	s->node.dropping = behind && !(s->node.flags & NODE_NOTHING);
	s->state = STATE_NODE_TAKING;
	if (s->node.flags & NODE_NOTHING) {
		if (behind)
			session_put(s, &m);
		else
			s->state = STATE_NODE_SENDING;
	}
}

static void
on_item(struct session *s, const struct message *m)
{
	struct session_event event = {.kind = SESSION_NODE_ITEM};
	struct session_item *item = &event.u.item;

	item->type = m->type;
	if (m->type == MESSAGE_STATEMENT) {
		item->kind = m->u.statement.kind;
		item->bytes = m->u.statement.bytes;
	} else if (m->type == MESSAGE_STANZA) {
		memcpy(item->leaf, m->u.stanza.leaf, sizeof(item->leaf));
		item->bytes = m->u.stanza.bytes;
	} else {
		item->bytes = m->u.carried.bytes;
	}
	if (s->node.dropping)
		return;
	s->node.batch_items++;
	s->node.batch_bytes += item->bytes.n;
	if (s->node.batch_items > NODE_BATCH_ITEMS_MAX ||
	    s->node.batch_bytes > NODE_BATCH_BYTES_MAX) {
		session_fail(s, E_PROTOCOL, "too much without a MARK");
		return;
	}
	s->counts.parcels_received += m->type == MESSAGE_CARRIED;
	s->node.moved = true;
	session_raise(s, &event);
}

static void
raise_mark(struct session *s, uint64_t seq, bool last)
{
	struct session_event event = {.kind = SESSION_NODE_MARK};

	event.u.mark.seq = s->node.mark = seq;
	event.u.mark.last = s->node.mark_last = last;
	event.u.mark.close = s->node.close;
	s->state = STATE_NODE_HELD;
	session_raise(s, &event);
}

static void
on_close(struct session *s, const struct message_close *close)
{
	struct message m = {.type = MESSAGE_TAKEN, .u.taken = {s->node.held, STATUS_BEHIND}};

	if (s->node.dropping) { /* the flight that was sent again begins now */
		s->node.dropping = false;
		session_put(s, &m);
		return;
	}
	s->node.close = *close;
	if (s->config.side == SESSION_CLIENT && s->budget_bytes != 0 && close->count == 0)
		s->node.other_lacked = close->digest;
	raise_mark(s, close->seq, true);
}

static void
on_taken(struct session *s, const struct message_taken *taken)
{
	struct session_event event = {.kind = SESSION_NODE_TAKEN, .u.taken = *taken};

	if (taken->status == STATUS_BEHIND) {
		if (s->state != STATE_NODE_WAITING || s->node.went_back ||
		    taken->seq > s->node.mine.from) {
			session_fail(s, E_PROTOCOL, "TAKEN asks for the same parcels again");
			return;
		}
		s->node.went_back = true;
		s->node.lacked = 0;
		s->node.marks_open = 0;
		s->state = STATE_NODE_OFFERING;
	} else if (taken->seq > s->counts.parcels_acked) {
		s->counts.parcels_acked = taken->seq;
	}
	s->node.marks_open -= s->node.marks_open > 0;
	session_raise(s, &event);
}

/* ---- repair: the host answers ---- */

void
session_repair(struct session *s, uint64_t now_ms)
{
	assert(s->config.side == SESSION_CLIENT && s->state == STATE_IDLE);
	s->node = (struct node){.repairing = true};
	s->now_ms = s->in_since_ms = now_ms;
	s->in_credit = s->out_credit = 0;
	s->state = STATE_NODE_WAITING;
}

void
session_repair_say(struct session *s, const struct message *m, uint64_t now_ms)
{
	s->now_ms = now_ms;
	if (s->state != STATE_OVER)
		session_put(s, m);
}

void
session_settle_repair(struct session *s, enum err e, const char *thing, bool over, uint64_t now_ms)
{
	s->now_ms = s->in_since_ms = now_ms;
	if (s->state != STATE_NODE_HELD || !s->node.repairing)
		return;
	if (e != E_OK) {
		session_fail(s, e, "%s", thing == NULL ? "" : thing);
		return;
	}
	s->node.repairing = !over;
	if (over)
		s->state = STATE_IDLE;
	else
		s->state =
		    s->config.side == SESSION_CLIENT ? STATE_NODE_WAITING : STATE_NODE_TAKING;
}

static void
on_repair(struct session *s, const struct message *m)
{
	struct session_event event = {.kind = SESSION_NODE_ITEM};

	if (s->config.side == SESSION_SERVER && s->config.source.node_next == NULL) {
		session_fail(s, E_PROTOCOL, "no node is at this end");
		return;
	}
	if (m->type == MESSAGE_SUMS)
		s->node = (struct node){.repairing = true};
	event.u.item.type = m->type;
	event.u.item.repair = *m;
	s->state = STATE_NODE_HELD;
	session_raise(s, &event);
}

void
node_on(struct session *s, const struct message *m)
{
	if (repair_takes(m->type)) {
		on_repair(s, m);
		return;
	}
	switch (m->type) {
	case MESSAGE_NODE:
		on_node(s, &m->u.node);
		return;
	case MESSAGE_MARK:
		if (!s->node.dropping)
			raise_mark(s, m->u.mark.seq, false);
		return;
	case MESSAGE_CLOSE:
		on_close(s, &m->u.close);
		return;
	case MESSAGE_TAKEN:
		on_taken(s, &m->u.taken);
		return;
	default:
		on_item(s, m);
	}
}

/* Both have all that the other named: do they hold the same? */
static void
compare(struct session *s)
{
	struct message_close mine = {0};
	enum err e;

	if (finish_cut(s))
		return;
	e = s->config.source.node_close(s->config.source.ctx, &mine);
	if (e != E_OK)
		session_finish(s, false, e, "what is shared");
	else if (mine.count == s->node.close.count && mine.digest == s->node.close.digest)
		session_finish(s, true, E_OK, "");
	else
		session_finish(s, false, E_UNVERIFIED,
			       "the two nodes do not hold the same parcels");
}

void
session_settle_mark(struct session *s, enum err e, const char *thing, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_TAKEN, .u.taken = {s->node.mark, STATUS_OK}};

	s->now_ms = s->in_since_ms = now_ms;
	if (s->state != STATE_NODE_HELD || s->node.repairing)
		return;
	s->node.batch_items = 0;
	s->node.batch_bytes = 0;
	if (e != E_OK) {
		session_fail(s, e, "%s", thing == NULL ? "" : thing);
		return;
	}
	if (s->config.side == SESSION_CLIENT) {
		s->state = STATE_NODE_WAITING;
		if (s->node.mark_last)
			compare(s);
		return;
	}
	session_put(s, &m);
	if (s->state != STATE_OVER)
		s->state = s->node.mark_last ? STATE_NODE_SENDING : STATE_NODE_TAKING;
}
