#include "core/squeeze.h"

#include <pthread.h>

#include "core/fault.h"
#include "tests/check.h"

#define NO BYTES_NONE

static uint8_t *
noise(size_t n, uint32_t seed)
{
	uint8_t *p = malloc(n == 0 ? 1 : n);
	size_t i;

	for (i = 0; i < n; i++) {
		seed = seed * 1664525u + 1013904223u;
		p[i] = (uint8_t)(seed >> 24);
	}
	return p;
}

static void
round_trip(struct bytes plain, struct bytes dictionary, int level)
{
	struct writer packed, back;

	writer_heap_init(&packed, plain.n + 1024 + plain.n / 100);
	writer_heap_init(&back, plain.n + 1);
	CHECK(squeeze_pack(&packed, plain, dictionary, level) == E_OK);
	CHECK(squeeze_unpack(&back, writer_view(&packed), dictionary, plain.n) == E_OK);
	CHECK(bytes_equal(writer_view(&back), plain));
	if (plain.n > 0) {
		writer_reset(&back);
		CHECK(squeeze_unpack(&back, writer_view(&packed), dictionary, plain.n - 1) ==
		      E_SQUEEZE);
		CHECK(back.n == 0);
	}
	writer_free(&packed);
	writer_free(&back);
}

static void
what_goes_in_comes_out(void)
{
	static const size_t sizes[] = {0, 1, 2, 255, 256, 4096, 65536, 65537, 300000, 16u << 20};
	static const int levels[] = {-5, 1, 3, 19, 99};
	size_t i, j;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = noise(sizes[i], 7), *zeros = calloc(1, sizes[i] + 1);

		for (j = 0; j < sizeof(levels) / sizeof(levels[0]); j++) {
			if (sizes[i] > 300000 && levels[j] > 3)
				continue; /* seconds */
			round_trip(BYTES(p, sizes[i]), NO, levels[j]);
			round_trip(BYTES(zeros, sizes[i]), NO, levels[j]);
			round_trip(BYTES(p, sizes[i]), BYTES_LIT("a dictionary of words"),
				   levels[j]);
		}
		free(p);
		free(zeros);
	}
}

static void
small_things_stay_small(void)
{
	static const char answers[] = "village,household,child,village,household,child,village";
	uint8_t memory[200];
	struct writer w;

	writer_init(&w, memory, sizeof(memory));
	CHECK(squeeze_pack(&w, BYTES_NONE, NO, 19) == E_OK);
	CHECK_MSG(w.n == 5, "an empty frame has %zu bytes", w.n);
	writer_reset(&w);
	CHECK(squeeze_pack(&w, BYTES_LIT(answers), NO, 19) == E_OK);
	CHECK_MSG(w.n < 40, "%zu bytes", w.n);
	writer_reset(&w);
	CHECK(squeeze_pack(&w, BYTES_LIT(answers), BYTES_LIT(answers), 19) == E_OK);
	CHECK_MSG(w.n <= 16, "%zu bytes with a dictionary", w.n);
}

static void
another_dictionary_is_refused_or_differs(void)
{
	uint8_t *a = noise(2000, 1), *b = noise(2000, 2);
	struct writer packed, back;

	writer_heap_init(&packed, 4096);
	writer_heap_init(&back, 4096);
	CHECK(squeeze_pack(&packed, BYTES(a, 1500), BYTES(a, 2000), 19) == E_OK);
	CHECK(packed.n < 40);
	CHECK(squeeze_unpack(&back, writer_view(&packed), NO, 4096) == E_SQUEEZE);
	writer_reset(&back);
	CHECK(squeeze_unpack(&back, writer_view(&packed), BYTES(b, 2000), 4096) != E_OK ||
	      !bytes_equal(writer_view(&back), BYTES(a, 1500)));
	writer_reset(&back);
	CHECK(squeeze_unpack(&back, writer_view(&packed), BYTES(a, 2000), 4096) == E_OK);
	CHECK(bytes_equal(writer_view(&back), BYTES(a, 1500)));
	writer_free(&packed);
	writer_free(&back);
	free(a);
	free(b);
}

