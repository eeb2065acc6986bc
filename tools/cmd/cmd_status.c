/* banyan status: what is here, what waits, what needs attention. */
#include <stdarg.h>
#include <stdio.h>

#include "core/parcel/arrival.h"
#include "tools/commands.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/opener/opener.h"
#include "tools/node/carry/carry.h"
#include "tools/node/opener/stanzas.h"
#include "tools/node/records/tally.h"
#include "tools/node/records/view.h"
#include "tools/standing.h"

#define DISK_LEAST (512ull << 20) /* a node's busiest day fits */
#define CLOCK_OFFSET_S 3600       /* what a person would notice on the wall */
#define SYNC_DAYS 7u
#define QUARANTINE_SHOWN 20u

static void need(struct standing *, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
need(struct standing *s, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	writer_printf(&s->attention, "%s\n", line);
}

/* ---- gathering ---- */

static enum err
add_area(void *arg, const struct tally_row *row)
{
	struct standing *s = arg;
	char area[AREA_CODE_BYTES_MAX + 1] = "";

	memcpy(area, row->subject, row->subject_n);
	if (!view_in_scope(s->p, &s->who, area))
		return E_OK;
	s->conflicts += row->counts[TALLY_CONFLICTS];
	s->conflict_records += row->counts[TALLY_CONFLICT_RECORDS];
	s->faulty += row->counts[TALLY_FAULTY];
	s->edited += row->counts[TALLY_EDITED];
	s->incomplete += row->counts[TALLY_INCOMPLETE];
	s->clocks += row->counts[TALLY_CLOCKS];
	return E_OK;
}

static enum err
count_due(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct standing *s = arg;
	struct sweep_due due;
	bool is_due = false;
	enum err e = E_OK;

	if (view_in_scope(s->p, &s->who, row->area))
		e = sweep_is_due(s->p, txn, &s->rules, row, s->now_s, &due, &is_due);
	s->due += is_due;
	return e;
}

static enum err
count_forks(const struct arrival_head *head, void *arg)
{
	((struct standing *)arg)->forks += head->forks;
	return E_OK;
}

static void
quarantine_from(struct store_txn *txn, uint64_t seq, struct member *m)
{
	struct arrival a;

	if (arrival_get(txn, seq, &a) == E_OK && member_get(txn, &a.log.author, m) == E_OK)
		return;
	memset(m, 0, sizeof(*m));
	(void)snprintf(m->enrolment.name, sizeof(m->enrolment.name), "somebody unknown");
}

static void
need_aside(struct standing *s, const struct quarantine_row *row, const struct member *m,
	   const char *sentence)
{
	const struct enrolment *n = &m->enrolment;

	if (row->e == E_SCOPE)
		need(
		    s,
		    "A parcel from %s, who was invited for %s, is kept aside and does not count: it is %s. Ask there. If it "
		    "is right, invite them anew for an area that holds both; if not: banyan revoke STORE \"%s\" --reason TEXT",
		    n->name, n->area, row->thing, n->name);
	else
		need(s, "A parcel from %s is kept aside and does not count: %s.", n->name,
		     sentence);
}

static enum err
list_quarantine(struct standing *s, struct store_txn *txn)
{
	struct store_cursor *c;
	struct bytes key, value;
	enum err e, e2;

	if ((e = store_walk(txn, STORE_QUARANTINE, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		struct quarantine_row row;
		struct why why;
		struct member from;
		char sentence[600];

		if ((e = quarantine_read(key, value, &row)) != E_OK)
			break;
		why.e = row.e;
		memcpy(why.thing, row.thing, sizeof(why.thing));
		(void)why_sentence(&why, sentence, sizeof(sentence));
		quarantine_from(txn, row.seq, &from);
		writer_str(&s->quarantine, s->quarantined++ > 0 ? ",{" : "{");
		json_key_u64(&s->quarantine, "parcel", row.seq);
		json_key_str(&s->quarantine, "from", from.enrolment.name);
		json_key_str(&s->quarantine, "area", from.enrolment.area);
		json_key_str(&s->quarantine, "error", err_name(row.e));
		json_key_str(&s->quarantine, "reason", sentence);
		writer_str(&s->quarantine, "}");
		if (s->quarantined <= QUARANTINE_SHOWN)
			need_aside(s, &row, &from, sentence);
	}
	e2 = store_walk_end(c);
	if (s->quarantined > QUARANTINE_SHOWN)
		need(s, "And %llu more parcels are kept aside; --json lists them all.",
		     (unsigned long long)(s->quarantined - QUARANTINE_SHOWN));
	return e != E_OK ? e : e2;
}

static void
need_people(struct standing *s)
{
	size_t i;

	for (i = 0; i < s->people_count; i++) {
		const struct person *x = &s->people[i];
		uint32_t since = x->last_seen_s > x->joined_s ? x->last_seen_s : x->joined_s;

		if (x->last_seen_s > s->last_sync_s && !x->here)
			s->last_sync_s = x->last_seen_s;
		s->pending += x->state == MEMBER_PENDING;
		s->overdue += x->overdue;
		if (x->state == MEMBER_PENDING)
			need(s, "%s (%s) waits to be let in: banyan devices STORE --approve \"%s\"",
			     x->name, role_name(x->role), x->name);
		if (x->state == MEMBER_APPROVED && x->role != ROLE_NODE && quota_near(&x->quota))
			need(
			    s,
			    "%s (%s) brought %llu MiB, of %llu that one device may fill here. Ask there why; then let it send "
			    "more: banyan devices STORE --approve \"%s\"",
			    x->name, x->area, (unsigned long long)(x->quota.used >> 20),
			    (unsigned long long)(x->quota.allowed >> 20), x->name);
		if (x->overdue)
			need(s, "%s (%s) was not seen for %u days: ask there.", x->name, x->area,
			     (s->now_s - since) / 86400u);
	}
}

static enum err
stand_node(struct standing *s, struct store_txn *txn)
{
	uint64_t safe;
	enum err e;

	s->records = store_count(txn, STORE_RECORD_NUMBER);
	if ((e = opener_backlog(txn, &s->backlog)) != E_OK ||
	    (e = sweep_rules(txn, &s->rules)) != E_OK ||
	    (e = tally_walk(txn, TALLY_AREA, add_area, s)) != E_OK ||
	    (e = sweep_old(s->p, txn, &s->rules, s->now_s, count_due, s)) != E_OK ||
	    (e = arrival_all_logs(txn, count_forks, s)) != E_OK ||
	    (e = arrival_safe(txn, &safe)) != E_OK ||
	    (e = people_list(s->p, txn, &s->who, false, &s->arena, &s->people, &s->people_count)) !=
		E_OK)
		return e;
	s->unsafe = s->parcels > safe ? s->parcels - safe : 0;
	need_people(s);
	if (s->conflicts > 0)
		need(s,
		     "%llu answer%s in %llu record%s contradict each other: banyan conflicts STORE",
		     (unsigned long long)s->conflicts, plural(s->conflicts),
		     (unsigned long long)s->conflict_records, plural(s->conflict_records));
	if (s->faulty > 0)
		need(s,
		     "%llu record%s not fit the form's rules: banyan list STORE FORM shows which.",
		     (unsigned long long)s->faulty, s->faulty == 1 ? " does" : "s do");
	if (s->edited > 0)
		need(
		    s,
		    "%llu record%s changed since the last review: banyan list STORE FORM shows which, as edited.",
		    (unsigned long long)s->edited, plural(s->edited));
	if (s->incomplete > 0)
		need(s, "%llu record%s for a part that has not arrived.",
		     (unsigned long long)s->incomplete, s->incomplete == 1 ? " waits" : "s wait");
	if (s->clocks > 0)
		need(s, "%llu record%s came from a device whose clock is far ahead.",
		     (unsigned long long)s->clocks, plural(s->clocks));
	if (s->forks > 0)
		need(
		    s,
		    "A store was copied: %llu parcel%s came twice under one number. Both are kept; find the twin.",
		    (unsigned long long)s->forks, plural(s->forks));
	if (s->backlog > 1000)
		need(s, "%llu parcels still wait to be opened.", (unsigned long long)s->backlog);
	if (s->due > 0)
		need(
		    s,
		    "%llu record%s stayed as long as the programme lets them: banyan sweep STORE --dry-run",
		    (unsigned long long)s->due, plural(s->due));
	if (s->unsafe > 0)
		need(s, "%llu parcel%s are in no backup yet: banyan backup STORE -o FILE",
		     (unsigned long long)s->unsafe, plural(s->unsafe));
	return list_quarantine(s, txn);
}

/* Reviews that ask something of this device's person. */
static enum err
own_reviews(struct standing *s, struct store_txn *txn)
{
	struct store_cursor *c;
	struct bytes key, value;
	enum err e, e2;

	if ((e = store_walk(txn, STORE_OWN_RECORD, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		struct own_record own;
		char hex[2 * ID_BYTES + 1];

		if ((e = own_record_read(key, value, &own)) != E_OK)
			break;
		if (own.is_void ||
		    (own.review != REVIEW_HAS_ISSUES && own.review != REVIEW_REJECTED))
			continue;
		hex_encode(hex, own.id.b, ID_BYTES);
		s->questioned++;
		need(s, "The office says of record %.12s: %s: %s", hex,
		     review_state_name(own.review), own.note);
	}
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

static enum err
stand_device(struct standing *s, struct store_txn *txn)
{
	int64_t offset = s->sync.clock_offset_s;

	s->records = store_count(txn, STORE_OWN_RECORD);
	s->last_sync_s = (uint32_t)s->sync.last_sync_s;
	if (!s->p->approved)
		need(
		    s,
		    "An officer must still let this store in: banyan devices STORE --approve \"%s\", at the office. When that is "
		    "done: banyan sync STORE, here",
		    peer_self(s->p)->name);
	if (s->waiting.records > 0 && s->now_s > s->last_sync_s &&
	    s->now_s - s->last_sync_s > SYNC_DAYS * 86400u)
		need(s, "%llu record%s wait to be sent: banyan sync STORE",
		     (unsigned long long)s->waiting.records, plural(s->waiting.records));
	if (s->last_sync_s != 0 && !s->sync.verified)
		need(
		    s,
		    "The last sync did not end well; run it again, and it says why: banyan sync STORE");
	if (s->last_sync_s > s->now_s + CLOCK_OFFSET_S)
		need(
		    s,
		    "This device's clock says a time before its last sync: set it, or forms refuse dates as those of the future.");
	else if (offset > CLOCK_OFFSET_S || offset < -CLOCK_OFFSET_S)
		need(s, "This device's clock is %lld minutes %s that of the node: set it.",
		     (long long)(offset < 0 ? -offset : offset) / 60,
		     offset > 0 ? "behind" : "ahead of");
	return own_reviews(s, txn);
}

/* A node among others. */
static void
stand_tree(struct standing *s, struct store_txn *txn)
{
	uint64_t waiting = stanzas_waiting(txn), left = carry_left_count(txn);

	if (s->p->above.known && !s->p->approved)
		need(
		    s,
		    "The office above must still let this node in, by the name that it invited: banyan devices STORE --approve NAME, "
		    "there. When that is done: banyan sync STORE, here");
	else if (s->p->above.known && s->sync.last_sync_s != 0 && !s->sync.verified)
		need(s,
		     "The last sync with the node above (%s) did not end well: banyan sync STORE",
		     s->p->above.address);
	else if (s->p->above.known && s->sync.last_sync_s + SYNC_DAYS * 86400u < s->now_s)
		need(s,
		     "This node has not synced with the one above (%s) lately: banyan sync STORE",
		     s->p->above.address);
	if (left > 0)
		need(
		    s,
		    "%llu parcel%s known above of which this office misses parts: the device that wrote them brings them, or the "
		    "office's other node has them, and brings them when it syncs. If that node is gone for good: banyan revoke STORE NAME",
		    (unsigned long long)left, left == 1 ? " is" : "s are");
	if (waiting > 0)
		need(
		    s,
		    "%llu part%s of records wait%s for the word of %s home office; it comes when that syncs",
		    (unsigned long long)waiting, plural(waiting), waiting == 1 ? "s" : "",
		    waiting == 1 ? "its" : "their");
}

static enum err
gather(struct standing *s)
{
	struct store_txn *txn;
	enum err e;

	if ((e = acting_enrolment(s->c, &s->who)) != E_OK ||
	    (e = store_read_begin(s->p->store, &txn)) != E_OK)
		return e;
	s->now_s = peer_now_s(s->p);
	store_stat(s->p->store, &s->disk);
	if ((e = arrival_last(txn, &s->parcels)) == E_OK &&
	    (e = outbox_waiting(s->p, txn, &s->waiting)) == E_OK &&
	    (e = sync_memory_get(txn, &s->sync)) == E_OK)
		e = peer_is_node(s->p) ? stand_node(s, txn) : stand_device(s, txn);
	if (e == E_OK && peer_is_node(s->p))
		stand_tree(s, txn);
	store_read_end(txn);
	if (s->disk.disk_free_bytes < DISK_LEAST)
		need(
		    s,
		    "The disk is nearly full: %llu MiB are free. Make room before it stops the work.",
		    (unsigned long long)(s->disk.disk_free_bytes >> 20));
	if (s->disk.refuses_writes)
		need(
		    s,
		    "The disk failed: stop banyan, check the disk, and restore a backup if it must be replaced.");
	return e;
}

enum err
cmd_status(struct call *c)
{
	struct standing s = {.c = c, .p = call_peer(c)};
	struct writer w;
	enum err e;

	arena_init(&s.arena, 256u << 20);
	writer_heap_init(&s.quarantine, 32u << 20);
	writer_heap_init(&s.attention, 16u << 20);
	writer_heap_init(&w, 128u << 20);
	if ((e = gather(&s)) == E_OK) {
		if (call_json(c))
			standing_json(&s, &w);
		else
			standing_text(&s, &w);
		if ((e = writer_end(&w)) == E_OK)
			call_out_bytes(c, writer_view(&w));
	}
	writer_free(&w);
	writer_free(&s.attention);
	writer_free(&s.quarantine);
	arena_free(&s.arena);
	return e;
}
