/* banyan agent: keep a device in step, unattended. */
#include <stdio.h>

#include "tools/commands.h"
#include "tools/node/agent/agent.h"
#include "tools/notify.h"

#define NEWS_DAYS 7u
#define NEWS_DAYS_MAX 366u

static void
ready(void *ctx)
{
	(void)ctx;
	/* Said at once: whoever started it waits for this line. */
	(void)printf("the agent runs\n");
	(void)fflush(stdout);
	notify("READY=1");
}

static void
told(void *ctx, const struct link_result *r, const struct why *why)
{
	char sentence[600];

	(void)ctx;
	if (why->e != E_OK)
		(void)fprintf(stderr, "banyan agent: %s\n",
			      why_sentence(why, sentence, sizeof(sentence)));
	else
		(void)printf("synced: %llu waiting; %llu bytes out, %llu in\n",
			     (unsigned long long)r->records_waiting,
			     (unsigned long long)r->counts.bytes_out,
			     (unsigned long long)r->counts.bytes_in);
	(void)fflush(stdout);
}

enum err
cmd_agent(struct call *c)
{
	struct agent_options options = {.via = call_option(c, "via"), .ready = ready, .told = told};
	uint64_t days = NEWS_DAYS;
	enum err e;

	if (peer_is_node(call_peer(c)))
		return why_set(call_why(c), E_NOT_HERE, "agent");
	if (call_is_asked(c))
		return why_set(call_why(c), E_STORE_BUSY, "%s", call_peer(c)->path);
	if ((e = call_number(c, "bytes-a-day", "bytes", DUTY_DAY_BYTES_MIN, 1ull << 40,
			     &options.duty.bytes_a_day)) != E_OK ||
	    (e = call_number(c, "wakes-a-day", NULL, 1, 86400, &options.duty.wakes_a_day)) !=
		E_OK ||
	    (e = call_number(c, "news-days", NULL, 0, NEWS_DAYS_MAX, &days)) != E_OK)
		return e;
	options.duty.news_s = days * DUTY_DAY_S;
	e = agent_run(call_peer(c), &options, call_why(c));
	notify("STOPPING=1");
	return e;
}
