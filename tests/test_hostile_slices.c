/*
 * test_hostile_slices: an enrolled device lies in what it seals and signs: to whom, of which run,
 * about whose record, with whose key. One test a lie; what must hold after each stands in lies.h.
 */
#include "tests/lies.h"
#include "tools/node/opener/stanzas.h"

/* ---- recipients, runs, slices ---- */

enum item_lie {
	ANOTHER_OFFICE,
	ANOTHER_KEY,
	A_PRINCIPAL,
	ANOTHERS_EPOCH,
	BENT_SLICE,
	BENT_RECORD,
	LEFT_OUT,
	CONTROL
};

/* A parcel whose one item was made right and then bent. */
static void
bends(enum item_lie lie, size_t aside, enum err reason)
{
	struct run_recipient to;
	struct writer w, sealed[2] = {{0}, {0}}, control;
	struct parcel_item item;
	struct run run;

	lies_begin();
	to = (struct run_recipient){.key_no = n.peer->home.key_no + (lie == ANOTHER_OFFICE),
				    .to_principal = lie == A_PRINCIPAL,
				    .principal = honest.self.id};
	writer_heap_init(&w, 4096);
	writer_heap_init(&control, 4096);
	CHECK(run_begin(&run, &n.peer->programme.id, &liar.self.id,
			liar.self.epoch + (lie == ANOTHERS_EPOCH), &to,
			lie == ANOTHER_KEY || lie == A_PRINCIPAL ? &honest.self.seal.pub
								 : &n.peer->home.seal.pub) == E_OK);
	CHECK(node_seal(
		  &run, NULL,
		  revision(&w, REVISION_CREATE, n.peer->forms->key.v, NO_PARENTS, BYTES_NONE, 1),
		  BYTES_NONE, &item, sealed) == E_OK);
	if (lie == BENT_SLICE)
		sealed[0].p[0] ^= 1;
	if (lie == BENT_RECORD) { /* the same slice, said to be about another's record */
		item.has_record = true;
		item.record = kept;
	}
	if (lie == LEFT_OUT) {
		item.analytic.present = false;
		item.analytic.left_out = true;
		memset(item.analytic.hash, 9, HASH_BYTES);
	}
	if (lie == CONTROL) { /* a form, as the node would publish it */
		writer_reset(&w);
		pack_array(&w, 4);
		pack_u64(&w, DOWN_FORM);
		pack_u64(&w, 9);
		pack_cstr(&w, "");
		pack_bin(&w, BYTES_LIT("a form"));
		CHECK(control_pack(writer_view(&w), &control) == E_OK);
		item = (struct parcel_item){
		    .epoch = liar.self.epoch,
		    .analytic = {.present = true, .ciphertext = writer_view(&control)}};
	}
	CHECK(node_arrive(&n, &liar, NULL, &item, 1) == E_OK);
	run_wipe(&run);
	lies_end(aside, reason);
	writer_free(&w);
	writer_free(&control);
	writer_free(&sealed[0]);
	writer_free(&sealed[1]);
}

static void
to_another_office(void)
{
	bends(ANOTHER_OFFICE, 1, E_SEAL);
}
static void
to_another_key(void)
{
	bends(ANOTHER_KEY, 1, E_SEAL);
}
static void
a_notice_from_a_device(void)
{
	bends(A_PRINCIPAL, 1, E_SEAL);
}
static void
a_slice_of_another_epoch(void)
{
	bends(ANOTHERS_EPOCH, 0, E_OK);
} /* an own one may be: nothing is gained */
static void
a_slice_that_was_bent(void)
{
	bends(BENT_SLICE, 1, E_SEAL);
}
static void
a_slice_about_anothers_record(void)
{
	bends(BENT_RECORD, 1, E_SEAL);
}
static void
a_slice_that_was_left_out(void)
{
	bends(LEFT_OUT, 0, E_OK);
}
static void
a_control_item_from_a_device(void)
{
	bends(CONTROL, 0, E_OK);
}

