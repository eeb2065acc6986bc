#include "core/parcel/arrival.h"

#include "core/fault.h"
#include "tests/store_fixture.h"

static const struct log_id log_a = {{"author-a-author"}, 7}, log_b = {{"author-b-author"}, 7},
			   log_a2 = {{"author-a-author"}, 8};

struct step {
	const struct log_id *log;
	uint64_t number;
	uint8_t tag; /* what distinguishes twins */
	enum arrival_result want;
	/* results */
	enum arrival_result got;
	uint64_t seq;
};

static void
step_parcel(const struct step *s, struct arrival *a, uint8_t text[32])
{
	*a = (struct arrival){.log = *s->log, .number = s->number, .received_s = 1000 + s->number};
	memset(a->hash.b, s->tag, HASH_BYTES);
	be64_put(a->hash.b, s->number);
	memset(a->via.b, 9, ID_BYTES);
	snprintf((char *)text, 32, "parcel %llu %u", (unsigned long long)s->number, s->tag);
	a->parcel = bytes_of_str((char *)text);
}

static enum err
step_job(struct store_txn *txn, void *arg)
{
	struct step *s = arg;
	struct arrival a;
	uint8_t text[32];
	enum err e;

	step_parcel(s, &a, text);
	e = arrival_append(txn, &a, &s->got);
	s->seq = a.seq;
	return e;
}

static void
head_text(struct store *s, const struct log_id *log, char out[200])
{
	struct arrival_head h;
	struct store_txn *txn;
	int n;
	uint32_t i;

	out[0] = '\0';
	if (store_read_begin(s, &txn) != E_OK)
		return;
	CHECK(arrival_head(txn, log, &h) != E_STORE_DAMAGED);
	n = snprintf(out, 200, "%llu", (unsigned long long)h.number);
	CHECK(h.number == 0 || be64_get(h.hash.b) == h.number);
	for (i = 0; i < h.range_count; i++)
		n += snprintf(out + n, 200 - (size_t)n, " %llu-%llu",
			      (unsigned long long)h.ranges[i].lo,
			      (unsigned long long)h.ranges[i].hi);
	snprintf(out + n, 200 - (size_t)n, " of %llu forks %llu", (unsigned long long)h.count,
		 (unsigned long long)h.forks);
	store_read_end(txn);
}

static enum err
lose_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return store_clear(txn, STORE_LOG_INDEX);
}

static enum err
rebuild_job(struct store_txn *txn, void *arg)
{
	return arrival_rebuild(txn, arg);
}

static enum err
checked(struct store *s, struct why *why)
{
	struct store_txn *txn;
	enum err e = store_read_begin(s, &txn);

	if (e == E_OK)
		e = arrival_check(txn, why);
	store_read_end(txn);
	return e;
}

/* The derived tables are dropped: it is noticed, and mended. */
static void
lost_and_rebuilt(struct fixture *f)
{
	struct why why = {0};

	CHECK(checked(f->s, &why) == E_OK);
	CHECK(store_write(f->s, lose_job, NULL) == E_OK);
	CHECK(checked(f->s, &why) == E_STORE_DAMAGED);
	CHECK_STR(why.thing, "arrival 1");
	CHECK(store_write(f->s, rebuild_job, &why) == E_OK);
	CHECK(checked(f->s, &why) == E_OK);
}

