#include "core/store/backup.h"

#include <sys/stat.h>

#include "core/parcel/arrival.h"
#include "core/store/audit.h"
#include "core/fault.h"
#include "tests/store_fixture.h"

static const struct log_id log_a = {{"author-a-author"}, 7};

static enum err
fill_job(struct store_txn *txn, void *arg)
{
	static uint8_t big[700000];
	struct principal_id actor = {"sixteen bytes!!"};
	enum arrival_result r;
	uint64_t i;
	enum err e;

	(void)arg;
	memset(big, 'b', sizeof(big));
	for (i = 1; i <= 40; i++) {
		struct arrival a = {
		    .log = log_a, .number = i, .parcel = BYTES_LIT("MARKER-parcel")};

		a.hash.b[0] = (uint8_t)i;
		if ((e = arrival_append(txn, &a, &r)) != E_OK)
			return e;
	}
	if ((e = audit_append(txn, 1, &actor, "enrol", "x", "y")) != E_OK)
		return e;
	if ((e = store_put(txn, STORE_FORM, BYTES_LIT("form"), BYTES(big, sizeof(big)))) != E_OK)
		return e;
	if ((e = store_put(txn, STORE_TLS_SESSION, BYTES_LIT("ticket"), BYTES_LIT("t"))) != E_OK)
		return e;
	return store_put(txn, STORE_DRAFT, BYTES_LIT("empty"), BYTES_NONE);
}

static void
written_checked_restored(void)
{
	struct fixture f;
	struct backup_info made, checked, restored;
	struct store_txn *txn;
	struct store *s;
	struct arrival a;
	struct bytes v;
	struct unlock wrong = {.passphrase = BYTES_LIT("guess")};
	char bundle[PATH_MAX], at[PATH_MAX];
	uint64_t n, incarnation;

	fixture_init(&f);
	scratch_path(bundle, f.dir, "bundle");
	scratch_path(at, f.dir, "restored");
	CHECK(store_write(f.s, fill_job, NULL) == E_OK);
	CHECK(backup_write(f.s, bundle, &made, NULL) == E_OK);
	CHECK(made.arrival_last == 40 && made.rows == 40 * 2 + 1 + 1 + 1 + 1 + 1 + 1);
	CHECK(backup_write(f.s, bundle, &made, NULL) == E_FILE_EXISTS);
	CHECK(!scratch_holds(bundle, "MARKER", 6));
	REQUIRE(store_read_begin(f.s, &txn) == E_OK);
	CHECK(arrival_safe(txn, &n) == E_OK && n == 40);
	store_read_end(txn);
	incarnation = store_incarnation(f.s);

	CHECK(backup_check(bundle, &wrong, &checked, NULL) == E_STORE_KEY);
	CHECK(backup_check(at, &fixture_unlock, &checked, NULL) == E_FILE_ABSENT);
	CHECK(backup_check(bundle, &fixture_unlock, &checked, NULL) == E_OK);
	CHECK(checked.rows == 86 && checked.arrival_last == 40 &&
	      checked.incarnation == incarnation);
	CHECK(backup_restore(bundle, f.at, &fixture_unlock, NULL, &restored, NULL) ==
	      E_STORE_EXISTS);
	CHECK(backup_restore(bundle, at, &fixture_unlock, NULL, &restored, NULL) == E_OK);
	REQUIRE(store_open(at, &fixture_unlock, NULL, &s, NULL) == E_OK);
	CHECK(store_incarnation(s) != incarnation && store_incarnation(s) != 0);
	REQUIRE(store_read_begin(s, &txn) == E_OK);
	CHECK(arrival_get(txn, 40, &a) == E_OK &&
	      bytes_equal(a.parcel, BYTES_LIT("MARKER-parcel")));
	CHECK(arrival_find(txn, &log_a, 17, &n, &a.hash) == E_OK && n == 17);
	CHECK(audit_verify(txn, &n, NULL) == E_OK && n == 1);
	CHECK(store_get(txn, STORE_FORM, BYTES_LIT("form"), &v) == E_OK && v.n == 700000 &&
	      v.p[699999] == 'b');
	CHECK(store_get(txn, STORE_DRAFT, BYTES_LIT("empty"), &v) == E_OK && v.n == 0);
	CHECK(!store_has(txn, STORE_TLS_SESSION, BYTES_LIT("ticket")));
	store_read_end(txn);
	store_close(s);
	fixture_fini(&f);
}

static char *
slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	char *p;

	fseek(f, 0, SEEK_END);
	*n = (size_t)ftell(f);
	rewind(f);
	p = malloc(*n + 16);
	if (fread(p, 1, *n, f) != *n)
		exit(1);
	fclose(f);
	return p;
}

