/* banyan form list: the forms of this store. */
#include <stdlib.h>
#include <string.h>

#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/dictionaries.h"
#include "tools/node/outbox/outbox.h"

#define NOT_SAID UINT64_MAX

/* Exact counts are not for those who get tables with small cells withheld: asked twice, they tell
 * of one record. */
static bool
may_count(struct call *c)
{
	struct enrolment who;

	return !peer_is_node(call_peer(c)) ||
	       (acting_enrolment(c, &who) == E_OK &&
		acting_may(c, ACT_READ_ANALYTIC, who.area, false) == E_OK);
}

static uint64_t
count_records(struct store_txn *txn, const struct peer *p, struct form_key key)
{
	struct store_cursor *c;
	struct bytes k, value;
	uint8_t prefix[4];
	uint64_t n = 0;

	be32_put(prefix, key.v);
	if (peer_is_node(p)) {
		if (store_walk_prefix(txn, STORE_RECORD_BY_FORM, BYTES(prefix, 4), STORE_FORWARD,
				      &c) != E_OK)
			return 0;
		while (store_next(c, &k, NULL))
			n++;
	} else {
		if (store_walk(txn, STORE_OWN_RECORD, BYTES_NONE, STORE_FORWARD, &c) != E_OK)
			return 0;
		while (store_next(c, &k, &value)) {
			struct own_record own;

			n += own_record_read(k, value, &own) == E_OK && own.form.v == key.v;
		}
	}
	return store_walk_end(c) == E_OK ? n : 0;
}

/* May a draft language be used? Those of form accept-language, separated by spaces. */
static bool
accepted(const struct form_entry *f, const char *code)
{
	const char *at = f->languages;
	size_t n = strlen(code);

	while ((at = strstr(at, code)) != NULL) {
		if ((at == f->languages || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' '))
			return true;
		at += n;
	}
	return false;
}

static void
list_json(struct call *c, const struct form_entry *f, bool newest, uint64_t records)
{
	const struct dictionary *d = dictionaries_for(call_peer(c), f->key);
	struct writer w;
	size_t i;

	writer_heap_init(&w, 64u << 10);
	writer_str(&w, "{");
	json_key_str(&w, "form", form_id(f->form));
	json_key_str(&w, "version", form_version(f->form));
	json_key_str(&w, "title", form_title(f->form, ""));
	json_key_bool(&w, "newest", newest);
	if (records == NOT_SAID) {
		json_key(&w, "records");
		writer_str(&w, "null");
	} else {
		json_key_u64(&w, "records", records);
	}
	json_key_u64(&w, "dictionary", d == NULL ? 0 : d->content.n);
	json_key(&w, "languages");
	writer_str(&w, "[");
	for (i = 0; i < form_language_count(f->form); i++) {
		const char *code = form_language_code(f->form, i);
		bool draft = form_language_draft(f->form, i) && !accepted(f, code);

		writer_str(&w, i > 0 ? ",{" : "{");
		json_key_str(&w, "code", code);
		json_key_str(&w, "name", form_language(f->form, i));
		json_key_bool(&w, "draft", draft);
		writer_str(&w, "}");
	}
	writer_str(&w, "]}\n");
	call_out_bytes(c, writer_view(&w));
	writer_free(&w);
}

static void
list_text(struct call *c, const struct form_entry *f, bool newest, uint64_t records)
{
	const struct dictionary *d = dictionaries_for(call_peer(c), f->key);
	size_t i;

	call_out(c, "%s%s%s  %s%s", form_id(f->form), form_version(f->form)[0] != '\0' ? " " : "",
		 form_version(f->form), form_title(f->form, ""),
		 newest ? "" : " (an older version)");
	if (records != NOT_SAID)
		call_out(c, ", %llu record%s", (unsigned long long)records,
			 records == 1 ? "" : "s");
	if (d != NULL)
		call_out(c, ", a dictionary of %zu bytes", d->content.n);
	call_out(c, ";");
	for (i = 0; i < form_language_count(f->form); i++) {
		const char *code = form_language_code(f->form, i);

		call_out(c, " %s%s", code,
			 form_language_draft(f->form, i) && !accepted(f, code) ? " (draft)" : "");
	}
	call_out(c, "\n");
}

static int
by_name(const void *a, const void *b)
{
	const struct form_entry *const *x = a, *const *y = b;
	int order = strcmp(form_id((*x)->form), form_id((*y)->form));

	return order != 0 ? order : strcmp(form_version((*x)->form), form_version((*y)->form));
}

enum err
cmd_form_list(struct call *c)
{
	struct peer *p = call_peer(c);
	struct store_txn *txn;
	struct form_entry *f, **all;
	bool counted = may_count(c);
	size_t i, n = 0;
	enum err e;

	for (f = p->forms; f != NULL; f = f->next)
		n++;
	if ((all = calloc(n + 1, sizeof(*all))) == NULL)
		return E_NO_MEMORY;
	for (i = 0, f = p->forms; f != NULL; f = f->next)
		all[i++] = f;
	qsort(all, n, sizeof(*all), by_name);
	if ((e = store_read_begin(p->store, &txn)) == E_OK) {
		for (i = 0; i < n; i++) {
			bool newest = peer_form(p, form_id(all[i]->form)) == all[i];
			uint64_t records = counted ? count_records(txn, p, all[i]->key) : NOT_SAID;

			if (call_json(c))
				list_json(c, all[i], newest, records);
			else
				list_text(c, all[i], newest, records);
		}
		store_read_end(txn);
	}
	free(all);
	if (e == E_OK && n == 0 && !call_json(c))
		call_note(c, "%s\n",
			  peer_is_node(p)
			      ? "No forms yet; put some in with: banyan form add STORE FILE..."
			      : "No forms yet; they come with: banyan sync STORE");
	return e;
}
