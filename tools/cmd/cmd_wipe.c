/* banyan wipe: destroy the store's keys at once. */
#include <signal.h>
#include <unistd.h>

#include "core/parcel/arrival.h"
#include "tools/call/call_asked.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/records/records.h"

struct count {
	uint64_t safe, records;
};

static enum err
count_record(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct count *n = arg;
	struct revision_row *rows;
	struct arena a;
	size_t i, count;
	bool lost = false;
	enum err e;

	arena_init(&a, 64u << 20);
	if ((e = revision_rows(txn, &row->id, &a, &rows, &count)) == E_OK)
		for (i = 0; i < count; i++)
			lost = lost || rows[i].seq > n->safe;
	arena_free(&a);
	n->records += lost;
	return e;
}

/* On a device: what the node has not acknowledged. At a node: records of which some part is in no
 * backup. */
static enum err
unsent(struct peer *p, uint64_t *out)
{
	struct count n = {0, 0};
	struct waiting waiting;
	struct store_txn *txn;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	if ((e = outbox_waiting(p, txn, &waiting)) == E_OK && peer_is_node(p) &&
	    (e = arrival_safe(txn, &n.safe)) == E_OK)
		e = record_walk(p, txn, NULL, count_record, &n);
	store_read_end(txn);
	*out = waiting.records + n.records;
	/* A correction that waits is lost as a record is. */
	if (e == E_OK && *out == 0 &&
	    (waiting.slices > 0 || (waiting.parcels > 0 && !peer_is_node(p))))
		*out = waiting.slices > 0 ? waiting.slices : 1;
	return e;
}

static enum err
check_number(struct call *c, uint64_t allowed)
{
	bool given = call_option(c, "lose-unsent") != NULL;
	const char *what = peer_is_node(call_peer(c)) ? "in no backup yet; run banyan backup"
						      : "not sent yet; run banyan sync";
	uint64_t count;
	enum err e = unsent(call_peer(c), &count);

	if (e != E_OK)
		return e;
	if (count != allowed)
		return why_set(call_why(c), E_UNSENT, "%llu record%s%s %s %s",
			       (unsigned long long)count, count == 1 ? "" : "s",
			       given ? " (you said another number)" : "", count == 1 ? "is" : "are",
			       what);
	return E_OK;
}

enum err
cmd_wipe(struct call *c)
{
	uint64_t allowed = 0;
	enum err e;

	if ((e = call_number(c, "lose-unsent", "records", 0, UINT64_MAX, &allowed)) != E_OK)
		return e;
	if (call_peer(c) != NULL && (e = check_number(c, allowed)) != E_OK)
		return e;
	if ((e = keyring_wipe(call_peer(c) != NULL ? call_peer(c)->path : call_store_path(c),
			      call_why(c))) != E_OK)
		return e;
	call_kept(c, "the keys are destroyed");
	if (call_json(c))
		call_out(c, "{\"wiped\":true,\"checked\":%s}\n",
			 call_peer(c) != NULL ? "true" : "false");
	else
		call_out(c,
			 "The keys are destroyed. What is left there cannot be read by anyone.\n");
	if (call_peer(c) == NULL && !call_json(c))
		call_out(
		    c,
		    "Without the passphrase nobody could count what was not sent: your %llu was not checked. If a "
		    "banyan still runs on this store, stop it: it has the keys in its memory.\n",
		    (unsigned long long)allowed);
	if (call_is_asked(c))
		(void)kill(getpid(), SIGTERM); /* the daemon that owned the store ends too */
	return E_OK;
}
