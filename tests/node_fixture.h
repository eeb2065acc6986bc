/*
 * node_fixture: a programme with one office, its node and its officer, in a fresh folder; devices
 * that joined; and parcels made by hand, good or bad, put into the node's store as if they had come
 * over a link.
 */
#ifndef BANYAN_TESTS_NODE_FIXTURE_H
#define BANYAN_TESTS_NODE_FIXTURE_H

#include "core/parcel/arrival.h"
#include "core/principals/invite.h"
#include "core/pack.h"
#include "core/parcel/parcel.h"
#include "core/record/revision.h"
#include "core/record/slice.h"
#include "schemas/areas_table.h"
#include "schemas/xlsform.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "tools/node/down/down.h"
#include "tools/node/enrol/enrol.h"
#include "tools/node/opener/opener.h"
#include "tools/node/records/records.h"

/* One device as its own store would have it: identity, and where its log stands. */
struct device {
	struct identity self;
	uint64_t number;
	struct parcel_hash last;
	bool urgent; /* are its next parcels? */
};

struct node {
	char dir[PATH_MAX], path[PATH_MAX];
	uint8_t key_file[64];
	struct unlock unlock;
	struct peer *peer;
	struct ec_key root; /* the programme's */
	struct why why;
};

/* Two districts of one province, a village in each. The node's office is the province. */
static const char node_areas[] =
    "code,parent,level,name\nP,,province,P\nD1,P,district,One\nD2,P,district,Two\n"
    "V1,D1,village,First\nV2,D2,village,Second\n";
static const char node_form[] =
    "| survey | | | | |\n| | type | name | label | bind::banyan:class |\n"
    "| | text | name | Name | D |\n| | text | note | Note | S |\n"
    "| settings | | | |\n| | form_id | version | form_title |\n| | N | 1 | N |\n";

static inline bool
node_add_form(struct node *n)
{
	struct xlsform_report report = {0};
	struct writer xform, needed, bundle;
	bool already;
	enum err e;

	writer_heap_init(&xform, 1u << 20);
	writer_heap_init(&needed, 4096);
	writer_heap_init(&bundle, 1u << 20);
	e = xlsform_convert(&xform, BYTES_LIT(node_form), XLSFORM_MD, "N", &report, &needed);
	if (e == E_OK)
		e = form_bundle_write(&bundle, writer_view(&xform), NULL, 0);
	if (e == E_OK)
		e = down_add_form(n->peer, &n->peer->identities[1].id, writer_view(&bundle),
				  &already, &n->why);
	writer_free(&bundle);
	writer_free(&needed);
	writer_free(&xform);
	xlsform_report_free(&report);
	return e == E_OK;
}

static inline bool
node_begin_at(struct node *n, const char *area)
{
	struct foundation f = {.programme = "Test", .area = area, .officer = "officer"};
	struct areas_table table;
	struct writer areas;
	struct arena arena;
	enum err e;

	memset(n, 0, sizeof(*n));
	scratch_make(n->dir);
	scratch_path(n->path, n->dir, "node");
	memset(n->key_file, 7, sizeof(n->key_file));
	n->unlock =
	    (struct unlock){.name = "officer", .key_file = BYTES(n->key_file, sizeof(n->key_file))};
	arena_init(&arena, 1u << 20);
	writer_heap_init(&areas, 1u << 20);
	if ((e = areas_table_parse(BYTES_LIT(node_areas), &arena, &table, &n->why)) == E_OK &&
	    (e = areas_table_pack(&table, &areas)) == E_OK) {
		f.areas = writer_view(&areas);
		e = enrol_found(&n->peer, n->path, &n->unlock, &f, &n->why);
	}
	writer_free(&areas);
	arena_free(&arena);
	n->root = f.root;
	crypto_wipe(&f.root, sizeof(f.root));
	crypto_wipe(&f.recovery, sizeof(f.recovery));
	CHECK_MSG(e == E_OK, "%s: %s", err_name(e), n->why.thing);
	return e == E_OK && node_add_form(n);
}

static inline bool
node_begin(struct node *n)
{
	return node_begin_at(n, "P");
}

