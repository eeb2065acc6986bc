/*
 * road_world: an office, and a relay or the office's node that runs on a thread until SIGTERM: what
 * test_hostile_visits.c and test_hostile_roads.c share.
 */
#ifndef BANYAN_TESTS_ROAD_WORLD_H
#define BANYAN_TESTS_ROAD_WORLD_H

#include <pthread.h>
#include <signal.h>

#include "core/crypto/cert.h"
#include "core/letters/meeting.h"
#include "tests/office.h"
#include "tools/node/roads/relay.h"
#include "tools/node/roads/via.h"
#include "tools/node/serve/serve.h"

static struct office_world w;
static struct why why;

static struct {
	struct peer *peer;
	struct satchel_limits limits;
	char address[80];
	bool node; /* it serves, else it is a relay */
	pthread_mutex_t lock;
	pthread_cond_t moved;
} at = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static inline void
ready(void *ctx, const char *address)
{
	(void)ctx;
	pthread_mutex_lock(&at.lock);
	snprintf(at.address, sizeof(at.address), "%s", address);
	pthread_cond_signal(&at.moved);
	pthread_mutex_unlock(&at.lock);
}

static inline void
node_ready(void *ctx, const char *address, const char *metrics)
{
	(void)metrics;
	ready(ctx, address);
}

static inline void *
running(void *arg)
{
	struct relay_options relay = {.listen = "127.0.0.1:0", .limits = at.limits};
	struct serve_options node = {.listen = "127.0.0.1:0", .ready = node_ready};
	struct why ends = {.e = E_OK};

	(void)arg;
	if ((at.node ? serve_run(at.peer, &node, &ends)
		     : relay_run(at.peer, &relay, ready, NULL, NULL, &ends)) != E_OK)
		abort();
	return NULL;
}

static inline pthread_t
start(void *(*run)(void *))
{
	pthread_t t;

	at.address[0] = '\0';
	if (pthread_create(&t, NULL, run, NULL) != 0)
		abort();
	pthread_mutex_lock(&at.lock);
	while (at.address[0] == '\0')
		pthread_cond_wait(&at.moved, &at.lock);
	pthread_mutex_unlock(&at.lock);
	return t;
}

static inline pthread_t
begin(struct peer *p, bool node, uint64_t bytes_max)
{
	at.peer = p;
	at.node = node;
	at.limits = (struct satchel_limits){bytes_max, SATCHEL_DAYS_MAX};
	return start(running);
}

static inline void
end(pthread_t t)
{
	kill(getpid(), SIGTERM);
	pthread_join(t, NULL);
}

static inline enum err
count_envelope(void *arg, struct bytes envelope)
{
	(void)envelope;
	++*(uint64_t *)arg;
	return E_OK;
}

/* Envelopes on their way to the office. */
static inline uint64_t
carries(struct peer *p)
{
	struct store_txn *txn;
	uint64_t n = 0;

	if (store_read_begin(p->store, &txn) != E_OK)
		return UINT64_MAX;
	CHECK(satchel_walk(txn, SATCHEL_UP, count_envelope, &n) == E_OK);
	store_read_end(txn);
	return n;
}

#endif
