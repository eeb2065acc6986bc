/*
 * The rows that make a store a peer, and those that a node derives: each as FORMATS.md writes it, to the byte. What was
 * written once must be read for ever, by every later version.
 */
#include "core/arrival.h"
#include "core/audit.h"
#include "core/pack.h"
#include "tests/golden_rows.h"
#include "tools/extract/release.h"
#include "tools/fill_parts.h"
#include "tools/node/aside.h"
#include "tools/node/down_row.h"
#include "tools/node/epochs.h"
#include "tools/node/invitation_row.h"
#include "tools/node/link.h"
#include "tools/node/opener.h"
#include "tools/node/outbox_row.h"
#include "tools/node/quota.h"
#include "tools/node/records.h"
#include "tools/node/satchel.h"
#include "tools/node/state.h"

static const struct record_id the_record = {"record-000000001"};
static const struct log_id the_log = {TEST_AUTHOR, TEST_EPOCH};

/* ---- META ---- */

static void
two_identities(struct peer *p)
{
	memset(p, 0, sizeof(*p));
	p->identity_count = 2;
	p->identities[0] = (struct identity){.id = TEST_AUTHOR, .role = ROLE_NODE, .area = "SM09", .name = "node",
	    .sign = test_key(KEY_AUTHOR), .seal = test_key(KEY_OTHER), .epoch = TEST_EPOCH, .incarnation = 77};
	p->identities[1] = (struct identity){.id = TEST_OTHER, .role = ROLE_OFFICER, .area = "SM09", .name = "Sokha",
	    .sign = test_key(KEY_OTHER), .seal = test_key(KEY_AUTHOR), .epoch = 5, .incarnation = 77};
}

static enum err
put_identities(struct store_txn *txn)
{
	static struct peer p;

	two_identities(&p);
	return peer_put_identities(txn, &p);
}

static enum err
read_identities(struct store_txn *txn, struct bytes key, bool whole)
{
	static struct peer want, got;
	enum err e = state_read_identities(txn, &got);

	(void)key;
	two_identities(&want);
	if (whole) {
		CHECK(got.identity_count == 2 && got.identities[0].role == ROLE_NODE && got.identities[1].epoch == 5);
		CHECK_STR(got.identities[1].name, "Sokha");
		CHECK(memcmp(&got.identities[1].sign, &want.identities[1].sign, sizeof(struct ec_key)) == 0);
		CHECK(memcmp(&got.identities[0].seal, &want.identities[0].seal, sizeof(struct ec_key)) == 0);
	}
	return e;
}

static enum err
put_home(struct store_txn *txn)
{
	struct home h = {.area = "SM09", .key_no = 3, .seal = test_key(KEY_OFFICE), .has_secret = true, .node = TEST_OTHER,
	                 .node_sign = test_key(KEY_OTHER).pub, .address = "node.example.org:7447"};

	return peer_put_home(txn, &h);
}

static enum err
read_home(struct store_txn *txn, struct bytes key, bool whole)
{
	struct home h = {.key_no = 0};
	enum err e = state_read_home(txn, &h);

	(void)key;
	if (whole) {
		CHECK(h.key_no == 3 && h.has_secret);
		CHECK_STR(h.address, "node.example.org:7447");
	}
	return e;
}

static enum err
put_above(struct store_txn *txn)
{
	struct above a = {.known = true, .twin = true, .node = TEST_OTHER, .sign = test_key(KEY_OTHER).pub,
	                  .seal = test_key(KEY_OFFICE).pub, .area = "SM", .address = "above.example.org:7447"};

	return peer_put_above(txn, &a);
}

static enum err
read_above(struct store_txn *txn, struct bytes key, bool whole)
{
	struct above a = {.known = false};
	enum err e = state_read_above(txn, &a);

	(void)key;
	if (whole) {
		CHECK(a.known && a.twin);
		CHECK_STR(a.address, "above.example.org:7447");
	}
	return e;
}

static enum err
put_programme(struct store_txn *txn)
{
	struct programme g = {.id = TEST_PROGRAMME, .name = "Child protection", .root = test_key(KEY_OFFICE).pub, .k = 12};

	return peer_put_programme(txn, &g);
}

static enum err
read_programme(struct store_txn *txn, struct bytes key, bool whole)
{
	struct programme g = {.k = 0};
	enum err e = state_read_programme(txn, &g);

	(void)key;
	if (whole) {
		CHECK(g.k == 12);
		CHECK_STR(g.name, "Child protection");
	}
	return e;
}

