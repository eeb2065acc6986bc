/* How many records there are, and the number of each: rows as FORMATS.md writes them ("Counts",
 * "Numbers"), to the byte. */
#include "tests/golden_rows.h"
#include "tools/node/records/record_number.h"
#include "tools/node/records/tally.h"

static enum err
tally_put(struct store_txn *txn, const struct tally_row *row)
{
	uint8_t key[1 + STORE_NAME_BYTES], memory[160];
	struct writer w;
	enum err e;

	tally_row_key(store_of(txn), row, key);
	writer_init(&w, memory, sizeof(memory));
	e = tally_row_pack(row, &w);
	return e == E_OK ? store_put(txn, STORE_TALLY, BYTES(key, sizeof(key)), writer_view(&w))
			 : e;
}

static enum err
put_tally_area(struct store_txn *txn)
{
	struct tally_row row = {.kind = TALLY_AREA,
				.subject = "SM09010101",
				.subject_n = 10,
				.counts = {300, 4, 3, 2, 1, 7, 6}};

	return tally_put(txn, &row);
}

static enum err
put_tally_author(struct store_txn *txn)
{
	struct principal_id author = TEST_AUTHOR;
	struct tally_row row = {.kind = TALLY_AUTHOR, .subject_n = ID_BYTES, .counts = {300}};

	memcpy(row.subject, author.b, ID_BYTES);
	return tally_put(txn, &row);
}

static enum err
put_tally_month(struct store_txn *txn)
{
	struct tally_row row = {.kind = TALLY_MONTH, .subject_n = 8, .counts = {300}};

	be32_put(row.subject, 0x01020304);
	be32_put(row.subject + 4, 1700000000 / TALLY_MONTH_S);
	return tally_put(txn, &row);
}

static enum err
read_tally(struct store_txn *txn, struct bytes key, bool whole)
{
	struct tally_row row = {.kind = TALLY_AREA};
	struct bytes value;
	enum err e = store_get(txn, STORE_TALLY, key, &value);

	if (e == E_OK)
		e = tally_row_read(key, value, &row);
	if (whole)
		CHECK(row.counts[0] == 300 &&
		      row.subject_n == (row.kind == TALLY_AREA     ? 10
					: row.kind == TALLY_AUTHOR ? ID_BYTES
								   : 8) &&
		      row.counts[6] == (row.kind == TALLY_AREA ? 6 : 0));
	return e;
}

static const struct record_id the_record = {"record-000000001"};

/* The second record that came. */
static enum err
put_number(struct store_txn *txn)
{
	uint64_t number;
	enum err e = store_meta_put_u64(txn, "record order", 1);

	return e == E_OK ? record_number_make(txn, &the_record, &number) : e;
}

static enum err
read_number(struct store_txn *txn, struct bytes key, bool whole)
{
	uint64_t number = 0;
	enum err e = record_number(txn, &the_record, &number);

	if (whole)
		CHECK(number == 2 && key.n == ID_BYTES &&
		      memcmp(key.p, the_record.b, ID_BYTES) == 0);
	return e;
}

static const struct golden_row rows[] = {
    {"row_tally_area", "TALLY: the records of an area", STORE_TALLY, NULL, put_tally_area,
     read_tally, E_OK, true, "row_tally_area_key", 0, 0},
    {"row_tally_author", "TALLY: those of an author", STORE_TALLY, NULL, put_tally_author,
     read_tally, E_OK, true, "row_tally_author_key", 0, 0},
    {"row_tally_month", "TALLY: those of a form that came in a month", STORE_TALLY, NULL,
     put_tally_month, read_tally, E_OK, true, "row_tally_month_key", 0, 0},
    {"row_record_number", "RECORD_NUMBER: the second record", STORE_RECORD_NUMBER, NULL, put_number,
     read_number, E_STORE_DAMAGED, false, NULL, 0, 0},
};

static void
rows_as_written(void)
{
	golden_rows_check(rows, sizeof(rows) / sizeof(rows[0]));
}

CHECK_MAIN(T(rows_as_written))
