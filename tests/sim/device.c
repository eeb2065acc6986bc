/* A device: what tools/node's gather.c, link.c and down_take.c do, over a disk in memory. */
#include "tests/sim/sim.h"

void
device_init(struct device *d, struct world *w, struct principal *who)
{
	memset(d, 0, sizeof(*d));
	d->world = w;
	d->index = (size_t)(d - w->device);
	d->who = who;
	sim_random(&d->disk.epoch, sizeof(d->disk.epoch));
}

uint32_t
device_now_s(const struct device *d)
{
	int64_t now = (int64_t)TRUE_TIME_S + (int64_t)(d->world->now_ms / 1000) + d->clock_error_s;

	return now < 0 ? 0 : now > UINT32_MAX ? UINT32_MAX : (uint32_t)now;
}

/* ---- durable steps ---- */

static enum err
crash(struct device *d, const char *when)
{
	sim_say(d->world, "device %zu crashes %s a commit", d->index, when);
	d->world->counts_crashes++;
	d->crashed = true;
	return E_IO;
}

enum err
device_durable_begin(struct device *d)
{
	struct world *w = d->world;

	if (d->crashed)
		return E_IO;
	if (w->on[FAULT_DEVICE_CRASH] && chance(12))
		return crash(d, "before");
	return w->now_ms < d->full_until_ms ? E_STORE_FULL : E_OK;
}

enum err
device_durable_end(struct device *d)
{
	if (d->world->on[FAULT_DEVICE_CRASH] && chance(12))
		return crash(d, "after");
	return E_OK;
}

static void put_acked(struct device *);

/* outbox_new_epoch: what stands past `number` waits again, and a new log begins. */
void
device_new_epoch(struct device *d, uint64_t number)
{
	if (device_durable_begin(d) != E_OK)
		return;
	if (d->world->bug != BUG_ACKED_FORGOTTEN)
		device_unpack_past(d, number);
	put_acked(d);
	sim_random(&d->disk.epoch, sizeof(d->disk.epoch));
	sim_say(d->world, "device %zu begins a new log", d->index);
	(void)device_durable_end(d);
}

/* ---- what the session reads ---- */

/* The log that the exchange is about. */
static struct log_id
log_now(const struct device *d)
{
	return (struct log_id){d->who->id, d->older.upto > 0 ? d->older.epoch : d->disk.epoch};
}

static enum err
source_parcel(void *ctx, enum session_log log, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	struct conn *c = ctx;
	struct device *d = c->device;
	struct log_id id = log_now(d);
	const struct entry *e = entries_find(&d->disk.log, &id, number);

	if (log != SESSION_LOG_OWN || e == NULL)
		return E_ABSENT;
	*out = e->bytes;
	*epoch = id.epoch;
	return E_OK;
}

static enum err
source_own_hash(void *ctx, uint64_t number, struct parcel_hash *out)
{
	struct device *d = ((struct conn *)ctx)->device;
	struct log_id id = log_now(d);
	const struct entry *e = entries_find(&d->disk.log, &id, number);

	if (e == NULL)
		return E_ABSENT;
	*out = e->hash;
	return E_OK;
}

static enum err
source_heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	struct device *d = ((struct conn *)ctx)->device;
	struct log_id id = log_now(d);
	int i;

	(void)epoch;
	memset(out, 0, sizeof(*out));
	out->log[SESSION_LOG_OWN] = entries_head(&d->disk.log, &id);
	if (d->older.upto > 0)
		out->log[SESSION_LOG_OWN] = (struct session_head){
		    id.epoch, d->older.upto, entries_find(&d->disk.log, &id, d->older.upto)->hash};
	for (i = 0; i < 2; i++)
		out->log[i] = (struct session_head){
		    d->disk.cursor[i].epoch, d->disk.cursor[i].number, d->disk.cursor[i].hash};
	return E_OK;
}

struct session_source
device_source(struct conn *c)
{
	return (struct session_source){
	    .ctx = c, .parcel = source_parcel, .own_hash = source_own_hash, .heads = source_heads};
}

/* ---- a run of `banyan sync` ---- */

