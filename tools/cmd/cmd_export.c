/* banyan export: an officer's rows as CSV, a file for the form and one for each of its repeats. */
#include <stdio.h>
#include <stdlib.h>

#include "core/store/audit.h"
#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/extract/columns.h"
#include "tools/json.h"
#include "core/pack.h"
#include "tools/node/acting.h"
#include "tools/node/attached/attached.h"

#define NAME_MAX_BYTES 200u
#define FLUSH_BYTES (32u << 10)

struct export
{
	struct call *c;
	struct peer *peer;
	struct enrolment who;
	struct columns columns;
	const struct sheet *sheet; /* the file being written */
	bool identifying;
	bool begun;           /* the log has it */
	uint64_t identified;  /* records whose class D answers were written */
	uint64_t rows;        /* of this file */
	uint64_t attachments; /* files written beside the tables */
	struct writer text;
	struct crypto_hash hash;
};

static enum err
flush(struct export *x)
{
	enum err e = writer_end(&x->text);

	if (e == E_OK)
		e = call_file_write(x->c, writer_view(&x->text));
	crypto_hash_add(&x->hash, writer_view(&x->text));
	writer_reset(&x->text);
	return e;
}

static enum err
export_row(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct export *x = arg;
	struct view_record v;
	enum err e;

	if ((row->flags & RECORD_VOID) || !view_in_scope(x->peer, &x->who, row->area))
		return E_OK;
	if ((e = view_of_row(x->peer, txn, row, &v)) != E_OK)
		return e;
	v.identifying = x->identifying;
	if (x->sheet == x->columns.sheets)
		x->identified += x->identifying && view_has_identifying(row);
	if ((e = columns_write(x->sheet, &v, row, &x->text, &x->rows)) == E_OK &&
	    x->text.n > FLUSH_BYTES)
		e = flush(x);
	store_forget(txn);
	return e;
}

/* A file's name from a form's id and a repeat's path: what a file name must not have becomes '-'.
 */
static void
file_name(char out[NAME_MAX_BYTES], const char *form, const char *repeat)
{
	char *p;

	(void)snprintf(out, NAME_MAX_BYTES, "%s%.80s%s%.80s.csv", form[0] == '.' ? "_" : "", form,
		       repeat[0] == '\0' ? "" : "-", repeat);
	for (p = out; *p != '\0'; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		      (*p >= '0' && *p <= '9') || *p == '.' || *p == '_' || *p == '-'))
			*p = '-';
}

static enum err
export_sheet(struct export *x, struct store_txn *txn, const struct sheet *sheet,
	     struct writer *manifest)
{
	const char *form = call_arg(x->c, 0);
	char name[NAME_MAX_BYTES], hex[2 * SHA256_BYTES + 1];
	uint8_t hash[SHA256_BYTES];
	enum err e;

	file_name(name, form, sheet->repeat);
	x->sheet = sheet;
	x->rows = 0;
	crypto_hash_begin(&x->hash);
	columns_header(sheet, &x->text);
	if ((e = call_file_begin(x->c, name)) == E_OK &&
	    (e = record_walk(x->peer, txn, form, export_row, x)) == E_OK && (e = flush(x)) == E_OK)
		e = call_file_end(x->c);
	crypto_hash_end(&x->hash, hash);
	hex_encode(hex, hash, SHA256_BYTES);
	if (sheet != x->columns.sheets)
		writer_str(manifest, ",");
	writer_str(manifest, "{");
	json_key_str(manifest, "file", name);
	json_key_u64(manifest, "rows", x->rows);
	json_key_str(manifest, "sha256", hex);
	writer_str(manifest, "}");
	if (!call_json(x->c))
		call_out(x->c, "%s: %llu rows\n", name, (unsigned long long)x->rows);
	return e;
}

/* One attachment beside the tables; what has not come yet is said. */
static enum err
export_file(struct export *x, struct store_txn *txn, const struct attach_ref *ref)
{
	char name[NAME_MAX_BYTES];
	struct writer plain;
	enum err e;

	attach_file_name(ref, name, sizeof(name));
	writer_heap_init(&plain, ATTACH_BYTES_MAX);
	e = attached_open(txn, ref, &plain);
	if (e == E_ABSENT || e == E_ATTACHMENT) {
		call_note(x->c, "The attachment %s %s.\n", name,
			  e == E_ABSENT ? "has not come yet" : "is not what its record says");
		e = E_OK;
	} else if (e == E_OK && (e = call_file_begin(x->c, name)) == E_OK &&
		   (e = call_file_write(x->c, writer_view(&plain))) == E_OK) {
		e = call_file_end(x->c);
		x->attachments++;
	}
	if (plain.p != NULL)
		crypto_wipe(plain.p, plain.n);
	writer_free(&plain);
	return e;
}

