/*
 * opening [PARCELS]: what a node pays, where it opens what arrives, to keep the sets that it shares
 * with other nodes up to date: the very call that its commits make (carry_sets_note), saves
 * included; and the whole of opening beside it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/node_fixture.h"
#include "tools/node/carry/carry_inside.h"
#include "tools/node/carry/carry_sets.h"
#include "tools/node/opener/opener_item.h"

#define DEVICES 50u
#define TURN 64u
#define NOTED 200000u

static struct node n;
static struct device child, device[DEVICES];

static double
cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
die(const char *what)
{
	printf("  %s failed: %s\n", what, n.why.thing);
	exit(1);
}

static void
open_carry(void)
{
	struct carry_other other = {.id = child.self.id,
				    .seal = child.self.seal.pub,
				    .road = CARRY_DOWN,
				    .upper = true,
				    .scope = "D1"};
	struct carry *c;

	if (carry_open(&c, n.peer, &other, 0, &n.why) != E_OK)
		die("an exchange");
	carry_free(c);
}

/* How long opening `count` parcels of one record takes. */
static double
opened(unsigned count)
{
	struct revision_body create = {.kind = REVISION_CREATE};
	struct record_id id;
	double begun;
	unsigned i;

	for (i = 0; i < count; i++)
		if (node_say(&n, &device[i % DEVICES], NULL, &create, &id) != E_OK)
			die("a parcel");
	begun = cpu_s();
	if (opener_all(n.peer, &n.why) != E_OK)
		die("opening");
	return (cpu_s() - begun) / count;
}

/* Turns as the opener hands them over, of arrivals that come after those of the store. */
struct noting {
	struct opening *o;
	uint64_t seq, until;
	double spent;
};

static enum err
note_job(struct store_txn *txn, void *arg)
{
	struct noting *g = arg;
	double begun = cpu_s();
	enum err e = carry_sets_note(n.peer, txn, g->o);

	g->spent += cpu_s() - begun;
	return e;
}

static double
noted(void)
{
	static struct opening o;
	struct noting g = {&o, 0, 0, 0};
	struct store_txn *txn;
	uint64_t last = 0;
	unsigned i;
	enum err e;

	if (store_read_begin(n.peer->store, &txn) != E_OK || arrival_last(txn, &last) != E_OK)
		die("the store");
	store_read_end(txn);
	o.peer = n.peer;
	for (g.seq = last; g.seq < last + NOTED;) {
		o.opened_before = g.seq;
		for (i = 0; i < TURN; i++) {
			struct opening_arrival *at = &o.arrivals[i];
			const struct device *d = &device[++g.seq % DEVICES];

			*at = (struct opening_arrival){.seq = g.seq, .read = true, .records = true};
			memcpy(at->about, d->self.area, sizeof(at->about));
			at->arrival = (struct arrival){.seq = g.seq,
						       .number = g.seq / DEVICES + 1000,
						       .log = {d->self.id, d->self.epoch}};
			be64_put(at->arrival.hash.b, g.seq * 0x9e3779b97f4a7c15u);
		}
		o.count = TURN;
		o.opened = g.seq;
		e = store_write(n.peer->store, note_job, &g);
		carry_sets_noted(n.peer, e);
		if (e != E_OK)
			die("noting");
	}
	return g.spent / NOTED;
}

int
main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2000, i;
	double without, with, each;
	char name[20];

	if (!node_begin(&n) || node_join(&n, &child, ROLE_NODE, "D1", "child") != E_OK ||
	    enrol_approve(n.peer, &n.peer->identities[1], "child", &n.why) != E_OK)
		die("a node");
	for (i = 0; i < DEVICES; i++) {
		(void)snprintf(name, sizeof(name), "device%u", i);
		if (node_join(&n, &device[i], ROLE_MEMBER, i % 2 == 0 ? "V1" : "V2", name) != E_OK)
			die("a device");
	}
	without = opened(count);
	open_carry();
	with = opened(count);
	each = noted();
	printf(
	    "Opening: %.1f us a parcel of one record without a set, %.1f us with one (they differ by noise)\n"
	    "  keeping a set up to date in the opener's commits, saved every %u: %.3f us a parcel (target <= 0.5)\n",
	    1e6 * without, 1e6 * with, SHARED_SAVE_EACH, 1e6 * each);
	node_end(&n);
	return 0;
}
