/*
 * Every byte of every message between two nodes, as test_bytes_session does it between a device and
 * its node: the exchange, and repair with all its messages. Whatever was changed: both come to an
 * end; "verified" is said only if both hold the same; and over a link that is whole they then
 * agree, with all that either of them ever had.
 */
#include "tests/bytes_nodes.h"

#define LONG_BYTES 96u /* of longer frames each byte has one change, not all */

struct scene {
	const char *name;
	unsigned low_has, high_has; /* of 18 parcels: the first so many, the last so many */
	unsigned taken, heard;      /* of low's arrivals: as low, as high remembers */
	unsigned flags, how;
};

static struct tap tap;
static bool said[2][256];

static bool
drain(bool up)
{
	struct end *d = up ? &low : &high;
	struct session_event e;
	bool any = false;

	while (session_next(d->s, &e)) {
		any = true;
		answer(d, &e);
	}
	return any;
}

static void
until_quiet(void)
{
	bool busy = true;
	int turns;

	for (turns = 0; busy && turns < 100; turns++) {
		busy = tap_move(&tap, low.s, high.s, true, 0, drain, now_ms);
		busy = drain(false) || busy;
		busy = tap_move(&tap, high.s, low.s, false, 0, drain, now_ms) || busy;
		busy = drain(true) || busy;
		now_ms += 10;
	}
	CHECK(turns < 100);
}

static void
open_one(struct end *d, enum session_side side)
{
	struct session_config config = {
	    .side = side, .source = {.ctx = d, .node_next = say_next, .node_close = say_close}};

	d->finished = d->verified = d->bad = false;
	d->batch.count = d->list.count = d->list_at = 0;
	MUST_HOLD(session_new(&d->s, &config, now_ms) == E_OK);
}

static void
close_both(void)
{
	int i;

	for (i = 0; i < 2 && !low.finished && !tap.cut; i++) {
		uint64_t at = session_deadline_ms(low.s), other = session_deadline_ms(high.s);

		now_ms = at < other ? at : other;
		CHECK(now_ms != UINT64_MAX);
		session_tick(low.s, now_ms);
		session_tick(high.s, now_ms);
		until_quiet();
	}
	CHECK(low.finished || tap.cut);
	session_eof(low.s, "the end");
	session_eof(high.s, "the end");
	drain(true);
	drain(false);
	CHECK(low.finished && session_over(low.s) && session_over(high.s));
	session_free(low.s);
	session_free(high.s);
	repair_free(low.repair);
	repair_free(high.repair);
	low.repair = high.repair = NULL;
}

static bool
the_same(void)
{
	size_t i;

	for (i = 0; i < LOGS; i++) {
		const struct set_log *a = log_named(&low.set, (uint32_t)i),
				     *b = log_named(&high.set, (uint32_t)i);

		if (a->count != b->count ||
		    (a->count > 0 &&
		     memcmp(a->parcel, b->parcel, a->count * sizeof(a->parcel[0])) != 0))
			return false;
	}
	return true;
}

static void
begin_world(const struct scene *scene)
{
	struct siphash_key key = {{key_seed, 2}};
	unsigned i;

	set_free(&low.set);
	set_free(&high.set);
	memset(&low, 0, sizeof(low));
	memset(&high, 0, sizeof(high));
	set_init(&low.set, &key, LOGS, UINT32_MAX);
	set_init(&high.set, &key, LOGS, UINT32_MAX);
	for (i = 0; i < 18; i++) {
		struct piece p = {i % LOGS, i / LOGS + 1};

		if (i < scene->low_has)
			arrive(&low, p, false);
		if (i + scene->high_has >= 18)
			arrive(&high, p, false);
	}
	low.taken = scene->taken;
	high.heard = scene->heard;
	low.words_left = high.words_left = scene->how == 0 ? 2 : 0;
	high.set.sketch.sum += scene->how & WRONG_SKETCH ? 1 : 0;
	now_ms = 1000;
	repaired = tap.cut = false;
	tap.count[0] = tap.count[1] = 0;
	writer_reset(&tap.late);
}

static void
play(const struct scene *scene)
{
	begin_world(scene);
	how_now = scene->how;
	open_one(&low, SESSION_CLIENT);
	open_one(&high, SESSION_SERVER);
	if (scene->how & REPAIRS_FIRST)
		begin_repair();
	else
		greet(scene->flags);
	until_quiet();
	CHECK(!low.verified || the_same());
	close_both();
}

