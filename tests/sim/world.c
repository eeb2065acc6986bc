/* The world: time, chance, bad days, and the day on which they end. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/sim.h"

#define HOUR_MS 3600000u
#define HEAL_ROUNDS_MAX 8

static void
say(const struct world *w, const char *format, va_list ap)
{
	printf("day %llu %02llu:%02llu:%02llu.%03llu  ", (unsigned long long)(w->now_ms / DAY_MS),
	       (unsigned long long)(w->now_ms / HOUR_MS % 24),
	       (unsigned long long)(w->now_ms / 60000 % 60),
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
			w->mode->device_work(d);
		world_at(w, HOUR_MS + draw_below(30u * HOUR_MS), EVENT_WORK, e->index, NULL);
		break;
	case EVENT_SYNC:
		if (w->healed)
			break;
		w->mode->device_sync(d);
		world_at(w, HOUR_MS + draw_below(30u * HOUR_MS), EVENT_SYNC, e->index, NULL);
		break;
	case EVENT_CONN:
		run_conn(w, e->conn);
		break;
	case EVENT_COMMIT:
		if (e->index > 0)
			w->mode->door_commit(d);
		else
			w->mode->node_commit(w);
		break;
	case EVENT_OPEN:
		if (e->index > 0)
			w->mode->door_open(d);
		else
			w->mode->node_open(w);
		break;
	case EVENT_SAY:
		if (!w->healed) {
			w->mode->node_say(w);
			world_at(w, DAY_MS / 2 + draw_below(5u * (uint64_t)DAY_MS), EVENT_SAY, 0,
				 NULL);
		}
		break;
	case EVENT_NODE_UP:
		node_start(w);
		break;
	case EVENT_BACKUP:
		if (!w->healed) {
			w->mode->node_backup(w);
			world_at(w, DAY_MS + draw_below(4u * (uint64_t)DAY_MS), EVENT_BACKUP, 0,
				 NULL);
		}
		break;
	case EVENT_DISASTER:
		if (!w->healed)
			world_disaster(w, (enum fault_kind)e->index);
		break;
	case EVENT_ROAD:
		if (!w->healed) {
			w->mode->roads_step(w);
			world_at(w, HOUR_MS / 2 + draw_below(6u * HOUR_MS), EVENT_ROAD, 0, NULL);
		}
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
people(struct world *w, size_t most)
{
	size_t i, count = 2 + draw_below(6);

	if (most > 0 && count > most)
		count = most;
	for (i = 0; i < count; i++) {
		struct principal *p = &w->principal[w->principal_n++];

		sim_random(p->id.b, sizeof(p->id.b));
		snprintf(p->area, sizeof(p->area), "V%u", (unsigned)(i % 90 + 1));
		if (crypto_ec_new(&p->sign) != E_OK || crypto_ec_new(&p->seal) != E_OK)
			sim_fail(w, "no keys");
		device_init(&w->device[i], w, p);
		w->device_n++;
		w->mode->device_begin(&w->device[i]);
		world_at(w, draw_below(DAY_MS), EVENT_WORK, i, NULL);
		world_at(w, draw_below(DAY_MS), EVENT_SYNC, i, NULL);
	}
	world_at(w, 0, EVENT_SAY, 0, NULL);
	world_at(w, draw_below(DAY_MS), EVENT_BACKUP, 0, NULL);
}

static bool
agreed(struct world *w)
{
	size_t i;

	for (i = 0; i < w->device_n; i++)
		if (!w->device[i].who->revoked && !w->device[i].who->lies && !w->device[i].settled)
			return false;
	for (i = DEVICES_MAX; i < DEVICES_MAX + w->other_n; i++)
		if (!w->device[i].settled)
			return false;
	return w->node.disk.opened == w->node.disk.arrivals.n &&
	       (!w->mode->roads || w->mode->roads_agreed(w));
}

/* One more session, after the faults. */
static void
heal_session(struct world *w, struct device *d)
{
	d->full_until_ms = 0;
	d->settled = false;
	if (d->conn != NULL)
		conn_kill(d->conn, "too long");
	w->mode->device_sync(d);
	d->healed_sessions++;
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
		size_t said, came = w->node.disk.arrivals.n;

		node_start(w);
		run_until(w, w->now_ms + HOUR_MS);
		said = w->node.disk.down.n;
		for (i = 0; i < w->device_n && !w->failed; i++)
			heal_session(w, &w->device[i]);
		run_until(w, w->now_ms + HOUR_MS);
		for (i = DEVICES_MAX; i < DEVICES_MAX + w->other_n && !w->failed; i++) {
			heal_session(w, &w->device[i]);
			run_until(w, w->now_ms + HOUR_MS);
		}
		w->mode->node_open(w);
		run_until(w, w->now_ms + HOUR_MS);
		/* whoever came early in the round has not heard of what came later in it */
		if (agreed(w) && said == w->node.disk.down.n &&
		    (w->other_n == 0 || came == w->node.disk.arrivals.n))
			break;
	}
}

bool
world_run(struct world *w, const struct world_plan *plan)
{
	memset(w, 0, sizeof(*w));
	w->mode = plan->mode;
	w->seed = plan->seed;
	w->days = plan->days;
	w->bug = plan->bug;
	w->verbose = plan->verbose;
	w->devices_max = plan->devices_max > 0 ? plan->devices_max : DEVICES_MAX;
	arena_init(&w->arena, (size_t)1 << 32);
	draw_seed(plan->seed);
	sim_random(w->programme.b, sizeof(w->programme.b));
	w->mode->begin(w);
	if (w->failed)
		return false;
	people(w, plan->devices_max);
	world_switch_faults(w, plan->without);
	if (w->mode->roads)
		w->mode->roads_begin(w);
	run_until(w, w->days * DAY_MS);
	if (!w->failed)
		heal(w);
	if (!w->failed)
		w->mode->look(w);
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
	w->mode->end(w);
	for (i = 0; i < DEVICES_MAX + OTHERS_MAX; i++) {
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
