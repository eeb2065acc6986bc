/* The world: time, chance, bad days, and the day on which they end. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/sim.h"

#define HOUR_MS 3600000u
#define HEAL_ROUNDS_MAX 8

static const unsigned often[] = {
#define X(name, words, permille) permille,
#include "tests/sim/fault.def"
#undef X
};
static const char *const words_of[] = {
#define X(name, words, permille) words,
#include "tests/sim/fault.def"
#undef X
};

static void
say(const struct world *w, const char *format, va_list ap)
{
	printf("day %llu %02llu:%02llu:%02llu.%03llu  ", (unsigned long long)(w->now_ms / DAY_MS),
	       (unsigned long long)(w->now_ms / HOUR_MS % 24), (unsigned long long)(w->now_ms / 60000 % 60),
	       (unsigned long long)(w->now_ms / 1000 % 60), (unsigned long long)(w->now_ms % 1000));
	vprintf(format, ap);
	putchar('\n');
}

void
sim_say(struct world *w, const char *format, ...)
{
	va_list ap;

	if (!w->verbose)
		return;
	va_start(ap, format);
	say(w, format, ap);
	va_end(ap);
}

void
sim_fail(struct world *w, const char *format, ...)
{
	va_list ap;

	if (w->failed)
		return;
	w->failed = true;
	va_start(ap, format);
	vsnprintf(w->failure, sizeof(w->failure), format, ap);
	va_end(ap);
	sim_say(w, "FAILED: %s", w->failure);
}

struct bytes
world_keep(struct world *w, struct bytes b)
{
	struct bytes kept = b.n == 0 ? BYTES_NONE : arena_bytes(&w->arena, b);

	if (b.n > 0 && kept.p == NULL)
		abort();
	return kept;
}

/* ---- events, by time: a heap ---- */

