#include "tools/node/erase/sweep.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "tools/node/erase/erase.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/enrol/offices.h"
#include "tools/node/records/tally.h"
#include "tools/node/records/view.h"

#define DAY_S 86400u

enum err
sweep_rules(struct store_txn *txn, struct retention *out)
{
	struct bytes value;
	enum err e = store_meta_get(txn, "retention", &value);

	memset(out, 0, sizeof(*out));
	return e == E_OK ? retention_read(value, out) : e == E_ABSENT ? E_OK : e;
}

/* ---- what is due ---- */

static bool
is_past(uint32_t since_s, uint32_t days, uint32_t now_s)
{
	return days != 0 && now_s > since_s && (now_s - since_s) / DAY_S >= days;
}

/* When its newest revision came, and whether any holds what identifies. */
static enum err
look_at(struct store_txn *txn, const struct record_id *id, uint32_t *last_s, bool *identifies)
{
	struct revision_row *rows;
	struct arena a;
	size_t i, k, count;
	enum err e;

	arena_init(&a, 64u << 20);
	*last_s = 0;
	*identifies = false;
	e = revision_rows(txn, id, &a, &rows, &count);
	for (i = 0; i < count && e == E_OK; i++) {
		if (rows[i].m.received_s > *last_s)
			*last_s = rows[i].m.received_s;
		*identifies = *identifies || rows[i].text.n > 0;
		for (k = 0; k < rows[i].m.field_count; k++)
			*identifies = *identifies || rows[i].m.fields[k].identifying;
	}
	arena_free(&a);
	return e;
}

enum err
sweep_is_due(struct peer *p, struct store_txn *txn, const struct retention *rules,
	     const struct record_row *row, uint32_t now_s, struct sweep_due *out, bool *due)
{
	const struct form_entry *form = peer_form_by_key(p, row->form);
	const char *name = form == NULL ? "" : form_id(form->form);
	uint32_t all = retention_days(rules, ERASURE_ALL, name),
		 named = retention_days(rules, ERASURE_IDENTIFYING, name);
	struct office_at office;
	bool identifies;
	enum err e;

	*due = false;
	if (!is_past(row->received_s, all, now_s) && !is_past(row->received_s, named, now_s))
		return E_OK;
	if ((e = look_at(txn, &row->id, &out->last_s, &identifies)) != E_OK)
		return e;
	out->parts = is_past(out->last_s, all, now_s) ? ERASURE_ALL : ERASURE_IDENTIFYING;
	out->days = out->parts == ERASURE_ALL ? all : named;
	if (out->parts == ERASURE_IDENTIFYING &&
	    (!identifies || !is_past(out->last_s, named, now_s)))
		return E_OK;
	if ((e = office_for(p, txn, row->area, &office)) != E_OK)
		return e;
	out->id = row->id;
	out->form = row->form;
	memcpy(out->area, row->area, sizeof(out->area));
	out->ordered = false;
	*due = office.own && p->home.has_secret;
	return E_OK;
}

/* Forms of which something came long enough ago. */
struct old_forms {
	struct peer *peer;
	const struct retention *rules;
	uint32_t now_s;
	struct form_key *forms;
	size_t count, cap;
};