static void
hostile_bytes_are_refused(void)
{
	/* header byte, window byte, then blocks: 3 bytes little-endian: last 1, type 2,
	 * size 21 bits */
	static const struct {
		const char *what;
		uint8_t b[8];
		size_t n;
	} rows[] = {
	    {"nothing", {0}, 0},
	    {"a header only", {0x00}, 1},
	    {"no block", {0x00, 0x00}, 2},
	    {"half a block header", {0x00, 0x00, 0x01}, 3},
	    {"a window of 2 GiB", {0x00, 0xa8, 0x01, 0x00, 0x00}, 5},
	    {"a window of 32 MiB", {0x00, 0x78, 0x01, 0x00, 0x00}, 5},
	    {"the reserved bit", {0x08, 0x00, 0x01, 0x00, 0x00}, 5},
	    {"the reserved block type", {0x00, 0x00, 0x07, 0x00, 0x00}, 5},
	    {"a block that is cut", {0x00, 0x00, 0x41, 0x00, 0x00, 1, 2}, 7},
	    {"bytes after the end", {0x00, 0x00, 0x01, 0x00, 0x00, 0x00}, 6},
	    {"a skippable frame", {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}, 8},
	    {"a dictionary id", {0x01, 0x00, 0x07, 0x01, 0x00, 0x00}, 6},
	    {"the magic number", {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x01, 0x00, 0x00}, 8},
	};
	struct writer w;
	size_t i;

	writer_heap_init(&w, 1u << 20);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		writer_reset(&w);
		writer_str(&w, "kept");
		CHECK_MSG(squeeze_unpack(&w, BYTES(rows[i].b, rows[i].n), NO, 1u << 20) ==
			      E_SQUEEZE,
			  "%s", rows[i].what);
		CHECK_MSG(w.n == 4, "%s", rows[i].what);
	}
	writer_free(&w);
}

static void
bombs_are_refused(void)
{
	uint8_t *zeros = calloc(1, 8u << 20), small[64];
	struct writer packed, back, tight;

	writer_heap_init(&packed, 1u << 20);
	writer_heap_init(&back, 16u << 20);
	CHECK(squeeze_pack(&packed, BYTES(zeros, 8u << 20), NO, 3) == E_OK);
	CHECK(packed.n < 2000);
	CHECK(squeeze_unpack(&back, writer_view(&packed), NO, 100000) == E_SQUEEZE);
	CHECK(back.n == 0 && back.cap <= 256u << 10); /* it stopped early */
	writer_init(&tight, small, sizeof(small));
	CHECK(squeeze_unpack(&tight, writer_view(&packed), NO, 8u << 20) == E_NO_ROOM);
	CHECK(squeeze_unpack(&back, writer_view(&packed), NO, 8u << 20) == E_OK);
	writer_free(&packed);
	writer_free(&back);
	free(zeros);
}

/* Any flipped bit: refused, or other bytes within the bound; never a crash. */
static void
flipped_bits(void)
{
	uint8_t *p = noise(300, 3), memory[1024];
	struct writer w, back;
	size_t bit;

	memset(p + 50, 'x', 200);
	writer_init(&w, memory, sizeof(memory));
	writer_heap_init(&back, 1000);
	REQUIRE(squeeze_pack(&w, BYTES(p, 300), NO, 19) == E_OK);
	for (bit = 0; bit < 8 * w.n; bit++) {
		memory[bit / 8] = (uint8_t)(memory[bit / 8] ^ (1u << bit % 8));
		writer_reset(&back);
		CHECK(squeeze_unpack(&back, writer_view(&w), NO, 1000) != E_OK || back.n <= 1000);
		memory[bit / 8] = (uint8_t)(memory[bit / 8] ^ (1u << bit % 8));
	}
	writer_free(&back);
	free(p);
}

static void *
one_thread(void *unused)
{
	(void)unused;
	round_trip(BYTES_LIT("in a thread"), BYTES_LIT("thread"), 3);
	return NULL;
}

static void
threads_have_their_own(void)
{
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, one_thread, NULL) == 0);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

static enum err
pack_and_unpack(void)
{
	uint8_t memory[200], back[100];
	struct writer w, b;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	writer_init(&b, back, sizeof(back));
	if ((e = squeeze_pack(&w, BYTES_LIT("some text"), BYTES_LIT("dictionary"), 3)) != E_OK)
		return e;
	e = squeeze_unpack(&b, writer_view(&w), BYTES_LIT("dictionary"), sizeof(back));
	CHECK((e == E_OK) == bytes_equal(writer_view(&b), BYTES_LIT("some text")));
	return e;
}

static void
every_call_fails_once(void)
{
	unsigned n = 0;

	do {
		round_trip(BYTES_LIT("x"), BYTES_LIT("another"),
			   3); /* so that both digests are made anew */
		fault_arm(n++);
		CHECK(pack_and_unpack() == (fault_fired() ? E_NO_MEMORY : E_OK));
	} while (fault_fired());
	fault_disarm();
	CHECK(n > 8);
}

CHECK_MAIN(T(what_goes_in_comes_out), T(small_things_stay_small),
	   T(another_dictionary_is_refused_or_differs), T(hostile_bytes_are_refused),
	   T(bombs_are_refused), T(flipped_bits), T(threads_have_their_own),
	   T(every_call_fails_once))
