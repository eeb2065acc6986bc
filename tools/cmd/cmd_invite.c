/* banyan invite: a one-time invitation. */
#include <stdlib.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/enrol/enrol.h"
#include "tools/qr.h"

#define DAYS_DEFAULT 14u
#define DAYS_MAX 365u

static enum err
days_of(struct call *c, uint32_t *out)
{
	const char *text = call_option(c, "days");
	char *end;
	unsigned long n;

	*out = DAYS_DEFAULT;
	if (text == NULL)
		return E_OK;
	n = strtoul(text, &end, 10);
	if (*end != '\0' || n < 1 || n > DAYS_MAX)
		return why_set(call_why(c), E_USAGE, "--days is a number from 1 to %u, not \"%s\"", DAYS_MAX, text);
	*out = (uint32_t)n;
	return E_OK;
}

static void
show_code(struct call *c, const char *text)
{
	struct writer w;

	writer_heap_init(&w, 256u << 10);
	if (qr_write(&w, text) == E_OK)
		call_out_bytes(c, writer_view(&w));
	writer_free(&w);
}

enum err
cmd_invite(struct call *c)
{
	struct invitation v = {.area = call_option(c, "area"), .name = call_option(c, "name"),
	                       .address = call_option(c, "address")};
	struct identity *actor = acting_identity(c);
	struct writer line;
	enum err e;

	if (!peer_is_node(call_peer(c)))
		return why_set(call_why(c), E_NOT_HERE, "invite");
	if (!role_parse(call_option(c, "role"), &v.role) || v.role == ROLE_ROOT)
		return why_set(call_why(c), E_USAGE, "--role is member, officer, researcher or node, not \"%s\"",
		               call_option(c, "role"));
	if ((e = days_of(c, &v.days)) != E_OK)
		return e;
	writer_heap_init(&line, 4096);
	if ((e = enrol_invite(call_peer(c), actor, &v, &line, call_why(c))) == E_OK) {
		call_out(c, "%s\n", writer_cstr(&line));
		if (call_is_terminal(c))
			show_code(c, writer_cstr(&line));
	}
	writer_free(&line);
	return e;
}
