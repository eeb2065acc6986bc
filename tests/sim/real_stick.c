/* Sticks: a bundle that somebody packs and somebody else takes: late, twice, cut short, spoilt, or
 * never. */
#include <stdlib.h>

#include "tests/sim/real.h"
#include "tools/node/roads/stick.h"

struct real_stick {
	bool down;          /* from the office */
	struct bytes bytes; /* in the world's arena */
};

static void
keep(struct world *w, bool down, struct bytes bytes)
{
	struct real_node *n = w->node.real;

	n->sticks = grow(n->sticks, n->stick_n, &n->stick_cap, sizeof(*n->sticks));
	n->sticks[n->stick_n++] = (struct real_stick){down, world_keep(w, bytes)};
}

void
real_sticks_end(struct world *w)
{
	free(w->node.real->sticks);
	w->node.real->sticks = NULL;
	w->node.real->stick_n = w->node.real->stick_cap = 0;
}

/* NULL: nobody is there who could. */
static struct device *
some_device(struct world *w)
{
	struct device *d = &w->device[draw_below(w->device_n)];

	return d->conn == NULL && real_open(d) && d->real->peer->approved ? d : NULL;
}

/* The office's node, or its second one: NULL for the first. False: it is not there now. */
static bool
some_node(struct world *w, struct device **other)
{
	struct device *d = &w->device[DEVICES_MAX];

	*other = NULL;
	if (w->other_n == 0 || d->other != OTHER_TWIN || chance(600))
		return w->node.up && w->node.real->peer != NULL;
	*other = d;
	return d->conn == NULL && real_open(d) && d->real->peer->home.has_secret;
}

static void
after(struct world *w, struct device *d)
{
	if (d != NULL)
		real_after(d);
	else
		real_node_after(w);
}

static void
pack_up(struct world *w)
{
	struct device *d = some_device(w);
	struct stick_up up = {.bytes_max = STICK_BYTES_MAX};
	struct why why = {.e = E_OK};
	struct packed packed;
	struct writer out;
	enum err e;

	if (d == NULL)
		return;
	real_act(w, d);
	writer_heap_init(&out, BUNDLE_BYTES_MAX);
	up.all = chance(100);
	if (chance(300))
		up.bytes_max = 4096 + draw_below(20000);
	e = stick_pack_up(d->real->peer, &up, &out, &packed, &why);
	if (e == E_OK) {
		sim_say(w, "device %zu packs a stick: %llu parcels, %llu wait", d->index,
			(unsigned long long)packed.parcels, (unsigned long long)packed.waiting);
		keep(w, false, writer_view(&out));
	}
	writer_free(&out);
	if (!real_excusable(w, d, e))
		sim_fail(w, "device %zu cannot pack a stick: %s %s", d->index, err_name(e),
			 why.thing);
	after(w, d);
}

static void
pack_down(struct world *w)
{
	struct device *other;
	struct why why = {.e = E_OK};
	struct packed packed;
	struct writer out;
	enum err e;

	if (!some_node(w, &other))
		return;
	real_act(w, other);
	writer_heap_init(&out, BUNDLE_BYTES_MAX);
	e = stick_pack_down(other != NULL ? other->real->peer : w->node.real->peer, NULL,
			    chance(100), &out, &packed, &why);
	if (e == E_OK)
		keep(w, true, writer_view(&out));
	writer_free(&out);
	if (e != E_ABSENT && !real_excusable(w, other, e))
		sim_fail(w, "an office cannot pack a stick: %s %s", err_name(e), why.thing);
	after(w, other);
}

/* What a stick in a pocket does to bytes. */
static struct bytes
spoil(struct world *w, struct bytes b, bool *spoilt)
{
	uint8_t *copy = arena_alloc(&w->arena, b.n + 1);
	size_t n = b.n;

	if (copy == NULL)
		abort();
	if (b.n > 0)
		memcpy(copy, b.p, b.n);
	*spoilt = false;
	if (n > 0 && chance(150)) {
		n = draw_below(n);
		*spoilt = true;
	}
	if (n > 0 && chance(100)) {
		copy[draw_below(n)] ^= (uint8_t)(1u << draw_below(8));
		*spoilt = true;
	}
	return BYTES(copy, n);
}

static void
take(struct world *w, const struct real_stick *s)
{
	struct device *d = NULL;
	struct why why = {.e = E_OK};
	struct mail_taken taken;
	struct bundle b;
	struct bytes bytes;
	bool spoilt;
	enum err e;

	if (s->down ? (d = some_device(w)) == NULL : !some_node(w, &d))
		return;
	real_act(w, d);
	bytes = spoil(w, s->bytes, &spoilt);
	e = bundle_read(bytes, &b, &why);
	if (e == E_OK) {
		w->counts_sticks++;
		real_on_road = true;
		e = stick_take(d != NULL ? d->real->peer : w->node.real->peer, &b, &taken, NULL,
			       NULL, &why);
		real_on_road = false;
		if (e == E_OK)
			sim_say(
			    w, "%s %zu takes a stick: %llu parcels, %llu receipts, %llu refused",
			    s->down ? "device" : "node", d == NULL ? 0 : d->index,
			    (unsigned long long)taken.parcels, (unsigned long long)taken.receipts,
			    (unsigned long long)taken.refused);
	} else if (spoilt) {
		e = E_OK; /* said before anything was written */
	}
	if (e == E_OK && s->down)
		real_settle(w, d);
	if (!real_excusable(w, d, e))
		sim_fail(w, "a stick cannot be taken: %s %s", err_name(e), why.thing);
	after(w, d);
	if (s->down && !w->failed)
		check_receipts(d);
}

void
real_stick_step(struct world *w)
{
	struct real_node *n = w->node.real;
	size_t i;

	switch (draw_below(4)) {
	case 0:
		pack_up(w);
		break;
	case 1:
		pack_down(w);
		break;
	default:
		if (n->stick_n == 0)
			break;
		i = draw_below(n->stick_n);
		take(w, &n->sticks[i]);
		if (chance(500)) /* else it stays in the pocket, and is taken again */
			n->sticks[i] = n->sticks[--n->stick_n];
		break;
	}
}
