/* banyan audit: read or verify the audit log. */
#include <string.h>

#include "core/store/audit.h"
#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/outbox/revise.h"
#include "tools/node/records/view.h"

struct reading {
	struct call *c;
	struct store_txn *txn;
	uint64_t shown;
};

static enum err
show(const struct audit_entry *a, void *arg)
{
	struct reading *r = arg;
	char name[NAME_BYTES_MAX + 1], when[32], hash[2 * HASH_BYTES + 1];
	struct writer w;

	r->shown++;
	revise_name(call_peer(r->c), r->txn, &a->actor, name);
	view_time(when, a->time_s);
	if (!call_json(r->c)) {
		call_out(r->c, "%6llu  %s  %s: %.*s %.*s%s%.*s\n", (unsigned long long)a->n, when,
			 name, (int)a->verb.n, (const char *)a->verb.p, (int)a->object.n,
			 (const char *)a->object.p, a->detail.n > 0 ? ", " : "", (int)a->detail.n,
			 (const char *)a->detail.p);
		return E_OK;
	}
	hex_encode(hash, a->hash, HASH_BYTES);
	writer_heap_init(&w, 32768);
	writer_str(&w, "{");
	json_key_u64(&w, "entry", a->n);
	json_key_str(&w, "time", when);
	json_key_str(&w, "actor", name);
	json_key(&w, "verb");
	json_text(&w, a->verb);
	json_key(&w, "object");
	json_text(&w, a->object);
	json_key(&w, "detail");
	json_text(&w, a->detail);
	json_key_str(&w, "hash", hash);
	writer_str(&w, "}\n");
	call_out_bytes(r->c, writer_view(&w));
	writer_free(&w);
	return E_OK;
}

static enum err
verify(struct call *c, struct store_txn *txn)
{
	char hex[2 * HASH_BYTES + 1];
	uint8_t hash[HASH_BYTES];
	uint64_t count, n;
	enum err e;

	if ((e = audit_verify(txn, &count, call_why(c))) != E_OK ||
	    (e = audit_head(txn, &n, hash)) != E_OK)
		return e;
	hex_encode(hex, hash, HASH_BYTES);
	if (call_json(c))
		call_out(c, "{\"entries\":%llu,\"head\":\"%s\"}\n", (unsigned long long)count, hex);
	else
		call_out(
		    c,
		    "All %llu entries hold together. The last one's hash is\n%s\nWrite it down elsewhere: whoever "
		    "changes the log later cannot make it again.\n",
		    (unsigned long long)count, hex);
	return E_OK;
}

enum err
cmd_audit(struct call *c)
{
	struct reading r = {.c = c};
	const char *word = call_arg(c, 0);
	enum err e;

	if (word != NULL && strcmp(word, "verify") != 0)
		return why_set(call_why(c), E_USAGE,
			       "the word after STORE can only be verify, not \"%s\"", word);
	/* A device's own log is about itself; whoever opened it may read it. */
	if (peer_is_node(call_peer(c)) && (e = acting_may(c, ACT_AUDIT, NULL, false)) != E_OK)
		return e;
	if ((e = store_read_begin(call_peer(c)->store, &r.txn)) != E_OK)
		return e;
	e = word != NULL ? verify(c, r.txn) : audit_iterate(r.txn, 1, show, &r);
	store_read_end(r.txn);
	if (e == E_OK && word == NULL && r.shown == 0 && !call_json(c))
		call_out(
		    c,
		    peer_is_node(call_peer(c))
			? "No entries.\n"
			: "No entries here: what officers did stands in the log of the office's node.\n");
	return e;
}
