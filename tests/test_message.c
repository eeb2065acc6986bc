/*
 * Messages against the golden vectors in tests/vectors/message_*.hex (whole frames). After a change
 * that is meant: BANYAN_WRITE_VECTORS=1 build/tests/test_message, and say in PROTOCOL.md what
 * became of old peers.
 */
#include "core/pack.h"
#include "sync/frame.h"
#include "sync/message.h"
#include "tests/check.h"

static const char enrolment[] = "\x93\x01\x02\x03";

static const struct row {
	const char *name;
	struct message m;
} rows[] = {
    {"hello",
     {MESSAGE_HELLO,
      .u.hello = {1, 1, HELLO_NOTHING, 0x1122334455667788u, 300, 0xaabbccddu, {7, 0}}}},
    {"hello_first", {MESSAGE_HELLO, .u.hello = {1, 1, HELLO_ASK, 5, 0, 0, {0, 0}}}},
    {"parcel", {MESSAGE_PARCEL, .u.parcel = {BYTES_LIT("\x96 a parcel's own bytes")}}},
    {"end", {MESSAGE_END, .u.end = {0}}},
    {"ack", {MESSAGE_ACK, .u.ack = {301, 0x0102030405060708u, STATUS_OK}}},
    {"ack_behind", {MESSAGE_ACK, .u.ack = {0, 0, STATUS_BEHIND}}},
    {"down", {MESSAGE_DOWN, .u.down = {1, 0x99aabbccddeeff00u, BYTES_LIT("a review")}}},
    {"last",
     {MESSAGE_LAST, .u.last = {301, STATUS_OK, 0, 280, 1790000000, {7, 2}, 0xfedcba9876543210u}}},
    {"last_more",
     {MESSAGE_LAST,
      .u.last = {301, STATUS_QUARANTINED | LAST_MORE, 0xaabbccdd00112233u, 0, 1, {8, 3}, 1}}},
    {"last_again",
     {MESSAGE_LAST,
      .u.last = {301, STATUS_OK | LAST_AGAIN, 0, 280, 1790000000, {7, 2}, 0xfedcba9876543210u}}},
    {"again", {MESSAGE_AGAIN, .u.again = {HELLO_NOTHING}}},
    {"budget", {MESSAGE_BUDGET, .u.budget = {70000}}},
    {"part", {MESSAGE_PART, .u.part = {302, 1000, 0x0102030405060708u}}},
    {"rest", {MESSAGE_REST, .u.rest = {BYTES_LIT("the rest of a parcel")}}},
    {"successor", {MESSAGE_SUCCESSOR, .u.successor = {{{0xc0, 0xc1}}}}},
    {"version", {MESSAGE_VERSION, .u.version = {2}}},
    {"succession", {MESSAGE_SUCCESSION, .u.succession = {BYTES_LIT("the root's statement")}}},
    {"return",
     {MESSAGE_RETURN,
      .u.came_back = {BYTES_LIT("own enrolment"), BYTES_LIT("the node's enrolment")}}},
    {"error", {MESSAGE_ERROR, .u.error = {5, 90, BYTES_LIT("90")}}},
    {"join",
     {MESSAGE_JOIN, .u.join = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
			       {{0xf0, 0xf1}},
			       {{4, 0x55}},
			       BYTES_LIT("Mrs Sok's handset")}}},
    {"welcome",
     {MESSAGE_WELCOME, .u.welcome = {BYTES_LIT("Child protection"),
				     {{4, 0x66}},
				     BYTES_LIT(enrolment),
				     BYTES_LIT(enrolment),
				     BYTES_LIT(enrolment),
				     BYTES_LIT("KH0101"),
				     1790000000,
				     true}}},
    {"ask",
     {MESSAGE_ASK,
      .u.ask = {BYTES_LIT("list"), {2, {BYTES_LIT("F1"), BYTES_LIT("--json")}}, false}}},
    {"ask_input", {MESSAGE_ASK, .u.ask = {BYTES_LIT("submit"), {0, {BYTES_NONE}}, true}}},
    {"input", {MESSAGE_INPUT, .u.input = {BYTES_LIT("{\"a\": 1}\n")}}},
    {"input_end", {MESSAGE_INPUT, .u.input = {BYTES_NONE}}},
    {"answer", {MESSAGE_ANSWER, .u.answer = {STREAM_OUT, BYTES_LIT("3 records\n")}}},
    {"carried",
     {MESSAGE_CARRIED, .u.carried = {BYTES_LIT("\x95 author, epoch, previous hash, parcel")}}},
    {"node", {MESSAGE_NODE, .u.node = {0, 0xaabbccddu, 41, 0x11223344u, 12}}},
    {"node_listed", {MESSAGE_NODE, .u.node = {NODE_LISTED, 0xaabbccddu, 512, 0x11223344u, 9}}},
    {"node_anew", {MESSAGE_NODE, .u.node = {NODE_ANEW, 0xaabbccddu, 0, 0x11223344u, 0}}},
    {"node_compare", {MESSAGE_NODE, .u.node = {NODE_COMPARE | NODE_NOTHING, 0xaabbccddu, 0, 0, 0}}},
    {"node_nothing", {MESSAGE_NODE, .u.node = {NODE_NOTHING, 0xaabbccddu, 300, 0x11223344u, 280}}},
    {"statement", {MESSAGE_STATEMENT, .u.statement = {2, BYTES_LIT(enrolment)}}},
    {"stanza", {MESSAGE_STANZA, .u.stanza = {{0x5a, 1, 2}, BYTES_LIT("a stanza's own bytes")}}},
    {"mark", {MESSAGE_MARK, .u.mark = {300}}},
    {"taken", {MESSAGE_TAKEN, .u.taken = {300, STATUS_OK}}},
    {"taken_behind", {MESSAGE_TAKEN, .u.taken = {17, STATUS_BEHIND}}},
    {"close", {MESSAGE_CLOSE, .u.close = {300, 0, 0, 0}}},
    {"close_digest",
     {MESSAGE_CLOSE, .u.close = {512, 0x8877665544332211u, 296, 0xfedcba9876543210u}}},
    {"done", {MESSAGE_DONE, .u.done = {65}}},
    {"sums", {MESSAGE_SUMS, .u.sums = {1000000, 0x0123456789abcdefu, {1, 2, 3, 255}}}},
    {"same", {MESSAGE_SAME, .u.same = {0}}},
    {"cells", {MESSAGE_CELLS, .u.cells = {BYTES_LIT("fourteen bytesfourteen bytes")}}},
    {"cells_none", {MESSAGE_CELLS, .u.cells = {BYTES_NONE}}},
    {"more", {MESSAGE_MORE, .u.more = {170}}},
    {"want", {MESSAGE_WANT, .u.want = {BYTES_LIT("\x85\x2c\x01\x07\x02\x03\x00\xac\x02")}}},
    {"logs",
     {MESSAGE_LOGS,
      .u.logs = {true, BYTES_LIT("\x80\x80\x14\x01\x02\x03\x04\x05\x02\x00\x28\x01\x3a")}}},
    {"logs_last", {MESSAGE_LOGS, .u.logs = {false, BYTES_LIT("\x05\x00\x00\x00\x00\x00\x00")}}},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void
