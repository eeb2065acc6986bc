#include "tools/erased.h"

#include "core/principals/rules.h"
#include "tools/node/acting.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/outbox/revise.h"
#include "tools/node/records/view.h"

static void
tell(struct call *c, const struct erasure_row *row)
{
	char id[2 * ID_BYTES + 1], name[NAME_BYTES_MAX + 1], when[32];
	struct store_txn *txn;

	hex_encode(id, row->order.record.b, ID_BYTES);
	if (store_read_begin(call_peer(c)->store, &txn) != E_OK)
		return;
	revise_name(call_peer(c), txn, &row->order.issuer, name);
	store_read_end(txn);
	view_time(when, (uint32_t)row->order.time_s);
	if (call_json(c))
		call_out(c,
			 "{\"id\":\"%s\",\"state\":\"erased\",\"area\":\"%s\",\"erased\":%llu}\n",
			 id, row->order.area, (unsigned long long)row->order.time_s);
	else
		call_out(c, "Record %s was erased: %s, by an order of %s (%s).%s%.*s\n", id, when,
			 name, row->order.area, row->reason.n > 0 ? " Reason: " : "",
			 (int)row->reason.n, (const char *)row->reason.p);
}

/* Of an erased record there is the order. */
enum err
erased_tell(struct call *c, const char *digits, bool *told)
{
	struct peer *p = call_peer(c);
	struct why why = *call_why(c);
	struct erasure_row row;
	struct store_txn *txn;

	*told = false;
	if (store_read_begin(p->store, &txn) != E_OK)
		return why.e;
	if (erasures_find(p, txn, digits, &row) == E_OK &&
	    (!peer_is_node(p) || acting_may(c, ACT_READ_ANALYTIC, row.order.area, false) == E_OK)) {
		*told = true;
		tell(c, &row);
	}
	store_read_end(txn);
	*call_why(c) = *told ? (struct why){.e = E_OK} : why;
	return *told ? E_OK : why.e;
}

enum err
erased_partly(struct store_txn *txn, const struct record_id *record, bool *out)
{
	unsigned parts = 0;
	enum err e = erasures_record_parts(txn, record, &parts);

	*out = parts == ERASURE_IDENTIFYING;
	return e;
}
