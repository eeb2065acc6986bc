/*
 * hand DEVICE NODE KEY: the parcels that DEVICE made are handed to NODE (two stores that nobody
 * serves) as a stranger would who carries them. Prints how many were new there.
 */
#include "tests/e2e/two_stores.h"

static enum err
hand_all(struct peer *from, struct peer *to, uint64_t *fresh, struct why *why)
{
	return hand_over(from, to, none_left, NULL, fresh, why);
}

int
main(int argc, char **argv)
{
	return two_stores_main(argc, argv, hand_all);
}
