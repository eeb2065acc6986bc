/* Records whose form the node does not know: set aside, and opened when the form is added. */
#include "tests/device_fixture.h"
#include "tools/node/opener/aside.h"

static const char late_form[] =
    "| survey | | | | |\n| | type | name | label | bind::banyan:class |\n"
    "| | text | note | Note | S |\n"
    "| settings | | | |\n| | form_id | version | form_title |\n| | L | 1 | L |\n";

static void
late_bundle(struct writer *bundle)
{
	struct xlsform_report report = {0};
	struct writer xform;

	writer_heap_init(&xform, 1u << 20);
	CHECK(xlsform_convert(&xform, BYTES_LIT(late_form), XLSFORM_MD, "L", &report, NULL) ==
	      E_OK);
	CHECK(form_bundle_write(bundle, writer_view(&xform), NULL, 0) == E_OK);
	writer_free(&xform);
	xlsform_report_free(&report);
}

/* One new record of form `key` in a parcel of the device. */
static struct record_id
say_of(struct node *n, struct device *d, struct form_key key)
{
	struct revision_body body = {
	    .kind = REVISION_CREATE, .answers = BYTES_LIT("\x90"), .time_s = 5, .form = key};
	struct writer plain[2], sealed[2];
	struct parcel_item item;
	struct run run;

	writer_heap_init(&plain[0], SLICE_PLAIN_BYTES_MAX);
	writer_heap_init(&plain[1], SLICE_PLAIN_BYTES_MAX);
	CHECK(node_run(n, d, &run) == E_OK);
	CHECK(revisions_write(&body, 1, &plain[0], &plain[1]) == E_OK);
	CHECK(node_seal(&run, NULL, writer_view(&plain[0]), BYTES_NONE, &item, sealed) == E_OK);
	CHECK(node_arrive(n, d, NULL, &item, 1) == E_OK);
	run_wipe(&run);
	writer_free(&plain[0]);
	writer_free(&plain[1]);
	writer_free(&sealed[0]);
	writer_free(&sealed[1]);
	return item.record;
}

static void
form_added_late(void)
{
	struct form_key known, late, never = {0x01020304};
	struct record_id first, second, third;
	struct record_row row;
	struct writer bundle;
	struct device d;
	struct arena a;
	struct form *form;
	struct node n;
	enum err last;
	bool already;

	REQUIRE(node_begin(&n));
	arena_init(&a, 1u << 20);
	writer_heap_init(&bundle, 1u << 20);
	late_bundle(&bundle);
	known = n.peer->forms->key;
	CHECK(form_read(&form, writer_view(&bundle), &n.why) == E_OK);
	late = form_key(form);
	form_free(form);
	CHECK(node_join(&n, &d, ROLE_MEMBER, "V1", "lina") == E_OK);
	first = say_of(&n, &d, late);
	second = say_of(&n, &d, never);
	third = say_of(&n, &d, known);
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	CHECK_MSG(node_aside(&n, &last) == 2 && last == E_FORM_UNKNOWN, "%s", err_name(last));
	CHECK(!node_record(&n, &first, &row, &a) && node_record(&n, &third, &row, &a));

	CHECK(down_add_form(n.peer, &n.peer->identities[1].id, writer_view(&bundle), &already,
			    &n.why) == E_OK);
	CHECK(!already);
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	CHECK_MSG(node_aside(&n, &last) == 1 && last == E_FORM_UNKNOWN, "%zu aside",
		  node_aside(&n, &last));
	CHECK(node_record(&n, &first, &row, &a));
	CHECK(!node_record(&n, &second, &row, &a));
	writer_free(&bundle);
	arena_free(&a);
	node_end(&n);
}

static uint64_t
told_of(struct node *n, const struct device *d)
{
	struct store_txn *txn;
	uint64_t seq = UINT64_MAX;

	if (store_read_begin(n->peer->store, &txn) != E_OK)
		return seq;
	CHECK(aside_of(txn, &d->self.id, &seq) == E_OK);
	store_read_end(txn);
	return seq;
}

