/* Rules of retention, to the byte, and what they come to. The sweeps: e2e_retention. */
#include "core/record/retention.h"

#include "core/pack.h"
#include "tests/vector.h"

static struct retention
some_rules(void)
{
	struct retention m = {.count = 0};

	CHECK(retention_set(&m, ERASURE_ALL, "", 3650) == E_OK);
	CHECK(retention_set(&m, ERASURE_IDENTIFYING, "F4_referral", 730) == E_OK);
	CHECK(retention_set(&m, ERASURE_IDENTIFYING, "", 1095) == E_OK);
	return m;
}

static void
as_written(void)
{
	struct retention m = some_rules(), got;
	uint8_t memory[256];
	struct writer w;
	size_t n;

	writer_init(&w, memory, sizeof(memory));
	REQUIRE(retention_write(&m, &w) == E_OK);
	CHECK(vector_holds("retention",
			   "what identifies 1095 days, of F4_referral 730; the record 3650",
			   writer_view(&w)));
	REQUIRE(retention_read(writer_view(&w), &got) == E_OK && got.count == 3);
	CHECK(memcmp(&m, &got, sizeof(m)) == 0);
	for (n = 0; n < w.n; n++)
		CHECK(retention_read(BYTES(memory, n), &got) != E_OK && got.count == 0);
	memory[w.n] = 0;
	CHECK(retention_read(BYTES(memory, w.n + 1), &got) == E_PACK_EXTRA);
	memory[1] = 2;
	CHECK(retention_read(writer_view(&w), &got) == E_VERSION);
}

static void
what_they_come_to(void)
{
	struct retention m = some_rules();

	CHECK(m.rules[0].form[0] == '\0' && m.rules[0].parts == ERASURE_IDENTIFYING);
	CHECK(retention_days(&m, ERASURE_IDENTIFYING, "F4_referral") == 730);
	CHECK(retention_days(&m, ERASURE_IDENTIFYING, "F9_session") == 1095);
	CHECK(retention_days(&m, ERASURE_ALL, "F4_referral") == 3650);
	CHECK(retention_set(&m, ERASURE_IDENTIFYING, "", 0) == E_OK && m.count == 2);
	CHECK(retention_set(&m, ERASURE_IDENTIFYING, "", 0) == E_OK && m.count == 2);
	CHECK(retention_days(&m, ERASURE_IDENTIFYING, "F9_session") == 0);
	CHECK(retention_set(&m, ERASURE_ALL, "", 10) == E_OK && m.count == 2 &&
	      retention_days(&m, ERASURE_ALL, "x") == 10);
	CHECK(retention_set(&m, ERASURE_ALL, "", RETENTION_DAYS_MAX + 1) == E_LIMIT);
	CHECK(retention_set(&m, ERASURE_ALL, "two\nlines", 1) == E_LIMIT);
}

static void
bounds(void)
{
	struct retention m = {.count = 0};
	char form[16];
	unsigned i;

	for (i = 0; i < RETENTION_RULES_MAX; i++) {
		(void)snprintf(form, sizeof(form), "F%u", i);
		REQUIRE(retention_set(&m, ERASURE_ALL, form, 1) == E_OK);
	}
	CHECK(retention_set(&m, ERASURE_ALL, "one more", 1) == E_LIMIT);
	CHECK(retention_set(&m, ERASURE_ALL, "F7", 9) == E_OK &&
	      retention_days(&m, ERASURE_ALL, "F7") == 9);
}

/* What another program might say, and a stranger's bytes. */
static void
what_is_refused(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum err e;
	} rows[] = {
	    {"\x92\x01\x90", 3, E_OK},
	    {"\x92\x01\x91\x93\x01\xa1x\x01", 8, E_OK},
	    {"\x92\x01\x91\x93\x02\xa1x\x01", 8, E_LIMIT},          /* parts that are none */
	    {"\x92\x01\x91\x93\x01\xa1x\x00", 8, E_LIMIT},          /* no days */
	    {"\x92\x01\x91\x93\x01\xa1x\xcd\x8e\xae", 10, E_LIMIT}, /* 36,526 */
	    {"\x92\x01\x91\x93\x01\xa1\x00\x01", 8, E_LIMIT},       /* a zero in the id */
	    {"\x92\x01\x92\x93\x01\xa1x\x01\x93\x01\xa1x\x02", 13, E_PACK_TYPE}, /* twice */
	    {"\x92\x01\x92\x93\x03\xa1x\x01\x93\x01\xa1x\x02", 13, E_PACK_TYPE}, /* falling */
	    {"\x92\x01\x91\x92\x01\xa1x", 7, E_PACK_TYPE},
	    {"\x91\x01", 2, E_PACK_TYPE},
	};
	struct retention m;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum err e = retention_read(BYTES(rows[i].bytes, rows[i].n), &m);

		CHECK_MSG(e == rows[i].e, "row %zu: %s", i, err_name(e));
	}
}

CHECK_MAIN(T(as_written), T(what_they_come_to), T(bounds), T(what_is_refused))
