/*
 * Every byte of every message between a device and its node: cut there, flipped, left out, doubled,
 * turned with the next; every frame lost, doubled, late. In scenes that between them say every
 * message of message.def that is theirs, and one that is said in no scene fails. Whatever was
 * changed: both ends come to an end, with an error of err.def or cleanly; "verified" is said only
 * if both hold the same; what the device takes for acknowledged is at the node; and then, over a
 * link that is whole, they agree in a few sessions, and no record is lost. Between nodes:
 * test_bytes_nodes.
 */
#include "sync/repair.h"
#include "tests/bytes_link.h"

#define HEAL_SESSIONS 5u

struct scene {
	const char *name;
	unsigned own, broadcast, inbox;
	void (*before)(void);
	void (*begin)(unsigned exchange); /* of that many in one session */
	unsigned exchanges;
	unsigned how;
};
#define STRANGER 1u
#define NEWER 2u /* both speak another version too */
#define SLOW 4u  /* some bytes at a time */

static bool said[2][256];

/* ---- the scenes ---- */

static void
just_sync(unsigned exchange)
{
	(void)exchange;
	sync_within(0, false, false);
}

static void
ask_first(unsigned exchange)
{
	(void)exchange;
	sync_within(0, true, false);
}

static void
keep_to_a_budget(unsigned exchange)
{
	(void)exchange;
	sync_within(420, false, false);
}

static void
spare_bodies(unsigned exchange)
{
	(void)exchange;
	sync_within(0, false, true);
}

/* Something new between two exchanges of a session: at the device, then at the node. */
static void
sync_what_is_new(unsigned exchange)
{
	if (exchange == 1)
		world_write(&device.own, (uint8_t)++device.record_count);
	if (exchange == 2)
		world_write(&node.down[1], 99);
	sync_within(0, false, false);
}

static void
join_then_sync(unsigned exchange)
{
	static const struct message_join join = {.secret = {1},
						 .name = {(const uint8_t *)"Lvea", 4}};

	if (exchange == 0)
		session_join(device.s, &join, world_now);
	else
		sync_within(0, false, false);
}

static void
come_back(unsigned exchange)
{
	static const struct message_came_back who = {{(const uint8_t *)"own", 3},
						     {(const uint8_t *)"node", 4}};

	(void)exchange;
	session_return(device.s, &who, world_now);
}

static void
ask_for_the_successor(unsigned exchange)
{
	static const struct principal_id id = {{3}};

	(void)exchange;
	session_successor(device.s, &id, world_now);
}

static void
run_a_verb(unsigned exchange)
{
	static const char *const args[] = {"one", "two"};

	MUST_HOLD(session_ask(device.s, "list", args, 2, exchange == 1, world_now) == E_OK);
	if (exchange == 1) {
		(void)session_input(device.s, BYTES_LIT("what is put in"), world_now);
		(void)session_input(device.s, BYTES_NONE, world_now);
	}
}

static void
agreed(void)
{
	sync_whole();
	MUST_HOLD(device.verified);
}

static void
agreed_and_more(void)
{
	agreed();
	world_write(&device.own, (uint8_t)++device.record_count);
	world_write(&node.down[0], 98);
}

/* The node is put back: the first two of the log, another life, its own logs anew. */
static void
put_back(void)
{
	struct world_log old, anew;
	int i;

	agreed();
	old = node.log[0];
	memset(&node.log[0], 0, sizeof(node.log[0]));
	node.log[0].epoch = old.epoch;
	for (i = 1; i <= 2; i++)
		world_append(&node.log[0], old.parcel[i]);
	memset(node.has, 0, sizeof(node.has));
	node.has[1] = node.has[2] = true;
	node.life ^= 0x5555555500000000u;
	anew = (struct world_log){.epoch = 5000};
	world_write(&anew, 90);
	node.down[0] = anew;
}

/* Another handset of the same log was here first. */
static void
a_twin_was_here(void)
{
	struct world_log own = device.own;

	agreed();
	world_write(&node.log[0], 200);
	world_write(&node.log[0], 201);
	node.has[200] = node.has[201] = true;
	own = device.own;
	world_write(&own, (uint8_t)++device.record_count);
	world_write(&own, (uint8_t)++device.record_count);
	device.own = own;
}

static void
half_a_parcel(void)
{
	node.part = BYTES(device.own.parcel[1], 9);
	device.offered = 1;
}

static void
a_body_lacks(void)
{
	device.lacks = true;
}

static void
too_busy(void)
{
	node.busy = true;
}

static void
settling_late(void)
{
	node.settles_late = true;
}

