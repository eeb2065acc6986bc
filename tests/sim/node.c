/* The node: what tools/node's serve_session.c, down.c and opener.c do, over a disk in memory. */
#include <stdlib.h>

#include "tests/sim/sim.h"

void
node_init(struct world *w)
{
	struct node *n = &w->node;

	sim_random(n->id.b, sizeof(n->id.b));
	sim_random(&n->disk.incarnation, sizeof(n->disk.incarnation));
	sim_random(&n->disk.epoch, sizeof(n->disk.epoch));
	if (crypto_ec_new(&n->sign) != E_OK || crypto_ec_new(&n->seal) != E_OK)
		sim_fail(w, "no keys");
	n->up = true;
}

/* Never behind the newest time that was seen: peer_now_s. */
uint32_t
node_now_s(struct world *w)
{
	int64_t now = (int64_t)TRUE_TIME_S + (int64_t)(w->now_ms / 1000) + w->node.clock_error_s;

	now = now < 0 ? 0 : now > UINT32_MAX ? UINT32_MAX : now;
	if ((uint64_t)now > w->node.newest_s)
		w->node.newest_s = (uint64_t)now;
	return (uint32_t)w->node.newest_s;
}

/* A step that is made durable at once: false: the node is down now, or its disk is full; nothing
 * happened. */
bool
node_durable_begin(struct world *w)
{
	if (!w->node.up || w->now_ms < w->node.full_until_ms)
		return false;
	if (w->on[FAULT_NODE_CRASH] && chance(10)) {
		node_crash(w, "before a commit");
		return false;
	}
	return true;
}

void
node_durable_end(struct world *w)
{
	if (w->on[FAULT_NODE_CRASH] && chance(10))
		node_crash(w, "after a commit");
}

/* ---- what the session reads ---- */

uint64_t
node_inbox_epoch(struct world *w, const struct principal *who)
{
	uint8_t mac[SHA256_BYTES], life[8];
	struct bytes parts[2] = {BYTES(who->id.b, ID_BYTES), BYTES(life, 8)};

	be64_put(life, w->node.disk.incarnation);
	crypto_sha256_parts(mac, parts, 2);
	return be64_get(mac);
}

static struct log_id
log_of(struct conn *c, enum session_log log, uint64_t epoch)
{
	struct world *w = c->world;
	struct principal *who = c->device->who;

	if (log == SESSION_LOG_BROADCAST)
		return (struct log_id){w->node.id, w->node.disk.epoch};
	if (log == SESSION_LOG_INBOX && w->bug == BUG_OTHERS_INBOX && w->principal_n > 1)
		who = &w->principal[(size_t)(who - w->principal + 1) % w->principal_n];
	if (log == SESSION_LOG_INBOX)
		return (struct log_id){w->node.id, node_inbox_epoch(w, who)};
	return (struct log_id){who->id, epoch};
}

static enum err
source_parcel(void *ctx, enum session_log log, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	struct conn *c = ctx;
	struct log_id id = log_of(c, log, 0);
	const struct entry *e = entries_find(&c->world->node.disk.down, &id, number);

	if (log == SESSION_LOG_OWN || e == NULL)
		return E_ABSENT;
	*out = e->bytes;
	*epoch = id.epoch;
	return E_OK;
}

static uint64_t
safe_number(struct world *w, const struct log_id *id)
{
	struct entries prefix = w->node.disk.arrivals;

	if (prefix.n > w->node.disk.safe)
		prefix.n = w->node.disk.safe;
	return entries_head(&prefix, id).number;
}

static enum err
source_heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	struct conn *c = ctx;
	struct node_disk *n = &c->world->node.disk;
	struct log_id own = log_of(c, SESSION_LOG_OWN, epoch),
		      broadcast = log_of(c, SESSION_LOG_BROADCAST, 0),
		      inbox = log_of(c, SESSION_LOG_INBOX, 0);

	memset(out, 0, sizeof(*out));
	out->incarnation = n->incarnation;
	out->now_s = node_now_s(c->world);
	out->log[SESSION_LOG_OWN] = entries_head(&n->arrivals, &own);
	out->log[SESSION_LOG_BROADCAST] = entries_head(&n->down, &broadcast);
	out->log[SESSION_LOG_INBOX] = entries_head(&n->down, &inbox);
	out->safe = safe_number(c->world, &own);
	c->said = *out;
	c->has_said = true;
	return E_OK;
}

