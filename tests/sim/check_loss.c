/* When a disk is gone: what is on another one still, and what nobody can be blamed for.
 */
#include <stdlib.h>

#include "tests/sim/sim.h"

/* What came to a node. A slice that a liar stole lies in its parcels, and is nobody's there. */
static bool
came(const struct world *w, const struct entries *list, const struct truth *t)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct entries one = {.e = &list->e[i], .n = 1};

		if (!check_is_liars(w, &one.e->log) && check_holds(&one, t->sealed))
			return true;
	}
	return false;
}

/* Another node's: as that of whoever wrote there, and of everybody whose parcels came
 * there. */
bool
check_on_other_disk(const struct world *w, const struct truth *t)
{
	size_t i, k;

	for (i = DEVICES_MAX; i < DEVICES_MAX + w->other_n; i++) {
		const struct device_disk *d = &w->device[i].disk;

		for (k = 0; k < d->outbox_n; k++)
			if (bytes_equal(d->outbox[k].analytic, t->sealed))
				return true;
		if (came(w, &d->log, t))
			return true;
	}
	return false;
}

static bool
on_some_disk(const struct world *w, const struct truth *t)
{
	size_t i, k;

	if (came(w, &w->node.disk.arrivals, t) || check_on_other_disk(w, t))
		return true;
	for (i = 0; i < w->device_n; i++) {
		const struct device_disk *d = &w->device[i].disk;

		if (w->device[i].who != t->author)
			continue;
		for (k = 0; k < d->outbox_n; k++)
			if (bytes_equal(d->outbox[k].analytic, t->sealed))
				return true;
		if (check_holds(&d->log, t->sealed))
			return true;
	}
	return false;
}

void
check_after_restore(struct world *w, const struct principal *officer)
{
	size_t i;

	for (i = 0; i < w->truth_n && !w->failed; i++) {
		struct truth *t = &w->truth[i];

		if (t->excused || t->ordered || t->author->lies || on_some_disk(w, t))
			continue;
		if (t->again &&
		    (t->said || (officer == NULL ? !w->node.much_older : t->author != officer)))
			continue; /* its other slice: check_end sees to it */
		/* devices wait for two backups: if neither of the last two was used, what
		 * they gave up is gone */
		if (w->node.much_older || w->bug == BUG_GAP_STUCK || t->author == officer)
			t->excused = true;
		else
			sim_fail(w, "the node was restored, and a finished record is on "
				    "no disk at all");
	}
}

void
check_device_loss(struct world *w)
{
	size_t i;

	for (i = 0; i < w->truth_n; i++)
		if (!w->truth[i].excused && !w->truth[i].again && !on_some_disk(w, &w->truth[i]))
			w->truth[i].excused = true;
}
