#include "tools/node/opener/crew.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct crew {
	pthread_mutex_t lock;
	pthread_cond_t begin, end;
	pthread_t threads[CREW_MAX];
	unsigned thread_count;
	/* the pile */
	crew_work_fn *work;
	void *arg;
	size_t next, count, busy; /* busy: threads at a piece of it */
	bool closing;
};

/* With the lock held: pieces, until none is left. */
static void
take_some(struct crew *c)
{
	while (c->next < c->count) {
		size_t i = c->next++;

		c->busy++;
		pthread_mutex_unlock(&c->lock);
		c->work(c->arg, i);
		pthread_mutex_lock(&c->lock);
		c->busy--;
	}
}

static void *
crew_main(void *arg)
{
	struct crew *c = arg;

	(void)pthread_setname_np(pthread_self(), "crew");
	pthread_mutex_lock(&c->lock);
	while (!c->closing) {
		take_some(c);
		if (c->busy == 0)
			pthread_cond_signal(&c->end);
		if (!c->closing)
			pthread_cond_wait(&c->begin, &c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

unsigned
crew_fitting(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n <= 1 ? 0 : n - 1 > (long)CREW_MAX ? CREW_MAX : (unsigned)(n - 1);
}

enum err
crew_open(struct crew **out, unsigned threads)
{
	struct crew *c;

	*out = NULL;
	if (threads == 0)
		return E_OK;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return E_NO_MEMORY;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->begin, NULL);
	pthread_cond_init(&c->end, NULL);
	for (; c->thread_count < threads && c->thread_count < CREW_MAX; c->thread_count++)
		if (pthread_create(&c->threads[c->thread_count], NULL, crew_main, c) != 0) {
			crew_close(c);
			return E_NO_MEMORY;
		}
	*out = c;
	return E_OK;
}

void
crew_each(struct crew *c, size_t count, crew_work_fn *work, void *arg)
{
	size_t i;

	if (c == NULL || count < 2) {
		for (i = 0; i < count; i++)
			work(arg, i);
		return;
	}
	pthread_mutex_lock(&c->lock);
	c->work = work;
	c->arg = arg;
	c->next = 0;
	c->count = count;
	pthread_cond_broadcast(&c->begin);
	take_some(c);
	while (c->busy > 0)
		pthread_cond_wait(&c->end, &c->lock);
	c->count = c->next = 0;
	pthread_mutex_unlock(&c->lock);
}

void
crew_close(struct crew *c)
{
	unsigned i;

	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	pthread_cond_broadcast(&c->begin);
	pthread_mutex_unlock(&c->lock);
	for (i = 0; i < c->thread_count; i++)
		pthread_join(c->threads[i], NULL);
	pthread_cond_destroy(&c->end);
	pthread_cond_destroy(&c->begin);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
