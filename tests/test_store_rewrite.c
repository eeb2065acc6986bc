/* The store written anew: rows stay, and of what was deleted nothing is in any file. */
#include <sys/stat.h>

#include "core/fault.h"
#include "tests/store_fixture.h"

#define ROWS 3000u

static void
value_of(uint8_t out[200], uint64_t n)
{
	memset(out, (int)(n % 251), 200);
	be64_put(out, n);
}

static enum err
fill_job(struct store_txn *txn, void *arg)
{
	uint8_t value[200];
	uint64_t n;
	enum err e = E_OK;

	(void)arg;
	for (n = 1; n <= ROWS && e == E_OK; n++) {
		struct store_seq key = store_seq_of(n);

		value_of(value, n);
		e = store_put(txn, STORE_ARRIVAL, BYTES(key.b, 8), BYTES(value, sizeof(value)));
	}
	return e == E_OK ? store_put(txn, STORE_BLOB, BYTES_LIT("kept"), BYTES_LIT("a value")) : e;
}

static enum err
delete_job(struct store_txn *txn, void *arg)
{
	uint64_t n;
	enum err e = E_OK;

	(void)arg;
	for (n = 1; n <= ROWS && e == E_OK; n += 2) {
		struct store_seq key = store_seq_of(n);

		e = store_del(txn, STORE_ARRIVAL, BYTES(key.b, 8));
	}
	return e;
}

static bool
rows_are(struct store *s, bool odd)
{
	struct store_txn *txn;
	uint8_t want[200];
	struct bytes value;
	uint64_t n;
	bool good;

	if (store_read_begin(s, &txn) != E_OK)
		return false;
	good = store_get(txn, STORE_BLOB, BYTES_LIT("kept"), &value) == E_OK &&
	       bytes_equal(value, BYTES_LIT("a value"));
	for (n = 1; n <= ROWS && good; n++) {
		struct store_seq key = store_seq_of(n);
		enum err e = store_get(txn, STORE_ARRIVAL, BYTES(key.b, 8), &value);

		value_of(want, n);
		good = n % 2 == 1 && !odd
			   ? e == E_ABSENT
			   : e == E_OK && bytes_equal(value, BYTES(want, sizeof(want)));
		store_forget(txn);
	}
	store_read_end(txn);
	return good;
}

/* The whole file; ours to free. */
static uint8_t *
file_of(const char *at, size_t *count)
{
	char path[PATH_MAX];
	uint8_t *all = NULL;
	struct stat st;
	FILE *f;

	scratch_path(path, at, "data.mdb");
	*count = 0;
	if (stat(path, &st) != 0 || (f = fopen(path, "rb")) == NULL)
		return NULL;
	if ((all = malloc((size_t)st.st_size)) != NULL)
		*count = fread(all, 1, (size_t)st.st_size, f);
	fclose(f);
	return all;
}

static bool
file_has(const char *at, const uint8_t *what, size_t count)
{
	size_t n;
	uint8_t *all = file_of(at, &n);
	bool found = all != NULL && memmem(all, n, what, count) != NULL;

	free(all);
	return found;
}

/* In LMDB's page a row's key, be64 here, stands between its own length and its sealed value: the
 * first 40 bytes of that. Without the length, key 5 and a value that begins with a byte 0xde, as
 * one in 256 does, would be taken for key 1502. */
static bool
sealed_of(const char *at, uint64_t number, uint8_t out[40])
{
	const uint16_t length = 8; /* in the machine's own order */
	uint8_t head[10];
	size_t n;
	uint8_t *all = file_of(at, &n), *hit;

	memcpy(head, &length, sizeof(length));
	be64_put(head + 2, number);
	hit = all == NULL ? NULL : memmem(all, n, head, sizeof(head));
	if (hit != NULL)
		memcpy(out, hit + sizeof(head), 40);
	free(all);
	return hit != NULL;
}

static void
nothing_of_it_is_left(void)
{
	uint8_t sealed[40], kept[40];
	struct fixture f;

	fixture_init(&f);
	REQUIRE(store_write(f.s, fill_job, NULL) == E_OK);
	REQUIRE(sealed_of(f.at, 1501, sealed) && sealed_of(f.at, 1502, kept));
	REQUIRE(store_write(f.s, delete_job, NULL) == E_OK);
	CHECK(file_has(f.at, sealed, sizeof(sealed))); /* that is why */
	REQUIRE(store_rewrite(f.s) == E_OK);
	CHECK(!file_has(f.at, sealed, sizeof(sealed)));
	CHECK(file_has(f.at, kept, sizeof(kept)));
	CHECK(rows_are(f.s, false));
	CHECK(store_write(f.s, fill_job, NULL) == E_OK); /* it goes on */
	CHECK(rows_are(f.s, true));
	REQUIRE(store_rewrite(f.s) == E_OK);
	fixture_reopen(&f);
	CHECK(rows_are(f.s, true));
	fixture_fini(&f);
}

/* Each call failing in turn: the old file stays in force. */
static void
failures_change_nothing(void)
{
	struct fixture f;
	unsigned n = 0, failed = 0;
	bool fired;
	enum err e;

	fixture_init(&f);
	REQUIRE(store_write(f.s, fill_job, NULL) == E_OK &&
		store_write(f.s, delete_job, NULL) == E_OK);
	do {
		fault_arm(n++);
		e = store_rewrite(f.s);
		fired = fault_fired();
		fault_disarm();
		failed += e != E_OK;
		CHECK(e == E_OK ||
		      fired); /* the file is in place: what fails to open is tried again */
		CHECK(rows_are(f.s, false));
	} while (fired);
	CHECK(failed > 0);
	fixture_fini(&f);
}

static void
a_reader_is_waited_for(void)
{
	struct fixture f;
	struct store_txn *txn;

	fixture_init(&f);
	store_close(f.s);
	REQUIRE(store_open(f.at, &fixture_unlock, &(struct store_options){.grow_wait_s = 1}, &f.s,
			   NULL) == E_OK);
	REQUIRE(store_write(f.s, fill_job, NULL) == E_OK && store_read_begin(f.s, &txn) == E_OK);
	CHECK(store_rewrite(f.s) == E_STORE_READERS);
	store_read_end(txn);
	CHECK(store_rewrite(f.s) == E_OK);
	CHECK(rows_are(f.s, true));
	fixture_fini(&f);
}

CHECK_MAIN(T(nothing_of_it_is_left), T(failures_change_nothing), T(a_reader_is_waited_for))
