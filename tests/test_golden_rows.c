/*
 * Rows of who is enrolled and what was given out, and a device's own: each as FORMATS.md writes it,
 * to the byte. What was written once must be read for ever, by every later version. (The single
 * values that make a store a peer: test_golden_meta; what a node derives: test_golden_derived.)
 */
#include "tests/golden_rows.h"
#include "tools/fill/fill_parts.h"
#include "tools/node/down/down_row.h"
#include "tools/node/enrol/invitation_row.h"
#include "tools/node/outbox/outbox_row.h"

static const struct record_id the_record = {"record-000000001"};

/* ---- who is enrolled, what was given out ---- */

static enum err
put_member(struct store_txn *txn)
{
	static uint8_t room[STATEMENT_BYTES_MAX];
	struct member m = {.state = MEMBER_REVOKED,
			   .joined_s = 1700000000,
			   .last_seen_s = 1700000999,
			   .reason = "phone stolen"};
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
		CHECK(m.state == MEMBER_REVOKED && m.last_seen_s == 1700000999 &&
		      ID_EQUAL(&m.enrolment.id, &id));
		CHECK_STR(m.reason, "phone stolen");
	}
	return e;
}

static enum err
put_invitation(struct store_txn *txn)
{
	struct invitation_row row = {.role = ROLE_MEMBER,
				     .area = "SM09010101",
				     .name = "Lvea Sdau",
				     .expires_s = 1900000000,
				     .by = TEST_OTHER,
				     .used = true,
				     .used_by = TEST_AUTHOR};
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
	return down_put_form(txn, (struct form_key){0x01020304}, 7, "km lo",
			     BYTES_LIT("a form's bundle"));
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
		CHECK(row.order == 7 && bytes_equal(row.bundle, BYTES_LIT("a form's bundle")) &&
		      be32_get(key.p) == 0x01020304);
		CHECK_STR(row.languages, "km lo");
	}
	return e;
}

/* ---- a device's own ---- */

static enum err
put_outbox(struct store_txn *txn)
{
	struct outbox_row row = {.author = TEST_AUTHOR,
				 .urgent = true,
				 .area = "SM09010101",
				 .to = {.key_no = 7},
				 .epoch = TEST_EPOCH,
				 .index = 4,
				 .analytic = BYTES_LIT("the analytic ciphertext"),
				 .identifying = BYTES_LIT("the identifying one"),
				 .records = {the_record, {"record-000000002"}},
				 .record_count = 2};

	memset(row.enc, 4, sizeof(row.enc));
	return outbox_row_put(txn, 11, &row);
}

/* The row as it reads, into `row`. */
static enum err
outbox_row_of(struct store_txn *txn, struct bytes key, struct outbox_row *row)
{
	struct bytes value;
	enum err e = store_get(txn, STORE_OUTBOX_SLICE, key, &value);

	return e == E_OK ? outbox_row_read(value, row) : e;
}

static enum err
read_outbox(struct store_txn *txn, struct bytes key, bool whole)
{
	struct outbox_row row;
	enum err e = outbox_row_of(txn, key, &row);

	if (whole)
		CHECK(row.urgent && !row.has_record && row.record_count == 2 && row.index == 4 &&
		      row.to.key_no == 7 && !row.to.to_principal &&
		      bytes_equal(row.identifying, BYTES_LIT("the identifying one")) &&
		      be64_get(key.p) == 11);
	return e;
}

/* A later revision, to one principal, without an identifying slice. */
static enum err
put_outbox_revision(struct store_txn *txn)
{
	struct outbox_row row = {.author = TEST_AUTHOR,
				 .area = "SM09",
				 .to = {.to_principal = true, .principal = TEST_OTHER},
				 .epoch = 5,
				 .has_record = true,
				 .record = the_record,
				 .analytic = BYTES_LIT("the analytic ciphertext")};

	memset(row.enc, 4, sizeof(row.enc));
	return outbox_row_put(txn, 12, &row);
}

static enum err
read_outbox_revision(struct store_txn *txn, struct bytes key, bool whole)
{
	struct outbox_row row;
	enum err e = outbox_row_of(txn, key, &row);

	if (whole)
		CHECK(!row.urgent && row.has_record && ID_EQUAL(&row.record, &the_record) &&
		      row.record_count == 0 && row.to.to_principal && row.identifying.n == 0);
	return e;
}

