/* A world of models: device*.c, node*.c, records.c over lists in memory. */
#include <stdlib.h>

#include "tests/sim/sim.h"

static void
nothing(struct world *w)
{
	(void)w;
}

static void
nothing_of(struct device *d)
{
	(void)d;
}

void
device_clone(struct device *to, struct device *from)
{
	disk_copy(&to->disk, &from->disk);
}

void
device_copy(struct device *d)
{
	disk_copy(&d->old, &d->disk);
}

void
device_left(struct conn *c, bool finished)
{
	if (!finished && !c->device->crashed)
		device_remember(c->device);
}

enum err
node_admit(struct conn *c, struct session_config *config, char thing[240])
{
	(void)thing;
	config->source = node_source(c);
	return E_OK;
}

void
node_left(struct conn *c)
{
	struct node *n = &c->world->node;
	size_t i;

	for (i = 0; i < n->jobs_n; i++)
		if (n->jobs[i].conn == c)
			n->jobs[i].conn = NULL;
}

void
node_stop(struct world *w)
{
	free(w->node.jobs);
	w->node.jobs = NULL;
	w->node.jobs_n = w->node.jobs_cap = 0;
}

const struct mode mode_model = {.name = "model",
				.begin = node_init,
				.end = nothing,
				.look = nothing,
				.device_begin = nothing_of,
				.device_clone = device_clone,
				.device_copy = device_copy,
				.device_restore = device_restore,
				.device_work = device_work,
				.device_sync = device_sync,
				.device_event = device_event,
				.device_left = device_left,
				.device_source = device_source,
				.node_admit = node_admit,
				.node_event = node_event,
				.node_left = node_left,
				.node_commit = node_commit,
				.node_open = node_open,
				.node_say = node_say,
				.node_stop = node_stop,
				.node_start = nothing,
				.node_backup = node_backup,
				.node_restore = node_restore,
				.node_revoke = node_revoke};
