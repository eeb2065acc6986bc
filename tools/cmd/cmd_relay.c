/* banyan relay: carry for others. */
#include <stdio.h>

#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/roads/relay.h"

static void
ready(void *ctx, const char *address)
{
	(void)ctx;
	/* Said at once: whoever started it waits for this line. */
	(void)printf("listening on %s\n", address);
	(void)fflush(stdout);
}

static void
told(void *ctx, uint64_t brought, const struct why *why)
{
	char sentence[400];

	(void)ctx;
	if (why->e != E_OK)
		(void)fprintf(stderr, "banyan relay: %s\n",
			      why_sentence(why, sentence, sizeof(sentence)));
	else if (brought > 0)
		(void)printf("%llu envelope%s brought to the office\n", (unsigned long long)brought,
			     brought == 1 ? "" : "s");
	(void)fflush(stdout);
}

enum err
cmd_relay(struct call *c)
{
	struct relay_options options = {.listen = call_option(c, "listen"),
					.discover = call_option(c, "discover"),
					.limits = SATCHEL_LIMITS_DEFAULT};
	uint64_t mib = SATCHEL_BYTES_MAX >> 20, days = SATCHEL_DAYS_MAX, every = 900;
	enum err e;

	if (peer_is_node(call_peer(c)))
		return why_set(call_why(c), E_NOT_HERE, "relay");
	if (call_is_asked(c)) /* the agent owns the store */
		return why_set(call_why(c), E_STORE_BUSY, "%s", call_peer(c)->path);
	if ((e = acting_may(c, ACT_RELAY, NULL, false)) != E_OK ||
	    (e = call_number(c, "space", "MiB", 1, 4096, &mib)) != E_OK ||
	    (e = call_number(c, "days", NULL, 1, 366, &days)) != E_OK ||
	    (e = call_number(c, "every", "seconds", 0, 86400, &every)) != E_OK)
		return e;
	options.limits = (struct satchel_limits){mib << 20, (uint32_t)days};
	options.every_s = (uint32_t)every;
	return relay_run(call_peer(c), &options, ready, told, NULL, call_why(c));
}
