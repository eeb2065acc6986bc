/*
 * The rows that a node derives, its arrivals, and what it gave out: each as FORMATS.md writes it,
 * to the byte. What was written once must be read for ever, by every later version.
 */
#include "core/parcel/arrival.h"
#include "core/store/audit.h"
#include "tests/golden_rows.h"
#include "tools/extract/release.h"
#include "tools/node/opener/aside.h"
#include "tools/node/opener/epochs.h"
#include "tools/node/opener/opener.h"
#include "tools/node/serve/quota.h"
#include "tools/node/records/records.h"
#include "tools/node/roads/satchel.h"

static const struct record_id the_record = {"record-000000001"};
static const struct log_id the_log = {TEST_AUTHOR, TEST_EPOCH};
static const struct field_value two_values[] = {
    {{0x0a0b0c0d}, true, {(const uint8_t *)"\xa4Mona", 5}},
    {{0x0a0b0c0e}, false, {(const uint8_t *)"\x07", 1}}};

/* ---- records ---- */

static enum err
put_revision(struct store_txn *txn)
{
	static const struct revision_id parents[] = {{"revision-0000001"}, {"revision-0000002"}};
	static const struct merge_field fields[] = {
	    {{0x0a0b0c0d}, true, {(const uint8_t *)"\xa4Mona", 5}},
	    {{0x0a0b0c0e}, false, {(const uint8_t *)"\x07", 1}}};
	struct revision_row row = {.record = the_record,
				   .seq = 5,
				   .area = "SM09010101",
				   .lang = BYTES_LIT("km"),
				   .text = BYTES_LIT("twice"),
				   .has_entered_for = true,
				   .entered_for = TEST_OTHER,
				   .m = {.id = {"revision-0000003"},
					 .parents = parents,
					 .parent_count = 2,
					 .kind = REVISION_AMEND,
					 .author = TEST_AUTHOR,
					 .role = ROLE_MEMBER,
					 .claimed_s = 1700000000,
					 .received_s = 1700000100,
					 .form = {0x01020304},
					 .fields = fields,
					 .field_count = 2}};

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
		CHECK(count == 1 && rows[0].seq == 5 && rows[0].m.parent_count == 2 &&
		      rows[0].m.field_count == 2 && rows[0].has_entered_for &&
		      rows[0].m.fields[0].identifying && rows[0].m.received_s == 1700000100 &&
		      bytes_equal(rows[0].text, BYTES_LIT("twice")));
	arena_free(&arena);
	return e;
}

static enum err
put_record(struct store_txn *txn)
{
	struct field_value values[2] = {two_values[0], two_values[1]};
	struct record_row row = {.id = the_record,
				 .form = {0x01020304},
				 .area = "SM09010101",
				 .author = TEST_AUTHOR,
				 .created_s = 1700000000,
				 .received_s = 1700000100,
				 .order = 6,
				 .flags = RECORD_FAULTY | RECORD_CLOCK,
				 .review = REVIEW_RECEIVED,
				 .conflicts = 1,
				 .revisions = 2,
				 .faults = BYTES_LIT("age: too high\n"),
				 .heads = {{"revision-0000003"}},
				 .head_count = 1,
				 .values = values,
				 .value_count = 2};

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
		CHECK(row.order == 6 && row.flags == (RECORD_FAULTY | RECORD_CLOCK) &&
		      row.conflicts == 1 && row.head_count == 1 && row.value_count == 2 &&
		      bytes_equal(row.faults, BYTES_LIT("age: too high\n")));
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

	return satchel_put(txn, SATCHEL_UP, vector_read("envelope", memory, sizeof(memory)),
			   1767225600, SIZE_MAX);
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

	if (e == E_OK && (e = quota_take(txn, &author, 900)) == E_OK &&
	    (e = quota_raise(txn, &author)) == E_OK)
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
	struct arrival a = {.log = the_log,
			    .number = number,
			    .received_s = 1700000100,
			    .via = TEST_AUTHOR,
			    .flags = ARRIVAL_UNVERIFIED,
			    .parcel = BYTES_LIT("a parcel's bytes")};
	enum arrival_result result;

	memset(a.hash.b, hash, sizeof(a.hash.b));
	return arrival_append(txn, &a, &result);
}