static struct {
	struct step step;
	uint64_t seq;
	const char *head;
} steps[] = {
    {{&log_a, 1, 1, ARRIVAL_NEW, 0, 0}, 1, "1 of 1 forks 0"},
    {{&log_a, 2, 1, ARRIVAL_NEW, 0, 0}, 2, "2 of 2 forks 0"},
    {{&log_a, 2, 1, ARRIVAL_DUPLICATE, 0, 0}, 2, "2 of 2 forks 0"},
    {{&log_a, 5, 1, ARRIVAL_NEW, 0, 0}, 3, "2 5-5 of 3 forks 0"},
    {{&log_a, 5, 1, ARRIVAL_DUPLICATE, 0, 0}, 3, "2 5-5 of 3 forks 0"},
    {{&log_a, 7, 1, ARRIVAL_NEW, 0, 0}, 4, "2 5-5 7-7 of 4 forks 0"},
    {{&log_a, 6, 1, ARRIVAL_NEW, 0, 0}, 5, "2 5-7 of 5 forks 0"},
    {{&log_a, 4, 1, ARRIVAL_NEW, 0, 0}, 6, "2 4-7 of 6 forks 0"},
    {{&log_a, 9, 1, ARRIVAL_NEW, 0, 0}, 7, "2 4-7 9-9 of 7 forks 0"},
    {{&log_a, 5, 2, ARRIVAL_FORKED, 0, 0}, 8, "2 4-7 9-9 of 7 forks 1"},
    {{&log_a, 5, 2, ARRIVAL_DUPLICATE, 0, 0}, 8, "2 4-7 9-9 of 7 forks 1"},
    {{&log_a, 5, 3, ARRIVAL_FORKED, 0, 0}, 9, "2 4-7 9-9 of 7 forks 2"},
    {{&log_a, 3, 1, ARRIVAL_NEW, 0, 0}, 10, "7 9-9 of 8 forks 2"},
    {{&log_a, 8, 1, ARRIVAL_NEW, 0, 0}, 11, "9 of 9 forks 2"},
    {{&log_b, 3, 1, ARRIVAL_NEW, 0, 0}, 12, "0 3-3 of 1 forks 0"},
    {{&log_a2, 1, 1, ARRIVAL_NEW, 0, 0}, 13, "1 of 1 forks 0"},
};

/* In order, twice, out of order, twins: the result, the seq, and the head after each. */
static void
order_holes_and_forks(void)
{
	struct fixture f;
	struct store_txn *txn;
	struct log_id logs[4];
	struct arrival a;
	struct parcel_hash hash;
	char head[200];
	uint64_t seq;
	size_t i, n;

	fixture_init(&f);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		CHECK(store_write(f.s, step_job, &steps[i].step) == E_OK);
		CHECK_MSG(steps[i].step.got == steps[i].step.want &&
			      steps[i].step.seq == steps[i].seq,
			  "row %zu: %d, seq %llu", i, steps[i].step.got,
			  (unsigned long long)steps[i].step.seq);
		head_text(f.s, steps[i].step.log, head);
		CHECK_MSG(strcmp(head, steps[i].head) == 0, "row %zu: %s", i, head);
	}
	lost_and_rebuilt(&f);
	head_text(f.s, &log_a, head);
	CHECK_STR(head, "9 of 9 forks 2");
	head_text(f.s, &log_b, head);
	CHECK_STR(head, "0 3-3 of 1 forks 0");
	fixture_reopen(&f);
	REQUIRE(store_read_begin(f.s, &txn) == E_OK);
	CHECK(arrival_last(txn, &seq) == E_OK && seq == 13);
	CHECK(arrival_get(txn, 9, &a) == E_OK && a.flags == ARRIVAL_FORK && a.number == 5);
	CHECK(bytes_equal(a.parcel, BYTES_LIT("parcel 5 3")) && a.via.b[0] == 9 &&
	      a.received_s == 1005);
	CHECK(arrival_get(txn, 14, &a) == E_ABSENT);
	CHECK(arrival_find(txn, &log_a, 5, &seq, &hash) == E_OK && seq == 3 && hash.b[31] == 1);
	CHECK(arrival_find(txn, &log_a, 10, &seq, &hash) == E_ABSENT);
	CHECK(arrival_logs(txn, &log_a.author, logs, 4, &n) == E_OK && n == 2);
	CHECK(arrival_logs(txn, &log_a.author, logs, 1, &n) == E_OK && n == 2);
	CHECK(arrival_logs(txn, &log_b.author, logs, 4, &n) == E_OK && n == 1);
	CHECK(log_id_equal(&logs[0], &log_b));
	store_read_end(txn);
	fixture_fini(&f);
}

