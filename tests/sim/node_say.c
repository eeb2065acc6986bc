/* The node: what it says to everyone and to one device (tools/node/down/down.c), and its bad days.
 */
#include <stdlib.h>

#include "core/pack.h"
#include "tests/sim/sim.h"

enum { DOWN_FORM = 1, DOWN_REVIEW = 16 };

/* ---- what the node says ---- */

enum err
node_publish(struct world *w, struct log_id log, const struct parcel_item *item)
{
	struct session_head head = entries_head(&w->node.disk.down, &log);
	struct parcel_context context = {
	    .programme = w->programme, .log = log, .previous = head.hash, .own_area = "D1"};
	struct entry entry = {.log = log, .number = head.number + 1};
	struct parcel_builder *b;
	struct writer out;
	enum err e;

	writer_heap_init(&out, PARCEL_BYTES_MAX);
	if ((e = parcel_begin(&b, &context, entry.number, 0, NULL)) == E_OK &&
	    (e = parcel_add(b, item)) == E_OK)
		e = parcel_end(b, &w->node.sign, &out, &entry.hash);
	parcel_builder_free(b);
	if (e == E_OK) {
		entry.bytes = world_keep(w, writer_view(&out));
		entries_add(&w->node.disk.down, &entry);
	} else {
		sim_fail(w, "the node cannot make a parcel: %s", err_name(e));
	}
	writer_free(&out);
	return e;
}

static void
publish_form(struct world *w, const struct down_row *form)
{
	struct log_id log = {w->node.id, w->node.disk.epoch};
	struct parcel_item item;
	struct writer wrapped;

	memset(&item, 0, sizeof(item));
	writer_heap_init(&wrapped, CONTROL_BYTES_MAX);
	item.epoch = log.epoch;
	item.analytic.present = true;
	if (control_pack(form->body, &wrapped) != E_OK)
		sim_fail(w, "control_pack");
	item.analytic.ciphertext = writer_view(&wrapped);
	(void)node_publish(w, log, &item);
	writer_free(&wrapped);
}

void
node_say(struct world *w)
{
	struct node_disk *d = &w->node.disk;
	struct down_row form = {.order = d->forms_n + 1};
	uint8_t memory[400], bundle[300];
	size_t n = 40 + draw_below(200);
	struct writer out;

	if (!node_durable_begin(w))
		return;
	sim_random(bundle, n);
	writer_init(&out, memory, sizeof(memory));
	pack_array(&out, 4);
	pack_u64(&out, DOWN_FORM);
	pack_u64(&out, form.order);
	pack_cstr(&out, "");
	pack_bin(&out, BYTES(bundle, n));
	form.body = world_keep(w, writer_view(&out));
	d->forms = grow(d->forms, d->forms_n, &d->forms_cap, sizeof(form));
	d->forms[d->forms_n++] = form;
	publish_form(w, &form);
	sim_say(w, "the node has form %llu", (unsigned long long)form.order);
	node_durable_end(w);
}

/* A review of a record, sealed to its author's device. Part of the commit that is under way. */
enum err
node_review(struct world *w, struct principal *who, const struct record_id *record)
{
	struct run_recipient to = {.to_principal = true, .principal = who->id};
	struct log_id log = {w->node.id, node_inbox_epoch(w, who)};
	uint8_t memory[100];
	struct record_id none;
	struct parcel_item item;
	struct writer body, sealed;
	struct run run;
	enum err e;

	if ((e = run_begin(&run, &w->programme, &w->node.id, log.epoch, &to, &who->seal.pub)) !=
	    E_OK)
		return e;
	writer_init(&body, memory, sizeof(memory));
	pack_array(&body, 5);
	pack_u64(&body, DOWN_REVIEW);
	pack_bin(&body, BYTES(record->b, ID_BYTES));
	pack_u64(&body, REVIEW_HAS_ISSUES);
	pack_cstr(&body, "which village?");
	pack_u64(&body, node_now_s(w));
	memset(&item, 0, sizeof(item));
	writer_heap_init(&sealed, SLICE_BYTES_MAX);
	run_record_id(&none, run.enc, 0, 0);
	if ((e = slice_seal(&run, SLICE_NOTICE, 0, &none, writer_view(&body), &sealed)) == E_OK) {
		item.enc = run.enc;
		item.to = to;
		item.epoch = log.epoch;
		item.analytic.present = true;
		item.analytic.ciphertext = writer_view(&sealed);
		e = node_publish(w, log, &item);
	}
	run_wipe(&run);
	writer_free(&sealed);
	return e;
}