static enum err
put_arrival(struct store_txn *txn)
{
	enum err e = store_clear(txn, STORE_LOG_INDEX);

	if (e == E_OK && (e = store_clear(txn, STORE_LOG_HEAD)) == E_OK &&
	    (e = store_clear(txn, STORE_AUTHOR_LOG)) == E_OK &&
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
		CHECK(a.seq == 1 && a.number == 1 && a.hash.b[31] == 0xaa &&
		      a.flags == ARRIVAL_UNVERIFIED && a.log.epoch == TEST_EPOCH &&
		      bytes_equal(a.parcel, BYTES_LIT("a parcel's bytes")));
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
		CHECK(h.number == 1 && h.hash.b[0] == 0xaa && h.count == 3 && h.forks == 1 &&
		      h.range_count == 1 && h.ranges[0].lo == 3 && h.ranges[0].hi == 4 &&
		      h.last_received_s == 1700000100);
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
	struct release r = {
	    .time_s = 1700000000,
	    .actor = TEST_OTHER,
	    .audience = "office",
	    .form = BYTES_LIT("F2_situation"),
	    .query = BYTES_LIT(
		"form=F2_situation by=sex sum= period=2026-01-01..2026-06-30 k=10 area=SM09"),
	    .from_day = 20454,
	    .to_day = 20634,
	    .rows = 4,
	    .published = 1,
	    .pieces = 1,
	    .sha256 = {0xcd},
	    .manifest = BYTES_LIT("{\"manifest\":1}\n"),
	    .id = "release-00000001"};
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
		CHECK(r.number == 1 && r.from_day == 20454 && r.to_day == 20634 && r.pieces == 1 &&
		      r.published == 1);
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
    {"row_revision", "an AMEND, entered for somebody", STORE_REVISION_ROW, NULL, put_revision,
     read_revision, E_OK, true, "row_revision_row_key", 0, 0},
    {"row_record", "a record with a fault and a conflict", STORE_RECORD_ROW, NULL, put_record,
     read_record, E_OK, true, "row_record_row_key", 0, 0},
    {"row_quarantine", "set aside: E_SCOPE", STORE_QUARANTINE, NULL, put_aside, read_aside, E_OK,
     true, NULL, 0, 0},
    {"row_satchel", "an envelope that a relay keeps", STORE_SATCHEL, NULL, put_satchel,
     read_satchel, E_OK, true, NULL, 0, 0},
    {"row_cursor_logs", "CURSOR: two logs of an author count", STORE_CURSOR, NULL, put_logs,
     read_logs, E_STORE_DAMAGED, false, NULL, 4, 8},
    {"row_cursor_aside", "CURSOR: arrival 1 was set aside", STORE_CURSOR, NULL, put_cursor_aside,
     read_cursor_aside, E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_cursor_quota", "CURSOR: 1900 bytes of two shares", STORE_CURSOR, NULL, put_quota,
     read_quota, E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_arrival", "the first arrival", STORE_ARRIVAL, NULL, put_arrival, read_arrival,
     E_STORE_DAMAGED, false, NULL, 0, 0},
    {"row_log_index", "its place in its log", STORE_LOG_INDEX, NULL, put_arrival, read_index,
     E_STORE_DAMAGED, false, "row_log_index_key", 0, 0},
    {"row_log_head", "a log of numbers 1, 3, 4 and a fork", STORE_LOG_HEAD, NULL, put_head,
     read_head, E_STORE_DAMAGED, false, "row_log_head_key", 0, 0},
    {"row_author_log", "a log of an author's", STORE_AUTHOR_LOG, NULL, put_arrival, read_author_log,
     E_STORE_DAMAGED, false, "row_author_log_key", 0, 0},
    {"row_release", "a table that was given out", STORE_RELEASE, NULL, put_release, read_release,
     E_OK, true, NULL, 0, 0},
    {"row_audit", "the first audit entry with its hash", STORE_AUDIT, NULL, put_audit, read_audit,
     E_AUDIT, false, NULL, 0, 0},
};

static void
rows_as_written(void)
{
	golden_rows_check(rows, sizeof(rows) / sizeof(rows[0]));
}

CHECK_MAIN(T(rows_as_written))
