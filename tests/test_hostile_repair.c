/* A repair with a peer that lies, or says what is none; and a source that fails. */
#include "tests/repair_world.h"

static struct message
with_bytes(uint8_t type, struct bytes b)
{
	struct message m = {.type = type};

	if (type == MESSAGE_LOGS)
		m.u.logs.logs = b;
	else
		m.u.want.bytes = b; /* CELLS' too */
	return m;
}

/* A server at SUMS; then one message. */
static enum err
server_takes(const struct message *m, struct why *why)
{
	struct message sums = {.type = MESSAGE_SUMS, .u.sums = {.count = 1, .sum = 1}}, out;
	struct repair *s = set_repair(&parent, false);
	enum err e = repair_take(s, &sums, why);

	CHECK(e == E_OK && repair_next(s, &out));
	e = repair_take(s, m, why);
	CHECK((e == E_OK) == (repair_state(s) != REPAIR_FAILED));
	CHECK(e == E_OK || !repair_next(s, &out));
	repair_free(s);
	return e;
}

static void
malformed_lists(void)
{
	static const struct {
		uint8_t type;
		struct bytes b;
		enum err e;
	} rows[] = {
	    {MESSAGE_WANT, BYTES_NONE, E_OK},
	    {MESSAGE_WANT, BYTES_LIT("\x05\x00\x07"), E_OK},
	    {MESSAGE_WANT, BYTES_LIT("\x05\x01\x07\x01"), E_OK},
	    {MESSAGE_WANT, BYTES_LIT("\x05\x01\x07"), E_FRAME},
	    {MESSAGE_WANT, BYTES_LIT("\x05"), E_FRAME},
	    {MESSAGE_WANT, BYTES_LIT("\x85\x00\x00\x07"), E_FRAME}, /* needless zeros */
	    {MESSAGE_WANT, BYTES_LIT("\x80\x80\x80\x08\x00\x07"), E_FRAME},
	    {MESSAGE_WANT, BYTES_LIT("\x05\x00\x80\x80\x80\x08"), E_FRAME},
	    {MESSAGE_WANT, BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00\x07"), E_FRAME},
	    {MESSAGE_LOGS, BYTES_NONE, E_OK},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x00"), E_OK},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x01\x00\x07"), E_OK},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x02\x00\x07\x01\x00"), E_OK},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x02\x00\x07\x00\x00"),
	     E_FRAME}, /* ranges that touch */
	    {MESSAGE_LOGS, BYTES_LIT("\x05s555"), E_FRAME},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555"), E_FRAME},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x02\x00\x07"), E_FRAME},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x81\x08"), E_FRAME}, /* 1,025 ranges */
	    {MESSAGE_LOGS, BYTES_LIT("\x80\x80\x80\x80\x10s5555\x00"), E_FRAME},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00"),
	     E_FRAME},
	    {MESSAGE_LOGS, BYTES_LIT("\x05s5555\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
	     E_FRAME},
	    {MESSAGE_SAME, BYTES_NONE, E_PROTOCOL},
	    {MESSAGE_CELLS, BYTES_NONE, E_PROTOCOL},
	    {MESSAGE_PARCEL, BYTES_NONE, E_PROTOCOL},
	};
	size_t i;

	world(5, 10, 100, UINT32_MAX);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m = with_bytes(rows[i].type, rows[i].b);
		struct why why = {.e = E_OK};

		CHECK_MSG(server_takes(&m, &why) == rows[i].e, "row %zu", i);
		CHECK_MSG(rows[i].e == why.e, "row %zu", i);
	}
	world_free();
}

