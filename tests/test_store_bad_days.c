/* Growth, a full disk, a failing disk, each call failing in turn, kill -9. */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "core/fault.h"
#include "tests/store_rows.h"

static void *
read_all_the_time(void *arg)
{
	struct store *s = arg;
	int i;

	for (i = 0; i < 150; i++) {
		struct store_txn *txn;
		struct store_cursor *c;
		struct bytes key, value;

		if (store_read_begin(s, &txn) != E_OK)
			return (void *)1;
		if (store_walk(txn, STORE_DRAFT, BYTES_NONE, STORE_BACKWARD, &c) == E_OK) {
			int n;

			for (n = 0; n < 5 && store_next(c, &key, &value); n++)
				if (value.n != 200000 || value.p[199999] != 'x')
					return (void *)2;
			if (store_walk_end(c) != E_OK)
				return (void *)3;
		}
		store_read_end(txn);
	}
	return NULL;
}

/* 40 MB into a map of 1 MiB, with readers in the way. */
static void
the_map_grows(void)
{
	char dir[PATH_MAX], at[PATH_MAX];
	struct store *s = make(scratch_path(at, scratch_make(dir), "s"), &small);
	static uint8_t big[200000];
	struct store_stat st;
	pthread_t readers[3];
	void *result;
	unsigned i;

	REQUIRE(s != NULL);
	memset(big, 'x', sizeof(big));
	for (i = 0; i < 3; i++)
		pthread_create(&readers[i], NULL, read_all_the_time, s);
	for (i = 0; i < 210; i++) {
		enum err e = put(s, i, BYTES(big, sizeof(big)));

		CHECK_MSG(e == E_OK, "%u: %s", i, err_name(e));
	}
	for (i = 0; i < 3; i++) {
		pthread_join(readers[i], &result);
		CHECK(result == NULL);
	}
	store_stat(s, &st);
	CHECK(st.map_bytes >= 40u << 20);
	CHECK(st.used_bytes > 40u * 1000 * 1000);
	s = reopen(s, at);
	store_close(s);
	scratch_remove(dir);
}

/* A reader that never ends holds growth up; the write says so, and is possible again
 * after it. */
static void
growth_waits_for_readers(void)
{
	struct store_options hasty = {
	    .map_bytes_start = 1u << 20, .cost = small.cost, .grow_wait_s = 1};
	char dir[PATH_MAX], at[PATH_MAX];
	struct store *s = make(scratch_path(at, scratch_make(dir), "s"), &hasty);
	static uint8_t big[2000000];
	struct store_txn *txn, *second;

	REQUIRE(s != NULL);
	REQUIRE(store_read_begin(s, &txn) == E_OK);
	CHECK(put(s, 1, BYTES(big, sizeof(big))) == E_STORE_READERS);
	CHECK(put(s, 2, BYTES_LIT("small")) == E_OK);
	CHECK(store_read_begin(s, &second) == E_OK);
	store_read_end(second);
	store_read_end(txn);
	CHECK(put(s, 1, BYTES(big, sizeof(big))) == E_OK);
	store_tick(s);
	store_close(s);
	scratch_remove(dir);
}

/* RLIMIT_FSIZE stands in for the end of the disk. */
static void
the_disk_is_full(void)
{
	char dir[PATH_MAX], at[PATH_MAX], text[64];
	struct store *s = make(scratch_path(at, scratch_make(dir), "s"), &cheap);
	static uint8_t big[200000];
	struct rlimit was, now;
	enum err e = E_OK;
	unsigned i;

	REQUIRE(s != NULL);
	signal(SIGXFSZ, SIG_IGN);
	CHECK(put(s, 1000, BYTES_LIT("before")) == E_OK);
	getrlimit(RLIMIT_FSIZE, &was);
	now = was;
	now.rlim_cur = 3u << 20;
	setrlimit(RLIMIT_FSIZE, &now);
	for (i = 0; i < 100 && e == E_OK; i++)
		e = put(s, i, BYTES(big, sizeof(big)));
	CHECK_MSG(e == E_STORE_FULL, "%s", err_name(e));
	CHECK(get(s, 1000, text, sizeof(text)) == E_OK);
	setrlimit(RLIMIT_FSIZE, &was);
	CHECK(put(s, 2000, BYTES_LIT("after")) == E_OK);
	s = reopen(s, at);
	REQUIRE(s != NULL);
	CHECK(get(s, 2000, text, sizeof(text)) == E_OK);
	CHECK(get(s, i - 1, text, sizeof(text)) == E_ABSENT);
	CHECK(get(s, i - 2, text, sizeof(text)) == E_OK);
	store_close(s);
	scratch_remove(dir);
}

/* What creating, writing, reading and walking do when each call fails in turn. */
static enum err
a_life(const char *at, bool *committed)
{
	struct store *s;
	struct store_txn *txn;
	struct store_cursor *c;
	struct bytes key, value;
	enum err e;

	*committed = false;
	if ((e = store_create(at, &mona, &cheap, &s, NULL)) != E_OK)
		return e;
	e = put(s, 1, BYTES_LIT("first"));
	if (e == E_OK) {
		*committed = true;
		e = store_read_begin(s, &txn);
	}
	if (e == E_OK) {
		if ((e = store_walk(txn, STORE_DRAFT, BYTES_NONE, STORE_FORWARD, &c)) == E_OK) {
			while (store_next(c, &key, &value))
				;
			e = store_walk_end(c);
		}
		store_read_end(txn);
	}
	store_close(s);
	if (e != E_OK)
		return e;
	if ((e = store_open(at, &mona, NULL, &s, NULL)) == E_OK)
		store_close(s);
	return e;
}