encode(const struct message *m, struct writer *body, struct writer *frame)
{
	writer_heap_init(body, 1u << 20);
	writer_heap_init(frame, 1u << 20);
	CHECK(message_encode(body, m, NULL) == E_OK);
	frame_put_head(frame, m->type, body->n);
	writer_bytes(frame, writer_view(body));
	CHECK(writer_end(frame) == E_OK);
}

static void
vectors(void)
{
	size_t i;

	for (i = 0; i < ROW_COUNT; i++) {
		char path[512], want[4096] = "", hex[4096];
		struct writer body, frame;
		FILE *f;

		encode(&rows[i].m, &body, &frame);
		hex_encode(hex, frame.p, frame.n);
		snprintf(path, sizeof(path), "%s/vectors/message_%s.hex", TESTS_DIR, rows[i].name);
		if (getenv("BANYAN_WRITE_VECTORS") != NULL && (f = fopen(path, "w")) != NULL) {
			fprintf(f, "%s\n", hex);
			fclose(f);
		}
		f = fopen(path, "r");
		CHECK_MSG(f != NULL, "%s", path);
		if (f != NULL) {
			CHECK(fgets(want, sizeof(want), f) != NULL);
			fclose(f);
			want[strcspn(want, "\n")] = '\0';
			CHECK_STR(hex, want);
		}
		writer_free(&body);
		writer_free(&frame);
	}
}

/* Its body is bytes without an inner end. */
static bool
raw(uint8_t type)
{
	return type == MESSAGE_PARCEL || type == MESSAGE_CARRIED || type == MESSAGE_INPUT ||
	       type == MESSAGE_CELLS || type == MESSAGE_WANT || type == MESSAGE_REST;
}

