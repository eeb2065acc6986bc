/* Worlds with more than one road: which of them there are, and when something happens there. */
#include "tests/sim/real.h"

static void
roads_begin(struct world *w)
{
	real_others_begin(w);
	if (w->on[FAULT_STICK] || w->on[FAULT_RELAY])
		world_at(w, draw_below(DAY_MS), EVENT_ROAD, 0, NULL);
}

static void
roads_step(struct world *w)
{
	if (w->on[FAULT_STICK] && (!w->on[FAULT_RELAY] || chance(500)))
		real_stick_step(w);
	else
		real_relay_step(w);
}

/* Several on one day. */
static void
office_acts(struct world *w, enum fault_kind kind)
{
	uint64_t count;

	if (kind == FAULT_ERASE)
		for (count = 1 + draw_below(4); count > 0; count--)
			real_erase(w);
	else if (kind == FAULT_ROTATE)
		real_rotate(w);
	else
		real_twin_restore(w);
}

void
real_roads_end(struct world *w)
{
	real_sticks_end(w);
}

static void
look(struct world *w)
{
	mirror_derived(w);
	if (!w->failed)
		real_erase_agreed(w, true);
	real_others_check(w);
}

const struct mode mode_roads = {.name = "roads",
				.roads = true,
				.begin = real_node_begin,
				.end = real_node_end,
				.look = look,
				.device_begin = real_device_begin,
				.device_clone = real_device_clone,
				.device_copy = real_device_copy,
				.device_restore = real_device_restore,
				.device_work = real_work,
				.device_sync = real_device_sync,
				.device_event = real_device_event,
				.device_left = real_device_left,
				.device_source = real_device_source,
				.node_admit = real_node_admit,
				.node_event = real_node_event,
				.node_left = real_node_left,
				.node_commit = real_node_commit,
				.node_open = real_node_open,
				.node_say = real_office_say,
				.node_stop = real_node_stop,
				.node_start = real_node_start,
				.node_backup = real_office_backup,
				.node_restore = real_office_restore,
				.node_revoke = real_office_revoke,
				.roads_begin = roads_begin,
				.door_commit = real_door_commit,
				.door_open = real_door_turn,
				.roads_step = roads_step,
				.office_acts = office_acts,
				.roads_agreed = real_roads_agreed};
