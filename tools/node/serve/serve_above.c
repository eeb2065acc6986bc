/* A node that serves keeps itself in step with the node above it. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/node/attached/attached.h"
#include "tools/node/link/link.h"
#include "tools/node/serve/serve_inside.h"

#define FIRST_MIN 1u  /* minutes after it began */

struct above_work {
	struct serve *serve;
	struct why why;
	enum err e;
};

static void
run(void *arg)
{
	struct above_work *w = arg;
	struct link_result result;

	if ((w->e = link_sync(w->serve->peer, 0, &result, &w->why)) == E_OK && !result.upper)
		w->e = attached_twin_exchange(w->serve->peer, &w->why);
}

static void
done(void *arg)
{
	struct above_work *w = arg;
	struct serve *s = w->serve;
	char sentence[600];

	s->above_busy = false;
	if (w->e != E_OK && w->e != s->above_said) /* once, not every ten minutes of a broken line */
		fprintf(stderr, "banyan serve: the node above: %s\n", why_sentence(&w->why, sentence, sizeof(sentence)));
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
	struct above_work *w;

	s->minutes++;
	if (!s->peer->above.known || s->above_busy || !serve_above_due(s->minutes, s->above_every_min))
		return;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return;
	w->serve = s;
	s->above_busy = true;
	if (!s->host->aside(s, run, done, w)) {
		s->above_busy = false;
		free(w);
	}
}
