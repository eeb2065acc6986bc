/*
 * A store of another version, and a store under a new key. Later formats do not exist yet: what a
 * program of format 5 would do with a store two formats old is played by steps of this test's own.
 */
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/store/backup.h"
#include "core/fault.h"
#include "tests/older_store.h"
#include "tests/store_fixture.h"

#define ROWS 40u

/* ---- rows ---- */

static enum err
fill_job(struct store_txn *txn, void *arg)
{
	uint8_t value[300], name[STORE_NAME_BYTES];
	uint64_t n;
	enum err e = E_OK;

	(void)arg;
	for (n = 1; n <= ROWS && e == E_OK; n++) {
		struct store_seq key = store_seq_of(n);

		memset(value, (int)(n % 251), sizeof(value));
		e = store_put(txn, STORE_ARRIVAL, BYTES(key.b, 8),
			      BYTES(value, 1 + n % sizeof(value)));
	}
	store_key_name(store_of(txn), STORE_CURSOR, BYTES_LIT("a hidden name"), name);
	if (e == E_OK)
		e = store_put(txn, STORE_CURSOR, BYTES(name, sizeof(name)),
			      BYTES_LIT("found by it"));
	return e == E_OK ? store_meta_put_u64(txn, "counted", 7) : e;
}

static bool
all_there(struct store *s)
{
	uint8_t name[STORE_NAME_BYTES];
	struct store_txn *txn;
	struct bytes value;
	uint64_t n, counted = 0;
	bool good;

	if (store_read_begin(s, &txn) != E_OK)
		return false;
	store_key_name(s, STORE_CURSOR, BYTES_LIT("a hidden name"), name);
	good = store_get(txn, STORE_CURSOR, BYTES(name, sizeof(name)), &value) == E_OK &&
	       bytes_equal(value, BYTES_LIT("found by it")) &&
	       store_meta_u64(txn, "counted", 0, &counted) == E_OK && counted >= 7 &&
	       store_count(txn, STORE_ARRIVAL) == ROWS;
	for (n = 1; n <= ROWS && good; n++) {
		struct store_seq key = store_seq_of(n);

		good = store_get(txn, STORE_ARRIVAL, BYTES(key.b, 8), &value) == E_OK &&
		       value.n == 1 + n % 300 && value.p[0] == n % 251;
	}
	store_read_end(txn);
	return good;
}

/* ---- formats ---- */

static enum err
fourth(struct store_txn *txn)
{
	uint64_t v = 0;
	enum err e = store_meta_u64(txn, "counted", 0, &v);

	return e == E_OK ? store_meta_put_u64(txn, "counted", v * 10 + 4) : e;
}

static enum err
fifth(struct store_txn *txn)
{
	uint64_t v = 0;
	enum err e = store_meta_u64(txn, "counted", 0, &v);

	return e == E_OK ? store_meta_put_u64(txn, "counted", v * 10 + 5) : e;
}

static enum err
fails(struct store_txn *txn)
{
	return store_meta_put_u64(txn, "counted", 0) == E_OK ? E_STORE_FULL : E_STORE_IO;
}

static uint64_t
counted(struct store *s)
{
	struct store_txn *txn;
	uint64_t v = 0;

	if (store_read_begin(s, &txn) == E_OK) {
		(void)store_meta_u64(txn, "counted", 0, &v);
		store_read_end(txn);
	}
	return v;
}

