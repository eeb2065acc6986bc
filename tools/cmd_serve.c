/* banyan serve: run the node. */
#include <stdio.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/node/down.h"
#include "tools/node/serve.h"
#include "tools/notify.h"

static void
ready(void *ctx, const char *address, const char *metrics)
{
	(void)ctx;
	if (*metrics != '\0')
		(void)printf("metrics on http://%s/metrics\n", metrics);
	/* Said at once: whoever started the node waits for this line. */
	(void)printf("listening on %s\n", address);
	(void)fflush(stdout);
	notify("READY=1");
}

enum err
cmd_serve(struct call *c)
{
	struct serve_options options = {.listen = call_option(c, "listen"), .metrics = call_option(c, "metrics"),
	                                .ready = ready};
	const char *log = call_option(c, "log");
	enum err e;

	if (log != NULL && strcmp(log, "plain") != 0 && strcmp(log, "json") != 0)
		return why_set(call_why(c), E_USAGE, "--log is plain or json, not %s", log);
	options.log_json = log != NULL && strcmp(log, "json") == 0;
	if (!peer_is_node(call_peer(c)))
		return why_set(call_why(c), E_NOT_HERE, "serve");
	/* after a restore: devices hear it all again, in this life's log */
	if ((e = down_republish(call_peer(c), call_why(c))) != E_OK)
		return e;
	e = serve_run(call_peer(c), &options, call_why(c));
	notify("STOPPING=1");
	return e;
}