static enum err
put_sync(struct store_txn *txn)
{
	struct sync_memory m = {.incarnation = 77, .last_sync_s = 1700000000, .safe = 300, .clock_offset_s = -61,
	                        .verified = true};

	return sync_memory_put(txn, &m);
}

static enum err
read_sync(struct store_txn *txn, struct bytes key, bool whole)
{
	struct sync_memory m = {.safe = 0};
	enum err e = sync_memory_get(txn, &m);

	(void)key;
	if (whole)
		CHECK(m.incarnation == 77 && m.last_sync_s == 1700000000 && m.safe == 300 && m.clock_offset_s == -61 && m.verified);
	return e;
}

static enum err
put_down(struct store_txn *txn)
{
	struct down_cursor c = {.epoch = TEST_EPOCH, .number = 9, .hash = {{1, 2, 3}}};

	return down_cursor_put(txn, 1, &c);
}

static enum err
read_down(struct store_txn *txn, struct bytes key, bool whole)
{
	struct down_cursor c;
	enum err e = down_cursor_get(txn, 1, &c);

	(void)key;
	if (whole)
		CHECK(c.epoch == TEST_EPOCH && c.number == 9 && c.hash.b[2] == 3);
	return e;
}

static enum err
put_approved(struct store_txn *txn)
{
	return store_meta_put_u64(txn, "approved", 1);
}

static enum err
read_approved(struct store_txn *txn, struct bytes key, bool whole)
{
	uint64_t v = 0;
	enum err e = store_meta_u64(txn, "approved", 0, &v);

	(void)key;
	if (whole)
		CHECK(v == 1);
	return e;
}

/* ---- who is enrolled, what was given out ---- */

static enum err
put_member(struct store_txn *txn)
{
	static uint8_t room[STATEMENT_BYTES_MAX];
	struct member m = {.state = MEMBER_REVOKED, .joined_s = 1700000000, .last_seen_s = 1700000999, .reason = "phone stolen"};
	struct programme_id none = {""};

	m.signed_enrolment = vector_read("enrolment_1", room, sizeof(room));
	if (enrolment_decode(m.signed_enrolment, &none, &m.enrolment, NULL) != E_OK)
		return E_INTERNAL;
	return member_put(txn, &m);
}

static enum err
read_member(struct store_txn *txn, struct bytes key, bool whole)
{
	struct principal_id id;
	struct member m;
	enum err e;

	memcpy(id.b, key.p, ID_BYTES);
	e = member_get(txn, &id, &m);
	if (whole) {
		CHECK(m.state == MEMBER_REVOKED && m.last_seen_s == 1700000999 && ID_EQUAL(&m.enrolment.id, &id));
		CHECK_STR(m.reason, "phone stolen");
	}
	return e;
}

static enum err
put_invitation(struct store_txn *txn)
{
	struct invitation_row row = {.role = ROLE_MEMBER, .area = "SM09010101", .name = "Lvea Sdau", .expires_s = 1900000000,
	                             .by = TEST_OTHER, .used = true, .used_by = TEST_AUTHOR};
	uint8_t secret[INVITE_SECRET_BYTES] = {9, 8, 7}, key[INVITATION_KEY_BYTES];

	invitation_row_key(key, secret);
	return invitation_row_put(txn, key, &row);
}

static enum err
read_invitation(struct store_txn *txn, struct bytes key, bool whole)
{
	struct invitation_row row;
	enum err e = invitation_row_get(txn, key.p, &row);

	if (whole) {
		CHECK(row.used && row.expires_s == 1900000000 && row.role == ROLE_MEMBER);
		CHECK_STR(row.name, "Lvea Sdau");
	}
	return e;
}

static enum err
put_form(struct store_txn *txn)
{
	return down_put_form(txn, (struct form_key){0x01020304}, 7, "km lo", BYTES_LIT("a form's bundle"));
}

static enum err
read_form(struct store_txn *txn, struct bytes key, bool whole)
{
	struct form_row row;
	struct bytes value;
	enum err e = store_get(txn, STORE_FORM, key, &value);

	if (e == E_OK)
		e = down_read_form(value, &row);
	if (whole) {
		CHECK(row.order == 7 && bytes_equal(row.bundle, BYTES_LIT("a form's bundle")) && be32_get(key.p) == 0x01020304);
		CHECK_STR(row.languages, "km lo");
	}
	return e;
}

