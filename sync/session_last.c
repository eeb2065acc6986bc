/* The device's end of a session: the node's last word, and whether both agree. */
#include "sync/session_own.h"

#include <stdio.h>

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

/* They differ. Once an exchange the node is asked what it holds: a twin shows, a lost cursor is
 * mended. */
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
	client_hello(s, HELLO_ASK);
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

/*
 * LAST names no hash of the device's own parcels: a copied handset may have brought others under
 * these numbers, to this node or, before the device came here, to another one of the office. The
 * digest tells, if it is the one of our log up to there.
 */
static bool
last_is_ours(struct session *s, const struct session_heads *mine)
{
	struct client *c = &s->client;
	struct session_heads heads = *mine;
	struct session_head *own = &heads.log[SESSION_LOG_OWN];

	*own = (struct session_head){.epoch = c->mine.epoch, .number = c->last.number};
	if (own->number > 0 &&
	    s->config.source.own_hash(s->config.source.ctx, own->number, &own->hash) != E_OK)
		return false;
	return session_digest(&s->config.device, &heads) == c->last.digest;
}

/* What LAST said is believed now that all is in. */
static void
believe_last(struct session *s, const struct session_heads *heads)
{
	struct session_event event = {.kind = SESSION_ACKED,
				      .u.acked = {.number = s->client.last.number}};

	if (s->client.last.number <= s->client.told || s->client.last.number >= s->client.next ||
	    !last_is_ours(s, heads))
		return;
	s->client.told = s->client.last.number;
	session_raise(s, &event);
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
	if (c->gap == 0 && !c->forked && !c->lacks)
		believe_last(s, &heads);
	if (c->gap != 0) {
		snprintf(thing, sizeof(thing),
			 "the node asks for parcel %llu, which is not here any more",
			 (unsigned long long)c->gap);
		session_finish(s, false, E_UNVERIFIED, thing);
	} else if (c->forked) { /* the log has ended: nothing more is asked about it, whatever else
				   lacks */
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
		snprintf(thing, sizeof(thing),
			 "the node has %llu, %llu and %llu parcels; here are %llu, %llu and %llu",
			 (unsigned long long)c->last.number, (unsigned long long)c->last.head[0],
			 (unsigned long long)c->last.head[1],
			 (unsigned long long)heads.log[SESSION_LOG_OWN].number,
			 (unsigned long long)heads.log[SESSION_LOG_BROADCAST].number,
			 (unsigned long long)heads.log[SESSION_LOG_INBOX].number);
		session_finish(s, false, E_UNVERIFIED, thing);
	}
}

void
client_last(struct session *s, const struct message_last *last)
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
		client_twin(s, client_kept(c)); /* an ACK before it may have said more */
	if (c->forked && !c->fork_told) {
		raise_twin(s, life);
	} else if (!c->forked) {
		/* without a hash, a word about more than it proved before is nothing until the
		 * digests agree */
		event.u.acked.number = last->number;
		if (event.u.acked.number > client_kept(c))
			event.u.acked.number = client_kept(c);
		c->told = event.u.acked.number;
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
void
client_again(struct session *s)
{
	struct message_last last = s->known.last;

	last.status = LAST_AGAIN;
	last.incarnation = last.node_time_s = 0;
	client_last(s, &last);
}