static void
out_of_place(void)
{
	struct message m = {.type = MESSAGE_SAME}, out;
	struct repair *r;

	world(6, 10, 100, UINT32_MAX);
	/* Nothing was asked. */
	r = set_repair(&child, true);
	CHECK(repair_take(r, &m, NULL) == E_PROTOCOL && repair_state(r) == REPAIR_FAILED);
	/* A failed one can begin anew. */
	CHECK(repair_start(r) == E_OK && repair_next(r, &out) && out.type == MESSAGE_SUMS);
	m = (struct message){.type = MESSAGE_LOGS};
	CHECK(repair_take(r, &m, NULL) == E_PROTOCOL);
	/* SAME after cells; other cells than were asked for. */
	CHECK(repair_start(r) == E_OK && repair_next(r, &out));
	lose(&parent, &(struct seeded){1}, 90);
	m = with_bytes(MESSAGE_CELLS, BYTES_LIT("12345678901234"));
	CHECK(repair_take(r, &m, NULL) == E_OK && repair_next(r, &out) && out.type == MESSAGE_MORE);
	CHECK(repair_take(r, &m, NULL) == E_PROTOCOL);
	CHECK(repair_start(r) == E_OK && repair_next(r, &out) && repair_take(r, &m, NULL) == E_OK);
	m = (struct message){.type = MESSAGE_SAME};
	CHECK(repair_take(r, &m, NULL) == E_PROTOCOL);
	repair_free(r);
	/* The server: MORE that asks for nothing, or before SUMS. */
	m = (struct message){.type = MESSAGE_MORE, .u.more = {1}};
	CHECK(server_takes(&m, NULL) == E_PROTOCOL);
	r = set_repair(&parent, false);
	CHECK(repair_take(r, &m, NULL) == E_PROTOCOL);
	repair_free(r);
	world_free();
}

/* A server that sends cells of no set: the client asks for no more than there are, then sends its
 * logs. */
static void
lying_server(void)
{
	static uint8_t b[SKETCH_CELLS_MAX * SKETCH_CELL_BYTES];
	struct seeded s = {8};
	struct message m, out;
	struct repair *c;
	unsigned kind, rounds;
	size_t i;

	world(7, 20, 400, UINT32_MAX);
	for (kind = 0; kind < 3; kind++) {
		size_t from = 0, to = 5;

		for (i = 0; i < sizeof(b); i++)
			b[i] = kind == 0 ? (uint8_t)seeded_next(&s) : kind == 1 ? 0 : b[i % 14];
		c = set_repair(&child, true);
		CHECK(repair_start(c) == E_OK && repair_next(c, &out));
		for (rounds = 0; rounds < 100; rounds++) {
			m = with_bytes(MESSAGE_CELLS, BYTES(b + from * 14, (to - from) * 14));
			REQUIRE(repair_take(c, &m, NULL) == E_OK && repair_next(c, &out));
			if (out.type != MESSAGE_MORE)
				break;
			from = to;
			to = out.u.more.cells;
		}
		CHECK_MSG(rounds < 12 && (out.type == MESSAGE_LOGS || out.type == MESSAGE_WANT),
			  "kind %u: %u rounds", kind, rounds);
		repair_free(c);
	}
	world_free();
}

/* Each allocation of a repair failing would need more than malloc: what the source fails with comes
 * out. */
static enum err
fails(void *ctx, const struct log_id *log, repair_hash_fn *each, void *arg)
{
	(void)ctx, (void)log, (void)each, (void)arg;
	return E_STORE_IO;
}

static void
a_failing_source(void)
{
	struct repair_config config = {
	    true, {{1, 2}}, {&child, set_sketch, set_logs, set_find_parcel, fails}};
	struct message m, out;
	struct repair *c;

	world(9, 10, 100, UINT32_MAX);
	config.key = child.key;
	REQUIRE(repair_new(&c, &config) == E_OK);
	CHECK(repair_start(c) == E_OK && repair_next(c, &out));
	m = with_bytes(MESSAGE_CELLS, BYTES_NONE);
	CHECK(repair_take(c, &m, NULL) == E_STORE_IO && repair_state(c) == REPAIR_FAILED);
	repair_free(c);
	world_free();
}

CHECK_MAIN(T(malformed_lists), T(out_of_place), T(lying_server), T(a_failing_source))
