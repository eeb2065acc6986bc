/* banyan invite: a one-time invitation. */
#include <stdlib.h>
#include <string.h>

#include "sync/net/address.h"
#include "tools/commands.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/enrol/enrol.h"
#include "tools/qr.h"

#define DAYS_DEFAULT 14u
#define DAYS_MAX 365u

/* What can be seen here to be wrong: the newcomer would find out far away. */
static enum err
check(struct call *c, const struct invitation *v)
{
	char host[ADDRESS_HOST_BYTES], port[8];
	size_t n = strlen(v->name);
	enum err e;

	if (n == 0 || n > NAME_BYTES_MAX || !bytes_is_text(bytes_of_str(v->name)))
		return why_set(call_why(c), E_USAGE, "--name is a few words, at most %u bytes",
			       NAME_BYTES_MAX);
	if ((e = address_split(v->address, host, port, call_why(c))) != E_OK)
		return why_set(
		    call_why(c), e,
		    "--address \"%s\" is not HOST:PORT, as the newcomer finds the node: 192.168.1.10:7447",
		    v->address);
	if (atoi(port) == 0)
		return why_set(
		    call_why(c), E_USAGE,
		    "--address \"%s\": nobody is found at port 0; serve says which one it took",
		    v->address);
	return E_OK;
}

static void
tell(struct call *c, const struct invitation *v, const char *line)
{
	struct writer w;

	if (!call_json(c)) {
		call_out(c, "%s\n", line);
		return;
	}
	writer_heap_init(&w, 4096);
	writer_str(&w, "{");
	json_key_str(&w, "invitation", line);
	json_key_str(&w, "role", role_name(v->role));
	json_key_str(&w, "area", v->area);
	json_key_str(&w, "name", v->name);
	json_key_str(&w, "address", v->address);
	json_key_u64(&w, "days", v->days);
	writer_str(&w, "}\n");
	call_out_bytes(c, writer_view(&w));
	writer_free(&w);
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
	struct invitation v = {.area = call_option(c, "area"),
			       .name = call_option(c, "name"),
			       .address = call_option(c, "address")};
	struct identity *actor = acting_identity(c);
	struct writer line;
	uint64_t days = DAYS_DEFAULT;
	enum err e;

	if (!peer_is_node(call_peer(c)))
		return why_set(call_why(c), E_NOT_HERE, "invite");
	if (!role_parse(call_option(c, "role"), &v.role) || v.role == ROLE_ROOT)
		return why_set(call_why(c), E_USAGE,
			       "--role is member, officer, researcher or node, not \"%s\"",
			       call_option(c, "role"));
	if ((e = call_number(c, "days", NULL, 1, DAYS_MAX, &days)) != E_OK ||
	    (e = check(c, &v)) != E_OK)
		return e;
	v.days = (uint32_t)days;
	writer_heap_init(&line, 4096);
	if ((e = enrol_invite(call_peer(c), actor, &v, &line, call_why(c))) == E_OK) {
		tell(c, &v, writer_cstr(&line));
		if (call_is_terminal(c) && !call_json(c))
			show_code(c, writer_cstr(&line));
	}
	writer_free(&line);
	return e;
}