static void
round_trips_and_cuts(void)
{
	size_t i, cut;

	for (i = 0; i < ROW_COUNT; i++) {
		struct writer body, frame, again;
		struct message m;

		encode(&rows[i].m, &body, &frame);
		CHECK_MSG(message_decode(&m, rows[i].m.type, writer_view(&body), NULL) == E_OK,
			  "%s", rows[i].name);
		writer_heap_init(&again, 1u << 20);
		CHECK(message_encode(&again, &m, NULL) == E_OK);
		CHECK_MSG(bytes_equal(writer_view(&again), writer_view(&body)), "%s", rows[i].name);
		CHECK(body.n <= message_bytes_max(rows[i].m.type));
		for (cut = 0; cut < body.n; cut++) { /* raw bodies have no inner end */
			struct why why = {.e = E_OK};
			uint8_t *copy =
			    malloc(cut + 1); /* so that the sanitizer sees a read past the cut */
			enum err e;

			memcpy(copy, body.p, cut);
			e = message_decode(&m, rows[i].m.type, BYTES(copy, cut), &why);
			if (raw(m.type))
				CHECK(e == E_OK);
			else
				CHECK_MSG(e == E_FRAME && why.e == E_FRAME && why.thing[0] != '\0',
					  "%s cut at %zu: %s", rows[i].name, cut, err_name(e));
			free(copy);
		}
		writer_u8(&body, 0xc0);
		if (!raw(m.type))
			CHECK(message_decode(&m, rows[i].m.type, writer_view(&body), NULL) ==
			      E_FRAME);
		writer_free(&body);
		writer_free(&frame);
		writer_free(&again);
	}
}

static void
bad_bodies(void)
{
	static const struct {
		uint8_t type;
		struct bytes body;
		const char *thing;
	} bad[] = {
	    {MESSAGE_ACK, BYTES_LIT("\x01\x02\x04"), "ACK, status"},
	    {MESSAGE_ACK, BYTES_LIT("\xcc\x01\x02\x00"), "ACK, number"},
	    {MESSAGE_ACK, BYTES_LIT("\xcf\x80\x00\x00\x00\x00\x00\x00\x00\x02\x00"), "ACK, number"},
	    {MESSAGE_ACK, BYTES_LIT("\xff\x02\x00"), "ACK, number"},
	    {MESSAGE_DONE, BYTES_LIT("\xcd\x01\x00"), "DONE, exit_status"},
	    {MESSAGE_DOWN, BYTES_LIT("\x02\x01\xc4\x00"), "DOWN, log"},
	    {MESSAGE_DOWN, BYTES_LIT("\x01\x01\xc4\x05"), "DOWN, parcel"},
	    {MESSAGE_ERROR, BYTES_LIT("\x01\x00\xa1\xff"), "ERROR, thing"},
	    {MESSAGE_ASK, BYTES_LIT("\xa1s\xdc\x00\x41\xc2"), "ASK, args"},
	    {MESSAGE_ASK, BYTES_LIT("\xa1s\x90\x01"), "ASK, has_input"},
	    {MESSAGE_END, BYTES_LIT("\x00"), "END goes on after its end"},
	    {0x17, BYTES_NONE, "type 0x17"},
	    {0x70, BYTES_NONE, "type 0x70"},
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct message m;
		struct why why = {.e = E_OK};

		CHECK(message_decode(&m, bad[i].type, bad[i].body, &why) == E_FRAME);
		CHECK_STR(why.thing, bad[i].thing);
	}
}

static void
errors_travel(void)
{
	int e;

	for (e = 1; e < ERR_COUNT; e++) {
		uint16_t code = message_error_code((enum err)e);

		CHECK_MSG(code == 0 || message_error_of(code) == (enum err)e, "%s",
			  err_name((enum err)e));
	}
	CHECK(message_error_of(0) == E_PROTOCOL && message_error_of(65535) == E_PROTOCOL);
	CHECK(message_error_code(E_PROTOCOL) == 1 && message_error_code(E_REVOKED) == 12);
}

static void
too_large_to_send(void)
{
	struct message m = {MESSAGE_ACK, .u.ack = {1, 2, 9}};
	struct writer w;
	struct why why;

	writer_heap_init(&w, 1000);
	CHECK(message_encode(&w, &m, &why) == E_LIMIT);
	CHECK_STR(why.thing, "ACK, status");
	writer_free(&w);
}

CHECK_MAIN(T(vectors), T(round_trips_and_cuts), T(bad_bodies), T(errors_travel),
	   T(too_large_to_send))