struct session_source
node_source(struct conn *c)
{
	return (struct session_source){.ctx = c, .parcel = source_parcel, .heads = source_heads};
}

/* ---- events ---- */

static void
on_hello(struct conn *c, const struct message_hello *h)
{
	struct world *w = c->world;
	struct node_disk *n = &w->node.disk;
	struct log_id own = {c->device->who->id, h->epoch};
	struct session_hello_reply reply = {.incarnation = n->incarnation};

	if (c->device->who->revoked && w->bug != BUG_REVOKED_SERVED) {
		session_refuse(c->down, E_REVOKED, "lost", 0, w->now_ms);
		return;
	}
	reply.held = entries_head(&n->arrivals, &own);
	if (h->incarnation == reply.incarnation >> 32) {
		reply.down_from[0] = h->cursor[0];
		reply.down_from[1] = h->cursor[1];
	}
	c->epoch = h->epoch;
	c->number = 0;
	c->greeted = true;
	session_settle_hello(c->down, &reply, w->now_ms);
}

static enum err
previous_hash(struct conn *c, uint64_t epoch, uint64_t number, struct parcel_hash *out)
{
	struct log_id id = {c->device->who->id, epoch};
	const struct entry *e;

	memset(out, 0, sizeof(*out));
	if (number <= 1)
		return E_OK;
	if (c->epoch == epoch && c->number == number - 1) {
		*out = c->hash;
		return E_OK;
	}
	if ((e = entries_find(&c->world->node.disk.arrivals, &id, number - 1)) == NULL)
		return E_ABSENT;
	*out = e->hash;
	return E_OK;
}

static void
on_parcel(struct conn *c, uint64_t epoch, uint64_t number, struct bytes bytes)
{
	struct world *w = c->world;
	struct node *n = &w->node;
	struct job job = {.conn = c, .who = c->device->who};
	struct parcel_context context = {.programme = w->programme,
					 .log = {c->device->who->id, epoch}};
	struct parcel parcel;
	struct arena arena;
	enum err e;

	arena_init(&arena, 16u << 20);
	if ((e = previous_hash(c, epoch, number, &context.previous)) == E_OK &&
	    (e = parcel_read(&parcel, bytes, &context, &arena, NULL)) == E_OK &&
	    parcel.number != number)
		e = E_PARCEL;
	if (e == E_OK)
		job.entry = (struct entry){.log = context.log,
					   .number = number,
					   .hash = parcel.hash,
					   .received_s = node_now_s(w),
					   .bytes = world_keep(w, bytes)};
	arena_free(&arena);
	if (e != E_OK) {
		session_refuse(c->down, e, "a parcel", 60, w->now_ms);
		return;
	}
	c->epoch = epoch;
	c->number = number;
	c->hash = job.entry.hash;
	if (w->bug == BUG_ACK_EARLY) {
		job.settled_early = true;
		session_settle_parcel(c->down, number, &job.entry.hash, STATUS_OK, w->now_ms);
	}
	n->jobs = grow(n->jobs, n->jobs_n, &n->jobs_cap, sizeof(job));
	n->jobs[n->jobs_n++] = job;
	if (n->jobs_n == 1)
		world_at(w, 1 + draw_below(w->on[FAULT_SLOW] ? 2000 : 20), EVENT_COMMIT, 0, NULL);
}

