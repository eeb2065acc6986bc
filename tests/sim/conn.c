/* A link between a device and the node: bytes in pieces, late, and cut. */
#include <stdlib.h>

#include "tests/sim/sim.h"

void
conn_open(struct device *d)
{
	struct world *w = d->world;
	struct conn *c = calloc(1, sizeof(*c));
	struct session_config up = {.side = SESSION_CLIENT, .device = d->who->id};
	struct session_config down = {.side = SESSION_SERVER, .device = d->who->id};
	char thing[240] = "";
	enum err e;

	if (c == NULL)
		abort();
	c->world = w;
	c->device = d;
	c->at = d->visits;
	c->opened_ms = c->last_moved_ms = w->now_ms;
	c->cut_after =
	    w->on[FAULT_CUT] && chance(400) ? draw_below(chance(500) ? 300 : 4000) : UINT64_MAX;
	c->slow_ms = w->on[FAULT_SLOW] ? 1 + draw_below(chance(200) ? 20000 : 900) : 10;
	up.source = w->mode->device_source(c);
	e = w->mode->node_admit(c, &down, thing);
	writer_heap_init(&c->to_node, SIZE_MAX / 2);
	writer_heap_init(&c->to_device, SIZE_MAX / 2);
	writer_heap_init(&c->honest, SIZE_MAX / 2);
	if (session_new(&c->up, &up, w->now_ms) != E_OK ||
	    session_new(&c->down, &down, w->now_ms) != E_OK)
		abort();
	if (e != E_OK)
		session_refuse(c->down, e, thing, 0, w->now_ms);
	d->conn = c;
	world_at(w, 1 + draw_below(c->slow_ms), EVENT_CONN, 0, c);
}

static void
drain(struct conn *c, bool node)
{
	struct session *s = node ? c->down : c->up;
	struct session_event ev;

	while (!c->dead && !c->world->failed && session_next(s, &ev)) {
		if (node)
			c->world->mode->node_event(c, &ev);
		else
			c->world->mode->device_event(c, &ev);
		if (c->device->crashed && !c->dead) {
			conn_kill(c, "the device is gone");
			return;
		}
	}
}

/* The process at a dead end is told; what a crashed one holds in memory is gone. */
void
conn_kill(struct conn *c, const char *why)
{
	struct world *w = c->world;

	if (c->dead)
		return;
	c->dead = true;
	w->mode->node_left(c);
	if (!c->device->crashed && !c->finished) {
		struct session_event ev;

		session_eof(c->up, why);
		while (!c->world->failed && !c->device->crashed && session_next(c->up, &ev))
			if (ev.kind != SESSION_DOWN)
				w->mode->device_event(c, &ev);
	}
	w->mode->device_left(c, c->finished);
	c->device->conn = NULL;
	if (c->budget != 0)
		check_budget(c);
	w->counts_bytes += c->bytes;
	if (w->healed)
		c->device->healed_bytes += c->bytes;
}

/* What one end has to say goes onto the link; a piece of what is there arrives. */
static void
pull(struct session *s, struct writer *pipe, uint64_t now_ms)
{
	struct bytes b;

	while ((b = session_outbox(s, now_ms)).n > 0) {
		writer_bytes(pipe, b);
		session_sent(s, b.n, now_ms);
	}
}

static void
device_pull(struct conn *c, uint64_t now_ms)
{
	bool lies = c->device->who->lies;

	pull(c->up, lies ? &c->honest : &c->to_node, now_ms);
	if (lies)
		liar_speaks(c);
}

static void
deliver(struct conn *c, bool to_node)
{
	struct writer *pipe = to_node ? &c->to_node : &c->to_device;
	size_t *taken = to_node ? &c->to_node_taken : &c->to_device_taken;
	struct session *s = to_node ? c->down : c->up;
	size_t n = pipe->n - *taken;

	if (n == 0 || !session_hungry(s))
		return;
	if (c->world->on[FAULT_SLOW] && chance(600))
		n = 1 + draw_below(n);
	if (c->bytes + n >= c->cut_after)
		n = (size_t)(c->cut_after - c->bytes);
	session_feed(s, BYTES(pipe->p + *taken, n), c->world->now_ms);
	*taken += n;
	c->bytes += n;
	c->last_moved_ms = c->world->now_ms;
	drain(c, to_node);
}

void
conn_step(struct conn *c)
{
	struct world *w = c->world;
	uint64_t now = w->now_ms;

	if (c->dead)
		return;
	device_pull(c, now);
	pull(c->down, &c->to_device, now);
	deliver(c, true);
	if (!c->dead)
		deliver(c, false);
	if (c->dead)
		return;
	if (c->bytes >= c->cut_after) {
		w->counts_cuts++;
		conn_kill(c, "cut");
		return;
	}
	if (now >= session_deadline_ms(c->up))
		session_tick(c->up, now);
	if (now >= session_deadline_ms(c->down))
		session_tick(c->down, now);
	drain(c, true);
	if (!c->dead)
		drain(c, false);
	if (c->dead)
		return;
	device_pull(c, now);
	pull(c->down, &c->to_device, now);
	if (c->finished || (session_over(c->down) && c->to_device_taken == c->to_device.n) ||
	    session_over(c->up)) {
		conn_kill(c, "closed");
		return;
	}
	world_at(w, 1 + draw_below(c->slow_ms), EVENT_CONN, 0, c);
}

static void
conn_free(struct conn *c)
{
	session_free(c->up);
	session_free(c->down);
	writer_free(&c->to_node);
	writer_free(&c->to_device);
	writer_free(&c->honest);
	free(c);
}

/* A dead link's memory goes when its last event comes: nobody points to it any more. */
void
conn_reap(struct world *w)
{
	if (w->dying != NULL)
		conn_free(w->dying);
	w->dying = NULL;
}
