/*
 * miss DEVICE NODE KEY WHAT: stores that nobody serves. WHAT is
 *   fill N   DEVICE makes N parcels of a record each.
 *   most     they are handed to NODE, but for one in a hundred, at random.
 *   rest     all of them are: those that it lacked.
 * Prints how many were made, or new at NODE; the bytes of these on the standard error.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/bench/device.h"
#include "tests/e2e/two_stores.h"

static unsigned fill_count;

static enum err
fill(struct peer *from, struct peer *to, uint64_t *made, struct why *why)
{
	size_t parcels;
	enum err e = E_OK;

	(void)to;
	for (*made = 0; e == E_OK && *made < fill_count; *made += parcels) {
		device_fill(from, 1, 1);
		e = outbox_gather_some(from, peer_self(from), 0, &parcels, why);
	}
	return e;
}

/* One of each hundred numbers that follow each other: which one, its hash says. */
static bool
is_lost(const struct arrival *a, void *arg)
{
	const uint8_t *draw = arg;
	uint64_t n = a->number - 1; /* numbers begin with 1: each hundred is whole */

	return n % 100 == draw[n / 100 % 100] % 100;
}

static enum err
most(struct peer *from, struct peer *to, uint64_t *fresh, struct why *why)
{
	uint8_t draw[100];

	crypto_random(draw, sizeof(draw));
	return hand_over(from, to, is_lost, draw, fresh, why);
}

static enum err
rest(struct peer *from, struct peer *to, uint64_t *fresh, struct why *why)
{
	return hand_over(from, to, none_left, NULL, fresh, why);
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[4], "fill") == 0) {
		fill_count = (unsigned)strtoul(argv[5], NULL, 10);
		return two_stores_main(4, argv, fill);
	}
	if (argc != 5)
		return 64;
	return two_stores_main(4, argv, strcmp(argv[4], "most") == 0 ? most : rest);
}
