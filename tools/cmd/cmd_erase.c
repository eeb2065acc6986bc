/* banyan erase: one record's content is dropped here, and wherever else a copy is. */
#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/erase/erase.h"
#include "tools/node/outbox/revise.h"

enum err
cmd_erase(struct call *c)
{
	struct peer *p = call_peer(c);
	struct erase_order what = {
	    .parts = ERASURE_ALL, .actor = call_actor(c), .reason = call_option(c, "reason")};
	struct subject *s;
	struct arena arena;
	size_t neighbours;
	enum err e;

	if (!peer_is_node(p))
		return why_set(call_why(c), E_NODE_ONLY, "erase");
	if (what.reason[0] == '\0' || strlen(what.reason) > REASON_BYTES_MAX ||
	    !bytes_is_text(bytes_of_str(what.reason)))
		return why_set(call_why(c), E_USAGE, "--reason needs a few words on one line");
	arena_init(&arena, 128u << 20);
	if ((s = arena_alloc(&arena, sizeof(*s))) == NULL)
		e = E_NO_MEMORY;
	else if ((e = subject_find(c, call_arg(c, 0), ACT_ERASE, &arena, s)) == E_OK) {
		what.record = s->id;
		pthread_mutex_lock(&p->acting);
		if ((e = erase_record(p, &what, &neighbours, call_why(c))) == E_OK) {
			call_kept(c, "the order to erase record %s is given", s->hex);
			call_after(c, erase_finish(p, call_why(c)));
		}
		pthread_mutex_unlock(&p->acting);
	}
	if (e == E_OK && call_json(c))
		call_out(c, "{\"record\":\"%s\",\"state\":\"erased\",\"neighbours\":%llu}\n",
			 s->hex, (unsigned long long)neighbours);
	else if (e == E_OK)
		call_out(
		    c,
		    "Record %s is erased here. Devices and other offices follow when they sync.\n"
		    "Backups from before hold it: the order is kept in %s.orders beside the store, for restore.\n",
		    s->hex, p->path);
	arena_free(&arena);
	return e;
}