static enum err
export_attached(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct export *x = arg;
	size_t i;
	enum err e = E_OK;

	if ((row->flags & RECORD_VOID) || !view_in_scope(x->peer, &x->who, row->area))
		return E_OK;
	for (i = 0; i < row->value_count && e == E_OK; i++) {
		struct attach_ref ref;
		struct reader r;

		reader_init(&r, row->values[i].value);
		if (row->values[i].identifying && reader_peek(&r) == PACK_STR &&
		    attach_ref_read(reader_str(&r), &ref))
			e = export_file(x, txn, &ref);
		crypto_wipe(&ref, sizeof(ref));
	}
	return e;
}

static enum err
audit_job(struct store_txn *txn, void *arg)
{
	struct export *x = arg;
	const char *form = call_arg(x->c, 0);
	char detail[120];

	if (!x->begun)
		return audit_append(txn, peer_now_s(x->peer), &x->who.id, "export", form,
				    x->identifying ? "with identifying answers"
						   : "without identifying answers");
	(void)snprintf(detail, sizeof(detail), "%llu records with identifying answers, exported",
		       (unsigned long long)x->identified);
	if (x->attachments > 0)
		(void)snprintf(detail, sizeof(detail),
			       "%llu records with identifying answers, %llu attachments, exported",
			       (unsigned long long)x->identified,
			       (unsigned long long)x->attachments);
	return audit_append(txn, peer_now_s(x->peer), &x->who.id, "read", form, detail);
}

static enum err
export_all(struct export *x, struct writer *manifest)
{
	struct store_txn *txn;
	char when[32];
	size_t i;
	enum err e;

	view_time(when, peer_now_s(x->peer));
	writer_str(manifest, "{");
	json_key_u64(manifest, "manifest", 1);
	json_key_str(manifest, "programme", x->peer->programme.name);
	json_key_str(manifest, "form", call_arg(x->c, 0));
	json_key_str(manifest, "area", x->who.area);
	json_key_str(manifest, "time", when);
	json_key_bool(manifest, "identifying", x->identifying);
	json_key(manifest, "files");
	writer_str(manifest, "[");
	/* Written down before a row leaves, and again how many: whatever breaks then, the log knows
	 * of it. */
	if ((e = store_write(x->peer->store, audit_job, x)) != E_OK ||
	    (e = store_read_begin(x->peer->store, &txn)) != E_OK)
		return e;
	x->begun = true;
	for (i = 0; i < x->columns.sheet_count && e == E_OK; i++)
		e = export_sheet(x, txn, &x->columns.sheets[i], manifest);
	if (e == E_OK && x->identifying)
		e = record_walk(x->peer, txn, call_arg(x->c, 0), export_attached, x);
	store_read_end(txn);
	writer_str(manifest, "]");
	if (x->attachments > 0)
		json_key_u64(manifest, "attachments", x->attachments);
	writer_str(manifest, "}\n");
	if (x->identified > 0) {
		enum err e2 = store_write(x->peer->store, audit_job, x);

		e = e == E_OK ? e2 : e;
	}
	if (e == E_OK && (e = writer_end(manifest)) == E_OK &&
	    (e = call_file_begin(x->c, "manifest.json")) == E_OK &&
	    (e = call_file_write(x->c, writer_view(manifest))) == E_OK)
		e = call_file_end(x->c);
	return e;
}

enum err
cmd_export(struct call *c)
{
	struct export x = {.c = c, .peer = call_peer(c)};
	struct writer manifest;
	enum err e;

	if (!peer_is_node(x.peer))
		return why_set(call_why(c), E_NODE_ONLY, "export");
	if (peer_form(x.peer, call_arg(c, 0)) == NULL)
		return why_set(call_why(c), E_FORM_UNKNOWN, "%s", call_arg(c, 0));
	if ((e = acting_enrolment(c, &x.who)) != E_OK ||
	    (e = acting_may(c, ACT_EXPORT, x.who.area, false)) != E_OK)
		return e;
	x.identifying = acting_may(c, ACT_READ_IDENTIFYING, x.who.area, false) == E_OK;
	writer_heap_init(&x.text, 64u << 20);
	writer_heap_init(&manifest, 1u << 20);
	if ((e = columns_of(&x.columns, x.peer, call_arg(c, 0), x.identifying, call_why(c))) ==
	    E_OK)
		e = export_all(&x, &manifest);
	if (e == E_OK)
		call_kept(c, "the rows are written to %s", call_option(c, "output"));
	if (e == E_OK && call_json(c))
		call_out_bytes(c, writer_view(&manifest));
	columns_free(&x.columns);
	writer_free(&x.text);
	writer_free(&manifest);
	return e;
}
