#include "tools/node/opener/known.h"

#include <stdlib.h>

#include "core/bytes.h"

/* A key has one place; the newest there stays, unless this turn needs the one before. */
struct known {
	uint64_t turn;
	struct {
		struct ec_public key;
		struct ec_prepared *prepared; /* from the second time on */
		uint64_t turn;                /* that used it last */
	} places[KNOWN_MAX];
};

struct known *
known_new(void)
{
	return calloc(1, sizeof(struct known));
}

void
known_free(struct known *k)
{
	size_t i;

	for (i = 0; k != NULL && i < KNOWN_MAX; i++)
		crypto_ec_prepared_free(k->places[i].prepared);
	free(k);
}

void
known_turn(struct known *k)
{
	if (k != NULL)
		k->turn++;
}

const struct ec_prepared *
known_get(struct known *k, const struct ec_public *key)
{
	size_t i;

	if (k == NULL)
		return NULL;
	i = (key->b[1] | (size_t)key->b[2] << 8) %
	    KNOWN_MAX; /* of a point's x: as good as random */
	if (memcmp(&k->places[i].key, key, sizeof(*key)) != 0) {
		if (k->places[i].turn == k->turn)
			return NULL;
		crypto_ec_prepared_free(k->places[i].prepared);
		k->places[i].prepared = NULL;
		k->places[i].key = *key;
	} else if (k->places[i].prepared == NULL) {
		(void)crypto_ec_prepare(&k->places[i].prepared, key); /* it can be done without */
	}
	k->places[i].turn = k->turn;
	return k->places[i].prepared;
}