/* Ciphertexts copied out of another author's parcel, and its record with them. */
static void
anothers_slices(void)
{
	struct log_id log;
	struct parcel_hash hash;
	struct parcel_context context;
	struct parcel parcel;
	struct store_txn *txn;
	struct arrival a;
	struct writer copy;
	struct arena arena;
	uint64_t seq, number;

	lies_begin();
	log = (struct log_id){honest.self.id, honest.self.epoch};
	for (number = 1; number <= 2; number++) {
		writer_heap_init(&copy, PARCEL_BYTES_MAX);
		arena_init(&arena, 1u << 20);
		REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
		CHECK(arrival_find(txn, &log, number, &seq, &hash) == E_OK &&
		      arrival_get(txn, seq, &a) == E_OK);
		writer_bytes(&copy, a.parcel);
		store_read_end(txn);
		context = (struct parcel_context){
		    .programme = n.peer->programme.id, .log = log, .own_area = "V1"};
		CHECK(parcel_read(&parcel, writer_view(&copy), &context, &arena, &n.why) == E_OK);
		CHECK(node_arrive(&n, &liar, NULL, parcel.items, parcel.item_count) == E_OK);
		writer_free(&copy);
		arena_free(&arena);
	}
	lies_end(2, E_SEAL);
}

struct stanza_job {
	uint8_t leaf[HASH_BYTES];
	struct stanza stanza;
};

static enum err
stanza_job(struct store_txn *txn, void *arg)
{
	struct stanza_job *job = arg;

	return stanzas_put(n.peer, txn, job->leaf, &job->stanza);
}

/* Above its home office a slice opens by a stanza, which names no author: the first parcel that
 * brought it does. */
static void
anothers_slices_by_a_stanza(void)
{
	struct writer w, sealed[2] = {{0}, {0}};
	uint8_t key[AEAD_KEY_BYTES];
	struct record_row row = {0};
	struct parcel_item item;
	struct stanza_job job;
	struct arena arena;
	struct run run;

	lies_begin();
	writer_heap_init(&w, 4096);
	CHECK(node_run(&n, &honest, &run) == E_OK);
	CHECK(node_seal(
		  &run, NULL,
		  revision(&w, REVISION_CREATE, n.peer->forms->key.v, NO_PARENTS, BYTES_NONE, 1),
		  BYTES_NONE, &item, sealed) == E_OK);
	slice_key(&run, SLICE_ANALYTIC, item.index, key);
	crypto_sha256(item.analytic.hash, item.analytic.ciphertext);
	item_leaf(job.leaf, &item);
	memset(&job.stanza, 0, sizeof(job.stanza));
	snprintf(job.stanza.area, sizeof(job.stanza.area), "%s", n.peer->home.area);
	job.stanza.key_no = n.peer->home.key_no;
	CHECK(stanza_wrap(&job.stanza, &n.peer->programme.id, job.leaf, SLICE_ANALYTIC, key,
			  &n.peer->home.seal.pub) == E_OK);
	CHECK(store_write(n.peer->store, stanza_job, &job) == E_OK);
	CHECK(node_arrive(&n, &honest, NULL, &item, 1) == E_OK &&
	      opener_all(n.peer, &n.why) == E_OK);
	CHECK(node_arrive(&n, &liar, NULL, &item, 1) == E_OK && opener_all(n.peer, &n.why) == E_OK);
	arena_init(&arena, 1u << 20);
	CHECK(node_record(&n, &item.record, &row, &arena) &&
	      ID_EQUAL(&row.author, &honest.self.id) && row.revisions == 1);
	arena_free(&arena);
	run_wipe(&run);
	lies_end(0, E_OK);
	writer_free(&w);
	writer_free(&sealed[0]);
	writer_free(&sealed[1]);
}

/* A stanza that opens nothing, wraps another key, or only the analytic one, planted for what is
 * sealed to this very office. */