/* ---- a device's own ---- */

static enum err
put_outbox(struct store_txn *txn)
{
	struct outbox_row row = {.author = TEST_AUTHOR, .urgent = true, .area = "SM09010101", .to = {.key_no = 7},
	                         .epoch = TEST_EPOCH, .index = 4, .analytic = BYTES_LIT("the analytic ciphertext"),
	                         .identifying = BYTES_LIT("the identifying one"), .records = {the_record, {"record-000000002"}},
	                         .record_count = 2};

	memset(row.enc, 4, sizeof(row.enc));
	return outbox_row_put(txn, 11, &row);
}

static enum err
read_outbox(struct store_txn *txn, struct bytes key, bool whole)
{
	struct outbox_row row;
	struct bytes value;
	enum err e = store_get(txn, STORE_OUTBOX_SLICE, key, &value);

	if (e == E_OK)
		e = outbox_row_read(value, &row);
	if (whole)
		CHECK(row.urgent && !row.has_record && row.record_count == 2 && row.index == 4 && row.to.key_no == 7 &&
		      !row.to.to_principal && bytes_equal(row.identifying, BYTES_LIT("the identifying one")) &&
		      be64_get(key.p) == 11);
	return e;
}

/* A later revision, to one principal, without an identifying slice. */
static enum err
put_outbox_revision(struct store_txn *txn)
{
	struct outbox_row row = {.author = TEST_AUTHOR, .area = "SM09", .to = {.to_principal = true, .principal = TEST_OTHER},
	                         .epoch = 5, .has_record = true, .record = the_record,
	                         .analytic = BYTES_LIT("the analytic ciphertext")};

	memset(row.enc, 4, sizeof(row.enc));
	return outbox_row_put(txn, 12, &row);
}

static enum err
read_outbox_revision(struct store_txn *txn, struct bytes key, bool whole)
{
	struct outbox_row row;
	struct bytes value;
	enum err e = store_get(txn, STORE_OUTBOX_SLICE, key, &value);

	if (e == E_OK)
		e = outbox_row_read(value, &row);
	if (whole)
		CHECK(!row.urgent && row.has_record && ID_EQUAL(&row.record, &the_record) && row.record_count == 0 &&
		      row.to.to_principal && row.identifying.n == 0);
	return e;
}

static enum err
put_own_record(struct store_txn *txn)
{
	struct own_record o = {.id = the_record, .form = {0x01020304}, .area = "SM09010101", .created_s = 1700000000,
	                       .epoch = TEST_EPOCH, .number = 3, .order = 8, .heads = {{"revision-0000001"}}, .head_count = 1,
	                       .review = REVIEW_HAS_ISSUES, .review_s = 1700000500, .note = "which school?", .is_void = true};

	return own_record_put(txn, &o);
}

static enum err
read_own_record(struct store_txn *txn, struct bytes key, bool whole)
{
	struct own_record o;
	enum err e = own_record_get(txn, &the_record, &o);

	(void)key;
	if (whole) {
		CHECK(o.number == 3 && o.order == 8 && o.head_count == 1 && o.review == REVIEW_HAS_ISSUES && o.is_void);
		CHECK_STR(o.note, "which school?");
	}
	return e;
}

static enum err
put_acked(struct store_txn *txn)
{
	return outbox_put_acked(txn, TEST_EPOCH, 42);
}

static enum err
read_acked(struct store_txn *txn, struct bytes key, bool whole)
{
	uint64_t acked = 0;
	enum err e = outbox_acked(txn, TEST_EPOCH, &acked);

	(void)key;
	if (whole)
		CHECK(acked == 42);
	return e;
}

static const struct field_value two_values[] = {{{0x0a0b0c0d}, true, {(const uint8_t *)"\xa4Mona", 5}},
                                                {{0x0a0b0c0e}, false, {(const uint8_t *)"\x07", 1}}};

static enum err
put_draft(struct store_txn *txn)
{
	struct draft_head h = {.form = 0x01020304, .lang = "km", .area = "SM09010101", .saved_ms = 1700000000123, .answers = 2};
	struct store_seq key = store_seq_of(1);
	struct writer w;
	enum err e;

	writer_heap_init(&w, 4096);
	draft_write(&w, &h, two_values, 2);
	e = store_put(txn, STORE_DRAFT, BYTES(key.b, 8), writer_view(&w));
	writer_free(&w);
	return e;
}