static void
every_call_fails_in_turn(void)
{
	char dir[PATH_MAX], at[PATH_MAX], text[64];
	unsigned n = 0;
	bool fired, committed;
	enum err e;

	scratch_path(at, scratch_make(dir), "s");
	do {
		struct store *s;

		fault_arm(n++);
		e = a_life(at, &committed);
		fired = fault_fired();
		fault_disarm();
		CHECK_MSG((e == E_OK) == !fired, "fault %u: %s", n - 1, err_name(e));
		if (committed) {
			REQUIRE(store_open(at, &mona, NULL, &s, NULL) == E_OK);
			CHECK(get(s, 1, text, sizeof(text)) == E_OK);
			store_close(s);
		} else if (store_probe(at, NULL) == E_OK) { /* made, and sound, but empty */
			REQUIRE(store_open(at, &mona, NULL, &s, NULL) == E_OK);
			CHECK(get(s, 1, text, sizeof(text)) == E_ABSENT);
			store_close(s);
		} else {
			CHECK_MSG(access(at, F_OK) != 0, "fault %u left something", n - 1);
		}
		scratch_remove(at);
	} while (fired && n < 300);
	CHECK(n > 20 && n < 300);
	scratch_remove(dir);
}

static void
a_failed_commit_stops_writing(void)
{
	char dir[PATH_MAX], at[PATH_MAX], text[64];
	struct store *s = make(scratch_path(at, scratch_make(dir), "s"), &cheap);
	struct store_stat st;

	REQUIRE(s != NULL);
	CHECK(put(s, 1, BYTES_LIT("one")) == E_OK);
	fault_arm(4); /* the job's memory, the beginning, the put, its seal; then the commit */
	CHECK(put(s, 2, BYTES_LIT("two")) == E_STORE_IO);
	CHECK(fault_fired());
	fault_disarm();
	CHECK(put(s, 3, BYTES_LIT("three")) == E_STORE_IO);
	store_stat(s, &st);
	CHECK(st.refuses_writes);
	CHECK(get(s, 1, text, sizeof(text)) == E_OK);
	s = reopen(s, at);
	REQUIRE(s != NULL);
	CHECK(get(s, 2, text, sizeof(text)) == E_ABSENT);
	CHECK(put(s, 3, BYTES_LIT("three")) == E_OK);
	store_close(s);
	scratch_remove(dir);
}

static int said_fd;

static void
say_done(void *arg, enum err e)
{
	const struct put *p = arg;

	if (e == E_OK && write(said_fd, &p->seq, sizeof(p->seq)) < 0)
		_exit(3);
}

static void
child_appends(const char *at, int fd)
{
	static struct put puts[20000];
	static uint8_t value[700];
	struct store *s;
	uint64_t i, first;
	struct store_txn *txn;

	said_fd = fd;
	if (store_open(at, &mona, &cheap, &s, NULL) != E_OK || store_read_begin(s, &txn) != E_OK ||
	    store_last_seq(txn, STORE_DRAFT, &first) != E_OK)
		_exit(1);
	store_read_end(txn);
	for (i = 0; i < 20000; i++) {
		puts[i] =
		    (struct put){STORE_DRAFT, first + 1 + i, BYTES(value, sizeof(value)), E_OK};
		while (store_write_async(s, put_job, &puts[i], say_done, &puts[i]) == E_STORE_QUEUE)
			usleep(100);
	}
	_exit(2);
}

static void
killed_while_writing(void)
{
	char dir[PATH_MAX], at[PATH_MAX];
	struct store *s = make(scratch_path(at, scratch_make(dir), "s"), &small);
	struct store_txn *txn;
	struct bytes value;
	uint64_t acked = 0, last = 0;
	int round;

	REQUIRE(s != NULL);
	store_close(s);
	for (round = 0; round < 8; round++) {
		int fds[2];
		pid_t child;
		uint64_t n;

		REQUIRE(pipe(fds) == 0);
		if ((child = fork()) == 0)
			child_appends(at, fds[1]);
		close(fds[1]);
		while (acked < last + 50 + 97 * (unsigned)round &&
		       read(fds[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
			acked = n;
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (read(fds[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
			acked = n;
		close(fds[0]);
		CHECK(acked > last);
		REQUIRE(store_open(at, &mona, &cheap, &s, NULL) == E_OK);
		REQUIRE(store_read_begin(s, &txn) == E_OK);
		for (n = 1; n <= acked; n++) {
			struct store_seq key = store_seq_of(n);

			CHECK(store_get(txn, STORE_DRAFT, BYTES(key.b, 8), &value) == E_OK);
		}
		store_read_end(txn);
		store_close(s);
		last = acked;
	}
	scratch_remove(dir);
}

CHECK_MAIN(T(the_map_grows), T(growth_waits_for_readers), T(the_disk_is_full),
	   T(every_call_fails_in_turn), T(a_failed_commit_stops_writing), T(killed_while_writing))
