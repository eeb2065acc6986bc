/* banyan sync: one session with the node. */
#include <string.h>

#include "tools/commands.h"
#include "tools/json.h"
#include "tools/node/attached/attached.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/link/link.h"
#include "tools/node/roads/via.h"

static void
tell_json(struct call *c, const struct link_result *r, enum err e)
{
	char sentence[600];
	struct writer w;

	writer_heap_init(&w, 4096);
	writer_str(&w, "{");
	json_key_u64(&w, "records_sent", r->records_sent);
	json_key_u64(&w, "records_received", r->records_received);
	json_key_u64(&w, "parcels_sent", r->parcels_sent);
	json_key_u64(&w, "parcels_received", r->parcels_received);
	json_key_u64(&w, "records_waiting", r->records_waiting);
	json_key_u64(&w, "bytes_sent", r->counts.bytes_out);
	json_key_u64(&w, "bytes_received", r->counts.bytes_in);
	if (r->carried + r->taken > 0) {
		json_key_u64(&w, "parcels_carried", r->carried);
		json_key_u64(&w, "parcels_taken", r->taken);
	}
	if (r->attachments_sent + r->attachments_waiting > 0) {
		json_key_u64(&w, "attachments_sent", r->attachments_sent);
		json_key_u64(&w, "attachments_waiting", r->attachments_waiting);
	}
	if (r->repair_rounds > 0) {
		json_key_u64(&w, "repair_rounds", r->repair_rounds);
		json_key_u64(&w, "repair_bytes", r->repair_bytes);
	}
	if (r->withheld > 0)
		json_key_u64(&w, "parcels_withheld", r->withheld);
	if (r->upper)
		json_key_bool(&w, "went_above", true);
	json_key_bool(&w, "verified", r->verified);
	json_key_bool(&w, "kept_aside", r->quarantined > 0);
	json_key_str(&w, "reason",
		     e == E_OK ? "" : why_sentence(call_why(c), sentence, sizeof(sentence)));
	writer_str(&w, "}\n");
	call_out_bytes(c, writer_view(&w));
	writer_free(&w);
}

static void
tell(struct call *c, const struct link_result *r)
{
	if (peer_is_node(call_peer(c)))
		call_out(c, "%llu parcel%s carried up, %llu taken; %llu bytes out, %llu in.\n",
			 (unsigned long long)r->carried, r->carried == 1 ? "" : "s",
			 (unsigned long long)r->taken, (unsigned long long)r->counts.bytes_out,
			 (unsigned long long)r->counts.bytes_in);
	else
		call_out(
		    c,
		    "%llu record%s sent, %llu waiting; %llu parcel%s sent, %llu received; %llu bytes out, %llu in.\n",
		    (unsigned long long)r->records_sent, r->records_sent == 1 ? "" : "s",
		    (unsigned long long)r->records_waiting, (unsigned long long)r->parcels_sent,
		    r->parcels_sent == 1 ? "" : "s", (unsigned long long)r->parcels_received,
		    (unsigned long long)r->counts.bytes_out,
		    (unsigned long long)r->counts.bytes_in);
	if (r->attachments_sent + r->attachments_waiting > 0)
		call_out(c, "%llu attachment%s brought, %llu waiting.\n",
			 (unsigned long long)r->attachments_sent,
			 r->attachments_sent == 1 ? "" : "s",
			 (unsigned long long)r->attachments_waiting);
	if (r->quarantined > 0)
		call_note(
		    c,
		    "The office keeps something that this store sent aside, and it does not count: ask the office; "
		    "\"banyan status\" tells an officer why.\n");
	if (r->forked)
		call_note(
		    c, "%s\n",
		    "This handset has a twin: somebody copied its store. Nothing was lost, a new log was "
		    "begun. Tell the office.");
	if (r->lost)
		call_note(
		    c, "%s\n",
		    "The office was put back from a backup that is older than one that this store relied on: some of "
		    "your records are not there now, nor here any more. Tell the office: its newest backup has "
		    "them. All else goes on.");
	if (r->upper)
		call_note(
		    c, "%s\n",
		    "The other node of this office cannot be reached: this one went to the office above itself. Both "
		    "nodes are put in step when the other one is back.");
	if (r->withheld > 0)
		call_note(
		    c,
		    "%llu parcels are known above of which this office misses parts: the devices that wrote them offer them "
		    "again, or the office's other node does. If that node is gone for good, shut it out (banyan revoke STORE "
		    "NAME): then what is known above is taken.\n",
		    (unsigned long long)r->withheld);
	if (r->verified)
		call_out(c, "%s\n",
			 r->withheld > 0 ? "Both sides agree on all else." : "Both sides agree.");
}

/* ---- by a relay ---- */