void
node_revoke(struct world *w, struct principal *who)
{
	size_t i;

	if (who->revoked || !node_durable_begin(w))
		return;
	who->revoked = true;
	who->revoked_n = 0;
	for (i = 0; i < w->node.disk.arrivals.n; i++) {
		const struct entry *e = &w->node.disk.arrivals.e[i];
		size_t k;

		if (!ID_EQUAL(&e->log.author, &who->id))
			continue;
		for (k = 0; k < who->revoked_n && who->revoked_logs[k].epoch != e->log.epoch; k++)
			;
		if (k == EPOCHS_SIM_MAX)
			break;
		who->revoked_logs[k].epoch = e->log.epoch;
		who->revoked_logs[k].number = entries_head(&w->node.disk.arrivals, &e->log).number;
		who->revoked_n = k == who->revoked_n ? k + 1 : who->revoked_n;
	}
	sim_say(w, "principal %zu is revoked", (size_t)(who - w->principal));
	for (i = 0; i < w->device_n; i++) /* serve_ask's forget_revoked */
		if (w->device[i].who == who && w->device[i].conn != NULL &&
		    w->bug != BUG_REVOKED_SERVED)
			conn_kill(w->device[i].conn, "the device was revoked");
	node_durable_end(w);
}

/* ---- bad days ---- */

void
node_crash(struct world *w, const char *why)
{
	size_t i;

	if (!w->node.up)
		return;
	sim_say(w, "the node crashes %s", why);
	w->counts_crashes++;
	w->node.up = false;
	for (i = 0; i < DEVICES_MAX + w->other_n; i++)
		if (w->device[i].conn != NULL)
			conn_kill(w->device[i].conn, "the node is gone");
	w->mode->node_stop(w);
	world_at(w, 1000 + draw_below(12u * 3600000u), EVENT_NODE_UP, 0, NULL);
}

void
node_start(struct world *w)
{
	if (w->node.up)
		return;
	w->node.up = true;
	w->mode->node_start(w);
	world_at(w, 1000, EVENT_OPEN, 0, NULL);
}

void
node_backup(struct world *w)
{
	struct node *n = &w->node;

	if (!n->up)
		return;
	n->backup.arrivals = n->disk.arrivals.n;
	n->backup.down = n->disk.down.n;
	n->backup.forms = n->disk.forms_n;
	n->has_backup = true;
	n->disk.safe = n->backup.arrivals;
}

void
node_restore(struct world *w, bool new_incarnation)
{
	struct node *n = &w->node;
	size_t i;

	if (!n->has_backup)
		return;
	node_crash(w, "for good");
	sim_say(w, "the node is put back from a backup with %zu of %zu arrivals%s",
		n->backup.arrivals, n->disk.arrivals.n,
		new_incarnation ? "" : ", without a new incarnation");
	n->disk.arrivals.n = n->backup.arrivals;
	n->disk.down.n = n->backup.down;
	n->disk.forms_n = n->backup.forms;
	n->disk.opened = n->disk.derived_n = n->disk.quarantined = 0;
	n->restores++;
	if (!new_incarnation) {
		n->rolled_back = true;
	} else {
		sim_random(&n->disk.incarnation, sizeof(n->disk.incarnation));
		if (w->bug != BUG_EPOCH_KEPT) {
			sim_random(&n->disk.epoch, sizeof(n->disk.epoch));
			for (i = 0; i < n->disk.forms_n; i++)
				publish_form(w, &n->disk.forms[i]);
		}
	}
	check_after_restore(w, NULL);
}