static const struct scene scenes[] = {
    {"the first sync", 3, 2, 1, NULL, just_sync, 1, 0},
    {"nothing to say", 0, 0, 0, NULL, just_sync, 1, 0},
    {"more on both sides", 2, 1, 1, agreed_and_more, just_sync, 1, 0},
    {"again, with news", 2, 1, 0, NULL, sync_what_is_new, 4, 0},
    {"asked first", 3, 1, 0, NULL, ask_first, 1, 0},
    {"a slow link", 4, 1, 0, NULL, just_sync, 1, SLOW},
    {"a node that settles late", 3, 0, 0, settling_late, just_sync, 1, 0},
    {"a node put back", 4, 2, 1, put_back, just_sync, 1, 0},
    {"a twin", 2, 1, 0, a_twin_was_here, just_sync, 1, 0},
    {"a twin, on a slow link", 2, 1, 0, a_twin_was_here, just_sync, 1, SLOW},
    {"a budget", 6, 3, 0, NULL, keep_to_a_budget, 1, 0},
    {"a part", 2, 0, 0, half_a_parcel, just_sync, 1, 0},
    {"a body that lacks", 1, 3, 0, a_body_lacks, spare_bodies, 1, 0},
    {"a stranger joins", 1, 1, 0, NULL, join_then_sync, 2, STRANGER},
    {"one comes back", 0, 0, 0, NULL, come_back, 1, STRANGER},
    {"who follows?", 0, 0, 0, NULL, ask_for_the_successor, 1, STRANGER},
    {"verbs", 0, 0, 0, NULL, run_a_verb, 2, 0},
    {"a newer version", 2, 1, 0, NULL, just_sync, 1, NEWER},
    {"a busy node", 1, 0, 0, too_busy, just_sync, 1, 0},
};
#define SCENE_COUNT (sizeof(scenes) / sizeof(scenes[0]))

static void
begin_world(const struct scene *scene)
{
	unsigned i;

	memset(&device, 0, sizeof(device));
	memset(&node, 0, sizeof(node));
	world_now = 1000;
	device.own.epoch = 0x1234567890abcdefu;
	node.life = 0xaabbccdd00112233u;
	node.down[0].epoch = 50;
	node.down[1].epoch = 60;
	for (i = 0; i < scene->own; i++)
		world_write(&device.own, (uint8_t)++device.record_count);
	for (i = 0; i < scene->broadcast; i++)
		world_write(&node.down[0], (uint8_t)(100 + i));
	for (i = 0; i < scene->inbox; i++)
		world_write(&node.down[1], (uint8_t)(110 + i));
	if (scene->before != NULL)
		scene->before();
	tap.count[0] = tap.count[1] = 0;
	tap.cut = false;
}

static void
play(const struct scene *scene)
{
	unsigned i;

	begin_world(scene);
	open_both(scene->how & STRANGER, scene->how & NEWER);
	for (i = 0; i < scene->exchanges && !session_over(device.s) && !tap.cut; i++) {
		device.finished = device.verified = false;
		scene->begin(i);
		until_quiet(scene->how & SLOW ? 30 : 0);
		CHECK(!device.verified || both_hold_the_same());
		if (!device.finished)
			break;
	}
	close_both();
}

static void
heal(void)
{
	unsigned i;

	node.busy = node.settles_late = device.lacks = false;
	node.part = BYTES_NONE;
	for (i = 0, device.verified = false; i < HEAL_SESSIONS && !device.verified; i++)
		sync_whole();
	CHECK_MSG(device.verified, "%s %s", err_name(device.why.e), device.why.thing);
	CHECK(both_hold_the_same());
	for (i = 1; i <= device.record_count; i++)
		CHECK_MSG(node.has[i], "record %u", i);
}

static void
note_what_was_said(const struct tap *t)
{
	size_t up, i;

	for (up = 0; up < 2; up++) {
		MUST_HOLD(t->count[up] <= TAP_FRAMES_MAX);
		for (i = 0; i < t->count[up]; i++)
			said[up][t->type[up][i]] = true;
	}
}

/* Each change of each byte of each frame of a scene. */
static size_t
change_all(const struct scene *scene)
{
	int failures = check_failures;
	struct tap plain;
	size_t runs = 0;

	tap.change = TAP_NONE;
	play(scene);
	plain = tap;
	note_what_was_said(&plain);
	heal();
	CHECK_MSG(check_failures == failures, "%s, unchanged", scene->name);
	tap.change = TAP_CUT;
	tap.frame = tap.offset = tap.value = 0;
	tap.up = true;
	do {
		play(scene);
		heal();
		runs++;
		if (check_failures > failures) {
			fprintf(
			    stderr,
			    "%s: %s frame %zu (%s, %zu bytes), byte %zu, change %d, value %zu\n",
			    scene->name, tap.up ? "the device's" : "the node's", tap.frame,
			    message_name(plain.type[tap.up][tap.frame]),
			    plain.bytes[tap.up][tap.frame], tap.offset, (int)tap.change, tap.value);
			failures = check_failures;
		}
	} while (check_failures < 40 && tap_next(&tap, &plain));
	return runs;
}

static void
every_byte_of_every_message(void)
{
	size_t runs = 0, i;

	tap_init(&tap);
	for (i = 0; i < SCENE_COUNT; i++)
		runs += change_all(&scenes[i]);
	printf("     %zu sessions with one change each\n", runs);
	tap_free(&tap);
}

/* Messages that belong between nodes are test_bytes_nodes'. */
static bool
between_nodes(int type)
{
	return repair_takes((uint8_t)type) || type == MESSAGE_CARRIED ||
	       (type >= MESSAGE_NODE && type <= MESSAGE_CLOSE);
}

static void
no_message_is_left_out(void)
{
	int type, up;

	for (type = 0; type < 256; type++)
		for (up = 0; up < 2; up++)
			if (message_known((uint8_t)type) && message_from((uint8_t)type, up != 0) &&
			    !between_nodes(type) && !(type == MESSAGE_ERROR && up))
				CHECK_MSG(said[up][type], "%s by the %s is said in no scene",
					  message_name((uint8_t)type), up ? "device" : "node");
}

CHECK_MAIN(T(every_byte_of_every_message), T(no_message_is_left_out))