static void
two_formats_old(void)
{
	static store_step_fn *const good[] = {fourth, fifth}, *const bad[] = {fourth, fails};
	struct store_options later = fixture_options;
	struct why why = {.e = E_OK};
	char sentence[300];
	struct fixture f;
	struct store *s;

	fixture_init(&f);
	CHECK(store_format_of(f.s) == 3);
	REQUIRE(store_write(f.s, fill_job, NULL) == E_OK);
	store_close(f.s);
	older_make(f.at, 1);
	/* the last step fails: what the one before it made is kept, with its number */
	later.format = 5;
	later.steps = bad;
	CHECK(store_open(f.at, &fixture_unlock, &later, &s, NULL) == E_STORE_FULL);
	/* a program of this version refuses it, in a sentence, and changes nothing */
	CHECK(store_open(f.at, &fixture_unlock, &fixture_options, &s, &why) == E_STORE_NEWER);
	CHECK(strstr(why_sentence(&why, sentence, sizeof(sentence)), "newer") != NULL);
	later.steps = good;
	REQUIRE(store_open(f.at, &fixture_unlock, &later, &s, NULL) == E_OK);
	CHECK(store_format_of(s) == 5 && all_there(s));
	CHECK(counted(s) == 745); /* each step once, in order */
	store_close(s);
	REQUIRE(store_open(f.at, &fixture_unlock, &later, &s, NULL) == E_OK);
	CHECK(counted(s) == 745);
	store_close(s);
	REQUIRE(store_open(f.at, &fixture_unlock, &later, &f.s, NULL) == E_OK);
	fixture_fini(&f);
}

/* ---- from an earlier format to this one ---- */

static enum err
record_job(struct store_txn *txn, void *arg)
{
	enum err e = store_meta_put_u64(txn, "counted", 8);

	if (e == E_OK)
		e = store_put(txn, STORE_RECORD_ROW, BYTES_LIT("24 bytes: number, record"),
			      BYTES_LIT("a row"));
	return e == E_OK && arg != NULL ? E_QUOTA : e;
}

static enum err
plain_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return store_meta_put_u64(txn, "counted", 9);
}

/* What is read, written elsewhere, or failed leaves the number; the first row of ours takes it
 * along. */
static void
the_first_row_takes_the_number_along(void)
{
	struct fixture f;
	uint32_t from;

	for (from = 1; from <= 3; from += 2) {
		fixture_init(&f);
		REQUIRE(store_write(f.s, fill_job, NULL) == E_OK);
		store_close(f.s);
		older_make(f.at, from);
		REQUIRE(store_open(f.at, &fixture_unlock, &fixture_options, &f.s, NULL) == E_OK);
		CHECK(all_there(f.s) && store_format_of(f.s) == from);
		REQUIRE(store_write(f.s, plain_job, NULL) == E_OK);
		CHECK(store_write(f.s, record_job, &f) == E_QUOTA && store_rewrite(f.s) == E_OK);
		fixture_reopen(&f);
		CHECK(all_there(f.s) && store_format_of(f.s) == from);
		store_close(f.s);
		CHECK(older_seen(f.at).format == from && older_seen(f.at).rows == 0);
		REQUIRE(store_open(f.at, &fixture_unlock, &fixture_options, &f.s, NULL) == E_OK);
		REQUIRE(store_write(f.s, record_job, NULL) == E_OK && store_format_of(f.s) == 3);
		store_close(f.s);
		CHECK(older_seen(f.at).format == 3 && older_seen(f.at).rows == 1);
		older_make(f.at,
			   1); /* as the programs left it that had such rows before the number */
		REQUIRE(store_open(f.at, &fixture_unlock, &fixture_options, &f.s, NULL) == E_OK);
		CHECK(all_there(f.s) && store_format_of(f.s) == 3 && counted(f.s) == 8);
		store_close(f.s);
		CHECK(older_seen(f.at).format == 3);
		REQUIRE(store_open(f.at, &fixture_unlock, &fixture_options, &f.s, NULL) == E_OK);
		fixture_fini(&f);
	}
}

/* Each call failing in turn, and a kill at each: the row and the number are there, or neither is.
 */
