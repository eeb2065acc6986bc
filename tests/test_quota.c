/* What others may fill here: a device's share of its node's disk, the satchel of a relay. To the
 * last byte, and not one more. */
#include "tests/store_fixture.h"
#include "tests/vector.h"
#include "tools/node/roads/satchel.h"
#include "tools/node/serve/quota.h"

static struct fixture f;
static const struct principal_id device = {"device-000000001"}, other = {"device-000000002"};

/* ---- a device's share ---- */

struct step {
	enum err (*act)(struct store_txn *, const struct principal_id *, uint64_t);
	const struct principal_id *who;
	uint64_t bytes;
	enum err e;
	uint64_t used, allowed; /* of `who`, behind it */
};

static enum err
share(struct store_txn *txn, const struct principal_id *who, uint64_t bytes)
{
	(void)who;
	return quota_set(txn, bytes);
}

static enum err
raise(struct store_txn *txn, const struct principal_id *who, uint64_t bytes)
{
	(void)bytes;
	return quota_raise(txn, who);
}

static enum err
step_job(struct store_txn *txn, void *arg)
{
	const struct step *s = arg;

	return s->act(txn, s->who, s->bytes);
}

static void
a_devices_share(void)
{
	static struct step steps[] = {
	    {quota_take, &device, 0, E_OK, 0, DEVICE_BYTES_MAX},
	    {share, &device, 1000, E_OK, 0, 1000},
	    {quota_take, &device, 1001, E_QUOTA, 0, 1000},
	    {quota_take, &device, UINT64_MAX, E_QUOTA, 0, 1000},
	    {quota_take, &device, 799, E_OK, 799, 1000},
	    {raise, &device, 0, E_OK, 799, 1000}, /* it is not near */
	    {quota_take, &device, 201, E_OK, 1000, 1000},
	    {quota_take, &device, 1, E_QUOTA, 1000, 1000},
	    {quota_take, &other, 1000, E_OK, 1000, 1000}, /* each its own */
	    {quota_count, &device, 500, E_OK, 1500,
	     1000}, /* what another node took counts, and is not refused */
	    {quota_take, &device, 1, E_QUOTA, 1500, 1000},
	    {quota_take, &device, UINT64_MAX, E_QUOTA, 1500, 1000},
	    {raise, &device, 0, E_OK, 1500, 2000},
	    {quota_take, &device, 501, E_QUOTA, 1500, 2000},
	    {quota_take, &device, 500, E_OK, 2000, 2000},
	    {share, &device, UINT64_MAX, E_OK, 2000, 2 * DEVICE_SHARE_BYTES_MAX},
	    {share, &device, 10, E_OK, 2000, 20}};
	struct store_txn *txn;
	struct quota q;
	size_t i;

	fixture_init(&f);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		enum err e = store_write(f.s, step_job, &steps[i]);

		CHECK_MSG(e == steps[i].e, "step %zu: %s", i, err_name(e));
		REQUIRE(store_read_begin(f.s, &txn) == E_OK);
		CHECK_MSG(quota_of(txn, steps[i].who, &q) == E_OK && q.used == steps[i].used &&
			      q.allowed == steps[i].allowed,
			  "step %zu: %llu of %llu", i, (unsigned long long)q.used,
			  (unsigned long long)q.allowed);
		store_read_end(txn);
	}
	fixture_fini(&f);
}

/* used || shares more, as the row has them. */
static enum err
row_job(struct store_txn *txn, void *arg)
{
	const uint64_t *row = arg;
	uint8_t key[5 + ID_BYTES] = "quota", value[17];

	memcpy(key + 5, device.b, ID_BYTES);
	be64_put(value, row[0]);
	be64_put(value + 8, row[1]);
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(value, (size_t)row[2]));
}

/* The most shares that an officer can give; a row that says more, or of another length, is not
 * believed. */
static void
the_last_share(void)
{
	static const struct {
		uint64_t row[3];
		enum err e;
		uint64_t shares; /* once one more was asked for */
	} rows[] = {{{UINT64_MAX >> 1, 4095, 16}, E_OK, 4097},
		    {{UINT64_MAX >> 1, 4096, 16}, E_OK, 4097},
		    {{0, 4097, 16}, E_STORE_DAMAGED, 0},
		    {{0, 1, 15}, E_STORE_DAMAGED, 0},
		    {{0, 1, 17}, E_STORE_DAMAGED, 0}};
	struct step up = {raise, &device, 0, E_OK, 0, 0},
		    some = {quota_take, &device, 1, E_OK, 0, 0};
	struct store_txn *txn;
	struct quota q;
	size_t i;

	fixture_init(&f);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t row[3] = {rows[i].row[0], rows[i].row[1], rows[i].row[2]};

		REQUIRE(store_write(f.s, row_job, row) == E_OK);
		CHECK_MSG(store_write(f.s, step_job, &up) == rows[i].e, "row %zu", i);
		CHECK(rows[i].e == E_OK || store_write(f.s, step_job, &some) == rows[i].e);
		REQUIRE(store_read_begin(f.s, &txn) == E_OK);
		CHECK(quota_of(txn, &device, &q) == rows[i].e);
		CHECK_MSG(rows[i].e != E_OK || q.allowed == rows[i].shares * DEVICE_BYTES_MAX,
			  "row %zu: %llu", i, (unsigned long long)q.allowed);
		store_read_end(txn);
	}
	fixture_fini(&f);
}