static void
spill(const char *path, const char *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		exit(1);
}

/* Cut anywhere, changed anywhere, chunks swapped or left out: refused, and nothing is
 * written. */
static void
damaged_bundles(void)
{
	struct fixture f;
	struct backup_info info;
	char bundle[PATH_MAX], bad[PATH_MAX], at[PATH_MAX], *p;
	size_t n, i, first;

	fixture_init(&f);
	scratch_path(bundle, f.dir, "bundle");
	scratch_path(bad, f.dir, "bad");
	scratch_path(at, f.dir, "restored");
	CHECK(store_write(f.s, fill_job, NULL) == E_OK);
	CHECK(backup_write(f.s, bundle, &info, NULL) == E_OK);
	p = slurp(bundle, &n);
	first = 12 + be32_get((uint8_t *)p + 8);
	for (i = 0; i < 60; i++) {
		size_t at_byte = i < 40 ? i * (first + 40) / 40 : n - 1 - (i - 40) * (n / 21);
		enum err e;

		p[at_byte] ^= 0x10;
		spill(bad, p, n);
		p[at_byte] ^= 0x10;
		e = backup_restore(bad, at, &fixture_unlock, NULL, &info, NULL);
		CHECK_MSG(e == E_BACKUP || e == E_STORE_KEY || e == E_VERSION || e == E_CRYPTO,
			  "byte %zu: %s", at_byte, err_name(e));
		spill(bad, p, at_byte);
		e = backup_restore(bad, at, &fixture_unlock, NULL, &info, NULL);
		CHECK_MSG(e == E_BACKUP, "cut at %zu: %s", at_byte, err_name(e));
		CHECK(access(at, F_OK) != 0);
	}
	/* at the end of the first chunk; and with that chunk left out */
	i = first + 4 + be32_get((uint8_t *)p + first);
	spill(bad, p, i);
	CHECK(backup_check(bad, &fixture_unlock, &info, NULL) == E_BACKUP);
	memmove(p + first, p + i, n - i);
	spill(bad, p, n - (i - first));
	CHECK(backup_check(bad, &fixture_unlock, &info, NULL) == E_BACKUP);
	free(p);
	p = slurp(bundle, &n);
	memcpy(p + n, "more", 4);
	spill(bad, p, n + 4);
	CHECK(backup_check(bad, &fixture_unlock, &info, NULL) == E_BACKUP);
	p[7] = '2';
	spill(bad, p, n);
	CHECK(backup_check(bad, &fixture_unlock, &info, NULL) == E_VERSION);
	free(p);
	fixture_fini(&f);
}

static void
every_call_fails_in_turn(void)
{
	struct fixture f;
	struct backup_info info;
	char bundle[PATH_MAX], part[PATH_MAX], at[PATH_MAX];
	unsigned n = 0;
	bool fired;
	enum err e;

	fixture_init(&f);
	scratch_path(bundle, f.dir, "bundle");
	scratch_path(part, f.dir, "bundle.part");
	scratch_path(at, f.dir, "restored");
	CHECK(store_write(f.s, fill_job, NULL) == E_OK);
	do {
		fault_arm(n++);
		e = backup_write(f.s, bundle, &info, NULL);
		fired = fault_fired();
		fault_disarm();
		CHECK_MSG((e == E_OK) == !fired, "fault %u: %s", n - 1, err_name(e));
		CHECK(access(part, F_OK) != 0);
		if (access(bundle, F_OK) == 0)
			CHECK(backup_check(bundle, &fixture_unlock, &info, NULL) == E_OK);
		unlink(bundle);
		fixture_reopen(&f); /* a commit that failed stops the store */
	} while (fired && n < 600);
	CHECK(n > 100 && n < 600);
	CHECK(backup_write(f.s, bundle, &info, NULL) == E_OK);
	n = 0;
	do {
		fault_arm(n++);
		e = backup_restore(bundle, at, &fixture_unlock, NULL, &info, NULL);
		fired = fault_fired();
		fault_disarm();
		CHECK_MSG((e == E_OK) == !fired, "fault %u: %s", n - 1, err_name(e));
		CHECK_MSG((access(at, F_OK) == 0) == (e == E_OK), "fault %u", n - 1);
		scratch_remove(at);
	} while (fired && n < 600);
	CHECK(n > 50 && n < 600);
	fixture_fini(&f);
}

CHECK_MAIN(T(written_checked_restored), T(damaged_bundles), T(every_call_fails_in_turn))
