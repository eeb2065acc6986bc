/*
 * What offices sign for each other beside enrolments, and what goes with it: batches of letters,
 * successions, erasures, stanzas, periods of retention, reissues. What is read lies inside the
 * bytes and its limits; what has one form is written so again.
 */
#include "core/letters/batch.h"
#include "core/record/reissue.h"
#include "core/record/retention.h"
#include "core/record/stanza.h"
#include "tests/fuzz/fuzz.h"

static const struct programme_id programme = {"programme-000001"};

static bool
inside(struct bytes part, struct bytes all)
{
	return part.n == 0 || (part.p >= all.p && part.p + part.n <= all.p + all.n);
}

static void
letters(struct bytes in)
{
	struct batch_thing thing;
	struct batch b;
	size_t at = 0;
	uint32_t n = 0;

	if (batch_decode(in, &b, NULL) != E_OK)
		return;
	MUST(b.count <= BATCH_THINGS_MAX && inside(b.things, in));
	for (; batch_next(&b, &at, &thing); n++)
		MUST(inside(thing.bytes, in) && (thing.leaf.n == 0 || thing.leaf.n == HASH_BYTES) &&
		     inside(thing.leaf, in));
	MUST(n == b.count);
}

static void
orders(struct bytes in)
{
	static struct succession succession;
	struct erasure erasure;

	if (succession_decode(in, &programme, &succession, NULL) == E_OK)
		MUST(succession.count <= SUCCESSION_NODES_MAX &&
		     strlen(succession.area) <= AREA_CODE_BYTES_MAX);
	if (erasure_decode(in, &programme, &erasure, NULL) == E_OK)
		MUST((erasure.parts == ERASURE_IDENTIFYING || erasure.parts == ERASURE_ALL) &&
		     strlen(erasure.area) <= AREA_CODE_BYTES_MAX);
}

static void
again(struct bytes in, struct writer *w)
{
	static struct retention retention;
	struct stanza stanza;
	struct reissue reissue;
	size_t i;

	if (stanza_decode(in, &stanza, NULL) == E_OK)
		MUST(stanza_encode(&stanza, w) == E_OK && bytes_equal(writer_view(w), in));
	writer_reset(w);
	if (retention_read(in, &retention) == E_OK) {
		MUST(retention.count <= RETENTION_RULES_MAX);
		MUST(retention_write(&retention, w) == E_OK && bytes_equal(writer_view(w), in));
		for (i = 0; i < retention.count; i++)
			MUST(retention_days(&retention, retention.rules[i].parts,
					    retention.rules[i].form) == retention.rules[i].days);
	}
	if (reissue_is(in) && reissue_read(in, &reissue) == E_OK)
		MUST(role_known((uint64_t)reissue.role) && inside(reissue.payload, in));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size);
	struct writer w;

	writer_heap_init(&w, 1u << 20);
	letters(in);
	orders(in);
	again(in, &w);
	writer_free(&w);
	return 0;
}