/* Over a whole link: as they remember; and then, if the sums differ, all anew. */
static void
heal(const struct scene *scene)
{
	enum tap_change change = tap.change;
	unsigned i;

	tap.change = TAP_NONE;
	tap.cut = false;
	writer_reset(&tap.late);
	how_now = 0;
	high.set.sketch.sum -= scene->how & WRONG_SKETCH ? 1 : 0;
	for (i = 0, low.verified = false; i < 3 && !low.verified; i++) {
		open_one(&low, SESSION_CLIENT);
		open_one(&high, SESSION_SERVER);
		greet(i == 0 ? 0 : NODE_ANEW);
		until_quiet();
		CHECK(!low.verified || the_same());
		close_both();
	}
	CHECK_MSG(the_same() && low.verified, "%s %s", err_name(low.why.e), low.why.thing);
	CHECK(low.set.sketch.count ==
	      (scene->low_has + scene->high_has < 18 ? scene->low_has + scene->high_has : 18));
	tap.change = change;
}

static const struct scene scenes[] = {
    {"both ways", 5, 2, 0, 0, 0, 0},
    {"nothing is new", 18, 18, 18, 18, NODE_NOTHING, 0},
    {"it holds less", 6, 0, 6, 3, NODE_NOTHING, 0},
    {"it holds less, and more comes", 7, 1, 6, 3, 0, 0},
    {"repair: the same", 18, 18, 18, 18, 0, REPAIRS_FIRST},
    {"repair: one", 18, 17, 18, 18, NODE_NOTHING, REPAIRS},
    {"repair: some", 11, 13, 11, 11, NODE_NOTHING, REPAIRS},
    {"repair: most", 18, 0, 18, 18, NODE_NOTHING, REPAIRS},
    {"repair: more cells", 9, 9, 9, 9, NODE_NOTHING, REPAIRS | MORE_CELLS},
    {"repair: by logs", 18, 18, 18, 18, NODE_NOTHING, REPAIRS | WRONG_SKETCH},
};
#define SCENE_COUNT (sizeof(scenes) / sizeof(scenes[0]))

/* Of a long frame each byte is changed in one way, another at each. */
static bool
passed_over(const struct tap *plain)
{
	return plain->bytes[tap.up][tap.frame] > LONG_BYTES && tap.change < TAP_LOST &&
	       (tap.offset % 13) != (tap.change == TAP_FLIP ? tap.value
							    : TAP_VALUES + (size_t)tap.change -
								  (tap.change > TAP_FLIP));
}

static size_t
change_all(const struct scene *scene)
{
	int failures = check_failures;
	struct tap plain;
	size_t runs = 0, up, i;

	tap.change = TAP_NONE;
	play(scene);
	plain = tap;
	for (up = 0; up < 2; up++)
		for (i = 0; i < plain.count[up]; i++)
			said[up][plain.type[up][i]] = true;
	heal(scene);
	CHECK_MSG(check_failures == failures, "%s, unchanged", scene->name);
	tap.change = TAP_CUT;
	tap.frame = tap.offset = tap.value = 0;
	tap.up = true;
	do {
		if (passed_over(&plain))
			continue;
		play(scene);
		heal(scene);
		runs++;
		if (check_failures > failures) {
			fprintf(
			    stderr,
			    "%s: %s frame %zu (%s, %zu bytes), byte %zu, change %d, value %zu\n",
			    scene->name, tap.up ? "the lower node's" : "the upper node's",
			    tap.frame, message_name(plain.type[tap.up][tap.frame]),
			    plain.bytes[tap.up][tap.frame], tap.offset, (int)tap.change, tap.value);
			failures = check_failures;
		}
	} while (check_failures < 40 && tap_next(&tap, &plain));
	return runs;
}

/* A key under which the first cells do not suffice. */
static void
find_more_cells(const struct scene *scene)
{
	bool more = false;
	size_t i;

	for (key_seed = 1; !more && key_seed < 2000; key_seed++) {
		tap.change = TAP_NONE;
		play(scene);
		for (i = 0; i < tap.count[1]; i++)
			more = more || tap.type[1][i] == MESSAGE_MORE;
	}
	key_seed--;
	CHECK(more);
}

static void
every_byte_of_every_message(void)
{
	size_t runs = 0, i;

	tap_init(&tap);
	for (i = 0; i < SCENE_COUNT; i++) {
		if (scenes[i].how & MORE_CELLS)
			find_more_cells(&scenes[i]);
		runs += change_all(&scenes[i]);
	}
	printf("     %zu sessions with one change each\n", runs);
	set_free(&low.set);
	set_free(&high.set);
	tap_free(&tap);
}

static void
no_message_is_left_out(void)
{
	int type, up;

	for (type = MESSAGE_NODE; type < 0x20; type++)
		for (up = 0; up < 2; up++)
			if (message_known((uint8_t)type) && message_from((uint8_t)type, up != 0))
				CHECK_MSG(said[up][type], "%s by the %s node is said in no scene",
					  message_name((uint8_t)type), up ? "lower" : "upper");
	CHECK(said[0][MESSAGE_CARRIED] && said[1][MESSAGE_CARRIED]);
}

CHECK_MAIN(T(every_byte_of_every_message), T(no_message_is_left_out))
