/* banyan unpack: what a stick brought. */
#include <stdio.h>

#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/opener/opener.h"
#include "tools/node/roads/stick.h"

static void
progress(void *ctx, uint64_t done, uint64_t total)
{
	call_progress(ctx, "envelopes", done, total);
}

/* Said before anything is written. */
static void
tell_whole(struct call *c, const struct bundle *b)
{
	if (call_json(c))
		return;
	if (b->whole == b->count)
		call_out(c, "The bundle is whole: %lu envelope%s.\n", (unsigned long)b->count,
			 b->count == 1 ? "" : "s");
	else
		call_out(
		    c, "The bundle is %s: %lu of %lu envelopes are whole, %llu of %llu bytes.\n",
		    b->cut ? "cut" : "damaged", (unsigned long)b->whole, (unsigned long)b->count,
		    (unsigned long long)b->whole_bytes, (unsigned long long)b->bytes);
}

static uint64_t
aside_count(struct peer *p)
{
	struct store_txn *txn;
	uint64_t n;

	if (store_read_begin(p->store, &txn) != E_OK)
		return 0;
	n = store_count(txn, STORE_QUARANTINE);
	store_read_end(txn);
	return n;
}

static void
tell_json(struct call *c, const struct bundle *b, const struct mail_taken *t, uint64_t aside)
{
	call_out(
	    c,
	    "{\"envelopes\":%lu,\"whole\":%lu,\"opened\":%llu,\"for_others\":%llu,\"parcels\":%llu,"
	    "\"duplicates\":%llu,\"forks\":%llu,\"receipts\":%llu,\"received\":%llu,\"pieces\":%llu,"
	    "\"attachments\":%llu,\"refused\":%llu,\"erased\":%llu,\"set_aside\":%llu}\n",
	    (unsigned long)b->count, (unsigned long)b->whole, (unsigned long long)t->envelopes,
	    (unsigned long long)t->others, (unsigned long long)t->parcels,
	    (unsigned long long)t->duplicates, (unsigned long long)t->forks,
	    (unsigned long long)t->receipts, (unsigned long long)t->downs,
	    (unsigned long long)t->pieces, (unsigned long long)t->attachments,
	    (unsigned long long)t->refused, (unsigned long long)t->erased,
	    (unsigned long long)aside);
}

static void
tell(struct call *c, const struct mail_taken *t, uint64_t aside)
{
	if (peer_is_node(call_peer(c)))
		call_out(c, "%llu parcel%s taken, %llu were here already.\n",
			 (unsigned long long)(t->parcels + t->forks),
			 t->parcels + t->forks == 1 ? "" : "s", (unsigned long long)t->duplicates);
	else
		call_out(
		    c,
		    "%llu receipt%s and %llu message%s of the office (forms, reviews) taken; %llu were here already.\n",
		    (unsigned long long)t->receipts, t->receipts == 1 ? "" : "s",
		    (unsigned long long)t->downs, t->downs == 1 ? "" : "s",
		    (unsigned long long)t->duplicates);
	if (t->pieces + t->attachments > 0)
		call_out(c,
			 peer_is_node(call_peer(c))
			     ? "%llu attachment%s whole now.\n"
			     : "The office has %llu more attachment%s whole.\n",
			 (unsigned long long)t->attachments,
			 t->attachments == 1 ? (peer_is_node(call_peer(c)) ? " is" : "")
					     : (peer_is_node(call_peer(c)) ? "s are" : "s"));
	if (t->others > 0)
		call_note(c, "%llu envelope%s for somebody else; nothing of them was kept.\n",
			  (unsigned long long)t->others, t->others == 1 ? " is" : "s are");
	if (t->forks > 0)
		call_note(c, "%llu parcel%s of a copied handset: both branches are kept.\n",
			  (unsigned long long)t->forks, t->forks == 1 ? " is" : "s are");
	if (t->erased > 0)
		call_note(
		    c,
		    "%llu parcel%s of it hold%s what was erased since, and nothing of that was kept here: delete the file from the "
		    "stick, and every copy of it.\n",
		    (unsigned long long)t->erased, t->erased == 1 ? "" : "s",
		    t->erased == 1 ? "s" : "");
	if (aside > 0)
		call_note(c,
			  "%llu parcel%s set aside for an officer: banyan status STORE says why.\n",
			  (unsigned long long)aside, aside == 1 ? " was" : "s were");
	if (t->forked)
		call_note(
		    c, "%s\n",
		    "The office holds another log under this handset's name: somebody copied its store. The next "
		    "sync settles it; tell the office.");
}

/* How it ends, in the order of what a person should do about it. */
static enum err
verdict(struct call *c, const struct bundle *b, const struct mail_taken *t)
{
	char sentence[180];

	if (t->refused > 0)
		return why_set(call_why(c), E_CARRIED_REFUSED, "%llu refused, the first because %s",
			       (unsigned long long)t->refused,
			       why_sentence(&t->why, sentence, sizeof(sentence)));
	if (b->whole < b->count)
		return why_set(call_why(c), E_BUNDLE_CUT,
			       "%lu of %lu envelopes are missing or damaged",
			       (unsigned long)(b->count - b->whole), (unsigned long)b->count);
	if (b->count > 0 && t->envelopes == 0)
		return why_set(call_why(c), E_CARRIED_REFUSED,
			       "nothing in it is for this store: it is another office's or "
			       "another programme's");
	return E_OK;
}

enum err
cmd_unpack(struct call *c)
{
	struct peer *p = call_peer(c);
	struct mail_taken taken;
	struct bundle bundle;
	struct bytes file;
	uint64_t aside = aside_count(p);
	struct why why;
	enum err e;

	if ((e = acting_may(c, ACT_RELAY, NULL, false)) != E_OK ||
	    (e = call_input(c, "FILE", &file)) != E_OK)
		return e;
	if ((e = bundle_read(file, &bundle, &why)) != E_OK)
		return why_set(call_why(c), e, "%.100s: %s", call_arg(c, 0), why.thing);
	tell_whole(c, &bundle);
	if (peer_is_node(p) && (e = acting_audit(c, "unpack", "", "")) != E_OK)
		return e;
	if (!peer_is_node(p)) /* its agent may be at it */
		pthread_mutex_lock(&p->syncing);
	e = stick_take(p, &bundle, &taken, progress, c, call_why(c));
	if (!peer_is_node(p))
		pthread_mutex_unlock(&p->syncing);
	if (e != E_OK)
		return e;
	call_kept(c, "what the file holds for this store is taken in");
	if (peer_is_node(p)) {
		pthread_mutex_lock(&p->acting);
		if ((e = opener_all(p, call_why(c))) == E_OK)
			(void)erasures_settle(p, NULL); /* what is not done stays due */
		pthread_mutex_unlock(&p->acting);
		call_after(c, e);
	}
	aside = aside_count(p) - aside;
	if (call_json(c))
		tell_json(c, &bundle, &taken, aside);
	else
		tell(c, &taken, aside);
	return verdict(c, &bundle, &taken);
}