/* As a log that ended left it, after what identifies was erased. */
static enum err
put_outbox_nameless(struct store_txn *txn)
{
	struct outbox_row row = {.author = TEST_AUTHOR,
				 .area = "SM09",
				 .to = {.key_no = 7},
				 .epoch = 5,
				 .analytic = BYTES_LIT("the analytic ciphertext"),
				 .left_out = true};

	memset(row.enc, 4, sizeof(row.enc));
	memset(row.hash, 0x55, sizeof(row.hash));
	return outbox_row_put(txn, 13, &row);
}

static enum err
read_outbox_nameless(struct store_txn *txn, struct bytes key, bool whole)
{
	struct outbox_row row;
	enum err e = outbox_row_of(txn, key, &row);

	if (whole)
		CHECK(row.left_out && row.identifying.n == 0 && row.hash[0] == 0x55 &&
		      row.hash[HASH_BYTES - 1] == 0x55);
	return e;
}

static enum err
put_own_record(struct store_txn *txn)
{
	struct own_record o = {.id = the_record,
			       .form = {0x01020304},
			       .area = "SM09010101",
			       .created_s = 1700000000,
			       .epoch = TEST_EPOCH,
			       .number = 3,
			       .order = 8,
			       .heads = {{"revision-0000001"}},
			       .head_count = 1,
			       .review = REVIEW_HAS_ISSUES,
			       .review_s = 1700000500,
			       .note = "which school?",
			       .is_void = true};

	return own_record_put(txn, &o);
}

static enum err
read_own_record(struct store_txn *txn, struct bytes key, bool whole)
{
	struct own_record o;
	enum err e = own_record_get(txn, &the_record, &o);

	(void)key;
	if (whole) {
		CHECK(o.number == 3 && o.order == 8 && o.head_count == 1 &&
		      o.review == REVIEW_HAS_ISSUES && o.is_void);
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

static const struct field_value two_values[] = {
    {{0x0a0b0c0d}, true, {(const uint8_t *)"\xa4Mona", 5}},
    {{0x0a0b0c0e}, false, {(const uint8_t *)"\x07", 1}}};

static enum err
put_draft(struct store_txn *txn)
{
	struct draft_head h = {.form = 0x01020304,
			       .lang = "km",
			       .area = "SM09010101",
			       .saved_ms = 1700000000123,
			       .answers = 2};
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
	if ((e = store_get(txn, STORE_DRAFT, key, &value)) == E_OK &&
	    (e = draft_head_read(&r, value, &h)) == E_OK)
		e = draft_values_read(&r, &arena, &values, &count);
	if (whole) {
		CHECK(e == E_OK && h.form == 0x01020304 && h.saved_ms == 1700000000123 &&
		      count == 2 && values[0].identifying &&
		      bytes_equal(values[0].value, two_values[0].value));
		CHECK_STR(h.lang, "km");
	}
	arena_free(&arena);
	return e;
}

static const struct golden_row rows[] = {
    {"row_enrolment", "a member who was shut out", STORE_ENROLMENT, NULL, put_member, read_member,
     E_OK, true, NULL, 0, 0},
    {"row_invitation", "an invitation that was used", STORE_INVITATION, NULL, put_invitation,
     read_invitation, E_OK, true, "row_invitation_key", 0, 0},
    {"row_form", "a form's row", STORE_FORM, NULL, put_form, read_form, E_OK, true, NULL, 0, 0},
    {"row_outbox_slice", "two urgent records in a slice pair", STORE_OUTBOX_SLICE, NULL, put_outbox,
     read_outbox, E_OK, true, NULL, 0, 0},
    {"row_outbox_slice_revision", "a later revision, sealed to one principal", STORE_OUTBOX_SLICE,
     NULL, put_outbox_revision, read_outbox_revision, E_OK, true, NULL, 0, 0},
    {"row_outbox_slice_nameless", "a slice whose identifying part was erased", STORE_OUTBOX_SLICE,
     NULL, put_outbox_nameless, read_outbox_nameless, E_OK, true, NULL, 0, 0},
    {"row_own_record", "a device's own record", STORE_OWN_RECORD, NULL, put_own_record,
     read_own_record, E_OK, true, NULL, 0, 0},
    {"row_cursor_acked", "CURSOR: acknowledged up to 42", STORE_CURSOR, NULL, put_acked, read_acked,
     E_STORE_DAMAGED, false, "row_cursor_acked_key", 0, 0},
    {"row_draft", "a draft of two answers", STORE_DRAFT, NULL, put_draft, read_draft, E_OK, true,
     NULL, 0, 0},
};

static void
rows_as_written(void)
{
	golden_rows_check(rows, sizeof(rows) / sizeof(rows[0]));
}

CHECK_MAIN(T(rows_as_written))
