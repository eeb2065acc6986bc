/*
 * The one writer: jobs wait in a queue; the thread runs all that wait in one transaction
 * and commits them with one fsync. A job that fails after writing spoils the transaction:
 * it is begun again without that job, so that nothing of it stays and the others lose
 * nothing.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "core/fault.h"
#include "core/store/store_inside.h"

#define GROW_STEP_MAX ((size_t)1 << 30)

static enum err
remap(struct store *s, size_t size, size_t old)
{
	if (!fault_point() && mdb_env_set_mapsize(s->env, size) == 0)
		return E_OK;
	/* Address space is short. With the old size back the store goes on; without,
	 * nothing can. */
	if (mdb_env_set_mapsize(s->env, old) != 0)
		abort();
	return E_STORE_FULL;
}

enum err
store_drain(struct store *s)
{
	struct timespec until;
	bool alone;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)s->grow_wait_s;
	pthread_mutex_lock(&s->gate);
	s->growth_waits = true;
	while (s->readers > 0 && pthread_cond_timedwait(&s->gate_moved, &s->gate, &until) == 0)
		;
	s->growth_waits = false;
	s->growing = alone = s->readers == 0;
	pthread_mutex_unlock(&s->gate);
	return alone ? E_OK : E_STORE_READERS;
}

void
store_drained(struct store *s)
{
	pthread_mutex_lock(&s->gate);
	s->growing = false;
	pthread_cond_broadcast(&s->gate_moved);
	pthread_mutex_unlock(&s->gate);
}

enum err
store_grow(struct store *s)
{
	MDB_envinfo info;
	enum err e = store_drain(s);
	size_t step;

	if (e == E_OK) {
		mdb_env_info(s->env, &info);
		step = info.me_mapsize < GROW_STEP_MAX ? info.me_mapsize : GROW_STEP_MAX;
		e = step > SIZE_MAX - info.me_mapsize
			? E_STORE_FULL
			: remap(s, info.me_mapsize + step, info.me_mapsize);
	}
	store_drained(s);
	return e;
}

static enum err
job_run(struct store_txn *txn, struct store_job *job)
{
	enum err e;

	txn->wrote = txn->map_full = false;
	txn->failed = E_OK;
	e = job->fn(txn, job->arg);
	arena_free(&txn->arena);
	/* A job that overlooked the disk's failure has failed all the same. */
	return txn->failed != E_OK ? txn->failed : e;
}

enum outcome { COMMIT, AGAIN, GROW };

/* Run the jobs from `first` into the transaction, up to a batch's size; *end is the first
 * one not run. */
static enum outcome
batch_run(struct store_txn *txn, struct store_job *first, struct store_job **end)
{
	struct store_job *job;

	for (job = first; job != NULL && txn->written_bytes < BATCH_BYTES_MAX; job = job->next) {
		enum err e;

		if (job->failed)
			continue;
		e = job_run(txn, job);
		if (txn->map_full)
			return GROW;
		job->e = e;
		job->failed = e != E_OK;
		if (job->failed && txn->wrote)
			return AGAIN;
	}
	*end = job;
	return COMMIT;
}

static void
batch_fail(struct store_job *first, const struct store_job *end, enum err e)
{
	for (; first != end; first = first->next)
		if (!first->failed)
			first->e = e;
}

