/*
 * siphash: SipHash-2-4 (Aumasson and Bernstein, 2012), a short keyed hash: for names that only need
 * to be unguessable to who has no key. It proves nothing about a message; crypto_hmac does.
 */
#ifndef BANYAN_CORE_CRYPTO_SIPHASH_H
#define BANYAN_CORE_CRYPTO_SIPHASH_H

#include "core/bytes.h"

struct siphash_key {
	uint64_t k[2];
};

/* siphash_key_of: the 16 bytes of a key, as the paper reads them (two little-endian words). */
struct siphash_key siphash_key_of(const uint8_t b[16]);
/* siphash: the paper's 64-bit word. */
uint64_t siphash(const struct siphash_key *, struct bytes);

#endif