static void
the_row_or_neither(bool kill)
{
	struct fixture f;
	unsigned n, before = 0;
	bool over = false;

	fixture_init(&f);
	REQUIRE(store_write(f.s, fill_job, NULL) == E_OK);
	store_close(f.s);
	older_make(f.at, 1);
	for (n = 0; !over && n < 200; n++) {
		struct older_seen seen;
		int status = 0;
		pid_t pid;

		if ((pid = fork()) == 0) {
			struct store *s;
			enum err e;

			if (kill)
				fault_arm_kill(n);
			else
				fault_arm(n);
			e = store_open(f.at, &fixture_unlock, &fixture_options, &s, NULL);
			if (e == E_OK) {
				e = store_write(s, record_job, NULL);
				store_close(s);
			}
			_exit(e == E_OK && !fault_fired() ? 0 : 4);
		}
		REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
		over = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		seen = older_seen(f.at);
		CHECK_MSG(seen.format == (seen.rows > 0 ? 3 : 1), "at %u: format %u, %zu rows", n,
			  seen.format, seen.rows);
		before += seen.rows == 0;
		REQUIRE(store_open(f.at, &fixture_unlock, &fixture_options, &f.s, NULL) == E_OK);
		CHECK_MSG(all_there(f.s) && store_format_of(f.s) == seen.format, "at %u", n);
		store_close(f.s);
	}
	CHECK_MSG(over && before > 5, "%u points, %u before the row", n, before);
	REQUIRE(store_open(f.at, &fixture_unlock, &fixture_options, &f.s, NULL) == E_OK);
	fixture_fini(&f);
}

static void
each_call_of_it_failing(void)
{
	the_row_or_neither(false);
}

static void
killed_at_each_step_of_it(void)
{
	the_row_or_neither(true);
}

/* ---- a new key ---- */

static const struct unlock second_unlock = {.name = "leaver",
					    .passphrase = {(const uint8_t *)"fish", 4}};

static enum err
renew(struct store *s, store_tell_fn *tell, void *arg)
{
	struct store_key fresh;
	struct writer file;
	enum err e;

	writer_heap_init(&file, KEYRING_FILE_BYTES_MAX);
	crypto_random(fresh.b, sizeof(fresh.b));
	if ((e = keyring_seal_first(&fresh, &fixture_unlock, &fixture_options.cost, &file)) == E_OK)
		e = store_renew(s, &fresh, writer_view(&file), tell, arg);
	writer_free(&file);
	return e;
}

static void
copy_file(const char *from, const char *to)
{
	char command[2 * PATH_MAX + 16];

	snprintf(command, sizeof(command), "cp -f '%s' '%s'", from, to);
	REQUIRE(system(command) == 0);
}

static void
count_told(void *arg, uint64_t done, uint64_t total)
{
	CHECK(done < total || total == 0);
	++*(unsigned *)arg;
}

static void
the_old_key_opens_nothing(void)
{
	char keys[PATH_MAX], kept[PATH_MAX], bundle[PATH_MAX], other[PATH_MAX], aside[PATH_MAX];
	uint8_t before[32], after[32];
	struct backup_info info;
	struct store *s;
	struct fixture f;
	unsigned told = 0;

	fixture_init(&f);
	scratch_path(keys, f.at, "keys");
	scratch_path(kept, f.dir, "kept");
	scratch_path(bundle, f.dir, "bundle");
	scratch_path(other, f.dir, "other");
	scratch_path(aside, f.dir, "aside");
	REQUIRE(keyring_add(f.at, store_key_of(f.s), &second_unlock, &fixture_options.cost, NULL) ==
		E_OK);
	REQUIRE(store_write(f.s, fill_job, NULL) == E_OK);
	store_derive(f.s, "something", before, sizeof(before));
	copy_file(keys, kept);
	REQUIRE(renew(f.s, count_told, &told) == E_OK);
	CHECK(told >= 1 && all_there(f.s) && store_format_of(f.s) == 3);
	store_derive(f.s, "something", after, sizeof(after));
	CHECK(memcmp(before, after, sizeof(before)) == 0); /* logs that are named by it go on */
	CHECK(store_write(f.s, fill_job, NULL) == E_OK);
	fixture_reopen(&f);
	CHECK(all_there(f.s) && store_format_of(f.s) == 3);
	/* once more, from a store that has one; and rewriting it as it is */
	REQUIRE(renew(f.s, NULL, NULL) == E_OK && store_rewrite(f.s) == E_OK);
	fixture_reopen(&f);
	CHECK(all_there(f.s));
	REQUIRE(backup_write(f.s, bundle, &info, NULL) == E_OK);
	REQUIRE(backup_restore(bundle, other, &fixture_unlock, &fixture_options, &info, NULL) ==
		E_OK);
	REQUIRE(store_open(other, &fixture_unlock, &fixture_options, &s, NULL) == E_OK);
	CHECK(all_there(s) && store_format_of(s) == 3);
	store_close(s);
	store_close(f.s);
	/* who left has the old `keys` and knows a passphrase of it: its key opens nothing of the
	 * file */
	CHECK(store_open(f.at, &second_unlock, &fixture_options, &s, NULL) == E_STORE_KEY);
	copy_file(keys, aside);
	copy_file(kept, keys);
	CHECK(store_open(f.at, &second_unlock, &fixture_options, &s, NULL) == E_STORE_DAMAGED);
	CHECK(store_open(f.at, &fixture_unlock, &fixture_options, &s, NULL) == E_STORE_DAMAGED);
	copy_file(aside, keys);
	REQUIRE(store_open(f.at, &fixture_unlock, &fixture_options, &f.s, NULL) == E_OK);
	fixture_fini(&f);
}

