#include "tools/status_handed.h"

#include "tools/json.h"
#include "tools/node/roads/handed.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/records/view.h"

struct telling {
	struct writer *w;
	uint64_t epoch, acked;
	bool json, more;
};

/* Those that no receipt covers. */
static enum err
tell(void *arg, const struct handed *h)
{
	struct telling *t = arg;
	uint64_t parcels = 0;
	char when[32];
	size_t i;

	for (i = 0; i < h->count && h->epoch == t->epoch; i++)
		parcels += h->numbers[i] > t->acked;
	if (parcels == 0)
		return E_OK;
	view_time(when, h->time_s);
	if (t->json) {
		writer_str(t->w, t->more ? ",{" : "{");
		json_key_str(t->w, "address", h->address);
		json_key_u64(t->w, "parcels", parcels);
		json_key_str(t->w, "since", when);
		writer_str(t->w, "}");
	} else {
		writer_printf(
		    t->w,
		    "With the relay at %s since %s: %llu parcel%s, until the office's receipt comes.\n",
		    h->address, when, (unsigned long long)parcels, parcels == 1 ? "" : "s");
	}
	t->more = true;
	return E_OK;
}

static void
tell_all(struct call *c, struct writer *w, bool json)
{
	struct telling t = {.w = w, .json = json};
	struct peer *p = call_peer(c);
	struct store_txn *txn;

	if (store_read_begin(p->store, &txn) != E_OK)
		return;
	t.epoch = peer_self(p)->epoch;
	if (outbox_acked(txn, t.epoch, &t.acked) == E_OK)
		(void)handed_walk(txn, tell, &t); /* what cannot be read is not told */
	store_read_end(txn);
}

void
status_handed_text(struct call *c, struct writer *w)
{
	if (!peer_is_node(call_peer(c)))
		tell_all(c, w, false);
}

void
status_handed_json(struct call *c, struct writer *w)
{
	if (peer_is_node(call_peer(c)))
		return;
	json_key(w, "with_relays");
	writer_str(w, "[");
	tell_all(c, w, true);
	writer_str(w, "]");
}
