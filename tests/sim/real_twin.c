/* The office's second node is put back from a backup; the first one is there all the
 * time. */
#include "core/store/backup.h"
#include "tests/sim/real.h"

static void
back_up(struct world *w, struct device *d)
{
	if (!real_open(d) || !d->real->peer->home.has_secret || d->verified_sessions == 0)
		return;
	w->mode->device_copy(d);
	d->has_old = true;
}

/* As `banyan restore`; or, for a planted bug, as somebody who copies a folder. What its
 * officer did since is gone. */
static void
put_back(struct world *w, struct device *d)
{
	struct real_device *r = d->real;
	struct unlock unlock = real_unlock();
	struct backup_info info;
	struct why why = {.e = E_OK};
	enum err e = E_OK;
	bool known;
	size_t i;

	sim_say(w, "the second node is put back from a backup");
	d->crashed = true;
	if (d->conn != NULL)
		conn_kill(d->conn, "the second node is gone");
	real_close(d);
	unlock.name = NULL;
	real_remove(r->path);
	real_calm(1);
	real_act(w, d);
	if (w->bug == BUG_TWIN_GOES_ON)
		real_copy(w, r->old, r->path);
	else if ((e = backup_restore(r->old, r->path, &unlock, NULL, &info, &why)) == E_OK)
		e = real_obey(r->path, &unlock, &why);
	disk_free(&d->disk);
	r->seen_seq = 0;
	r->restored = true;
	w->other_officer[d->index - DEVICES_MAX].repacked =
	    true; /* what was delivered since may come once more */
	d->has_old = false;
	for (i = 0; i < w->principal_n; i++)
		w->principal[i].heard_at = 0;
	if (e != E_OK)
		sim_fail(w, "the second node cannot be put back: %s %s", err_name(e), why.thing);
	else
		(void)real_open(d);
	real_calm(-1);
	w->node.restores++;
	known = r->peer != NULL && w->node.real->peer != NULL;
	real_erase_said(w, known ? r->peer->store : NULL, known ? w->node.real->peer->store : NULL);
	check_after_restore(w, &w->other_officer[d->index - DEVICES_MAX]);
}

void
real_twin_restore(struct world *w)
{
	struct device *d = real_twin(w);

	if (d == NULL || w->failed)
		return;
	if (d->has_old) {
		put_back(w, d);
		return;
	}
	back_up(w, d);
	world_at(w, DAY_MS / 2 + draw_below(3u * (uint64_t)DAY_MS), EVENT_DISASTER,
		 FAULT_TWIN_RESTORE, NULL);
}