static enum err
count_logs(const struct arrival_head *h, void *arg)
{
	*(uint64_t *)arg += h->count;
	return E_OK;
}

static void
limits(void)
{
	struct fixture f;
	struct step step = {&log_a, 0, 1, ARRIVAL_NEW, 0, 0};
	struct store_txn *txn;
	uint64_t i, total = 0;
	enum err e = E_OK;

	fixture_init(&f);
	CHECK(store_write(f.s, step_job, &step) == E_LIMIT);
	step.number = UINT64_MAX;
	CHECK(store_write(f.s, step_job, &step) == E_LIMIT);
	for (i = 0; i < ARRIVAL_RANGES_MAX; i++) {
		step.number = 2 + 2 * i;
		CHECK(store_write(f.s, step_job, &step) == E_OK);
	}
	step.number = 2 + 2 * i;
	CHECK(store_write(f.s, step_job, &step) == E_LIMIT);
	step.number = 3; /* fills a hole: always taken */
	CHECK(store_write(f.s, step_job, &step) == E_OK);
	step.number = 1;
	CHECK(store_write(f.s, step_job, &step) == E_OK);
	for (i = 0; e == E_OK && i < 1000; i++) {
		step.tag = (uint8_t)(2 + i);
		e = store_write(f.s, step_job, &step);
	}
	CHECK(e == E_LIMIT && i == ARRIVAL_TWINS_MAX);
	REQUIRE(store_read_begin(f.s, &txn) == E_OK);
	CHECK(arrival_all_logs(txn, count_logs, &total) == E_OK && total == ARRIVAL_RANGES_MAX + 2);
	store_read_end(txn);
	fixture_fini(&f);
}

static enum err
erase_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return arrival_erase(txn, 1, BYTES_LIT("header only"));
}

static enum err
safe_job(struct store_txn *txn, void *arg)
{
	return arrival_mark_safe(txn, *(uint64_t *)arg);
}

static void
erased_and_safe(void)
{
	struct fixture f;
	struct step step = {&log_a, 1, 1, ARRIVAL_NEW, 0, 0};
	struct store_txn *txn;
	struct arrival a;
	uint64_t five = 5, three = 3, seq;

	fixture_init(&f);
	CHECK(store_write(f.s, erase_job, NULL) == E_ABSENT);
	CHECK(store_write(f.s, step_job, &step) == E_OK);
	CHECK(store_write(f.s, erase_job, NULL) == E_OK);
	CHECK(store_write(f.s, safe_job, &five) == E_OK);
	CHECK(store_write(f.s, safe_job, &three) == E_OK);
	REQUIRE(store_read_begin(f.s, &txn) == E_OK);
	CHECK(arrival_get(txn, 1, &a) == E_OK && bytes_equal(a.parcel, BYTES_LIT("header only")));
	CHECK(a.hash.b[31] == 1 && a.number == 1);
	CHECK(arrival_safe(txn, &seq) == E_OK && seq == 5);
	store_read_end(txn);
	fixture_fini(&f);
}

static void
every_call_fails_in_turn(void)
{
	struct fixture f;
	unsigned n = 0;
	bool fired;

	do {
		struct step step = {&log_a, 2, 1, ARRIVAL_NEW, 0, 0};
		char head[200];
		enum err e;

		fixture_init(&f);
		fault_arm(n++);
		e = store_write(f.s, step_job, &step);
		fired = fault_fired();
		fault_disarm();
		CHECK((e == E_OK) == !fired);
		fixture_reopen(&f);
		head_text(f.s, &log_a, head);
		CHECK_STR(head, e == E_OK ? "0 2-2 of 1 forks 0" : "0 of 0 forks 0");
		fixture_fini(&f);
	} while (fired && n < 100);
	CHECK(n > 8 && n < 100);
}

CHECK_MAIN(T(order_holes_and_forks), T(limits), T(erased_and_safe), T(every_call_fails_in_turn))
