/* A model device's older logs, when its node begins a new life: tools/node/link/link_older.c. */
#include "tests/sim/sim.h"

/* In the commit of the new life. */
void
device_older_note(struct device *d)
{
	struct device_disk *k = &d->disk;
	size_t i;

	for (i = 0; i < k->acked_n && d->world->bug != BUG_OLDER_FORGOTTEN; i++)
		if (k->acked[i].epoch != k->epoch && k->acked[i].number > 0)
			k->acked[i].older = k->acked[i].number;
}

bool
device_older_begin(struct conn *c)
{
	struct device *d = c->device;
	struct device_disk *k = &d->disk;
	struct session_mine mine = {.ask_first = true,
				    .incarnation = k->node_incarnation,
				    .cursor = {k->cursor[0].number, k->cursor[1].number}};
	size_t i;

	memset(&d->older, 0, sizeof(d->older));
	for (i = 0; i < k->acked_n && (k->acked[i].older == 0 || k->acked[i].epoch == k->epoch);
	     i++)
		;
	if (i == k->acked_n)
		return false;
	d->older.epoch = mine.epoch = k->acked[i].epoch;
	d->older.upto = mine.head = mine.offered = k->acked[i].older;
	session_sync(c->up, &mine, d->world->now_ms);
	return true;
}

/* False: it must be offered again in a later run. */
bool
device_older_end(struct device *d, enum err e)
{
	struct device_disk *k = &d->disk;
	uint64_t epoch = d->older.epoch, upto = d->older.upto;
	bool forked = d->older.forked, all = d->older.acked >= upto;
	size_t i;

	memset(&d->older, 0, sizeof(d->older));
	if (!forked && !all)
		return false;
	if (device_durable_begin(d) != E_OK)
		return false;
	for (i = 0; i < k->acked_n && k->acked[i].epoch != epoch; i++)
		;
	if (forked) {
		device_unpack(d, epoch, 0, upto);
		k->acked[i].number = 0;
		d->again = true;
	}
	k->acked[i].older = 0;
	(void)e;
	return device_durable_end(d) == E_OK;
}
