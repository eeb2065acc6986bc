/* Where the stores of a world lie, whose hour it is, and what becomes of a commit. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/fault.h"
#include "tests/sim/real.h"

static struct world *acting_world;
static struct device *acting; /* NULL: the node */
static int calm;

void
real_act(struct world *w, struct device *d)
{
	acting_world = w;
	acting = d;
}

void
real_calm(int more)
{
	calm += more;
}

bool
real_excusable(struct world *w, struct device *d, enum err e)
{
	return e == E_OK || e == E_STORE_FULL || (d == NULL ? w->node.real->crashing : d->crashed);
}

/* ---- the hour ---- */

time_t __real_time(time_t *);
time_t __wrap_time(time_t *);

/* The clock of whose code is running. */
time_t
__wrap_time(time_t *out)
{
	int64_t now, error;

	if (acting_world == NULL)
		return __real_time(out);
	error = acting != NULL ? acting->clock_error_s : acting_world->node.clock_error_s;
	now = (int64_t)TRUE_TIME_S + (int64_t)(acting_world->now_ms / 1000) + error;
	now = now < 0 ? 0 : now > UINT32_MAX ? UINT32_MAX : now;
	if (out != NULL)
		*out = (time_t)now;
	return (time_t)now;
}

/* ---- commits ---- */

static enum fault_commit
fate_of_device(struct world *w, struct device *d)
{
	bool may_crash = w->on[FAULT_DEVICE_CRASH];

	d->real->dirty = true;
	if (d->crashed)
		return FAULT_COMMIT_BEFORE;
	if (w->now_ms < d->full_until_ms)
		return FAULT_COMMIT_FULL;
	if (!may_crash || !chance(24))
		return FAULT_COMMIT;
	d->crashed = true;
	w->counts_crashes++;
	sim_say(w, "device %zu crashes at a commit", d->index);
	return chance(500) ? FAULT_COMMIT_BEFORE : FAULT_COMMIT_AFTER;
}

static enum fault_commit
fate_of_node(struct world *w)
{
	struct real_node *n = w->node.real;

	if (n->crashing || !w->node.up)
		return FAULT_COMMIT_BEFORE;
	if (w->now_ms < w->node.full_until_ms)
		return FAULT_COMMIT_FULL;
	if (w->bug == BUG_ACK_EARLY && n->committing && chance(100))
		return FAULT_COMMIT_LIE;
	if (!w->on[FAULT_NODE_CRASH] || !chance(30))
		return FAULT_COMMIT;
	n->crashing = true;
	return chance(500) ? FAULT_COMMIT_BEFORE : FAULT_COMMIT_AFTER;
}

static enum fault_commit
fate(const char *dir)
{
	struct world *w = acting_world;
	size_t i;

	if (w == NULL || calm > 0)
		return FAULT_COMMIT;
	if (strcmp(dir, w->node.real->path) == 0)
		return fate_of_node(w);
	for (i = 0; i < DEVICES_MAX + OTHERS_MAX; i++)
		if (w->device[i].real != NULL && strcmp(dir, w->device[i].real->path) == 0)
			return fate_of_device(w, &w->device[i]);
	return FAULT_COMMIT; /* a store that is being put back */
}

static const struct fault_driver driver = {fate};

/* ---- directories ---- */

void
real_remove(const char *path)
{
	char below[REAL_PATH_MAX + 256];
	struct dirent *entry;
	DIR *dir = opendir(path);

	if (dir == NULL) {
		(void)unlink(path);
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			(void)snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
			real_remove(below);
		}
	closedir(dir);
	(void)rmdir(path);
}

static void
copy_file(struct world *w, const char *from, const char *to)
{
	static char piece[1 << 16];
	int in = open(from, O_RDONLY | O_CLOEXEC),
	    out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = -1;

	while (in >= 0 && out >= 0 && (n = read(in, piece, sizeof(piece))) > 0)
		if (write(out, piece, (size_t)n) != n)
			n = -1;
	if (n != 0)
		sim_fail(w, "the harness cannot copy %s", from);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
}

/* A store as somebody would copy it: what its process has not made durable is not there. */
void
real_copy(struct world *w, const char *from, const char *to)
{
	static const char *const files[] = {"data.mdb", "keys"};
	char a[REAL_PATH_MAX + 16], b[REAL_PATH_MAX + 16];
	size_t i;

	real_remove(to);
	(void)mkdir(to, 0700);
	for (i = 0; i < 2; i++) {
		(void)snprintf(a, sizeof(a), "%s/%s", from, files[i]);
		(void)snprintf(b, sizeof(b), "%s/%s", to, files[i]);
		copy_file(w, a, b);
	}
}

/* A key file's slot costs no Argon2. */
struct unlock
real_unlock(void)
{
	static const uint8_t key_file[32] = "a key file kept elsewhere, of 32";

	return (struct unlock){.name = "officer", .key_file = BYTES(key_file, sizeof(key_file))};
}

void
real_dir(struct world *w)
{
	struct real_node *n = w->node.real;
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
	char dir[128];

	(void)snprintf(dir, sizeof(dir), "%.90s/banyan-sim-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		exit(1);
	}
	(void)snprintf(n->dir, sizeof(n->dir), "%s", dir);
	(void)snprintf(n->path, sizeof(n->path), "%s/node", dir);
	(void)snprintf(n->backup, sizeof(n->backup), "%s/node.backup", dir);
	(void)snprintf(n->older, sizeof(n->older), "%s/node.older", dir);
	(void)snprintf(n->oldest, sizeof(n->oldest), "%s/node.oldest", dir);
	(void)snprintf(n->snapshot, sizeof(n->snapshot), "%s/node.copy", dir);
	fault_driver = &driver;
	real_bugs(w);
}

void
real_dir_end(struct world *w)
{
	real_remove(w->node.real->dir);
	fault_driver = NULL;
	real_bugs(NULL);
	acting_world = NULL;
	acting = NULL;
}
