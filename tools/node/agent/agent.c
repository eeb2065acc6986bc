#include "tools/node/agent/agent.h"

#include <stdlib.h>
#include <unistd.h>

#include "tools/node/agent/agent_inside.h"

static struct agent *
agent_of(struct serve_loop *l)
{
	return (struct agent *)l;
}

/* A command is done: there may be something to send. */
static void
arrived(struct serve_loop *l)
{
	atomic_store(&agent_of(l)->changed, true);
	serve_loop_wake(l);
}

static void
woken(struct serve_loop *l)
{
	if (atomic_exchange(&agent_of(l)->changed, false))
		agent_look(agent_of(l));
}

static void
on_netlink(uv_poll_t *poll, int status, int events)
{
	struct agent *a = poll->data;

	(void)status;
	(void)events;
	uplink_drain(a->netlink);
	agent_look(a);
}

/* A sync on a slow link may last: the store loses nothing if it is left where it is. */
static void
on_grace(uv_timer_t *timer)
{
	(void)timer;
	_exit(0);
}

static void
stop(struct serve_loop *l)
{
	struct agent *a = agent_of(l);

	if (a->netlink >= 0)
		uv_close((uv_handle_t *)&a->poll, NULL);
	(void)uv_timer_start(&a->timer, on_grace, SERVE_GRACE_MS, 0);
	uv_unref((uv_handle_t *)&a->timer);
}

static const struct serve_loop_hooks hooks = {.woken = woken, .arrived = arrived, .stop = stop};

static enum err
open_all(struct agent *a, struct why *why)
{
	enum err e;

	if ((e = serve_loop_open(&a->l, why)) != E_OK)
		return e;
	if (uv_timer_init(&a->l.loop, &a->timer) != 0)
		return why_set(why, E_NO_MEMORY, "the event loop");
	a->timer.data = a->work.data = a->poll.data = a;
	a->netlink = uplink_watch();
	if (a->netlink >= 0 && (uv_poll_init(&a->l.loop, &a->poll, a->netlink) != 0 ||
				uv_poll_start(&a->poll, UV_READABLE, on_netlink) != 0))
		return why_set(why, E_NO_MEMORY, "the event loop");
	return serve_loop_local(&a->l, why);
}

enum err
agent_run(struct peer *p, const struct agent_options *options, struct why *why)
{
	struct agent *a = calloc(1, sizeof(*a));
	enum err e;

	if (a == NULL)
		return E_NO_MEMORY;
	a->options = options;
	a->netlink = -1;
	a->said = DUTY_WHY_COUNT;
	serve_loop_init(&a->l, p, &hooks);
	agent_resume(a);
	if ((e = open_all(a, why)) == E_OK) {
		if (options->ready != NULL)
			options->ready(options->ctx);
		agent_look(a);
		uv_run(&a->l.loop, UV_RUN_DEFAULT);
	}
	serve_ask_stop(&a->l.serve);
	serve_loop_close(&a->l);
	if (a->netlink >= 0)
		(void)close(a->netlink);
	serve_loop_fini(&a->l);
	crypto_wipe(a, sizeof(*a));
	free(a);
	return e;
}
