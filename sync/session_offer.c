/* What the device sends: its greeting when a budget is kept, its parcels as far as that carries,
 * the end. */
#include "sync/session_own.h"

/* What the node may send down: what is left when its last word is paid for. */
static void
put_budget(struct session *s, uint64_t reserve)
{
	struct message m = {.type = MESSAGE_BUDGET};
	uint64_t left = session_budget_left(s);

	if (s->budget_bytes == 0)
		return;
	reserve += frame_cost(s, 6);
	if (s->client.mine.keep_half)
		left /= 2;
	m.u.budget.bytes = left <= reserve               ? 1
			   : left - reserve < UINT32_MAX ? left - reserve
							 : UINT32_MAX;
	session_put(s, &m);
}

static void
put_end(struct session *s)
{
	struct message m = {.type = MESSAGE_END};

	put_budget(s, LAST_COST + ACK_COST * (s->client.next - 1 - s->client.acked));
	session_put(s, &m);
	if (s->state == STATE_OFFERING)
		s->state = STATE_WAITING;
	s->in_since_ms = s->now_ms;
}

/* The next parcel as a message, or what the node still lacks of it. */
static void
parcel_message_of(const struct client *c, struct bytes parcel, struct message *out)
{
	uint8_t hash[SHA256_BYTES];
	const struct message_part *part = &c->part;

	*out = (struct message){.type = MESSAGE_PARCEL, .u.parcel = {parcel}};
	if (part->number != c->next || part->bytes == 0 || part->bytes >= parcel.n)
		return;
	crypto_sha256(hash, BYTES(parcel.p, (size_t)part->bytes));
	if (be64_get(hash) == part->hash)
		*out = (struct message){.type = MESSAGE_REST,
					.u.rest = {bytes_after(parcel, (size_t)part->bytes)}};
}

/* Can the budget carry a frame of that size, what acknowledges it, and the end? */
static bool
affords(struct session *s, size_t body_bytes)
{
	struct client *c = &s->client;
	uint64_t open =
	    c->next - 1 > c->acked ? c->next - 1 - c->acked : 0; /* sent and not acknowledged */
	uint64_t cost =
	    frame_cost(s, body_bytes) + ACK_COST * (open + 1) + LAST_COST + frame_cost(s, 6);
	uint64_t left = session_budget_left(s);

	if (left >= cost)
		return true;
	c->budget_cut = true;
	c->lacked = c->sent_any ? 0 : cost - left;
	return false;
}

void
client_pull(struct session *s)
{
	struct client *c = &s->client;

	if (c->greet_due && s->state != STATE_IDLE && s->state != STATE_OVER) {
		c->greet_due = false;
		if (c->greet_flags & HELLO_NOTHING)
			put_budget(s, LAST_COST + frame_cost(s, 30));
		client_greet(s, c->greet_flags);
	}
	while (s->state == STATE_OFFERING && session_room(s)) {
		struct message m;
		struct bytes parcel;
		uint64_t epoch = 0;
		enum err e;

		if (c->next > c->mine.head) {
			put_end(s);
			return;
		}
		e = s->config.source.parcel(s->config.source.ctx, SESSION_LOG_OWN, c->next, &parcel,
					    &epoch);
		if (e ==
		    E_ABSENT) { /* it was safe, and given up; the node's backup was an older one */
			c->gap = c->next;
			client_twin(s, c->next - 1);
			c->next =
			    c->mine.head + 1; /* nothing more of this log: END, and hear the rest */
			continue;
		}
		if (e != E_OK) {
			session_fail(s, e, "parcel %llu", (unsigned long long)c->next);
			return;
		}
		parcel_message_of(c, parcel, &m);
		if (!affords(s, m.type == MESSAGE_REST ? m.u.rest.bytes.n : parcel.n)) {
			put_end(s);
			return;
		}
		session_put(s, &m);
		c->sent_any = true;
		c->next++;
		s->counts.parcels_sent++;
	}
}