static inline void
node_end(struct node *n)
{
	peer_close(n->peer);
	scratch_remove(n->dir);
}

/* An invitation written and used; the newcomer's keys are in *d. */
static inline enum err
node_join(struct node *n, struct device *d, enum role role, const char *area, const char *name)
{
	struct invitation v = {
	    .role = role, .area = area, .name = name, .address = "127.0.0.1:1", .days = 1};
	struct message_join join;
	struct message_welcome welcome;
	struct invite invite;
	struct writer line;
	struct arena arena;
	enum err e;

	memset(d, 0, sizeof(*d));
	crypto_random(d->self.id.b, ID_BYTES);
	crypto_random(&d->self.epoch, sizeof(d->self.epoch));
	d->self.role = role;
	snprintf(d->self.area, sizeof(d->self.area), "%s", area);
	snprintf(d->self.name, sizeof(d->self.name), "%s", name);
	writer_heap_init(&line, 4096);
	arena_init(&arena, 1u << 20);
	memset(&join, 0, sizeof(join));
	if ((e = crypto_ec_new(&d->self.sign)) == E_OK &&
	    (e = crypto_ec_new(&d->self.seal)) == E_OK &&
	    (e = enrol_invite(n->peer, &n->peer->identities[1], &v, &line, &n->why)) == E_OK &&
	    (e = invite_decode(writer_cstr(&line), &invite, &n->why)) == E_OK) {
		join.principal = d->self.id;
		join.seal_public = d->self.seal.pub;
		memcpy(join.secret, invite.secret, sizeof(join.secret));
		e = enrol_join(n->peer, &join, &d->self.sign.pub, &welcome, &arena, &n->why);
	}
	arena_free(&arena);
	writer_free(&line);
	return e;
}

/* ---- parcels by hand ---- */

struct node_append {
	struct arrival a;
	bool urgent;
};

static inline enum err
node_append_job(struct store_txn *txn, void *arg)
{
	struct node_append *job = arg;
	enum arrival_result result;
	enum err e = arrival_append(txn, &job->a, &result);

	return e == E_OK ? opener_note(txn, &job->a, job->urgent) : e;
}

/* Sign the items as the device's next parcel, and let it arrive. */
static inline enum err
node_arrive(struct node *n, struct device *d, const char *area, const struct parcel_item *items,
	    size_t count)
{
	struct parcel_context context = {.programme = n->peer->programme.id,
					 .log = {d->self.id, d->self.epoch},
					 .previous = d->last,
					 .own_area = d->self.area};
	struct node_append job = {.a = {.log = context.log,
					.number = d->number + 1,
					.received_s = 1000,
					.via = d->self.id,
					.flags = ARRIVAL_UNVERIFIED},
				  .urgent = d->urgent};
	struct parcel_builder *b;
	struct writer out;
	size_t i;
	enum err e = parcel_begin(&b, &context, d->number + 1, d->urgent ? PARCEL_URGENT : 0, area);

	writer_heap_init(&out, PARCEL_BYTES_MAX);
	for (i = 0; e == E_OK && i < count; i++)
		e = parcel_add(b, &items[i]);
	if (e == E_OK)
		e = parcel_end(b, &d->self.sign, &out, &job.a.hash);
	parcel_builder_free(b);
	if (e == E_OK) {
		job.a.parcel = writer_view(&out);
		e = store_write(n->peer->store, node_append_job, &job);
	}
	if (e == E_OK) {
		d->number++;
		d->last = job.a.hash;
	}
	writer_free(&out);
	return e;
}

/* One run of the device to the office. */
static inline enum err
node_run(struct node *n, const struct device *d, struct run *run)
{
	struct run_recipient to = {.key_no = n->peer->home.key_no};

	return run_begin(run, &n->peer->programme.id, &d->self.id, d->self.epoch, &to,
			 &n->peer->home.seal.pub);
}

/* Payloads sealed as the run's next item; the ciphertext is left in *sealed. record NULL: new
 * records. */