static void
tell_via(struct call *c, const struct via_result *r, const char *address)
{
	if (call_json(c)) {
		call_out(
		    c,
		    "{\"via\":\"%s\",\"parcels_handed\":%llu,\"envelopes_handed\":%llu,\"parcels_waiting\":%llu,"
		    "\"parcels_there\":%llu,\"answers\":%llu,\"receipts\":%llu,\"received\":%llu,\"pieces_handed\":%llu,\"attachments\":%llu,"
		    "\"bytes_sent\":%llu,\"bytes_received\":%llu}\n",
		    address, (unsigned long long)r->parcels, (unsigned long long)r->envelopes,
		    (unsigned long long)r->waiting, (unsigned long long)r->already,
		    (unsigned long long)r->answers, (unsigned long long)r->taken.receipts,
		    (unsigned long long)r->taken.downs, (unsigned long long)r->pieces,
		    (unsigned long long)r->taken.attachments,
		    (unsigned long long)r->counts.bytes_out,
		    (unsigned long long)r->counts.bytes_in);
		return;
	}
	call_out(
	    c,
	    "%llu parcel%s handed to the relay in %llu sealed envelope%s; %llu receipt%s came back.\n",
	    (unsigned long long)r->parcels, r->parcels == 1 ? "" : "s",
	    (unsigned long long)r->envelopes, r->envelopes == 1 ? "" : "s",
	    (unsigned long long)r->taken.receipts, r->taken.receipts == 1 ? "" : "s");
	if (r->taken.downs > 0)
		call_out(c, "%llu word%s of the office came with %s.\n",
			 (unsigned long long)r->taken.downs, r->taken.downs == 1 ? "" : "s",
			 r->taken.receipts == 1 ? "it" : "them");
	if (r->already > 0)
		call_out(c, "%llu more %s with it from an earlier meeting.\n",
			 (unsigned long long)r->already, r->already == 1 ? "is" : "are");
	if (r->waiting > 0)
		call_note(c, "%llu more had no room there: they wait here.\n",
			  (unsigned long long)r->waiting);
	if (r->pieces > 0)
		call_out(c, "%llu piece%s of attachments went behind them.\n",
			 (unsigned long long)r->pieces, r->pieces == 1 ? "" : "s");
	if (r->taken.attachments > 0)
		call_out(c, "The office has %llu more attachment%s whole.\n",
			 (unsigned long long)r->taken.attachments,
			 r->taken.attachments == 1 ? "" : "s");
	if (r->asked)
		call_out(
		    c, "%s\n",
		    "The office is asked by it what it has for this store: the answer comes at a later meeting.");
	if (r->parcels > 0)
		call_out(c, "What was handed over stays here until the office's receipt comes.\n");
}

static enum err
sync_via(struct call *c, const char *via)
{
	struct via_result result;
	char met[64];
	enum err e = via_go(call_peer(c), via, met, &result, call_why(c));

	if (e == E_OK)
		tell_via(c, &result, met);
	return e;
}

/* What this device carries for others goes after its own. */
static enum err
bring(struct call *c)
{
	struct satchel_limits limits = SATCHEL_LIMITS_DEFAULT;
	uint64_t brought;
	enum err e = via_upload(call_peer(c), &limits, &brought, call_why(c));

	if (e == E_OK && brought > 0 && !call_json(c))
		call_out(c, "%llu envelope%s of others brought to the office.\n",
			 (unsigned long long)brought, brought == 1 ? "" : "s");
	return e;
}

enum err
cmd_sync(struct call *c)
{
	struct link_result result = {0};
	uint64_t bytes;
	enum err e;

	if (peer_is_node(call_peer(c)) && !call_peer(c)->above.known)
		return why_set(call_why(c), E_NOT_HERE, "sync: no node is above this one");
	if (call_option(c, "via") != NULL)
		return peer_is_node(call_peer(c)) ? why_set(call_why(c), E_NOT_HERE, "sync --via")
						  : sync_via(c, call_option(c, "via"));
	if ((e = call_number(c, "bytes-max", "bytes", 1, UINT64_MAX, &bytes)) != E_OK)
		return e;
	if ((e = link_sync(call_peer(c), bytes, &result, call_why(c))) == E_OK &&
	    peer_is_node(call_peer(c)) && !result.upper && bytes == 0)
		e = attached_twin_exchange(call_peer(c), call_why(c));
	if (erasures_settle(call_peer(c), NULL) != E_OK)
		call_note(
		    c, "%s\n",
		    "What was ordered to be erased is not all gone yet; the next sync goes on with it.");
	if (call_json(c))
		tell_json(c, &result, e);
	else if (e == E_OK || result.counts.bytes_out > 0)
		tell(c, &result);
	if (e == E_STRANGER && result.upper)
		call_note(
		    c, "%s\n",
		    "The office above does not know this second node yet: it hears of it when the first node syncs with it.");
	return e == E_OK && !peer_is_node(call_peer(c)) ? bring(c) : e;
}
