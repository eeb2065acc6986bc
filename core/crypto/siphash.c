#include "core/crypto/siphash.h"

static uint64_t
le64(const uint8_t *p)
{
	uint64_t v = 0;
	unsigned i;

	for (i = 8; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

struct siphash_key
siphash_key_of(const uint8_t b[16])
{
	return (struct siphash_key){{le64(b), le64(b + 8)}};
}

static inline uint64_t
turn(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = turn(v[1], 13) ^ v[0];
	v[3] = turn(v[3], 16) ^ v[2];
	v[0] = turn(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = turn(v[1], 17) ^ v[2];
	v[3] = turn(v[3], 21) ^ v[0];
	v[2] = turn(v[2], 32);
}

static inline void
sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

uint64_t
siphash(const struct siphash_key *key, struct bytes b)
{
	uint64_t v[4] = {key->k[0] ^ 0x736f6d6570736575u, key->k[1] ^ 0x646f72616e646f6du,
			 key->k[0] ^ 0x6c7967656e657261u, key->k[1] ^ 0x7465646279746573u};
	uint8_t last[8] = {0};
	size_t i;

	for (i = 0; i + 8 <= b.n; i += 8)
		sip_word(v, le64(b.p + i));
	if (i < b.n)
		memcpy(last, b.p + i, b.n - i);
	last[7] = (uint8_t)b.n;
	sip_word(v, le64(last));
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