/* ---- a relay's satchel ---- */

#define LEAST (ENVELOPE_HEAD_BYTES + ENVELOPE_LEAST_BYTES + AEAD_TAG_BYTES)
#define DAY_S 86400u

static uint8_t envelope[LEAST + 100];

static struct bytes
number(uint32_t n, size_t bytes)
{
	envelope[0] = 1;
	envelope[1 + ENVELOPE_HINT_BYTES] = 4;
	be32_put(envelope + 1, n);
	return BYTES(envelope, bytes);
}

struct carry {
	uint32_t n, now_s;
	size_t bytes;
	uint64_t room;
	char act; /* put, del, expire; fill: n of them */
};

static enum err
carry_job(struct store_txn *txn, void *arg)
{
	const struct carry *c = arg;
	struct satchel_limits limits = {4000, 2};
	enum err e = E_OK;
	uint32_t i;

	for (i = 0; c->act == 'f' && i < c->n && e == E_OK; i++)
		e = satchel_put(txn, SATCHEL_UP, number(i, c->bytes), c->now_s, c->room);
	if (c->act == 'f')
		return e;
	if (c->act == 'p')
		return satchel_put(txn, SATCHEL_UP, number(c->n, c->bytes), c->now_s, c->room);
	return c->act == 'd' ? satchel_del(txn, SATCHEL_UP, number(c->n, c->bytes))
			     : satchel_expire(txn, &limits, c->now_s);
}

static enum err
act(char what, uint32_t n, size_t bytes, uint64_t room, uint32_t now_s)
{
	struct carry c = {.n = n, .now_s = now_s, .bytes = bytes, .room = room, .act = what};

	return store_write(f.s, carry_job, &c);
}

/* Rows, bytes, and what one meeting may bring with 4,000 bytes in all. */
static bool
holds(uint64_t rows, uint64_t used, uint64_t room)
{
	struct satchel_limits limits = {4000, 2};
	uint64_t got_used = 0, got_room = 0, got_rows;
	struct store_txn *txn;
	bool good;

	if (store_read_begin(f.s, &txn) != E_OK)
		return false;
	good =
	    satchel_used(txn, &got_used) == E_OK && satchel_room(txn, &limits, &got_room) == E_OK;
	got_rows = store_count(txn, STORE_SATCHEL) / 2; /* a mark beside each */
	store_read_end(txn);
	if (got_rows != rows || got_used != used || got_room != room)
		fprintf(stderr, "%llu rows, %llu bytes, room for %llu\n",
			(unsigned long long)got_rows, (unsigned long long)got_used,
			(unsigned long long)got_room);
	return good && got_rows == rows && got_used == used && got_room == room;
}

static void
a_relays_satchel(void)
{
	uint64_t used = 0;
	uint32_t i;

	fixture_init(&f);
	CHECK(holds(0, 0, 2000));
	CHECK(act('p', 1, LEAST, LEAST - 1, 1000) == E_RELAY_FULL &&
	      act('p', 1, LEAST - 1, SIZE_MAX, 1000) == E_ENVELOPE);
	CHECK(holds(0, 0, 2000));
	CHECK(act('p', 1, LEAST, LEAST, 1000) == E_OK &&
	      act('p', 2, LEAST + 5, 5000, 1001) == E_OK);
	used = 2 * LEAST + 5;
	CHECK(holds(2, used, (4000 - used) / 2));
	/* the same again is harmless, even where no room is */
	CHECK(act('p', 1, LEAST, 0, 5000) == E_OK && holds(2, used, (4000 - used) / 2));
	CHECK(act('d', 7, LEAST, 0, 0) == E_OK &&
	      holds(2, used, (4000 - used) / 2)); /* one that is not there */
	CHECK(act('p', 3, LEAST, 5000, 1002) == E_OK && act('p', 4, LEAST, 5000, 1002) == E_OK &&
	      holds(4, used + 2 * LEAST, 0));
	CHECK(act('d', 4, LEAST, 0, 0) == E_OK && act('d', 3, LEAST, 0, 0) == E_OK &&
	      holds(2, used, (4000 - used) / 2));
	/* two days to the second, and one more */
	CHECK(act('e', 0, 0, 0, 1000 + 2 * DAY_S) == E_OK && holds(2, used, (4000 - used) / 2));
	CHECK(act('e', 0, 0, 0, 1001 + 2 * DAY_S) == E_OK &&
	      holds(1, LEAST + 5, (4000 - LEAST - 5) / 2));
	CHECK(act('e', 0, 0, 0, UINT32_MAX) == E_OK && holds(0, 0, 2000));
	i = SATCHEL_ROWS_MAX;
	CHECK(act('f', i, LEAST, SIZE_MAX, 1000) == E_OK &&
	      act('p', i, LEAST, SIZE_MAX, 1000) == E_RELAY_FULL &&
	      holds(i, i * (uint64_t)LEAST, 0));
	for (; i > 0; i -= 256) /* so many at a time */
		CHECK(act('e', 0, 0, 0, UINT32_MAX) == E_OK &&
		      holds(i - 256, (i - 256) * (uint64_t)LEAST, i == 256 ? 2000 : 0));
	fixture_fini(&f);
}

CHECK_MAIN(T(a_devices_share), T(the_last_share), T(a_relays_satchel))
