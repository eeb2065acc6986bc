/*
 * test_bounds: each count that is larger than its array, each length that is larger than its field,
 * with bytes enough behind it to be believed: nothing but the bound refuses it. What fits to the
 * last one is taken.
 */
#include "core/record/attach.h"
#include "core/pack.h"
#include "core/principals/principal.h"
#include "core/letters/receipt.h"
#include "core/record/reissue.h"
#include "core/record/revision.h"
#include "core/record/stanza.h"
#include "sync/message.h"
#include "tests/check.h"
#include "tests/keys.h"

static struct writer w;

static const uint8_t some[64] = {4, 1, 2, 3};
static uint8_t big[8u << 20]; /* longer than any field */

/* ---- messages ---- */

enum type { U, BOOL, FIXED, BIN, STR, STRS, RAW };

static const struct {
	uint8_t message;
	const char *what;
	enum type type;
	uint64_t bound;
} fields[] = {
#define M(code, name, member, way)
#define F(message, member, field, type, bound) \
	{MESSAGE_##message, #message ", " #field, type, bound},
#define R(code, name, reason)
#include "sync/message.def"
#undef M
#undef F
#undef R
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

/* A field of `over` more than its bound. */
static void
put_field(size_t i, uint64_t over)
{
	uint64_t n = fields[i].bound + over, k;

	switch (fields[i].type) {
	case U:
		pack_u64(&w, n);
		return;
	case BOOL:
		pack_bool(&w, false);
		return;
	case STRS:
		pack_array(&w, (uint32_t)n);
		for (k = 0; k < n; k++)
			pack_str(&w, BYTES_LIT("a"));
		return;
	case FIXED:
	case BIN:
		pack_bin(&w, BYTES(big, n));
		return;
	case STR:
		pack_str(&w, BYTES(big, n));
		return;
	case RAW:
		writer_mem(&w, big, n);
		return;
	}
}

static enum err
decodes(size_t wrong, struct why *why)
{
	static struct message m;
	size_t i;

	writer_reset(&w);
	for (i = 0; i < FIELD_COUNT; i++)
		if (fields[i].message == fields[wrong].message)
			put_field(i, i == wrong ? 1 : 0);
	CHECK(writer_end(&w) == E_OK);
	return message_decode(&m, fields[wrong].message, writer_view(&w), why);
}

static void
messages(void)
{
	struct why why;
	size_t i, k;

	memset(big, 'x', sizeof(big));
	writer_heap_init(&w, 64u << 20);
	for (i = 0; i < FIELD_COUNT; i++) {
		static struct message m;
		bool has_bound = fields[i].type != BOOL && fields[i].bound != UINT64_MAX;
		enum err e = decodes(i, &why);

		if (has_bound)
			CHECK_MSG(e == E_FRAME && strcmp(why.thing, fields[i].what) == 0,
				  "%s: %s %s", fields[i].what, err_name(e),
				  e == E_OK ? "" : why.thing);
		writer_reset(&w);
		for (k = 0; k < FIELD_COUNT; k++)
			if (fields[k].message == fields[i].message)
				put_field(k, 0);
		e = message_decode(&m, fields[i].message, writer_view(&w), &why);
		CHECK_MSG(e == E_OK, "%s, all at their bounds: %s", fields[i].what,
			  e == E_OK ? "" : why.thing);
	}
	writer_free(&w);
}

/* What is sent is held to the same bounds. */
static void
messages_to_send(void)
{
	struct message ask = {.type = MESSAGE_ASK}, answer = {.type = MESSAGE_ANSWER},
		       input = {.type = MESSAGE_INPUT};
	struct why why;

	writer_heap_init(&w, 1u << 20);
	ask.u.ask.verb = BYTES(big, 65);
	CHECK(message_encode(&w, &ask, &why) == E_LIMIT);
	ask.u.ask.verb = BYTES_LIT("say");
	ask.u.ask.args.count = ASK_ARGS_MAX + 1;
	CHECK(message_encode(&w, &ask, &why) == E_LIMIT);
	ask.u.ask.args.count = 1;
	ask.u.ask.args.str[0] = BYTES(big, ASK_ARGS_BYTES_MAX + 1);
	CHECK(message_encode(&w, &ask, &why) == E_LIMIT);
	answer.u.answer.bytes = BYTES(big, CHUNK_BYTES_MAX + 1);
	CHECK(message_encode(&w, &answer, &why) == E_LIMIT);
	input.u.input.bytes = BYTES(big, CHUNK_BYTES_MAX + 1);
	CHECK(message_encode(&w, &input, &why) == E_LIMIT);
	writer_free(&w);
}

/* ---- receipts, statements ---- */

/* [body, signature]: the body is what `w` has from `from` on. */
static void
begin_signed(void)
{
	writer_reset(&w);
	pack_array(&w, 2);
}

static void
end_signed(void)
{
	pack_bin(&w, BYTES(some, SIGNATURE_BYTES));
	CHECK(writer_end(&w) == E_OK);
}

static enum err
receipt_of(uint64_t version, uint32_t elements, uint32_t rows, uint32_t logs, uint64_t number)
{
	struct receipt r;
	uint32_t i;

	begin_signed();
	pack_array(&w, elements);
	pack_u64(&w, version);
	pack_bin(&w, BYTES(some, ID_BYTES));
	pack_bin(&w, BYTES(some, ID_BYTES));
	pack_u64(&w, 5);
	pack_u64(&w, 6);
	pack_array(&w, rows);
	for (i = 0; i < rows; i++) {
		pack_array(&w, 4);
		pack_u64(&w, i);
		pack_u64(&w, number);
		pack_bin(&w, BYTES(some, HASH_BYTES));
		pack_u64(&w, 0);
	}
	pack_array(&w, logs);
	for (i = 0; i < logs; i++)
		pack_u64(&w, i);
	for (i = 7; i < elements; i++)
		pack_nil(&w);
	end_signed();
	return receipt_decode(writer_view(&w), &r, NULL);
}

static void
receipts(void)
{
	struct receipt r;

	writer_heap_init(&w, 1u << 20);
	CHECK(receipt_of(1, 7, EPOCHS_MAX, RECEIPT_LOGS_MAX, NUMBER_MAX) == E_OK);
	CHECK(receipt_of(1, 7, EPOCHS_MAX + 1, RECEIPT_LOGS_MAX, 1) == E_LIMIT);
	CHECK(receipt_of(1, 7, 1, RECEIPT_LOGS_MAX + 1, 1) == E_LIMIT);
	CHECK(receipt_of(1, 7, 1, 2, (uint64_t)NUMBER_MAX + 1) == E_LIMIT);
	CHECK(receipt_of(1, 7, 1, 2, 0) == E_LIMIT);
	CHECK(receipt_of(1, 8, 1, 2, 1) == E_PACK_TYPE && receipt_of(1, 6, 1, 2, 1) == E_PACK_TYPE);
	CHECK(receipt_of(2, 7, 1, 2, 1) == E_VERSION);
	begin_signed(); /* longer than any, and well formed: what it says stands in no room of ours
			 */
	pack_bin(&w, BYTES(some, 60));
	end_signed();
	writer_mem(&w, big, RECEIPT_BYTES_MAX);
	CHECK(receipt_decode(writer_view(&w), &r, NULL) == E_LIMIT);
	writer_free(&w);
}

static enum err
revocation_of(uint32_t logs)
{
	static const struct programme_id programme = {"programme-000001"};
	struct revocation r;
	uint32_t i;

	begin_signed();
	pack_array(&w, 6);
	pack_u64(&w, 1);
	pack_bin(&w, BYTES(some, ID_BYTES));
	pack_cstr(&w, "lost");
	pack_u64(&w, 5);
	pack_bin(&w, BYTES(some, ID_BYTES));
	pack_array(&w, logs);
	for (i = 0; i < logs; i++) {
		pack_array(&w, 3);
		pack_u64(&w, i);
		pack_u64(&w, 1);
		pack_bin(&w, BYTES(some, HASH_BYTES));
	}
	end_signed();
	return revocation_decode(writer_view(&w), &programme, &r, NULL);
}

static enum err
succession_of(uint32_t nodes)
{
	static const struct programme_id programme = {"programme-000001"};
	struct ec_public pub = test_key(KEY_OTHER).pub;
	struct succession s;
	uint32_t i;

	begin_signed();
	pack_array(&w, 8);
	pack_u64(&w, 1);
	pack_bin(&w, BYTES(some, ID_BYTES));
	pack_bin(&w, BYTES(pub.b, sizeof(pub.b)));
	pack_bin(&w, BYTES(pub.b, sizeof(pub.b)));
	pack_cstr(&w, "P");
	pack_u64(&w, 5);
	pack_bin(&w, BYTES(some, ID_BYTES));
	pack_array(&w, nodes);
	for (i = 0; i < nodes; i++)
		pack_bin(&w, BYTES(some, ID_BYTES));
	end_signed();
	return succession_decode(writer_view(&w), &programme, &s, NULL);
}

static void
statements(void)
{
	static const struct programme_id programme = {"programme-000001"};
	struct ec_key key = test_key(KEY_OTHER);

	writer_heap_init(&w, 1u << 20);
	CHECK(revocation_of(EPOCHS_MAX) == E_OK && revocation_of(EPOCHS_MAX + 1) == E_LIMIT &&
	      revocation_of(32) == E_LIMIT);
	CHECK(succession_of(SUCCESSION_NODES_MAX) == E_OK &&
	      succession_of(SUCCESSION_NODES_MAX + 1) == E_PACK_TYPE);
	CHECK(succession_of(0) == E_PACK_TYPE);
	begin_signed();
	pack_bin(&w, BYTES(big, STATEMENT_BYTES_MAX));
	end_signed();
	CHECK(principal_verify(STATEMENT_ENROLMENT, writer_view(&w), &programme, &key.pub) ==
	      E_LIMIT);
	writer_free(&w);
}

/* ---- what is in slices ---- */

static enum err
revisions_of(uint32_t count, uint32_t parents)
{
	static struct revision_body bodies[SLICE_REVISIONS_MAX + 64];
	uint8_t parent[ID_BYTES] = {0};
	uint32_t i, k;
	size_t got;

	writer_reset(&w);
	pack_array(&w, count);
	for (i = 0; i < count; i++) {
		pack_array(&w, 4);
		pack_u64(&w, parents > 0 ? REVISION_VOID : REVISION_CREATE);
		pack_u64(&w, 7);
		pack_u64(&w, 9);
		pack_array(&w, parents);
		for (k = 0; k < parents; k++) {
			parent[0] = (uint8_t)(k + 1);
			pack_bin(&w, BYTES(parent, ID_BYTES));
		}
	}
	return revisions_read(writer_view(&w), BYTES_NONE, bodies, SLICE_REVISIONS_MAX + 64, &got,
			      NULL);
}

static enum err
reissue_of(uint64_t j, uint64_t role)
{
	struct reissue r;

	writer_reset(&w);
	pack_array(&w, 1);
	pack_array(&w, 10);
	pack_u64(&w, REVISION_REISSUE);
	pack_u64(&w, 7);
	pack_u64(&w, 9);
	pack_array(&w, 0);
	pack_bin(&w, BYTES(some, HASH_BYTES));
	pack_u64(&w, j);
	pack_bin(&w, BYTES(some, ID_BYTES));
	pack_u64(&w, role);
	pack_u64(&w, 11);
	pack_bin(&w, BYTES_LIT("payload"));
	return reissue_is(writer_view(&w)) ? reissue_read(writer_view(&w), &r) : E_ABSENT;
}

static enum err
stanza_of(uint64_t version, struct bytes area)
{
	struct stanza s;

	writer_reset(&w);
	pack_array(&w, 4);
	pack_u64(&w, version);
	pack_array(&w, 2);
	pack_str(&w, area);
	pack_u64(&w, 3);
	pack_bin(&w, BYTES(test_key(KEY_OTHER).pub.b, EC_PUBLIC_BYTES));
	pack_bin(&w, BYTES(some, sizeof(s.wrapped)));
	return stanza_decode(writer_view(&w), &s, NULL);
}

static void
slices(void)
{
	char area[AREA_CODE_BYTES_MAX + 1];

	writer_heap_init(&w, 1u << 20);
	CHECK(revisions_of(SLICE_REVISIONS_MAX, 0) == E_OK &&
	      revisions_of(SLICE_REVISIONS_MAX + 1, 0) == E_LIMIT);
	CHECK(revisions_of(1, PARENTS_MAX) == E_OK && revisions_of(1, PARENTS_MAX + 1) == E_LIMIT);
	CHECK(reissue_of(SLICE_REVISIONS_MAX - 1, ROLE_OFFICER) == E_OK);
	CHECK(reissue_of(SLICE_REVISIONS_MAX, ROLE_OFFICER) != E_OK &&
	      reissue_of(0, 99) == E_PARCEL);
	memset(area, 'A', sizeof(area));
	CHECK(stanza_of(1, BYTES(area, AREA_CODE_BYTES_MAX)) == E_OK);
	CHECK(stanza_of(1, BYTES(area, AREA_CODE_BYTES_MAX + 1)) == E_LIMIT &&
	      stanza_of(1, BYTES_LIT("A\0B")) == E_LIMIT);
	CHECK(stanza_of(2, BYTES_LIT("A")) == E_VERSION && stanza_of(1, BYTES_NONE) != E_OK);
	writer_free(&w);
}

CHECK_MAIN(T(messages), T(messages_to_send), T(receipts), T(statements), T(slices))
