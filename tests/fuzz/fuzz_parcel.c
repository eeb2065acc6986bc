/*
 * A parcel that is read has one form: built again from what was read it is the same bytes but for
 * its signature; and any part may be dropped without a change of its hash. Memory stays a small
 * multiple of the input.
 */
#include "core/parcel/parcel.h"

#include "tests/fuzz/fuzz.h"
#include "tests/keys.h"

static const struct parcel_context context = {
    .programme = {"programme-000001"},
    .log = {{"author-000000001"}, TEST_EPOCH},
    .previous = {"the parcel that went before this"},
};

static void
check_one_form(const struct parcel *p, struct bytes bytes)
{
	static struct ec_key author;
	struct parcel_builder *b;
	struct parcel_hash hash;
	struct writer w;
	size_t i;

	if (author.pub.b[0] == 0)
		author = test_key(KEY_AUTHOR);
	MUST(parcel_begin(&b, &context, p->number, p->flags, p->area[0] != '\0' ? p->area : NULL) ==
	     E_OK);
	for (i = 0; i < p->item_count; i++)
		MUST(parcel_add(b, &p->items[i]) == E_OK);
	writer_heap_init(&w, PARCEL_BYTES_MAX);
	MUST(parcel_end(b, &author, &w, &hash) == E_OK);
	MUST(ID_EQUAL(&hash, &p->hash) && w.n == bytes.n);
	MUST(memcmp(w.p, bytes.p, bytes.n - SIGNATURE_BYTES) == 0);
	writer_free(&w);
	parcel_builder_free(b);
}

static void
check_drop(const struct parcel *p, struct bytes bytes, size_t item, bool identifying)
{
	const struct parcel_part *part =
	    identifying ? &p->items[item].identifying : &p->items[item].analytic;
	struct parcel dropped;
	struct arena arena;
	struct writer w;
	enum err e;

	writer_heap_init(&w, PARCEL_BYTES_MAX);
	e = parcel_drop(bytes, item, identifying, &w);
	MUST(e == (part->present || part->left_out ? E_OK : E_ABSENT));
	if (e == E_OK) {
		arena_init(&arena, 1u << 20);
		MUST(parcel_read(&dropped, writer_view(&w), &context, &arena, NULL) == E_OK);
		MUST(ID_EQUAL(&dropped.hash, &p->hash));
		arena_free(&arena);
	}
	writer_free(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = BYTES(data, size);
	struct parcel p;
	struct arena arena;
	struct why why;
	uint64_t number;
	uint8_t flags;
	enum err e;

	arena_init(&arena, 1u << 20);
	e = parcel_read(&p, bytes, &context, &arena, &why);
	MUST(arena.used <= 40 * size + PARCEL_MESSAGE_BYTES_MAX + 64);
	MUST(e == E_OK || e == E_PARCEL || e == E_VERSION || e == E_LIMIT);
	if (e == E_OK) {
		MUST(parcel_peek(bytes, &number, &flags) == E_OK && number == p.number &&
		     flags == p.flags);
		check_one_form(&p, bytes);
		check_drop(&p, bytes, number % p.item_count, (flags & 2) != 0);
	}
	arena_free(&arena);
	return 0;
}
