#include "tools/status_agent.h"

#include "tools/json.h"
#include "tools/node/agent/agent.h"
#include "tools/node/records/view.h"

static bool
row_get(struct call *c, struct agent_row *row)
{
	struct store_txn *txn;
	bool found;

	if (store_read_begin(call_peer(c)->store, &txn) != E_OK)
		return false;
	found = agent_row_get(txn, row) == E_OK;
	store_read_end(txn);
	return found && (!peer_is_node(call_peer(c)) || row->options.bytes_a_day != 0);
}

static void
used(struct writer *w, const char *what, uint64_t n, uint64_t most)
{
	writer_printf(w, "%llu %s", (unsigned long long)n, what);
	if (most != 0)
		writer_printf(w, " of %llu", (unsigned long long)most);
}

void
status_agent_text(struct call *c, struct writer *w)
{
	bool node = peer_is_node(call_peer(c));
	struct agent_row row;
	char when[32];

	if (!row_get(c, &row) || (node && !call_is_asked(c)))
		return;
	if (!call_is_asked(c)) { /* who owns the store now is this command */
		writer_str(w, "The agent does not run: banyan agent STORE\n");
		return;
	}
	writer_printf(w, "%s: %s", node ? "The node above" : "The agent runs",
		      duty_sentence(row.why));
	if (row.next_s != 0) {
		view_time(when, row.next_s);
		writer_printf(w, "; next try %s", when);
	}
	writer_str(w, ".\n");
	if (row.failed[0] != '\0')
		writer_printf(w, "Its last try: %s.\n", row.failed);
	writer_str(w, "Of this day it used ");
	used(w, row.kept.wakes == 1 ? "try" : "tries", row.kept.wakes, row.options.wakes_a_day);
	writer_str(w, " and ");
	used(w, "bytes", row.kept.bytes, row.options.bytes_a_day);
	writer_str(w, ".\n");
}

static void
bound(struct writer *w, const char *name, uint64_t n)
{
	json_key(w, name);
	if (n == 0)
		writer_str(w, "null");
	else
		writer_printf(w, "%llu", (unsigned long long)n);
}

void
status_agent_json(struct call *c, struct writer *w)
{
	struct agent_row row;
	char when[32];

	if (peer_is_node(call_peer(c)) && !row_get(c, &row))
		return;
	json_key(w, "agent");
	if (!row_get(c, &row)) {
		writer_str(w, "null");
		return;
	}
	view_time(when, row.next_s);
	writer_str(w, "{");
	json_key_bool(w, "running", call_is_asked(c));
	json_key_str(w, "why", duty_name(row.why));
	json_key_str(w, "reason", duty_sentence(row.why));
	json_key_str(w, "next_try", row.next_s == 0 ? NULL : when);
	json_key_u64(w, "tries_today", row.kept.wakes);
	bound(w, "tries_a_day", row.options.wakes_a_day);
	json_key_u64(w, "bytes_today", row.kept.bytes);
	bound(w, "bytes_a_day", row.options.bytes_a_day);
	json_key_str(w, "last_failure", row.failed[0] == '\0' ? NULL : row.failed);
	writer_str(w, "}");
}