static enum err
read_draft(struct store_txn *txn, struct bytes key, bool whole)
{
	struct field_value *values;
	struct draft_head h;
	struct arena arena;
	struct bytes value;
	struct reader r;
	size_t count = 0;
	enum err e;

	arena_init(&arena, 1u << 20);
	if ((e = store_get(txn, STORE_DRAFT, key, &value)) == E_OK && (e = draft_head_read(&r, value, &h)) == E_OK)
		e = draft_values_read(&r, &arena, &values, &count);
	if (whole) {
		CHECK(e == E_OK && h.form == 0x01020304 && h.saved_ms == 1700000000123 && count == 2 && values[0].identifying &&
		      bytes_equal(values[0].value, two_values[0].value));
		CHECK_STR(h.lang, "km");
	}
	arena_free(&arena);
	return e;
}

/* ---- what a node derives ---- */

static enum err
put_revision(struct store_txn *txn)
{
	static const struct revision_id parents[] = {{"revision-0000001"}, {"revision-0000002"}};
	static const struct merge_field fields[] = {{{0x0a0b0c0d}, true, {(const uint8_t *)"\xa4Mona", 5}},
	                                            {{0x0a0b0c0e}, false, {(const uint8_t *)"\x07", 1}}};
	struct revision_row row = {.record = the_record, .seq = 5, .area = "SM09010101", .lang = BYTES_LIT("km"),
	    .text = BYTES_LIT("twice"), .has_entered_for = true, .entered_for = TEST_OTHER,
	    .m = {.id = {"revision-0000003"}, .parents = parents, .parent_count = 2, .kind = REVISION_AMEND,
	          .author = TEST_AUTHOR, .role = ROLE_MEMBER, .claimed_s = 1700000000, .received_s = 1700000100,
	          .form = {0x01020304}, .fields = fields, .field_count = 2}};

	return revision_row_put(txn, &row);
}

static enum err
read_revision(struct store_txn *txn, struct bytes key, bool whole)
{
	struct revision_row *rows;
	struct arena arena;
	size_t count;
	enum err e;

	(void)key;
	arena_init(&arena, 1u << 20);
	e = revision_rows(txn, &the_record, &arena, &rows, &count);
	if (whole && e == E_OK)
		CHECK(count == 1 && rows[0].seq == 5 && rows[0].m.parent_count == 2 && rows[0].m.field_count == 2 &&
		      rows[0].has_entered_for && rows[0].m.fields[0].identifying && rows[0].m.received_s == 1700000100 &&
		      bytes_equal(rows[0].text, BYTES_LIT("twice")));
	arena_free(&arena);
	return e;
}

static enum err
put_record(struct store_txn *txn)
{
	struct field_value values[2] = {two_values[0], two_values[1]};
	struct record_row row = {.id = the_record, .form = {0x01020304}, .area = "SM09010101", .author = TEST_AUTHOR,
	    .created_s = 1700000000, .received_s = 1700000100, .order = 6, .flags = RECORD_FAULTY | RECORD_CLOCK,
	    .review = REVIEW_RECEIVED, .conflicts = 1, .revisions = 2, .faults = BYTES_LIT("age: too high\n"),
	    .heads = {{"revision-0000003"}}, .head_count = 1, .values = values, .value_count = 2};

	return record_row_put(txn, &row);
}

static enum err
read_record(struct store_txn *txn, struct bytes key, bool whole)
{
	struct record_row row;
	struct arena arena;
	enum err e;

	(void)key;
	arena_init(&arena, 1u << 20);
	e = record_row_get(txn, &the_record, &arena, &row);
	if (whole && e == E_OK)
		CHECK(row.order == 6 && row.flags == (RECORD_FAULTY | RECORD_CLOCK) && row.conflicts == 1 && row.head_count == 1 &&
		      row.value_count == 2 && bytes_equal(row.faults, BYTES_LIT("age: too high\n")));
	arena_free(&arena);
	return e;
}

static enum err
put_aside(struct store_txn *txn)
{
	struct quarantine_row row = {.seq = 5, .e = E_SCOPE, .thing = "SM10"};

	return quarantine_put(txn, &row);
}

static enum err
read_aside(struct store_txn *txn, struct bytes key, bool whole)
{
	struct quarantine_row row;
	struct bytes value;
	enum err e = store_get(txn, STORE_QUARANTINE, key, &value);

	if (e == E_OK)
		e = quarantine_read(key, value, &row);
	if (whole) {
		CHECK(row.seq == 5 && row.e == E_SCOPE);
		CHECK_STR(row.thing, "SM10");
	}
	return e;
}

