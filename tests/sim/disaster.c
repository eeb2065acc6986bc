/* Bad days: which kinds of them a seed has, and what happens on one. */
#include "tests/sim/sim.h"

static const unsigned often[] = {
#define X(code, name, words, permille) permille,
#include "tests/sim/fault.def"
#undef X
};
static const char *const words_of[] = {
#define X(code, name, words, permille) words,
#include "tests/sim/fault.def"
#undef X
};

static struct device *
some_device(struct world *w)
{
	return &w->device[draw_below(w->device_n)];
}

static void
clone_device(struct world *w)
{
	struct device *from = some_device(w), *to = &w->device[w->device_n];

	if (w->device_n >= w->devices_max || w->device_n == DEVICES_MAX || from->who->revoked)
		return;
	device_init(to, w, from->who);
	w->mode->device_clone(to, from);
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
		w->mode->device_copy(d);
		d->has_old = true;
		return;
	}
	sim_say(w, "device %zu is put back from a backup", d->index);
	d->crashed = true;
	if (d->conn != NULL)
		conn_kill(d->conn, "the device is gone");
	w->mode->device_restore(d);
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

void
world_disaster(struct world *w, enum fault_kind kind)
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
		w->mode->node_restore(w, true);
		break;
	case FAULT_SNAPSHOT:
		w->mode->node_restore(w, false);
		break;
	case FAULT_DEVICE_RESTORE:
		put_back_device(w);
		break;
	case FAULT_REVOKE:
		w->mode->node_revoke(w, &w->principal[draw_below(w->principal_n)]);
		break;
	case FAULT_ERASE:
	case FAULT_ROTATE:
	case FAULT_TWIN_RESTORE:
		w->mode->office_acts(w, kind);
		break;
	case FAULT_BUDGET:
	case FAULT_STICK:
	case FAULT_RELAY:
	case FAULT_TWIN:
	case FAULT_BELOW:
	case FAULT_OLDER_BACKUP:
	case FAULT_CUT:
	case FAULT_SLOW:
	case FAULT_DEVICE_CRASH:
	case FAULT_WILD:
	case FAULT_LIAR:
	case FAULT_COUNT:
		break; /* they happen all the time */
	}
}

void
world_switch_faults(struct world *w, uint32_t without)
{
	int i, count = w->mode->roads ? FAULT_LATER : FAULT_ROADS;

	for (i = 0; i < count; i++)
		if (i != FAULT_LIAR) /* who draws by himself */
			w->on[i] = chance(often[i]);
	for (i = FAULT_LATER; w->mode->roads && i < FAULT_COUNT; i++)
		w->on[i] = draw_apart(w->seed, (uint64_t)i) % 1000 < often[i];
	if (!(without >> FAULT_LIAR & 1))
		liar_choose(w, often[FAULT_LIAR]);
	for (i = 0; i < FAULT_COUNT; i++)
		w->on[i] = w->on[i] && !(without >> i & 1);
	/* A record that its handset lost to one disaster and the node to another is lost: one of
	 * them a seed. */
	if (w->on[FAULT_NODE_RESTORE] || w->on[FAULT_SNAPSHOT])
		w->on[FAULT_DEVICE_RESTORE] = false;
	/* Put back in silence, a node cannot say that it is another: with a twin besides, nobody
	 * could tell. */
	if (w->on[FAULT_NODE_RESTORE])
		w->on[FAULT_SNAPSHOT] = false;
	if (w->on[FAULT_SNAPSHOT])
		w->on[FAULT_CLONE] = false;
	/* Nor can other nodes: their exchange stands behind that of every device, which cannot
	 * agree any more. */
	if (w->on[FAULT_TWIN] || w->on[FAULT_BELOW])
		w->on[FAULT_SNAPSHOT] = false;
	/* Of an officer's work at a node that is put back there must be another copy. */
	if (w->on[FAULT_NODE_RESTORE] || !w->on[FAULT_TWIN])
		w->on[FAULT_TWIN_RESTORE] = false;
	if (w->on[FAULT_TWIN_RESTORE])
		w->on[FAULT_DEVICE_RESTORE] = false;
	/* A folder that is put back by other means than `banyan restore` obeys no orders beside it.
	 */
	if (w->on[FAULT_SNAPSHOT])
		w->on[FAULT_ERASE] = false;
	for (i = 0; i < FAULT_COUNT; i++) {
		uint64_t times, span = w->days * DAY_MS;

		if (!w->on[i] || i == FAULT_LIAR)
			continue;
		sim_say(w, "fault: %s", words_of[i]);
		for (times = 1 + draw_below(3); times > 0; times--)
			world_at(w, span / 8 + draw_below(span * 7 / 8), EVENT_DISASTER, (size_t)i,
				 NULL);
	}
}

const char *
fault_name(enum fault_kind kind)
{
	static const char *const names[] = {
#define X(code, name, words, permille) name,
#include "tests/sim/fault.def"
#undef X
	};

	return names[kind];
}

const char *
fault_words(enum fault_kind kind)
{
	return words_of[kind];
}