static enum err
add_old(void *arg, const struct tally_row *row)
{
	struct old_forms *o = arg;
	struct form_key form = {be32_get(row->subject)};
	const struct form_entry *entry = peer_form_by_key(o->peer, form);
	const char *name = entry == NULL ? "" : form_id(entry->form);
	uint32_t since_s = be32_get(row->subject + 4) * TALLY_MONTH_S;
	size_t i;

	if (!is_past(since_s, retention_days(o->rules, ERASURE_ALL, name), o->now_s) &&
	    !is_past(since_s, retention_days(o->rules, ERASURE_IDENTIFYING, name), o->now_s))
		return E_OK;
	for (i = 0; i < o->count; i++)
		if (o->forms[i].v == form.v)
			return E_OK;
	if (o->count == o->cap) {
		size_t cap = o->cap == 0 ? 16 : 2 * o->cap;
		struct form_key *more = realloc(o->forms, cap * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		o->forms = more;
		o->cap = cap;
	}
	o->forms[o->count++] = form;
	return E_OK;
}

enum err
sweep_old(struct peer *p, struct store_txn *txn, const struct retention *rules, uint32_t now_s,
	  record_fn *f, void *arg)
{
	struct old_forms o = {.peer = p, .rules = rules, .now_s = now_s};
	enum err e = rules->count == 0 ? E_OK : tally_walk(txn, TALLY_MONTH, add_old, &o);
	size_t i;

	for (i = 0; i < o.count && e == E_OK; i++)
		e = record_walk_version(txn, o.forms[i], f, arg);
	free(o.forms);
	return e;
}

static enum err
add_due(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct sweep *s = arg;
	struct sweep_due one = {.last_s = 0};
	bool due;
	enum err e = sweep_is_due(s->peer, txn, &s->rules, row, s->now_s, &one, &due);

	if (row->received_s > s->newest_s)
		s->newest_s = row->received_s;
	if (one.last_s > s->newest_s)
		s->newest_s = one.last_s;
	if (e != E_OK || !due || !view_in_scope(s->peer, s->who, row->area))
		return e;
	if (s->count == s->cap) {
		size_t cap = s->cap == 0 ? 256 : 2 * s->cap;
		struct sweep_due *more = realloc(s->due, cap * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		s->due = more;
		s->cap = cap;
	}
	s->due[s->count++] = one;
	return E_OK;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct sweep_due *)a)->id.b, ((const struct sweep_due *)b)->id.b,
		      ID_BYTES);
}

enum err
sweep_find(struct sweep *s, struct peer *p, const struct enrolment *who,
	   const struct principal_id *actor, struct why *why)
{
	struct store_txn *txn;
	enum err e;

	memset(s, 0, sizeof(*s));
	s->peer = p;
	s->who = who;
	s->actor = actor;
	s->now_s = peer_now_s(p);
	if ((e = store_read_begin(p->store, &txn)) == E_OK) {
		if ((e = sweep_rules(txn, &s->rules)) == E_OK && s->rules.count > 0)
			e = record_walk(p, txn, NULL, add_due, s);
		store_read_end(txn);
	}
	if (s->count > 1)
		qsort(s->due, s->count, sizeof(*s->due), by_id);
	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}

void
sweep_free(struct sweep *s)
{
	free(s->due);
	s->due = NULL;
	s->count = s->cap = 0;
}

/* ---- orders ---- */

struct group {
	struct sweep *sweep;
	enum erasure_parts parts;
	struct sweep_due *together[SLICE_REVISIONS_MAX];
	size_t count;
};

/* Records of one slice that are due alike go by one commit; nobody is said again only to be erased
 * next. */
static bool
goes_too(void *arg, const struct record_id *id)
{
	struct group *g = arg;
	struct sweep_due key = {.id = *id}, *found;

	found = bsearch(&key, g->sweep->due, g->sweep->count, sizeof(*found), by_id);
	if (found == NULL || found->ordered || found->parts != g->parts ||
	    g->count == SLICE_REVISIONS_MAX)
		return false;
	g->together[g->count++] = found;
	return true;
}

static enum err
give_order(struct sweep *s, struct sweep_due *due, struct why *why)
{
	struct group g = {.sweep = s, .parts = due->parts};
	char reason[80];
	struct erase_order what = {.record = due->id,
				   .parts = due->parts,
				   .actor = s->actor,
				   .reason = reason,
				   .also = goes_too,
				   .also_arg = &g};
	size_t neighbours, i;
	enum err e;

	(void)snprintf(reason, sizeof(reason), "retention: %s for %u days",
		       due->parts == ERASURE_ALL ? "the record" : "what identifies", due->days);
	e = erase_record(s->peer, &what, &neighbours, why);
	if (e != E_OK)
		return e;
	due->ordered = true;
	for (i = 0; i < g.count; i++)
		g.together[i]->ordered = true;
	s->ordered += 1 + g.count;
	s->neighbours += neighbours;
	return E_OK;
}

enum err
sweep_run(struct sweep *s, sweep_tell_fn *tell, void *arg, struct why *why)
{
	enum err e = E_OK, e2;
	size_t i;

	for (i = 0; i < s->count && e == E_OK; i++) {
		if (!s->due[i].ordered)
			e = give_order(s, &s->due[i], why);
		tell(arg, s->ordered, s->count);
	}
	if (s->ordered == 0)
		return e;
	e2 = erase_finish(s->peer, e == E_OK ? why : NULL);
	return e == E_OK ? e2 : e;
}
