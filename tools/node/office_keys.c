#include "tools/node/office_keys.h"

#include "core/crypto.h"

enum err
office_key_of(const struct ec_key *recovery, const char *area, uint32_t key_no, struct ec_key *out)
{
	uint8_t prk[SHA256_BYTES], secret[EC_SECRET_BYTES], info[AREA_CODE_BYTES_MAX + 9];
	size_t n = strlen(area);
	uint32_t attempt;
	enum err e = E_KEY;

	crypto_hkdf_extract(prk, BYTES_LIT("banyan office key 1"), BYTES(recovery->secret, EC_SECRET_BYTES));
	memcpy(info, area, n);
	info[n] = 0;
	be32_put(info + n + 1, key_no);
	for (attempt = 0; e == E_KEY && attempt < 8; attempt++) { /* 1 of 2^32 is past the curve's order */
		be32_put(info + n + 5, attempt);
		crypto_hkdf_expand(secret, sizeof(secret), BYTES(prk, sizeof(prk)), BYTES(info, n + 9));
		e = crypto_ec_from_secret(out, secret);
	}
	crypto_wipe(prk, sizeof(prk));
	crypto_wipe(secret, sizeof(secret));
	return e;
}
