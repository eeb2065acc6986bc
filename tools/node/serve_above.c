/* A node that serves keeps itself in step with the node above it. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/node/attached.h"
#include "tools/node/link.h"
#include "tools/node/serve_inside.h"

#define FIRST_MIN 1u  /* minutes after it began */
#define EVERY_MIN 10u /* an office has a line; whoever pays by the byte serves below, and syncs when it is told to */

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

void
serve_above_minute(struct serve *s)
{
	struct above_work *w;

	s->minutes++;
	if (!s->peer->above.known || s->above_busy || s->minutes % EVERY_MIN != FIRST_MIN)
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
