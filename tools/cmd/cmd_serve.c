/* banyan serve: run the node. */
#include <stdio.h>
#include <stdlib.h>
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
	const char *text = call_option(c, "device-mib");
	char *end;
	uint64_t share;
	enum err e;

	if (text == NULL)
		return E_OK;
	share = strtoull(text, &end, 10);
	if (*end != '\0' || text[0] < '0' || text[0] > '9' || share == 0 ||
	    share > DEVICE_SHARE_BYTES_MAX >> 20)
		return why_set(call_why(c), E_USAGE,
			       "--device-mib is a number of MiB from 1 to %llu, not \"%s\"",
			       (unsigned long long)(DEVICE_SHARE_BYTES_MAX >> 20), text);
	share <<= 20;
	e = store_write(call_peer(c)->store, share_job, &share);
	return e == E_OK ? E_OK : why_set(call_why(c), e, "%s", call_peer(c)->path);
}

static enum err
above_every(struct call *c, uint64_t *out)
{
	const char *text = call_option(c, "above-every");
	char *end;

	*out = text == NULL ? SERVE_ABOVE_EVERY_MIN : strtoull(text, &end, 10);
	if (text != NULL &&
	    (*end != '\0' || text[0] < '0' || text[0] > '9' || *out > SERVE_ABOVE_EVERY_MIN_MAX))
		return why_set(call_why(c), E_USAGE,
			       "--above-every is a number of minutes from 0 to %u, not \"%s\"",
			       SERVE_ABOVE_EVERY_MIN_MAX, text);
	return E_OK;
}

static enum err
above_bytes(struct call *c, uint64_t *out)
{
	const char *text = call_option(c, "above-bytes-a-day");
	char *end;

	*out = text == NULL ? 0 : strtoull(text, &end, 10);
	if (text != NULL &&
	    (*end != '\0' || text[0] < '0' || text[0] > '9' || *out < SERVE_ABOVE_DAY_BYTES_MIN))
		return why_set(call_why(c), E_USAGE,
			       "--above-bytes-a-day is a number of bytes, at least %u, not \"%s\"",
			       SERVE_ABOVE_DAY_BYTES_MIN, text);
	return E_OK;
}

enum err
cmd_serve(struct call *c)
{
	struct serve_options options = {.listen = call_option(c, "listen"),
					.metrics = call_option(c, "metrics"),
					.ready = ready};
	const char *log = call_option(c, "log");
	enum err e;

	if (log != NULL && strcmp(log, "plain") != 0 && strcmp(log, "json") != 0)
		return why_set(call_why(c), E_USAGE, "--log is plain or json, not %s", log);
	options.log_json = log != NULL && strcmp(log, "json") == 0;
	if (!peer_is_node(call_peer(c)))
		return why_set(call_why(c), E_NOT_HERE, "serve");
	if ((e = above_every(c, &options.above_every_min)) != E_OK ||
	    (e = above_bytes(c, &options.above_bytes_a_day)) != E_OK || (e = set_share(c)) != E_OK)
		return e;
	/* after a restore: devices hear it all again, in this life's log */
	if ((e = down_republish(call_peer(c), call_why(c))) != E_OK)
		return e;
	e = serve_run(call_peer(c), &options, call_why(c));
	notify("STOPPING=1");
	return e;
}
