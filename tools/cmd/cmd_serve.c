/* banyan serve: run the node. */
#include <stdio.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/node/down/down.h"
#include "tools/node/serve/quota.h"
#include "tools/node/serve/serve.h"
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

static enum err
share_job(struct store_txn *txn, void *arg)
{
	return quota_set(txn, *(const uint64_t *)arg);
}

/* --device-mib: from now on, for every device. */
static enum err
set_share(struct call *c)
{
	uint64_t share = 0;
	enum err e;

	if ((e = call_number(c, "device-mib", "MiB", 1, DEVICE_SHARE_BYTES_MAX >> 20, &share)) !=
		E_OK ||
	    share == 0)
		return e;
	share <<= 20;
	e = store_write(call_peer(c)->store, share_job, &share);
	return e == E_OK ? E_OK : why_set(call_why(c), e, "%s", call_peer(c)->path);
}

enum err
cmd_serve(struct call *c)
{
	struct serve_options options = {.listen = call_option(c, "listen"),
					.metrics = call_option(c, "metrics"),
					.above_every_min = SERVE_ABOVE_EVERY_MIN,
					.ready = ready};
	const char *log = call_option(c, "log");
	enum err e;

	if (log != NULL && strcmp(log, "plain") != 0 && strcmp(log, "json") != 0)
		return why_set(call_why(c), E_USAGE, "--log is plain or json, not %s", log);
	options.log_json = log != NULL && strcmp(log, "json") == 0;
	if (!peer_is_node(call_peer(c)))
		return why_set(call_why(c), E_NOT_HERE, "serve");
	if ((e = call_number(c, "above-every", "minutes", 0, SERVE_ABOVE_EVERY_MIN_MAX,
			     &options.above_every_min)) != E_OK ||
	    (e = call_number(c, "above-bytes-a-day", "bytes", SERVE_ABOVE_DAY_BYTES_MIN, UINT64_MAX,
			     &options.above_bytes_a_day)) != E_OK ||
	    (e = set_share(c)) != E_OK)
		return e;
	/* after a restore: devices hear it all again, in this life's log */
	if ((e = down_republish(call_peer(c), call_why(c))) != E_OK)
		return e;
	e = serve_run(call_peer(c), &options, call_why(c));
	notify("STOPPING=1");
	return e;
}