/* The envelope of tests/vectors/envelope.hex, as a relay keeps it. */
static enum err
put_satchel(struct store_txn *txn)
{
	static uint8_t memory[8192];

	return satchel_put(txn, SATCHEL_UP, vector_read("envelope", memory, sizeof(memory)), 1767225600, SIZE_MAX);
}

static enum err
one_envelope(void *arg, struct bytes envelope)
{
	static uint8_t memory[8192];

	*(bool *)arg = bytes_equal(envelope, vector_read("envelope", memory, sizeof(memory)));
	return E_OK;
}

static enum err
read_satchel(struct store_txn *txn, struct bytes key, bool whole)
{
	bool same = false;
	enum err e = satchel_walk(txn, SATCHEL_UP, one_envelope, &same);

	(void)key;
	CHECK(!whole || same);
	return e;
}

static enum err
put_logs(struct store_txn *txn)
{
	struct log_id other = the_log;
	enum err e = epochs_note(txn, &the_log);

	other.epoch = 5;
	return e == E_OK ? epochs_note(txn, &other) : e;
}

static enum err
read_logs(struct store_txn *txn, struct bytes key, bool whole)
{
	struct principal_id author = TEST_AUTHOR;
	struct log_id first[EPOCHS_MAX];
	size_t count;
	enum err e = epochs_first(txn, &author, first, &count);

	(void)key;
	if (whole)
		CHECK(count == 2 && first[0].epoch == TEST_EPOCH && first[1].epoch == 5);
	return e;
}

static enum err
put_quota(struct store_txn *txn)
{
	struct principal_id author = TEST_AUTHOR;
	enum err e = quota_set(txn, 1000);

	if (e == E_OK && (e = quota_take(txn, &author, 900)) == E_OK && (e = quota_raise(txn, &author)) == E_OK)
		e = quota_take(txn, &author, 1000);
	return e;
}

static enum err
read_quota(struct store_txn *txn, struct bytes key, bool whole)
{
	struct principal_id author = TEST_AUTHOR;
	struct quota q;
	enum err e = quota_of(txn, &author, &q);

	(void)key;
	if (whole)
		CHECK(q.used == 1900 && q.allowed == 2000 && quota_left(&q) == 100);
	return e;
}

static enum err append(struct store_txn *, uint64_t number, uint8_t hash);

static enum err
put_cursor_aside(struct store_txn *txn)
{
	uint64_t last;
	enum err e = append(txn, 1, 0xaa);

	if (e == E_OK && (e = arrival_last(txn, &last)) == E_OK)
		e = aside_note(txn, last);
	return e;
}

static enum err
read_cursor_aside(struct store_txn *txn, struct bytes key, bool whole)
{
	struct principal_id author = TEST_AUTHOR;
	uint64_t seq = 0;
	enum err e = aside_of(txn, &author, &seq);

	(void)key;
	if (whole) {
		CHECK(seq == 1);
		CHECK(aside_clear(txn, &TEST_OTHER) == E_OK);
	}
	return e;
}

/* ---- arrivals ---- */

static enum err
append(struct store_txn *txn, uint64_t number, uint8_t hash)
{
	struct arrival a = {.log = the_log, .number = number, .received_s = 1700000100, .via = TEST_AUTHOR,
	                    .flags = ARRIVAL_UNVERIFIED, .parcel = BYTES_LIT("a parcel's bytes")};
	enum arrival_result result;

	memset(a.hash.b, hash, sizeof(a.hash.b));
	return arrival_append(txn, &a, &result);
}

static enum err
put_arrival(struct store_txn *txn)
{
	enum err e = store_clear(txn, STORE_LOG_INDEX);

	if (e == E_OK && (e = store_clear(txn, STORE_LOG_HEAD)) == E_OK && (e = store_clear(txn, STORE_AUTHOR_LOG)) == E_OK &&
	    (e = store_clear(txn, STORE_ARRIVAL)) == E_OK)
		e = append(txn, 1, 0xaa);
	return e;
}

/* Numbers 1, 3, 4 and a second 1. */
static enum err
put_head(struct store_txn *txn)
{
	enum err e = put_arrival(txn);

	if (e == E_OK && (e = append(txn, 3, 0xab)) == E_OK && (e = append(txn, 4, 0xac)) == E_OK)
		e = append(txn, 1, 0xad);
	return e;
}

