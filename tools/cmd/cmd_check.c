/* banyan check: every parcel, and all that is derived. */
#include <stdio.h>

#include "core/store/audit.h"
#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/attached/attached.h"
#include "tools/node/opener/verify.h"

#define FAULTS_SHOWN 50u

struct checking {
	struct call *c;
	uint64_t shown;
};

static void
fault(void *arg, const char *sentence)
{
	struct checking *g = arg;
	struct writer w;

	if (!call_json(g->c)) {
		if (g->shown++ < FAULTS_SHOWN)
			call_out(g->c, "%s\n", sentence);
		return;
	}
	writer_heap_init(&w, 4096);
	writer_str(&w, "{");
	json_key_str(&w, "fault", sentence);
	writer_str(&w, "}\n");
	call_out_bytes(g->c, writer_view(&w));
	writer_free(&w);
}

static void
progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	call_progress(((struct checking *)arg)->c, what, done, total);
}

static enum err
check_audit(struct call *c)
{
	struct store_txn *txn;
	uint64_t count;
	enum err e;

	if ((e = store_read_begin(call_peer(c)->store, &txn)) != E_OK)
		return e;
	e = audit_verify(txn, &count, call_why(c));
	store_read_end(txn);
	return e;
}

static void
tell(struct call *c, const struct verified *v)
{
	if (call_json(c)) {
		call_out(
		    c,
		    "{\"parcels\":%llu,\"records\":%llu,\"bad_parcels\":%llu,\"bad_records\":%llu,\"bad_sets\":%llu,"
		    "\"bad_counts\":%llu,\"quarantined\":%llu}\n",
		    (unsigned long long)v->parcels, (unsigned long long)v->records,
		    (unsigned long long)v->bad_parcels, (unsigned long long)v->bad_records,
		    (unsigned long long)v->bad_sets, (unsigned long long)v->bad_counts,
		    (unsigned long long)v->set_aside);
		return;
	}
	call_out(c, "%llu parcels and %llu records checked", (unsigned long long)v->parcels,
		 (unsigned long long)v->records);
	if (v->bad_parcels == 0 && v->bad_records == 0 && v->bad_sets == 0 && v->bad_counts == 0)
		call_out(c, ": all is as it should be.\n");
	else
		call_out(c, ": %llu parcels and %llu records are not as they should be.\n",
			 (unsigned long long)v->bad_parcels, (unsigned long long)v->bad_records);
	if (v->set_aside > 0)
		call_out(c, "%llu parcels are kept aside; see: banyan status STORE\n",
			 (unsigned long long)v->set_aside);
}

enum err
cmd_check(struct call *c)
{
	struct checking g = {.c = c};
	struct verified v;
	uint64_t attached, bad;
	enum err e;

	if (peer_is_node(call_peer(c)) && (e = acting_may(c, ACT_AUDIT, NULL, false)) != E_OK)
		return e;
	if (call_flag(c, "rebuild") && (e = verify_rebuild(call_peer(c), call_why(c))) != E_OK)
		return e;
	if ((e = verify_store(call_peer(c), &v, fault, progress, &g, call_why(c))) != E_OK)
		return e;
	if ((e = attached_check(call_peer(c), &attached, &bad)) != E_OK)
		return e;
	tell(c, &v);
	if (attached > 0)
		call_out(c,
			 call_json(c)
			     ? "{\"attachments\":%llu,\"bad_attachments\":%llu}\n"
			     : "%llu attachments checked; %llu are not as they should be.\n",
			 (unsigned long long)attached, (unsigned long long)bad);
	if (bad > 0)
		return why_set(call_why(c), E_STORE_DAMAGED, "%llu attachments",
			       (unsigned long long)bad);
	if (v.bad_parcels > 0)
		return why_set(call_why(c), E_STORE_DAMAGED, "%llu parcels",
			       (unsigned long long)v.bad_parcels);
	if (v.bad_sets > 0)
		return why_set(
		    call_why(c), E_STORE_DAMAGED,
		    "what is shared with %llu other nodes; banyan check --rebuild makes it anew",
		    (unsigned long long)v.bad_sets);
	if (v.bad_records > 0)
		return why_set(call_why(c), E_STORE_DAMAGED,
			       "%llu records; banyan check --rebuild makes them anew",
			       (unsigned long long)v.bad_records);
	if (v.bad_counts > 0)
		return why_set(call_why(c), E_STORE_DAMAGED,
			       "%llu counts of records; banyan check --rebuild makes them anew",
			       (unsigned long long)v.bad_counts);
	return check_audit(c);
}