static void
begin_sync(struct device *d)
{
	struct log_id id = {d->who->id, d->disk.epoch};
	struct session_mine mine = {.epoch = d->disk.epoch,
				    .head = entries_head(&d->disk.log, &id).number,
				    .acked = disk_acked(&d->disk, d->disk.epoch),
				    .kept = disk_acked(&d->disk, d->disk.epoch),
				    .offered = d->offered,
				    .incarnation = d->disk.node_incarnation,
				    .cursor = {d->disk.cursor[0].number, d->disk.cursor[1].number}};

	check_cursors(d);
	d->acked = mine.acked;
	d->acked_epoch = mine.epoch;
	session_sync(d->conn->up, &mine, d->world->now_ms);
}

void
device_sync(struct device *d)
{
	struct log_id id = {d->who->id, d->disk.epoch};

	d->crashed = false;
	if (d->conn != NULL || !d->world->node.up)
		return;
	d->offered = entries_head(&d->disk.log, &id).number;
	d->forked = d->memory_changed = d->verified = false;
	d->again = false;
	memset(&d->older, 0, sizeof(d->older));
	if (d->world->bug == BUG_NEW_NUMBER && d->offered > disk_acked(&d->disk, d->disk.epoch))
		device_number_again(d);
	if (device_gather(d) != E_OK)
		return;
	conn_open(d);
	d->sessions++;
	d->world->counts_sessions++;
	begin_sync(d);
}

static void
put_acked(struct device *d)
{
	struct device_disk *k = &d->disk;
	size_t i;

	for (i = 0; i < k->acked_n && k->acked[i].epoch != d->acked_epoch; i++)
		;
	if (i == EPOCHS_SIM_MAX) {
		sim_fail(d->world, "device %zu: too many epochs", d->index);
		return;
	}
	k->acked[i].epoch = d->acked_epoch;
	k->acked[i].number = d->acked;
	k->acked_n = i == k->acked_n ? i + 1 : k->acked_n;
}

/* What a run remembers in the end: link.c's remember_job. */
void
device_remember(struct device *d)
{
	if (device_durable_begin(d) != E_OK)
		return;
	put_acked(d);
	if (d->memory_changed)
		d->disk.safe = d->safe_seen;
	(void)device_durable_end(d);
}

/* link.c's on_life: cursors and words of a node's other life mean nothing. */
static void
on_life(struct conn *c, uint64_t incarnation)
{
	struct device *d = c->device;

	if (incarnation == d->disk.node_incarnation)
		return;
	d->acked = 0;
	if (device_durable_begin(d) != E_OK) {
		session_eof(c->up, "the store");
		return;
	}
	memset(d->disk.cursor, 0, sizeof(d->disk.cursor));
	d->disk.node_incarnation = incarnation;
	put_acked(d);
	device_older_note(d);
	(void)device_durable_end(d);
}

static void
on_acked(struct conn *c, const struct session_event *ev)
{
	struct device *d = c->device;

	if (ev->u.acked.last)
		on_life(c, ev->u.acked.incarnation);
	if (d->crashed)
		return;
	check_ack(c, d->older.upto > 0 ? d->older.epoch : d->acked_epoch, ev->u.acked.number);
	if (d->older.upto > 0) {
		if (ev->u.acked.number > d->older.acked)
			d->older.acked = ev->u.acked.number;
		return;
	}
	if (ev->u.acked.number > d->acked)
		d->acked = ev->u.acked.number;
	if (ev->u.acked.last) {
		d->safe_seen = ev->u.acked.safe;
		d->memory_changed = true;
	}
}

/* down_take: chain and signature against the pinned node, then one commit with the cursor. */
static enum err
take(struct conn *c, const struct session_event *ev)
{
	struct device *d = c->device;
	struct world *w = d->world;
	int which = ev->u.down.log == SESSION_LOG_INBOX;
	struct cursor *at = &d->disk.cursor[which];
	struct entry entry = {.log = {w->node.id, ev->u.down.epoch}};
	struct parcel_context context = {
	    .programme = w->programme, .log = entry.log, .own_area = "D1"};
	uint64_t number = 0;
	struct parcel parcel;
	struct arena arena;
	enum err e;

	if (at->epoch == entry.log.epoch) {
		context.previous = at->hash;
		number = at->number;
	}
	arena_init(&arena, 16u << 20);
	if ((e = parcel_read(&parcel, ev->u.down.bytes, &context, &arena, NULL)) == E_OK &&
	    parcel.number != number + 1)
		e = E_PARCEL_CHAIN;
	if (e == E_OK)
		e = parcel_verify(&parcel, &w->node.sign.pub);
	entry.number = parcel.number;
	entry.hash = parcel.hash;
	entry.bytes = e == E_OK ? world_keep(w, ev->u.down.bytes) : BYTES_NONE;
	if (e == E_OK && w->bug == BUG_CURSOR_EARLY) {
		*at = (struct cursor){entry.log.epoch, entry.number, entry.hash};
		e = device_durable_end(d);
	}
	if (e == E_OK && (e = device_durable_begin(d)) == E_OK) {
		entries_add(&d->disk.log, &entry);
		*at = (struct cursor){entry.log.epoch, entry.number, entry.hash};
		e = device_durable_end(d);
	}
	arena_free(&arena);
	return e;
}

