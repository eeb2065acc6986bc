/* banyan devices: who is enrolled; approve a newcomer. */
#include "core/crypto/crypto.h"
#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/enrol/enrol.h"
#include "tools/node/records/view.h"
#include "tools/people.h"

static enum err
approve(struct call *c, const char *name, const char *address)
{
	struct identity who;
	enum err e;

	if ((e = acting_as(c, &who)) == E_OK)
		e = enrol_approve_at(call_peer(c), &who, name, address, call_why(c));
	crypto_wipe(&who, sizeof(who));
	if (e == E_OK)
		call_kept(c, "\"%s\" is let in", name);
	if (e == E_OK && call_json(c))
		call_out(c, "{\"approved\":true}\n");
	else if (e == E_OK)
		call_out(c, "\"%s\" is let in; its store learns it when it syncs next.\n", name);
	return e;
}

static void
tell(struct call *c, const struct person *people, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct person *x = &people[i];
		char seen[32];

		view_time(seen, x->last_seen_s);
		call_out(c, "%s: %s for %s, ", x->name, role_name(x->role), x->area);
		if (x->state == MEMBER_PENDING)
			call_out(c, "waits to be let in: banyan devices STORE --approve \"%s\"\n",
				 x->name);
		else if (x->state == MEMBER_REVOKED)
			call_out(c, "shut out: %s\n", x->reason);
		else if (x->here)
			call_out(c, "works at this store\n");
		else
			call_out(c, "last seen %.10s%s, %llu record%s\n",
				 x->last_seen_s == 0 ? "never" : seen,
				 x->overdue ? " (OVERDUE)" : "", (unsigned long long)x->records,
				 x->records == 1 ? "" : "s");
	}
}

enum err
cmd_devices(struct call *c)
{
	struct peer *p = call_peer(c);
	struct person *people;
	struct enrolment who;
	struct store_txn *txn;
	struct arena arena;
	struct writer w;
	size_t count = 0, i;
	enum err e;

	if (!peer_is_node(p))
		return why_set(call_why(c), E_NODE_ONLY, "devices");
	if ((e = acting_may(c, ACT_DEVICES, NULL, false)) != E_OK)
		return e;
	if (call_option(c, "approve") != NULL)
		return approve(c, call_option(c, "approve"), call_option(c, "address"));
	if ((e = acting_enrolment(c, &who)) != E_OK ||
	    (e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	arena_init(&arena, 256u << 20);
	e = people_list(p, txn, &who, true, &arena, &people, &count);
	store_read_end(txn);
	if (e == E_OK && call_json(c)) {
		writer_heap_init(&w, 64u << 20);
		for (i = 0; i < count; i++) {
			people_json(&people[i], true, &w);
			writer_str(&w, "\n");
		}
		if ((e = writer_end(&w)) == E_OK)
			call_out_bytes(c, writer_view(&w));
		writer_free(&w);
	} else if (e == E_OK) {
		tell(c, people, count);
	}
	arena_free(&arena);
	return e;
}