static inline enum err
node_seal(struct run *run, const struct record_id *record, struct bytes analytic,
	  struct bytes identifying, struct parcel_item *item, struct writer sealed[2])
{
	uint32_t index = run->next_index++;
	struct record_id first;
	enum err e;

	run_record_id(&first, run->enc, index, 0);
	memset(item, 0, sizeof(*item));
	writer_heap_init(&sealed[0], SLICE_BYTES_MAX);
	writer_heap_init(&sealed[1], SLICE_BYTES_MAX);
	item->enc = run->enc;
	item->to = run->to;
	item->epoch = run->epoch;
	item->index = index;
	item->has_record = record != NULL;
	item->record = record != NULL ? *record : first;
	if ((e = slice_seal(run, SLICE_ANALYTIC, index, &item->record, analytic, &sealed[0])) !=
	    E_OK)
		return e;
	item->analytic.present = true;
	item->analytic.ciphertext = writer_view(&sealed[0]);
	if (identifying.n == 0)
		return E_OK;
	item->identifying.present = true;
	e = slice_seal(run, SLICE_IDENTIFYING, index, &item->record, identifying, &sealed[1]);
	item->identifying.ciphertext = writer_view(&sealed[1]);
	return e;
}

/* One revision in a parcel of its own. *id: the record; given for all but CREATE. */
static inline enum err
node_say(struct node *n, struct device *d, const char *area, struct revision_body *body,
	 struct record_id *id)
{
	struct writer plain[2], sealed[2] = {{0}, {0}};
	struct parcel_item item;
	struct run run;
	enum err e;

	writer_heap_init(&plain[0], SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&plain[1], SLICE_PLAIN_BYTES_MAX);
	body->form = n->peer->forms->key;
	if (body->kind == REVISION_CREATE)
		body->answers = BYTES_LIT("\x90");
	if ((e = node_run(n, d, &run)) == E_OK) {
		if ((e = revisions_write(body, 1, &plain[0], &plain[1])) == E_OK)
			e = node_seal(&run, body->kind == REVISION_CREATE ? NULL : id,
				      writer_view(&plain[0]), writer_view(&plain[1]), &item,
				      sealed);
		if (e == E_OK && (e = node_arrive(n, d, area, &item, 1)) == E_OK)
			*id = item.record;
		run_wipe(&run);
	}
	writer_free(&sealed[0]);
	writer_free(&sealed[1]);
	writer_free(&plain[0]);
	writer_free(&plain[1]);
	return e;
}

/* How many arrivals are set aside, and the reason of the last. */
static inline size_t
node_aside(struct node *n, enum err *last)
{
	struct store_txn *txn;
	struct store_cursor *c;
	struct bytes key, value;
	size_t count = 0;

	*last = E_OK;
	if (store_read_begin(n->peer->store, &txn) != E_OK)
		return SIZE_MAX;
	if (store_walk(txn, STORE_QUARANTINE, BYTES_NONE, STORE_FORWARD, &c) == E_OK) {
		struct quarantine_row row;

		while (store_next(c, &key, &value))
			if (quarantine_read(key, value, &row) == E_OK) {
				*last = row.e;
				count++;
			}
		(void)store_walk_end(c);
	}
	store_read_end(txn);
	return count;
}

/* In a job: as a store of an earlier version is: its rows under record ids, and none of ours. */
static inline enum err
node_older_job(struct store_txn *txn, void *arg)
{
	static const enum store_table ours[] = {STORE_RECORD_NUMBER, STORE_RECORD_ROW,
						STORE_REVISION_ROW, STORE_TALLY};
	const struct record_id *id = arg;
	enum err e = store_put(txn, STORE_RECORD, BYTES(id->b, ID_BYTES), BYTES_LIT("a row"));
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]) && e == E_OK; i++)
		e = store_clear(txn, ours[i]);
	return e;
}

static inline bool
node_record(struct node *n, const struct record_id *id, struct record_row *row, struct arena *a)
{
	struct store_txn *txn;
	enum err e;

	if (store_read_begin(n->peer->store, &txn) != E_OK)
		return false;
	e = record_row_get(txn, id, a, row);
	store_read_end(txn);
	return e == E_OK;
}

#endif