void
node_event(struct conn *c, const struct session_event *ev)
{
	switch (ev->kind) {
	case SESSION_HELLO:
		on_hello(c, &ev->u.hello);
		break;
	case SESSION_PARCEL:
		on_parcel(c, ev->u.parcel.epoch, ev->u.parcel.number, ev->u.parcel.bytes);
		break;
	case SESSION_FINISHED:
		break;
	case SESSION_JOIN:
	case SESSION_SUCCESSOR:
	case SESSION_RETURN:
	case SESSION_SUCCESSION:
	case SESSION_ASK:
	case SESSION_INPUT:
	case SESSION_NODE:
	case SESSION_NODE_ITEM:
	case SESSION_NODE_MARK:
	case SESSION_NODE_TAKEN:
	case SESSION_DOWN:
	case SESSION_ACKED:
	case SESSION_FORKED:
	case SESSION_WELCOME:
	case SESSION_ANSWER:
		sim_fail(c->world, "the node: an event that does not belong here");
	}
}

/* ---- the commit ---- */

/* arrival_append and serve_session's append_job. */
static enum err
append(struct world *w, struct job *j, bool *forked)
{
	struct entries *list = &w->node.disk.arrivals;
	const struct entry *there;

	*forked = false;
	if (j->who->revoked && w->bug != BUG_REVOKED_SERVED)
		return E_REVOKED;
	there = entries_find(list, &j->entry.log, j->entry.number);
	if (entries_find_hash(list, &j->entry.log, j->entry.number, &j->entry.hash) != NULL) {
		*forked = !ID_EQUAL(
		    &there->hash, &j->entry.hash); /* a duplicate; of a twin, it is a fork again */
		return E_OK;
	}
	if (there != NULL && w->bug == BUG_FORK_OVERWRITES) {
		list->e[there - list->e] = j->entry;
		return E_OK;
	}
	*forked = there != NULL;
	if (*forked) {
		j->entry.fork = true;
		j->who->forks_flagged++;
	}
	entries_add(list, &j->entry);
	return E_OK;
}

void
node_commit(struct world *w)
{
	struct node *n = &w->node;
	struct job *jobs = n->jobs;
	size_t count = n->jobs_n, i;
	bool full = w->now_ms < n->full_until_ms;

	if (!n->up || count == 0)
		return;
	if (w->on[FAULT_NODE_CRASH] && chance(20)) {
		node_crash(w, "with a commit under way");
		return;
	}
	n->jobs = NULL;
	n->jobs_n = n->jobs_cap = 0;
	for (i = 0; i < count; i++) {
		struct job *j = &jobs[i];

		j->e = full ? E_STORE_FULL : append(w, j, &j->forked);
	}
	for (i = 0; i < w->principal_n; i++)
		check_acked(w, &w->principal[i]);
	if (w->on[FAULT_NODE_CRASH] && chance(20)) {
		node_crash(w, "after a commit");
		free(jobs);
		return;
	}
	for (i = 0; i < count; i++) {
		struct job *j = &jobs[i];

		if (j->conn == NULL || j->conn->dead || j->settled_early)
			continue;
		if (j->e == E_OK)
			session_settle_parcel(j->conn->down, j->entry.number, &j->entry.hash,
					      j->forked ? STATUS_FORKED : STATUS_OK, w->now_ms);
		else
			session_refuse(j->conn->down, j->e, "", 60, w->now_ms);
	}
	free(jobs);
	world_at(w, 1 + draw_below(5000), EVENT_OPEN, 0, NULL);
}

/* ---- behind the acknowledgement ---- */

void
node_open(struct world *w)
{
	struct node_disk *d = &w->node.disk;
	size_t turns;

	for (turns = 0; turns < 64 && w->node.up && d->opened < d->arrivals.n; turns++) {
		struct entry entry = d->arrivals.e[d->opened];
		size_t first = d->derived_n, i;

		if (!node_durable_begin(w))
			break;
		if (node_open_entry(w, &entry) != E_OK)
			d->quarantined++;
		d->opened++;
		for (i = first; i < d->derived_n; i++)
			if (d->derived[i].m.kind == REVISION_CREATE && chance(150)) {
				struct record_id id = d->derived[i].record;
				size_t k;

				for (k = 0; k < w->principal_n; k++)
					if (ID_EQUAL(&w->principal[k].id, &entry.log.author))
						(void)node_review(w, &w->principal[k], &id);
			}
		node_durable_end(w);
	}
	if (w->node.up && d->opened < d->arrivals.n)
		world_at(w, 60000, EVENT_OPEN, 0, NULL);
}
