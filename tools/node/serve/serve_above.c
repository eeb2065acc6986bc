/* A node that serves keeps itself in step with the node above it, within what a day may cost. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tools/node/agent/agent.h"
#include "tools/node/attached/attached.h"
#include "tools/node/link/link.h"
#include "tools/node/serve/serve_inside.h"

#define FIRST_MIN 1u       /* minutes after it began */
#define AROUND_BYTES 1024u /* counted before a try, in case it is never told how many it were */

struct above_work {
	struct serve *serve;
	uint64_t budget, bytes; /* budget 0: none */
	struct agent_row row;   /* with a budget: kept before it begins */
	struct why why;
	enum err e;
};

/* ---- a day's bytes ---- */

/* It goes on while the machine sleeps, and only forward. */
static uint64_t
forward_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec;
}

static struct agent_row
row_of(struct serve *s, const struct duty_next *next, const char *failed)
{
	uint64_t now = peer_now_s(s->peer);
	struct agent_row row = {.kept = duty_keep(&s->above_duty, now),
				.options = s->above_duty.options,
				.why = next->why,
				.next_s = next->in_s == DUTY_FOREVER ? 0 : now + next->in_s};

	(void)snprintf(row.failed, sizeof(row.failed), "%.200s", failed);
	return row;
}

static enum err
row_job(struct store_txn *txn, void *arg)
{
	return agent_row_put(txn, arg);
}

void
serve_above_begin(struct serve *s, uint64_t bytes_a_day)
{
	struct duty_options options = {.bytes_a_day = bytes_a_day,
				       .news_s = s->above_every_min * 60};
	struct agent_row row;
	struct store_txn *txn;
	enum err e;

	duty_init(&s->above_duty, &options, forward_s());
	if (store_read_begin(s->peer->store, &txn) != E_OK)
		return;
	e = agent_row_get(txn, &row);
	store_read_end(txn);
	if (e != E_OK)
		return;
	duty_resume(&s->above_duty, &row.kept, peer_now_s(s->peer));
	row.options = options; /* what `status` says of it */
	(void)store_write(s->peer->store, row_job, &row);
}

/* May it go now? *budget: with how many bytes. What keeps it is told to `status` by the row of the
 * last try. */
static bool
may_go(struct serve *s, uint64_t *budget, struct agent_row *row)
{
	struct duty_next next;

	duty_time(&s->above_duty, forward_s());
	duty_link(&s->above_duty, true, false);
	next = duty_next(&s->above_duty);
	if (!next.now)
		return false;
	*budget = next.bytes_max;
	duty_began(&s->above_duty);
	next = duty_next(&s->above_duty);
	*row = row_of(s, &next, "");
	row->kept.bytes += AROUND_BYTES;
	return true;
}

static void
went(struct serve *s, const struct above_work *w)
{
	char sentence[600];
	struct agent_row row;
	struct duty_next next;
	uint32_t chance;

	crypto_random(&chance, sizeof(chance));
	duty_time(&s->above_duty, forward_s());
	duty_ended(&s->above_duty, w->e, 0, w->bytes, chance);
	next = duty_next(&s->above_duty);
	(void)why_sentence(&w->why, sentence, sizeof(sentence));
	row = row_of(s, &next, w->e == E_OK || w->e == E_BUDGET ? "" : sentence);
	(void)store_write(s->peer->store, row_job, &row);
}

/* ---- a sync, aside ---- */

static void
run(void *arg)
{
	struct above_work *w = arg;
	struct link_result result = {0};

	/* counted before it happens: who kills the program does not get a try for nothing */
	if (w->budget != 0 && (w->e = store_write(w->serve->peer->store, row_job, &w->row)) != E_OK)
		return;
	w->e = link_sync(w->serve->peer, w->budget, &result, &w->why);
	if (w->e == E_OK && !result.upper && w->budget == 0)
		w->e = attached_twin_exchange(w->serve->peer, &w->why);
	w->bytes = duty_cost(result.counts.bytes_in + result.counts.bytes_out,
			     result.counts.lookups, result.counts.vain);
}

static void
done(void *arg)
{
	struct above_work *w = arg;
	struct serve *s = w->serve;
	char sentence[600];

	s->above_busy = false;
	if (w->e != E_OK && w->why.e != w->e)
		why_set(&w->why, w->e, "%s", s->peer->path);
	if (w->budget != 0)
		went(s, w);
	/* once, not every ten minutes of a broken line */
	if (w->e != E_OK && w->e != E_BUDGET && w->e != s->above_said)
		fprintf(stderr, "banyan serve: the node above: %s\n",
			why_sentence(&w->why, sentence, sizeof(sentence)));
	s->above_said = w->e;
	s->host->arrived(s);
	free(w);
}

bool
serve_above_due(uint64_t minutes, uint64_t every_min)
{
	return every_min != 0 && minutes >= FIRST_MIN && (minutes - FIRST_MIN) % every_min == 0;
}

void
serve_above_minute(struct serve *s)
{
	bool bounded = s->above_duty.options.bytes_a_day != 0;
	struct above_work *w;

	s->minutes++;
	if (!s->peer->above.known || s->above_busy || s->above_every_min == 0 ||
	    (!bounded && !serve_above_due(s->minutes, s->above_every_min)))
		return;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return;
	w->serve = s;
	if (bounded && !may_go(s, &w->budget, &w->row)) {
		free(w);
		return;
	}
	s->above_busy = true;
	if (!s->host->aside(s, run, done, w)) {
		s->above_busy = false;
		free(w);
	}
}