/* What is opened after all is not told of any more: its device heard for good that something of it
 * did not count. */
static void
told_no_longer(void)
{
	struct form_key late, never = {0x01020304};
	struct writer bundle;
	struct device d, both;
	struct form *form;
	struct node n;
	uint64_t last;
	bool already;

	REQUIRE(node_begin(&n));
	writer_heap_init(&bundle, 1u << 20);
	late_bundle(&bundle);
	CHECK(form_read(&form, writer_view(&bundle), &n.why) == E_OK);
	late = form_key(form);
	form_free(form);
	CHECK(node_join(&n, &d, ROLE_MEMBER, "V1", "lina") == E_OK &&
	      node_join(&n, &both, ROLE_MEMBER, "V1", "rith") == E_OK);
	(void)say_of(&n, &d, late);
	(void)say_of(&n, &both, never);
	(void)say_of(&n, &both, late);
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	last = told_of(&n, &both);
	CHECK(told_of(&n, &d) != 0 && last != 0);
	CHECK(down_add_form(n.peer, &n.peer->identities[1].id, writer_view(&bundle), &already,
			    &n.why) == E_OK);
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	CHECK_MSG(told_of(&n, &d) == 0, "%llu", (unsigned long long)told_of(&n, &d));
	CHECK_MSG(told_of(&n, &both) == last - 1, "%llu",
		  (unsigned long long)told_of(&n, &both)); /* the other one is still aside */
	writer_free(&bundle);
	node_end(&n);
}

struct put_aside {
	const enum err *reason;
	size_t count;
};

static enum err
put_aside_job(struct store_txn *txn, void *arg)
{
	const struct put_aside *job = arg;
	struct quarantine_row row = {.thing = "a form"};
	enum err e = E_OK;

	for (; row.seq < job->count && e == E_OK;) {
		row.e = job->reason[row.seq++];
		e = quarantine_put(txn, &row);
	}
	return e;
}

static size_t
left_aside(struct peer *p)
{
	struct store_txn *txn;
	size_t count;

	if (store_read_begin(p->store, &txn) != E_OK)
		return SIZE_MAX;
	count = (size_t)store_count(txn, STORE_QUARANTINE);
	store_read_end(txn);
	return count;
}

/*
 * At a second node, or an office below: records came, by a stick perhaps, before the form did. It
 * comes from the node above, and not by an officer's hand. (Found by sim, roads 22003.)
 */
static void
form_that_comes_down(void)
{
	static const enum err reasons[] = {E_FORM_UNKNOWN, E_REVOKED};
	struct put_aside job = {reasons, 2};
	struct unlock unlock;
	struct device_joins j;
	struct writer parcel;
	struct node n;
	uint64_t number;

	REQUIRE(node_begin(&n));
	unlock = n.unlock;
	unlock.name = NULL;
	REQUIRE(device_asks(&n, ROLE_NODE, "P", &unlock, &j));
	REQUIRE(enrol_welcomed(j.device, &j.invite, &peer_self(n.peer)->sign.pub, &j.welcome,
			       &n.why) == E_OK);
	CHECK(peer_is_node(j.device));
	for (number = 1; number <= 2; number++) { /* the areas, the form */
		REQUIRE(device_hears(&n, number, &parcel) == E_OK);
		CHECK_MSG(down_take(j.device, false, down_broadcast_log(n.peer).epoch,
				    writer_view(&parcel), &n.why) == E_OK,
			  "%s", n.why.thing);
		writer_free(&parcel);
		if (number == 1)
			CHECK(store_write(j.device->store, put_aside_job, &job) == E_OK &&
			      left_aside(j.device) == 2);
	}
	CHECK(peer_form(j.device, "N") != NULL);
	CHECK(left_aside(j.device) == 1); /* the other reason is no form's */
	peer_close(j.device);
	arena_free(&j.arena);
	node_end(&n);
}

CHECK_MAIN(T(form_added_late), T(told_no_longer), T(form_that_comes_down))