static bool
earlier(const struct event *a, const struct event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void
world_at(struct world *w, uint64_t delay_ms, enum event_kind kind, size_t index, struct conn *conn)
{
	struct event e = {w->now_ms + delay_ms, w->event_order++, (int)kind, index, conn};
	size_t i;

	w->events = grow(w->events, w->events_n, &w->events_cap, sizeof(e));
	for (i = w->events_n++; i > 0 && earlier(&e, &w->events[(i - 1) / 2]); i = (i - 1) / 2)
		w->events[i] = w->events[(i - 1) / 2];
	w->events[i] = e;
}

static struct event
take_first(struct world *w)
{
	struct event first = w->events[0], last = w->events[--w->events_n];
	size_t i = 0, k;

	while ((k = 2 * i + 1) < w->events_n) {
		if (k + 1 < w->events_n && earlier(&w->events[k + 1], &w->events[k]))
			k++;
		if (!earlier(&w->events[k], &last))
			break;
		w->events[i] = w->events[k];
		i = k;
	}
	if (w->events_n > 0)
		w->events[i] = last;
	return first;
}

/* ---- bad days ---- */

static struct device *
some_device(struct world *w)
{
	return &w->device[draw_below(w->device_n)];
}

static void
clone_device(struct world *w)
{
	struct device *from = some_device(w), *to = &w->device[w->device_n];

	if (w->device_n == DEVICES_MAX || from->who->revoked)
		return;
	device_init(to, w, from->who);
	disk_copy(&to->disk, &from->disk);
	to->clock_error_s = from->clock_error_s;
	from->who->cloned = true;
	w->device_n++;
	sim_say(w, "device %zu is cloned: device %zu", from->index, to->index);
	world_at(w, draw_below(DAY_MS), EVENT_WORK, to->index, NULL);
	world_at(w, draw_below(DAY_MS), EVENT_SYNC, to->index, NULL);
}

static void
put_back_device(struct world *w)
{
	struct device *d = &w->device[0];

	if (!d->has_old) {
		disk_copy(&d->old, &d->disk);
		d->has_old = true;
		return;
	}
	sim_say(w, "device %zu is put back from a backup", d->index);
	d->crashed = true;
	if (d->conn != NULL)
		conn_kill(d->conn, "the device is gone");
	device_restore(d);
	d->has_old = false;
}

static void
wrong_clock(struct world *w)
{
	int64_t now = (int64_t)TRUE_TIME_S + (int64_t)(w->now_ms / 1000), error;

	switch (draw_below(4)) {
	case 0:
		error = -now;
		break;
	case 1:
		error = (int64_t)UINT32_MAX - now;
		break;
	case 2:
		error = 0;
		break;
	default:
		error = (int64_t)draw_below(20000000) - 10000000;
		break;
	}
	if (chance(250))
		w->node.clock_error_s = error;
	else
		some_device(w)->clock_error_s = error;
}

static void
disaster(struct world *w, enum fault_kind kind)
{
	switch (kind) {
	case FAULT_NODE_CRASH:
		node_crash(w, "(power cut)");
		break;
	case FAULT_DEVICE_FULL:
		some_device(w)->full_until_ms = w->now_ms + draw_below(2u * DAY_MS);
		break;
	case FAULT_NODE_FULL:
		w->node.full_until_ms = w->now_ms + draw_below(DAY_MS);
		break;
	case FAULT_CLOCK:
		wrong_clock(w);
		break;
	case FAULT_CLONE:
		clone_device(w);
		break;
	case FAULT_NODE_RESTORE:
		node_restore(w, true);
		break;
	case FAULT_SNAPSHOT:
		node_restore(w, false);
		break;
	case FAULT_DEVICE_RESTORE:
		put_back_device(w);
		break;
	case FAULT_REVOKE:
		node_revoke(w, &w->principal[draw_below(w->principal_n)]);
		break;
	case FAULT_CUT:
	case FAULT_SLOW:
	case FAULT_DEVICE_CRASH:
	case FAULT_WILD:
	case FAULT_COUNT:
		break; /* they happen all the time */
	}
}

/* ---- one event ---- */

static void
run_conn(struct world *w, struct conn *c)
{
	conn_step(c);
	if (!c->dead)
		return;
	w->dying = c;
	conn_reap(w);
}

static void
run_event(struct world *w, const struct event *e)
{
	struct device *d = &w->device[e->index];

	switch ((enum event_kind)e->kind) {
	case EVENT_WORK:
		if (w->healed)
			break;
		if (d->conn == NULL)
			device_work(d);
		world_at(w, HOUR_MS + draw_below(30u * HOUR_MS), EVENT_WORK, e->index, NULL);
		break;
	case EVENT_SYNC:
		if (w->healed)
			break;
		device_sync(d);
		world_at(w, HOUR_MS + draw_below(30u * HOUR_MS), EVENT_SYNC, e->index, NULL);
		break;
	case EVENT_CONN:
		run_conn(w, e->conn);
		break;
	case EVENT_COMMIT:
		node_commit(w);
		break;
	case EVENT_OPEN:
		node_open(w);
		break;
	case EVENT_SAY:
		if (!w->healed) {
			node_say(w);
			world_at(w, DAY_MS / 2 + draw_below(5u * (uint64_t)DAY_MS), EVENT_SAY, 0, NULL);
		}
		break;
	case EVENT_NODE_UP:
		node_start(w);
		break;
	case EVENT_BACKUP:
		if (!w->healed) {
			node_backup(w);
			world_at(w, DAY_MS + draw_below(4u * (uint64_t)DAY_MS), EVENT_BACKUP, 0, NULL);
		}
		break;
	case EVENT_DISASTER:
		if (!w->healed)
			disaster(w, (enum fault_kind)e->index);
		break;
	}
}

static void
run_until(struct world *w, uint64_t at_ms)
{
	while (!w->failed && w->events_n > 0 && w->events[0].at_ms <= at_ms) {
		struct event e = take_first(w);

		w->now_ms = e.at_ms;
		run_event(w, &e);
	}
	if (!w->failed)
		w->now_ms = at_ms;
}

/* ---- beginning and end ---- */

static void
switch_faults(struct world *w)
{
	int i;

	for (i = 0; i < FAULT_COUNT; i++)
		w->on[i] = chance(often[i]);
	/* A record that its handset lost to one disaster and the node to another is lost: one of them a seed. */
	if (w->on[FAULT_NODE_RESTORE] || w->on[FAULT_SNAPSHOT])
		w->on[FAULT_DEVICE_RESTORE] = false;
	/* Put back in silence, a node cannot say that it is another: with a twin besides, nobody could tell. */
	if (w->on[FAULT_NODE_RESTORE])
		w->on[FAULT_SNAPSHOT] = false;
	if (w->on[FAULT_SNAPSHOT])
		w->on[FAULT_CLONE] = false;
	for (i = 0; i < FAULT_COUNT; i++) {
		uint64_t times, span = w->days * DAY_MS;

		if (!w->on[i])
			continue;
		sim_say(w, "fault: %s", words_of[i]);
		for (times = 1 + draw_below(3); times > 0; times--)
			world_at(w, span / 8 + draw_below(span * 7 / 8), EVENT_DISASTER, (size_t)i, NULL);
	}
}

static void
people(struct world *w)
{
	size_t i, count = 2 + draw_below(6);

	for (i = 0; i < count; i++) {
		struct principal *p = &w->principal[w->principal_n++];

		sim_random(p->id.b, sizeof(p->id.b));
		snprintf(p->area, sizeof(p->area), "V%u", (unsigned)(i % 90 + 1));
		if (crypto_ec_new(&p->sign) != E_OK || crypto_ec_new(&p->seal) != E_OK)
			sim_fail(w, "no keys");
		device_init(&w->device[i], w, p);
		w->device_n++;
		world_at(w, draw_below(DAY_MS), EVENT_WORK, i, NULL);
		world_at(w, draw_below(DAY_MS), EVENT_SYNC, i, NULL);
	}
	world_at(w, 0, EVENT_SAY, 0, NULL);
	world_at(w, draw_below(DAY_MS), EVENT_BACKUP, 0, NULL);
}

static bool
agreed(const struct world *w)
{
	size_t i;

	for (i = 0; i < w->device_n; i++)
		if (!w->device[i].who->revoked && !w->device[i].settled)
			return false;
	return w->node.disk.opened == w->node.disk.arrivals.n;
}

/* Faults stop; the clock goes on. Everybody must agree within so many sessions. */
static void
heal(struct world *w)
{
	size_t round, i;

	memset(w->on, 0, sizeof(w->on));
	w->healed = true;
	w->node.full_until_ms = 0;
	sim_say(w, "the faults stop");
	for (round = 0; round < HEAL_ROUNDS_MAX && !w->failed; round++) {
		size_t said;

		node_start(w);
		run_until(w, w->now_ms + HOUR_MS);
		said = w->node.disk.down.n;
		for (i = 0; i < w->device_n && !w->failed; i++) {
			struct device *d = &w->device[i];

			d->full_until_ms = 0;
			d->settled = false;
			if (d->conn != NULL)
				conn_kill(d->conn, "too long");
			device_sync(d);
			d->healed_sessions++;
		}
		run_until(w, w->now_ms + HOUR_MS);
		node_open(w);
		run_until(w, w->now_ms + HOUR_MS);
		if (agreed(w) && said == w->node.disk.down.n)
			break;
	}
}

bool
world_run(struct world *w, uint64_t seed, uint64_t days, enum bug bug, bool verbose)
{
	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->days = days;
	w->bug = bug;
	w->verbose = verbose;
	arena_init(&w->arena, (size_t)1 << 32);
	draw_seed(seed);
	sim_random(w->programme.b, sizeof(w->programme.b));
	node_init(w);
	people(w);
	switch_faults(w);
	run_until(w, days * DAY_MS);
	if (!w->failed)
		heal(w);
	if (!w->failed)
		check_end(w);
	return !w->failed;
}

void
world_free(struct world *w)
{
	size_t i;

	w->failed = true; /* nothing is checked any more */
	for (i = 0; i < w->events_n; i++)
		if (w->events[i].kind == EVENT_CONN) {
			conn_kill(w->events[i].conn, "the end");
			w->dying = w->events[i].conn;
			conn_reap(w);
		}
	for (i = 0; i < w->device_n; i++) {
		disk_free(&w->device[i].disk);
		disk_free(&w->device[i].old);
	}
	free(w->node.disk.arrivals.e);
	free(w->node.disk.down.e);
	free(w->node.disk.forms);
	free(w->node.disk.derived);
	free(w->node.jobs);
	free(w->truth);
	free(w->events);
	arena_free(&w->arena);
}