static enum err
read_arrival(struct store_txn *txn, struct bytes key, bool whole)
{
	struct arrival a;
	enum err e = arrival_get(txn, be64_get(key.p), &a);

	if (whole)
		CHECK(a.seq == 1 && a.number == 1 && a.hash.b[31] == 0xaa && a.flags == ARRIVAL_UNVERIFIED &&
		      a.log.epoch == TEST_EPOCH && bytes_equal(a.parcel, BYTES_LIT("a parcel's bytes")));
	return e;
}

static enum err
read_index(struct store_txn *txn, struct bytes key, bool whole)
{
	struct parcel_hash hash;
	uint64_t seq;
	enum err e = arrival_find(txn, &the_log, 1, &seq, &hash);

	(void)key;
	if (whole)
		CHECK(seq == 1 && hash.b[0] == 0xaa);
	return e;
}

static enum err
read_head(struct store_txn *txn, struct bytes key, bool whole)
{
	static struct arrival_head h;
	enum err e = arrival_head(txn, &the_log, &h);

	(void)key;
	if (whole)
		CHECK(h.number == 1 && h.hash.b[0] == 0xaa && h.count == 3 && h.forks == 1 && h.range_count == 1 &&
		      h.ranges[0].lo == 3 && h.ranges[0].hi == 4 && h.last_received_s == 1700000100);
	return e;
}

static enum err
read_author_log(struct store_txn *txn, struct bytes key, bool whole)
{
	struct principal_id author = TEST_AUTHOR;
	struct log_id log;
	size_t count;
	enum err e = arrival_logs(txn, &author, &log, 1, &count);

	(void)key;
	if (whole)
		CHECK(count == 1 && log.epoch == TEST_EPOCH);
	return e;
}

/* ---- tables given out, the audit log ---- */

static enum err
put_release(struct store_txn *txn)
{
	struct release r = {.time_s = 1700000000, .actor = TEST_OTHER, .audience = "office", .form = BYTES_LIT("F2_situation"),
	    .query = BYTES_LIT("form=F2_situation by=sex sum= period=2026-01-01..2026-06-30 k=10 area=SM09"),
	    .from_day = 20454, .to_day = 20634, .rows = 4, .published = 1, .pieces = 1, .sha256 = {0xcd},
	    .manifest = BYTES_LIT("{\"manifest\":1}\n"), .id = "release-00000001"};
	struct store_seq key = store_seq_of(1);
	struct writer w;
	enum err e;

	writer_heap_init(&w, 4096);
	release_write(&w, &r);
	e = store_put(txn, STORE_RELEASE, BYTES(key.b, 8), writer_view(&w));
	writer_free(&w);
	return e;
}

static enum err
read_release(struct store_txn *txn, struct bytes key, bool whole)
{
	struct release r;
	struct bytes value;
	enum err e = store_get(txn, STORE_RELEASE, key, &value);

	if (e == E_OK)
		e = release_read(key, value, &r);
	if (whole) {
		CHECK(r.number == 1 && r.from_day == 20454 && r.to_day == 20634 && r.pieces == 1 && r.published == 1);
		CHECK(bytes_equal(r.manifest, BYTES_LIT("{\"manifest\":1}\n")));
		CHECK_STR(r.audience, "office");
	}
	return e;
}

static enum err
put_audit(struct store_txn *txn)
{
	struct principal_id actor = TEST_AUTHOR;

	return audit_append(txn, 1700000000, &actor, "init", "Golden", "SM09");
}

static enum err
read_audit(struct store_txn *txn, struct bytes key, bool whole)
{
	uint64_t n = 0;
	enum err e = audit_verify(txn, &n, NULL);

	(void)key;
	if (whole)
		CHECK(n == 1);
	return e;
}