static void
a_false_stanza(void)
{
	struct writer w, sealed[2];
	uint8_t key[AEAD_KEY_BYTES];
	struct record_row row = {0};
	struct parcel_item item;
	struct stanza_job job;
	struct arena arena;
	struct run run;
	int i;

	for (i = 0; i < 3; i++) {
		lies_begin();
		writer_heap_init(&w, 4096);
		CHECK(node_run(&n, &honest, &run) == E_OK);
		CHECK(node_seal(&run, NULL,
				revision(&w, REVISION_CREATE, n.peer->forms->key.v, NO_PARENTS,
					 BYTES_NONE, 1),
				BYTES_LIT("\x91\xc0"), &item, sealed) == E_OK);
		crypto_sha256(item.analytic.hash, item.analytic.ciphertext);
		crypto_sha256(item.identifying.hash, item.identifying.ciphertext);
		item_leaf(job.leaf, &item);
		memset(&job.stanza, 0, sizeof(job.stanza));
		snprintf(job.stanza.area, sizeof(job.stanza.area), "%s", n.peer->home.area);
		job.stanza.key_no = n.peer->home.key_no;
		crypto_random(key, sizeof(key));
		if (i == 2)
			slice_key(&run, SLICE_ANALYTIC, item.index, key);
		CHECK(stanza_wrap(&job.stanza, &n.peer->programme.id, job.leaf, SLICE_ANALYTIC, key,
				  &n.peer->home.seal.pub) == E_OK);
		job.stanza.wrapped[0] ^= i == 0;
		CHECK(store_write(n.peer->store, stanza_job, &job) == E_OK);
		CHECK(node_arrive(&n, &honest, NULL, &item, 1) == E_OK &&
		      opener_all(n.peer, &n.why) == E_OK);
		arena_init(&arena, 1u << 20);
		CHECK(node_record(&n, &item.record, &row, &arena) &&
		      ID_EQUAL(&row.author, &honest.self.id));
		CHECK(!(row.flags & RECORD_ELSEWHERE));
		arena_free(&arena);
		run_wipe(&run);
		lies_end(0, E_OK);
		writer_free(&w);
		writer_free(&sealed[0]);
		writer_free(&sealed[1]);
	}
}

/* ---- one encapsulation for two runs, two devices, two records ---- */

static bool
seals_with(struct device *d, const struct ec_key *ephemeral, const char *area)
{
	struct run_recipient to = {.key_no = n.peer->home.key_no};
	struct writer w, sealed[2] = {{0}, {0}};
	struct parcel_item item;
	struct run run;
	bool good;

	writer_heap_init(&w, 4096);
	good = run_begin_with(&run, &n.peer->programme.id, &d->self.id, d->self.epoch, &to,
			      &n.peer->home.seal.pub, ephemeral) == E_OK &&
	       node_seal(
		   &run, NULL,
		   revision(&w, REVISION_CREATE, n.peer->forms->key.v, NO_PARENTS, BYTES_NONE, 1),
		   BYTES_NONE, &item, sealed) == E_OK &&
	       node_arrive(&n, d, area, &item, 1) == E_OK;
	run_wipe(&run);
	writer_free(&w);
	writer_free(&sealed[0]);
	writer_free(&sealed[1]);
	return good;
}

/* The same name for two records: they are one record, its author's. */
static void
one_encapsulation_twice(void)
{
	struct ec_key ephemeral;

	lies_begin();
	REQUIRE(crypto_ec_new(&ephemeral) == E_OK);
	CHECK(seals_with(&liar, &ephemeral, NULL) && seals_with(&liar, &ephemeral, NULL));
	lies_end(0, E_OK);
}

/* Two devices agree on one record: it is whose word came first; of the other's nothing counts. */
static void
one_record_of_two_devices(void)
{
	struct ec_key ephemeral;
	struct device other;

	lies_begin();
	REQUIRE(crypto_ec_new(&ephemeral) == E_OK);
	CHECK(node_join(&n, &other, ROLE_MEMBER, "V2", "other") == E_OK);
	CHECK(seals_with(&liar, &ephemeral, NULL) && opener_all(n.peer, &n.why) == E_OK);
	CHECK(seals_with(&other, &ephemeral, NULL) && seals_with(&liar, &ephemeral, NULL));
	lies_end(0, E_OK);
}

