/* banyan serve: run the node. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/commands.h"
#include "tools/node/down.h"
#include "tools/node/serve.h"

/* systemd's notify protocol: a datagram to the socket that NOTIFY_SOCKET names. */
static void
notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = path == NULL ? 0 : strlen(path);
	int fd;

	if (n < 2 || n >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
	             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	(void)close(fd);
}

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
