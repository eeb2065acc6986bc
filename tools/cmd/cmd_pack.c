/* banyan pack: what the other side lacks, in a file for a stick. */
#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/roads/stick.h"

static enum err
write_file(struct call *c, struct bytes b)
{
	enum err e;

	if ((e = call_file_begin(c, "")) != E_OK)
		return e;
	while (e == E_OK && b.n > 0) {
		size_t n = b.n < 32768 ? b.n : 32768;

		e = call_file_write(c, BYTES(b.p, n));
		b = BYTES(b.p + n, b.n - n);
	}
	return e == E_OK ? call_file_end(c) : e;
}

static void
tell(struct call *c, const struct packed *k, bool node, bool above)
{
	if (call_json(c)) {
		call_out(
		    c,
		    "{\"envelopes\":%llu,\"parcels\":%llu,\"receipts\":%llu,\"waiting\":%llu,\"attachments\":%llu,"
		    "\"bytes\":%llu}\n",
		    (unsigned long long)k->envelopes, (unsigned long long)k->parcels,
		    (unsigned long long)k->receipts, (unsigned long long)k->waiting,
		    (unsigned long long)k->attachments, (unsigned long long)k->bytes);
		return;
	}
	call_out(c, "%llu parcel%s in %llu sealed envelope%s, %llu bytes.\n",
		 (unsigned long long)k->parcels, k->parcels == 1 ? "" : "s",
		 (unsigned long long)k->envelopes, k->envelopes == 1 ? "" : "s",
		 (unsigned long long)k->bytes);
	if (k->attachments > 0)
		call_out(c, "Behind them: pieces of %llu attachment%s.\n",
			 (unsigned long long)k->attachments, k->attachments == 1 ? "" : "s");
	if (k->attachments_wait)
		call_note(
		    c,
		    "Not all attachments fit: pack again when the answer to this bundle is here.\n");
	if (k->waiting > 0)
		call_note(c, "%llu more did not fit: pack again when these have arrived.\n",
			  (unsigned long long)k->waiting);
	call_out(
	    c,
	    above
		? "Whoever carries it can read nothing of it. At the node above: banyan unpack STORE FILE\n"
	    : node
		? "Whoever carries it can read nothing of it. On the device: banyan unpack STORE FILE\n"
		: "Whoever carries it can read nothing of it. At the office: banyan unpack STORE FILE\n");
}

enum err
cmd_pack(struct call *c)
{
	const char *name = call_option(c, "for");
	bool all = call_flag(c, "all"), above = call_flag(c, "up"),
	     node = peer_is_node(call_peer(c));
	struct stick_up up = {.all = all, .attached = true, .bytes_max = STICK_BYTES_MAX};
	struct packed packed;
	struct writer out;
	enum err e;

	if ((e = acting_may(c, ACT_RELAY, NULL, false)) != E_OK)
		return e;
	if (!node && name != NULL)
		return why_set(call_why(c), E_USAGE,
			       "a device packs for its own office: leave --for out");
	if (above && (!node || name != NULL))
		return why_set(
		    call_why(c), E_USAGE,
		    "--up is for a node, without --for: a device always packs for its office");
	writer_heap_init(&out, BUNDLE_BYTES_MAX);
	if (!node || above) /* its agent, or its clock, may be at it */
		pthread_mutex_lock(&call_peer(c)->syncing);
	e = above  ? stick_pack_above(call_peer(c), all, &out, &packed, call_why(c))
	    : node ? stick_pack_down(call_peer(c), name, all, &out, &packed, call_why(c))
		   : stick_pack_up(call_peer(c), &up, &out, &packed, call_why(c));
	if (!node || above)
		pthread_mutex_unlock(&call_peer(c)->syncing);
	if (e == E_OK && node)
		e = acting_audit(c, "pack",
				 above          ? "the node above"
				 : name == NULL ? ""
						: name,
				 "");
	if (e == E_OK)
		e = write_file(c, writer_view(&out));
	if (e == E_OK) {
		call_kept(c, "%s is written", call_option(c, "output"));
		tell(c, &packed, node, above);
	}
	writer_free(&out);
	return e;
}