/* ---- what is signed ---- */

enum sign_lie { ANOTHERS_KEY, ANOTHER_PAST, ANOTHER_PROGRAMME };

/* A parcel that is signed as `context` says, and arrives as the liar's next: the node hashes it in
 * its true place. */
static void
arrives_as(const struct parcel_context *context, const struct ec_key *key,
	   const struct parcel_item *item)
{
	struct parcel_context truly = {.programme = n.peer->programme.id,
				       .log = {liar.self.id, liar.self.epoch},
				       .previous = liar.last,
				       .own_area = "V1"};
	struct node_append job = {.a = {.log = truly.log,
					.number = liar.number + 1,
					.received_s = 1000,
					.via = liar.self.id,
					.flags = ARRIVAL_UNVERIFIED}};
	struct parcel_builder *b = NULL;
	struct parcel parcel;
	struct writer out;
	struct arena arena;

	arena_init(&arena, 1u << 20);
	writer_heap_init(&out, PARCEL_BYTES_MAX);
	CHECK(parcel_begin(&b, context, liar.number + 1, 0, NULL) == E_OK &&
	      parcel_add(b, item) == E_OK && parcel_end(b, key, &out, &job.a.hash) == E_OK);
	CHECK(parcel_read(&parcel, writer_view(&out), &truly, &arena, &n.why) == E_OK);
	job.a.hash = parcel.hash;
	job.a.parcel = writer_view(&out);
	CHECK(store_write(n.peer->store, node_append_job, &job) == E_OK);
	parcel_builder_free(b);
	writer_free(&out);
	arena_free(&arena);
}

static void
signs(enum sign_lie lie)
{
	struct revision_body create = {.kind = REVISION_CREATE};
	struct writer w, sealed[2] = {{0}, {0}};
	struct parcel_context context;
	struct parcel_item item;
	struct record_id id;
	struct run run;

	lies_begin();
	CHECK(node_say(&n, &liar, NULL, &create, &id) == E_OK);
	context = (struct parcel_context){.programme = n.peer->programme.id,
					  .log = {liar.self.id, liar.self.epoch},
					  .previous = liar.last};
	if (lie == ANOTHER_PAST)
		memset(&context.previous, 7, sizeof(context.previous));
	if (lie == ANOTHER_PROGRAMME)
		context.programme.b[0] ^= 1;
	writer_heap_init(&w, 4096);
	CHECK(node_run(&n, &liar, &run) == E_OK &&
	      node_seal(
		  &run, NULL,
		  revision(&w, REVISION_CREATE, n.peer->forms->key.v, NO_PARENTS, BYTES_NONE, 1),
		  BYTES_NONE, &item, sealed) == E_OK);
	arrives_as(&context, lie == ANOTHERS_KEY ? &officer.self.sign : &liar.self.sign, &item);
	run_wipe(&run);
	lies_end(1, E_SIGNATURE);
	writer_free(&w);
	writer_free(&sealed[0]);
	writer_free(&sealed[1]);
}

static void
signed_by_anothers_key(void)
{
	signs(ANOTHERS_KEY);
}
static void
signed_over_another_past(void)
{
	signs(ANOTHER_PAST);
}
static void
signed_for_another_programme(void)
{
	signs(ANOTHER_PROGRAMME);
}

CHECK_MAIN(T(to_another_office), T(to_another_key), T(a_notice_from_a_device),
	   T(a_slice_of_another_epoch), T(a_slice_that_was_bent), T(a_slice_about_anothers_record),
	   T(a_slice_that_was_left_out), T(a_control_item_from_a_device), T(anothers_slices),
	   T(anothers_slices_by_a_stanza), T(a_false_stanza), T(one_encapsulation_twice),
	   T(one_record_of_two_devices), T(signed_by_anothers_key), T(signed_over_another_past),
	   T(signed_for_another_programme))
