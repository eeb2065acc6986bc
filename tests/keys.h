/* keys: principals, keys and runs that are the same in every run of the tests. */
#ifndef BANYAN_TESTS_KEYS_H
#define BANYAN_TESTS_KEYS_H

#include <stdlib.h>

#include "core/record/slice.h"

/* test_key: the P-256 key whose secret is 32 times `n`. */
static inline struct ec_key
test_key(uint8_t n)
{
	uint8_t secret[EC_SECRET_BYTES];
	struct ec_key key;

	memset(secret, n, sizeof(secret));
	if (crypto_ec_from_secret(&key, secret) != E_OK)
		abort();
	return key;
}

#define TEST_PROGRAMME ((struct programme_id){"programme-000001"})
#define TEST_AUTHOR ((struct principal_id){"author-000000001"})
#define TEST_OTHER ((struct principal_id){"author-000000002"})
#define TEST_EPOCH 0x0102030405060708u
enum { KEY_AUTHOR = 0x11, KEY_OFFICE = 0x22, KEY_EPHEMERAL = 0x33, KEY_OTHER = 0x44 };

/* test_run: the author's run to key number 7 of the office. */
static inline void
test_run(struct run *run)
{
	struct ec_key office = test_key(KEY_OFFICE), ephemeral = test_key(KEY_EPHEMERAL);
	struct programme_id programme = TEST_PROGRAMME;
	struct principal_id author = TEST_AUTHOR;
	struct run_recipient to = {.key_no = 7};

	if (run_begin_with(run, &programme, &author, TEST_EPOCH, &to, &office.pub, &ephemeral) !=
	    E_OK)
		abort();
}

#endif