/* Each call failing in turn: it is as it was, or done; whichever, it opens and all is there. */
static void
failing_in_turn(void)
{
	struct fixture f;
	unsigned n = 0, undone = 0, done = 0;
	bool fired;

	fixture_init(&f);
	REQUIRE(store_write(f.s, fill_job, NULL) == E_OK);
	do {
		uint8_t key[32];
		enum err e;

		memcpy(key, store_key_of(f.s)->b, sizeof(key));
		fault_arm(n++);
		e = renew(f.s, NULL, NULL);
		fired = fault_fired();
		fault_disarm();
		fixture_reopen(&f);
		CHECK_MSG(all_there(f.s), "after failure %u (%s)", n - 1, err_name(e));
		CHECK_MSG(e != E_OK || memcmp(key, store_key_of(f.s)->b, sizeof(key)) != 0,
			  "failure %u: the old key", n - 1);
		undone += memcmp(key, store_key_of(f.s)->b, sizeof(key)) == 0;
		done += e != E_OK && memcmp(key, store_key_of(f.s)->b, sizeof(key)) != 0;
	} while (fired && n < 500);
	CHECK_MSG(undone > 3 && done > 0, "%u undone, %u done", undone,
		  done); /* both sides of the moment were met */
	fixture_fini(&f);
}

/* A process that is killed: after so many calls that a fault may stand at, all of them in turn. */
static void
killed_at_each_step(void)
{
	struct fixture f;
	unsigned n, alive = 0, changed = 0;

	fixture_init(&f);
	REQUIRE(store_write(f.s, fill_job, NULL) == E_OK);
	for (n = 0; alive == 0 && n < 400; n++) {
		struct store_key had = *store_key_of(f.s);
		int status = 0;
		pid_t pid;

		store_close(f.s);
		if ((pid = fork()) == 0) {
			struct store *s;

			if (store_open(f.at, &fixture_unlock, &fixture_options, &s, NULL) != E_OK)
				_exit(3);
			fault_arm_kill(n);
			_exit(renew(s, NULL, NULL) == E_OK ? 0 : 4);
		}
		REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
		REQUIRE(store_open(f.at, &fixture_unlock, &fixture_options, &f.s, NULL) == E_OK);
		CHECK_MSG(all_there(f.s), "killed at %u", n);
		changed += WIFSIGNALED(status) && memcmp(&had, store_key_of(f.s), sizeof(had)) != 0;
		alive += WIFEXITED(status) && WEXITSTATUS(status) == 0;
		CHECK(WIFSIGNALED(status) || alive);
	}
	CHECK_MSG(n > 8 && alive == 1 && changed > 0, "%u, %u, %u", n, alive, changed);
	fixture_fini(&f);
}

CHECK_MAIN(T(two_formats_old), T(the_first_row_takes_the_number_along), T(each_call_of_it_failing),
	   T(killed_at_each_step_of_it), T(the_old_key_opens_nothing), T(failing_in_turn),
	   T(killed_at_each_step))