static const struct golden_row rows[] = {
    {"row_meta_identities", "META identities of a node and its officer", STORE_META, "identities", put_identities,
     read_identities, E_OK, true, NULL, 0, 0},
    {"row_meta_home", "META home of a node", STORE_META, "home", put_home, read_home, E_OK, true, NULL, 0, 0},
    {"row_meta_above", "META above of a twin", STORE_META, "above", put_above, read_above, E_OK, true, NULL, 0, 0},
    {"row_meta_programme", "META programme, k 12", STORE_META, "programme", put_programme, read_programme, E_OK, true,
     "row_meta_programme_key", 0, 0},
    {"row_meta_sync", "META sync", STORE_META, "sync", put_sync, read_sync, E_OK, true, NULL, 0, 0},
    {"row_meta_down", "META down inbox", STORE_META, "down inbox", put_down, read_down, E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_meta_approved", "META approved, 1", STORE_META, "approved", put_approved, read_approved, E_STORE_DAMAGED, false,
     NULL, 0, 0},
    {"row_enrolment", "a member who was shut out", STORE_ENROLMENT, NULL, put_member, read_member, E_OK, true, NULL, 0, 0},
    {"row_invitation", "an invitation that was used", STORE_INVITATION, NULL, put_invitation, read_invitation, E_OK, true,
     "row_invitation_key", 0, 0},
    {"row_form", "a form's row", STORE_FORM, NULL, put_form, read_form, E_OK, true, NULL, 0, 0},
    {"row_outbox_slice", "two urgent records in a slice pair", STORE_OUTBOX_SLICE, NULL, put_outbox, read_outbox, E_OK, true,
     NULL, 0, 0},
    {"row_outbox_slice_revision", "a later revision, sealed to one principal", STORE_OUTBOX_SLICE, NULL,
     put_outbox_revision, read_outbox_revision, E_OK, true, NULL, 0, 0},
    {"row_own_record", "a device's own record", STORE_OWN_RECORD, NULL, put_own_record, read_own_record, E_OK, true, NULL, 0, 0},
    {"row_cursor_acked", "CURSOR: acknowledged up to 42", STORE_CURSOR, NULL, put_acked, read_acked, E_STORE_DAMAGED, false,
     "row_cursor_acked_key", 0, 0},
    {"row_cursor_logs", "CURSOR: two logs of an author count", STORE_CURSOR, NULL, put_logs, read_logs, E_STORE_DAMAGED,
     false, NULL, 4, 8},
    {"row_cursor_aside", "CURSOR: arrival 1 was set aside", STORE_CURSOR, NULL, put_cursor_aside, read_cursor_aside,
     E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_cursor_quota", "CURSOR: 1900 bytes of two shares", STORE_CURSOR, NULL, put_quota, read_quota, E_STORE_DAMAGED,
     false, NULL, 0, 0},
    {"row_draft", "a draft of two answers", STORE_DRAFT, NULL, put_draft, read_draft, E_OK, true, NULL, 0, 0},
    {"row_revision", "an AMEND, entered for somebody", STORE_REVISION, NULL, put_revision, read_revision, E_OK, true, NULL, 0, 0},
    {"row_record", "a record with a fault and a conflict", STORE_RECORD, NULL, put_record, read_record, E_OK, true, NULL, 0, 0},
    {"row_quarantine", "set aside: E_SCOPE", STORE_QUARANTINE, NULL, put_aside, read_aside, E_OK, true, NULL, 0, 0},
    {"row_satchel", "an envelope that a relay keeps", STORE_SATCHEL, NULL, put_satchel, read_satchel, E_OK, true, NULL, 0, 0},
    {"row_arrival", "the first arrival", STORE_ARRIVAL, NULL, put_arrival, read_arrival, E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_log_index", "its place in its log", STORE_LOG_INDEX, NULL, put_arrival, read_index, E_STORE_DAMAGED, false,
     "row_log_index_key", 0, 0},
    {"row_log_head", "a log of numbers 1, 3, 4 and a fork", STORE_LOG_HEAD, NULL, put_head, read_head, E_STORE_DAMAGED, false,
     "row_log_head_key", 0, 0},
    {"row_author_log", "a log of an author's", STORE_AUTHOR_LOG, NULL, put_arrival, read_author_log, E_STORE_DAMAGED, false,
     "row_author_log_key", 0, 0},
    {"row_release", "a table that was given out", STORE_RELEASE, NULL, put_release, read_release, E_OK, true, NULL, 0, 0},
    {"row_audit", "the first audit entry with its hash", STORE_AUDIT, NULL, put_audit, read_audit, E_AUDIT, false,
     NULL, 0, 0},
};

static void
rows_as_written(void)
{
	struct golden_store g;

	REQUIRE(golden_begin(&g));
	golden_rows_check(&g, rows, sizeof(rows) / sizeof(rows[0]));
	golden_end(&g);
}

CHECK_MAIN(T(rows_as_written))
