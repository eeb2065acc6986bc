/* banyan extract: a table of counts with small cells withheld; the same query again gets the same
 * answer. */
#include <stdlib.h>

#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/extract/extract.h"
#include "tools/json.h"
#include "tools/node/acting.h"

/* The archived table, piece by piece, each from its own short snapshot: the asker's link may be
 * slow. */
static enum err
send_table(struct call *c, const struct release *r)
{
	enum err e = call_file_begin(c, "table.csv");
	uint32_t i;

	for (i = 0; i < r->pieces && e == E_OK; i++) {
		struct store_txn *txn;
		struct bytes piece;
		struct writer copy;

		if ((e = store_read_begin(call_peer(c)->store, &txn)) != E_OK)
			break;
		writer_heap_init(&copy, RELEASE_PIECE_BYTES);
		if ((e = release_piece(txn, r->id, i, &piece)) == E_OK)
			writer_bytes(&copy, piece);
		store_read_end(txn);
		if (e == E_OK && (e = writer_end(&copy)) == E_OK)
			e = call_file_write(c, writer_view(&copy));
		writer_free(&copy);
	}
	return e == E_OK ? call_file_end(c) : e;
}

static enum err
send_manifest(struct call *c, const struct extracted *x)
{
	enum err e;

	if ((e = call_file_begin(c, "manifest.json")) != E_OK ||
	    (e = call_file_write(c, writer_view(&x->manifest))) != E_OK)
		return e;
	return call_file_end(c);
}

static void
tell(struct call *c, const struct extracted *x)
{
	unsigned long long rows = x->release.rows, published = x->release.published;
	struct writer w;

	if (!call_json(c)) {
		call_out(
		    c,
		    "%llu rows: %llu published, %llu withheld (fewer than %u, or it would give such a cell away).\n",
		    rows, published, rows - published, x->k);
		if (x->repeated)
			call_note(
			    c,
			    "This query was answered before; this is the same answer again, byte for byte.\n");
		return;
	}
	writer_heap_init(&w, 4096);
	writer_str(&w, "{");
	json_key_u64(&w, "release", x->release.number);
	json_key_u64(&w, "rows", rows);
	json_key_u64(&w, "published", published);
	json_key_u64(&w, "withheld", rows - published);
	json_key_u64(&w, "k", x->k);
	json_key_bool(&w, "repeated", x->repeated);
	writer_str(&w, "}\n");
	call_out_bytes(c, writer_view(&w));
	writer_free(&w);
}

enum err
cmd_extract(struct call *c)
{
	struct query_asked asked = {.form = call_option(c, "form"),
				    .by = call_option(c, "by"),
				    .sum = call_option(c, "sum"),
				    .period = call_option(c, "period"),
				    .k = call_option(c, "k")};
	struct enrolment who;
	struct extracted x;
	enum err e;

	if (!peer_is_node(call_peer(c)))
		return why_set(call_why(c), E_NODE_ONLY, "extract");
	if ((e = acting_enrolment(c, &who)) != E_OK ||
	    (e = acting_may(c, ACT_EXTRACT, who.area, false)) != E_OK)
		return e;
	asked.area = who.area;
	e = extract_run(call_peer(c), &who, &asked, &x, call_why(c));
	if (e == E_OK && asked.k != NULL && strtoul(asked.k, NULL, 10) < x.k)
		call_note(c, "--k %s would be less than the programme's %u, so %u it is.\n",
			  asked.k, x.k, x.k);
	if (e == E_OK && (e = send_table(c, &x.release)) == E_OK &&
	    (e = send_manifest(c, &x)) == E_OK) {
		call_kept(c, "the table is written to %s", call_option(c, "output"));
		tell(c, &x);
	}
	extracted_free(&x);
	return e;
}