/* LMDB says EIO when a write fell short, which is how a disk mostly becomes full. */
static bool
disk_is_full(const struct store *s, uint64_t need)
{
	struct statvfs disk;
	struct rlimit most;
	struct stat st;
	mdb_filehandle_t fd;

	need = 2 * need + (1u << 20); /* pages are copied on the way to the root, too */
	if (statvfs(s->dir, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < need)
		return true;
	return mdb_env_get_fd(s->env, &fd) == 0 && fstat(fd, &st) == 0 &&
	       getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur != RLIM_INFINITY &&
	       (uint64_t)most.rlim_cur < (uint64_t)st.st_size + need;
}

/* Of a world that drives its stores: this commit did not go well, as its fate is. */
static enum err
commit_driven(struct store *s, struct store_txn *txn, enum fault_commit fate)
{
	if (fate == FAULT_COMMIT_AFTER)
		(void)mdb_txn_commit(txn->mdb);
	else
		mdb_txn_abort(txn->mdb);
	if (fate == FAULT_COMMIT_LIE)
		return E_OK;
	if (fate == FAULT_COMMIT_FULL)
		return E_STORE_FULL;
	atomic_store(&s->refuses, true);
	return E_STORE_IO;
}

static enum err
batch_commit(struct store *s, struct store_txn *txn)
{
	enum fault_commit fate = fault_driver != NULL ? fault_driver->commit(s->dir) : FAULT_COMMIT;
	enum err e;
	int rc = EIO;

	if (fate != FAULT_COMMIT)
		return commit_driven(s, txn, fate);
	if (fault_point())
		mdb_txn_abort(txn->mdb);
	else
		rc = mdb_txn_commit(txn->mdb);
	e = rc == EIO && disk_is_full(s, txn->written_bytes) ? E_STORE_FULL : store_rc(rc);
	txn->map_full = rc == MDB_MAP_FULL;
	/* After a failed fsync nobody knows what the disk holds: stop, rather than build
	 * on it. */
	if (e != E_OK && e != E_STORE_FULL && e != E_NO_MEMORY)
		atomic_store(&s->refuses, true);
	return e;
}

/* Settle the jobs from `first` up to the returned one: durable, or failed. */
static struct store_job *
batch_settle(struct store *s, struct store_job *first)
{
	struct store_txn txn;
	struct store_job *end;
	enum outcome outcome;
	enum err e;
	int rc;

	for (;;) {
		end = NULL;
		txn = (struct store_txn){.store = s, .writes = true};
		arena_init(&txn.arena, TXN_BYTES_MAX);
		if (atomic_load(&s->refuses)) {
			batch_fail(first, end, E_STORE_IO);
			return end;
		}
		rc = fault_point() ? EIO : mdb_txn_begin(s->env, NULL, 0, &txn.mdb);
		if (rc != 0) {
			batch_fail(first, end, store_rc(rc));
			return end;
		}
		outcome = batch_run(&txn, first, &end);
		if (outcome == COMMIT) {
			if ((e = batch_commit(s, &txn)) == E_OK) {
				if (txn.raised)
					s->format = STORE_FORMAT;
				return end;
			}
			if (!txn.map_full) {
				batch_fail(first, end, e);
				return end;
			}
			outcome = GROW;
		} else {
			mdb_txn_abort(txn.mdb);
		}
		if (outcome == GROW && (e = store_grow(s)) != E_OK) {
			batch_fail(first, NULL, e);
			return NULL;
		}
	}
}

static void
jobs_done(struct store *s, struct store_job *first, const struct store_job *end)
{
	unsigned count = 0;

	while (first != end) {
		struct store_job *next = first->next;

		first->done(first->done_arg, first->e);
		free(first);
		first = next;
		count++;
	}
	pthread_mutex_lock(&s->queue_lock);
	s->waiting -= count;
	s->jobs += count;
	s->commits++;
	pthread_mutex_unlock(&s->queue_lock);
}

static void
jobs_settle(struct store *s, struct store_job *first)
{
	struct store_job *end;

	for (; first != NULL; first = end) {
		pthread_mutex_lock(&s->env_lock);
		end = batch_settle(s, first);
		pthread_mutex_unlock(&s->env_lock);
		jobs_done(s, first, end);
	}
}

static void *
writer_main(void *arg)
{
	struct store *s = arg;
	struct store_job *first;

	for (;;) {
		pthread_mutex_lock(&s->queue_lock);
		while (s->head == NULL && !s->closing)
			pthread_cond_wait(&s->queue_more, &s->queue_lock);
		first = s->head;
		s->head = s->tail = NULL;
		pthread_mutex_unlock(&s->queue_lock);
		if (first == NULL)
			return NULL;
		jobs_settle(s, first);
	}
}

void
store_turn(struct store *s)
{
	struct store_job *first;

	if (s->writer_runs)
		return;
	while ((first = s->head) != NULL) {
		s->head = s->tail = NULL;
		jobs_settle(s, first);
	}
}

enum err
store_writer_start(struct store *s)
{
	if (fault_driver != NULL)
		return E_OK;
	if (fault_point() || pthread_create(&s->writer, NULL, writer_main, s) != 0)
		return E_NO_MEMORY;
	s->writer_runs = true;
	return E_OK;
}

void
store_writer_stop(struct store *s)
{
	if (!s->writer_runs) {
		store_turn(s);
		return;
	}
	pthread_mutex_lock(&s->queue_lock);
	s->closing = true;
	pthread_cond_signal(&s->queue_more);
	pthread_mutex_unlock(&s->queue_lock);
	pthread_join(s->writer, NULL);
	s->writer_runs = false;
}

enum err
store_write_async(struct store *s, store_job_fn *fn, void *arg, store_done_fn *done, void *done_arg)
{
	struct store_job *job = fault_malloc(sizeof(*job));
	enum err e = E_OK;

	if (job == NULL)
		return E_NO_MEMORY;
	*job = (struct store_job){.fn = fn, .arg = arg, .done = done, .done_arg = done_arg};
	pthread_mutex_lock(&s->queue_lock);
	if (s->waiting >= STORE_JOBS_MAX || s->closing) {
		e = E_STORE_QUEUE;
	} else {
		if (s->tail == NULL)
			s->head = job;
		else
			s->tail->next = job;
		s->tail = job;
		s->waiting++;
		pthread_cond_signal(&s->queue_more);
	}
	pthread_mutex_unlock(&s->queue_lock);
	if (e != E_OK)
		free(job);
	return e;
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool done;
	enum err e;
};

static void
waiter_done(void *arg, enum err e)
{
	struct waiter *w = arg;

	pthread_mutex_lock(&w->lock);
	w->done = true;
	w->e = e;
	pthread_cond_signal(&w->moved);
	pthread_mutex_unlock(&w->lock);
}

enum err
store_write(struct store *s, store_job_fn *fn, void *arg)
{
	struct waiter w = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
	enum err e;

	assert(!s->writer_runs ||
	       !pthread_equal(pthread_self(), s->writer)); /* a job would wait for itself */
	if ((e = store_write_async(s, fn, arg, waiter_done, &w)) != E_OK)
		return e;
	store_turn(s); /* nothing to do, where there is a thread */
	pthread_mutex_lock(&w.lock);
	while (!w.done)
		pthread_cond_wait(&w.moved, &w.lock);
	pthread_mutex_unlock(&w.lock);
	pthread_cond_destroy(&w.moved);
	pthread_mutex_destroy(&w.lock);
	return w.e;
}