static void
on_forked(struct conn *c, uint64_t number, uint64_t incarnation)
{
	struct device *d = c->device;
	uint64_t epoch;

	on_life(c, incarnation);
	if (d->crashed)
		return;
	if (d->older.upto > 0) {
		d->older.forked = true;
		return;
	}
	sim_say(d->world, "device %zu: its log has a twin; kept up to %llu", d->index,
		(unsigned long long)number);
	d->world->counts_forks++;
	if (!d->who->cloned && !d->who->lies)
		sim_fail(d->world, "device %zu is told of a twin, and there is none", d->index);
	if (number > d->acked)
		d->acked = number;
	epoch = d->disk.epoch;
	device_new_epoch(d, number);
	if (d->crashed || d->disk.epoch == epoch)
		return;
	device_remember(d);
	d->offered = 0;
	d->again = !d->forked;
	d->forked = true;
}

/* Behind the present log's exchange: the older logs, one after the other; then what came back of
 * them. */
static bool
go_on(struct conn *c)
{
	struct device *d = c->device;

	if (device_older_begin(c))
		return true;
	if (!d->again)
		return false;
	d->again = false;
	device_remember(d);
	if (d->crashed || device_gather(d) != E_OK)
		return false;
	begin_sync(d);
	return true;
}

static void
present_finished(struct conn *c, const struct session_event *ev)
{
	struct device *d = c->device;
	struct log_id log = {d->who->id, d->acked_epoch};

	d->verified = ev->u.finished.verified;
	if (!d->verified)
		return;
	check_verified(c);
	d->acked = entries_head(&d->disk.log, &log).number;
	d->verified_sessions++;
	d->world->counts_verified++;
}

static void
on_finished(struct conn *c, const struct session_event *ev)
{
	struct device *d = c->device;
	enum err e = ev->u.finished.why.e;

	sim_say(d->world, "device %zu: %s%s %s%s", d->index,
		ev->u.finished.verified ? "verified " : "", err_name(e), ev->u.finished.why.thing,
		d->older.upto > 0 ? " (an older log)" : "");
	if (d->older.upto == 0)
		present_finished(c, ev);
	else if (!device_older_end(d, e))
		d->verified = false;
	if (d->crashed)
		return;
	if (d->verified && !session_over(c->up) && go_on(c))
		return;
	if (e == E_FORK && d->again) {
		d->again = false;
		if (device_gather(d) == E_OK && !session_over(c->up)) {
			begin_sync(d);
			return;
		}
	}
	d->settled = d->verified && d->disk.outbox_n == 0;
	c->finished = true;
	device_remember(d);
}

void
device_event(struct conn *c, const struct session_event *ev)
{
	if (c->device->crashed)
		return;
	switch (ev->kind) {
	case SESSION_DOWN:
		check_down(c, ev);
		session_settle_down(c->up, take(c, ev), "the store", c->world->now_ms);
		break;
	case SESSION_ACKED:
		on_acked(c, ev);
		break;
	case SESSION_FORKED:
		on_forked(c, ev->u.forked.number, ev->u.forked.incarnation);
		break;
	case SESSION_FINISHED:
		on_finished(c, ev);
		break;
	case SESSION_HELLO:
	case SESSION_PARCEL:
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
	case SESSION_WELCOME:
	case SESSION_ANSWER:
		sim_fail(c->world, "device %zu: an event that does not belong here",
			 c->device->index);
	}
}

/* `banyan restore`: an older copy, in a new life. */
void
device_restore(struct device *d)
{
	disk_copy(&d->disk, &d->old);
	d->who->repacked = true;
	if (d->world->bug != BUG_EPOCH_KEPT) {
		device_unpack_past(d, disk_acked(&d->disk, d->disk.epoch));
		sim_random(&d->disk.epoch, sizeof(d->disk.epoch));
	}
	d->crashed = false;
	check_device_loss(d->world);
}
