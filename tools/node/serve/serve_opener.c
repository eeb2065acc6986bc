#include "tools/node/serve/serve_opener.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "tools/node/opener/crew.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/opener/known.h"
#include "tools/node/records/tally.h"

#define OPENER_TURN 64u /* arrivals a commit while others wait for the writer too */

struct serve_opener {
	struct serve *serve;
	pthread_t thread;
	pthread_mutex_t lock; /* over the flags */
	pthread_cond_t work;
	bool woken, stopping;
};

void
serve_opener_wake(struct serve_opener *o)
{
	pthread_mutex_lock(&o->lock);
	o->woken = true;
	pthread_cond_signal(&o->work);
	pthread_mutex_unlock(&o->lock);
}

/* The next time to work; false: no more. */
static bool
wait_work(struct serve_opener *o)
{
	bool go_on;

	pthread_mutex_lock(&o->lock);
	while (!o->woken && !o->stopping)
		pthread_cond_wait(&o->work, &o->lock);
	o->woken = false;
	go_on = !o->stopping;
	pthread_mutex_unlock(&o->lock);
	return go_on;
}

static bool
is_stopping(struct serve_opener *o)
{
	bool stopping;

	pthread_mutex_lock(&o->lock);
	stopping = o->stopping;
	pthread_mutex_unlock(&o->lock);
	return stopping;
}

static uint64_t
set_aside_count(struct peer *p)
{
	struct store_txn *txn;
	uint64_t n = 0;

	if (store_read_begin(p->store, &txn) == E_OK) {
		n = store_count(txn, STORE_QUARANTINE);
		store_read_end(txn);
	}
	return n;
}

static uint64_t
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* Some of what waits; how many were opened. */
static size_t
open_some(struct serve *s)
{
	struct peer *p = s->peer;
	uint64_t before = set_aside_count(p), after, begun;
	struct why why;
	size_t done;
	enum err e;

	pthread_mutex_lock(&p->acting);
	begun = now_us();
	e = opener_step(p, OPENER_TURN, &done, &why);
	pthread_mutex_unlock(&p->acting);
	if (e != E_OK) {
		meter_add(&s->meters, METER_OPENER_FAILED, 1);
		serve_log(s->log, LOG_OPENER, &(struct serve_log_about){.error = e});
		return 0;
	}
	meter_opening(&s->meters, done, now_us() - begun);
	meter_add(&s->meters, METER_OPENED, done);
	if (done > 0 && (after = set_aside_count(p)) > before)
		serve_log(s->log, LOG_SET_ASIDE, &(struct serve_log_about){.n = after - before});
	return done;
}

static bool
go_on(void *arg, uint64_t done, uint64_t total)
{
	(void)done, (void)total;
	return !is_stopping(arg);
}

/* A store of an earlier version has its records counted first; what arrives waits, and is held. */
static void
count_first(struct serve_opener *o)
{
	struct peer *p = o->serve->peer;
	struct why why;
	enum err e;

	pthread_mutex_lock(&p->acting);
	if ((e = opener_older(p, &why)) == E_OK)
		e = tally_ready(p, go_on, o, &why);
	pthread_mutex_unlock(&p->acting);
	if (e != E_OK)
		serve_log(o->serve->log, LOG_OPENER, &(struct serve_log_about){.error = e});
}

static void *
opener_main(void *arg)
{
	struct serve_opener *o = arg;
	struct peer *p = o->serve->peer;
	size_t done, opened;
	enum err e;

	(void)pthread_setname_np(pthread_self(), "opener");
	count_first(o);
	if (is_stopping(o))
		return NULL;
	while (wait_work(o))
		do {
			for (opened = 0; (done = open_some(o->serve)) > 0 && !is_stopping(o);)
				opened += done;
			pthread_mutex_lock(&p->acting);
			e = erasures_settle(p, NULL); /* what is not done stays due */
			pthread_mutex_unlock(&p->acting);
			if (e != E_OK)
				serve_log(o->serve->log, LOG_OPENER,
					  &(struct serve_log_about){.error = e});
		} while (opened > 0 && !is_stopping(o)); /* settling may have said something */
	return NULL;
}

/* Who opens has helpers while the daemon runs: its thread, and commands, which open too, under the
 * same lock. */
static void
crew_muster(struct peer *p)
{
	pthread_mutex_lock(&p->acting);
	(void)crew_open(&p->crew, crew_fitting()); /* without helpers it only takes longer */
	if (p->known == NULL)
		p->known = known_new();
	pthread_mutex_unlock(&p->acting);
}

static void
crew_dismiss(struct peer *p)
{
	pthread_mutex_lock(&p->acting);
	crew_close(p->crew);
	p->crew = NULL;
	pthread_mutex_unlock(&p->acting);
}

enum err
serve_opener_start(struct serve_opener **out, struct serve *s, struct why *why)
{
	struct serve_opener *o = calloc(1, sizeof(*o));

	*out = NULL;
	if (o == NULL)
		return why_set(why, E_NO_MEMORY, "the opener");
	o->serve = s;
	o->woken = true;
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->work, NULL);
	crew_muster(s->peer);
	if (pthread_create(&o->thread, NULL, opener_main, o) != 0) {
		crew_dismiss(s->peer);
		serve_opener_free(o);
		return why_set(why, E_NO_MEMORY, "the opener");
	}
	*out = o;
	return E_OK;
}

void
serve_opener_stop(struct serve_opener *o)
{
	if (o == NULL)
		return;
	pthread_mutex_lock(&o->lock);
	o->stopping = true;
	pthread_cond_signal(&o->work);
	pthread_mutex_unlock(&o->lock);
	pthread_join(o->thread, NULL);
	crew_dismiss(o->serve->peer);
}

void
serve_opener_free(struct serve_opener *o)
{
	if (o == NULL)
		return;
	pthread_cond_destroy(&o->work);
	pthread_mutex_destroy(&o->lock);
	free(o);
}
