#include "core/crypto/cert.h"

/*
 * The whole certificate but for two holes. A version 1 leaf: no version field, no
 * extensions. Its times take the forms that RFC 5280 section 4.1.2.5 wants for their
 * years.
 */
#define ECDSA_WITH_SHA256 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02
#define COMMON_NAME 0x06, 0x03, 0x55, 0x04, 0x03

#define DIGITS_AT (sizeof(head))
#define DIGITS_BYTES (2u * ID_BYTES)
#define POINT_AT (DIGITS_AT + DIGITS_BYTES + sizeof(middle))

/* clang-format off */
static const uint8_t head[] = {
	0x30, 0x81, 0xe1,                                               /* Certificate */
	0x30, 0x81, 0xc7,                                               /* TBSCertificate */
	0x02, 0x01, 0x01,                                               /* serialNumber 1 */
	ECDSA_WITH_SHA256,                                              /* signature */
	0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, COMMON_NAME, 0x13, 0x01, '-', /* issuer CN=- */
	0x30, 0x20,                                                     /* validity */
	0x17, 0x0d, '7', '0', '0', '1', '0', '1', '0', '0', '0', '0', '0', '0', 'Z',
	0x18, 0x0f, '9', '9', '9', '9', '1', '2', '3', '1', '2', '3', '5', '9', '5', '9', 'Z',
	0x30, 0x2b, 0x31, 0x29, 0x30, 0x27, COMMON_NAME, 0x13, 0x20,    /* subject CN=digits */
};
static const uint8_t middle[] = {
	0x30, 0x59,                                                     /* subjectPublicKeyInfo */
	0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, /* id-ecPublicKey */
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,     /* prime256v1 */
	0x03, 0x42, 0x00,                                               /* the point follows */
};
static const uint8_t tail[] = {
	ECDSA_WITH_SHA256,                                              /* signatureAlgorithm */
	0x03, 0x09, 0x00, 0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, /* r = s = 1 */
};
/* clang-format on */

_Static_assert(sizeof(head) + DIGITS_BYTES + sizeof(middle) + EC_PUBLIC_BYTES + sizeof(tail) ==
		   CERT_BYTES,
	       "the parts make up the certificate");

static void
cert_write(uint8_t out[CERT_BYTES], const struct principal_id *id, const struct ec_public *key)
{
	char digits[DIGITS_BYTES + 1];

	hex_encode(digits, id->b, sizeof(id->b));
	memcpy(out, head, sizeof(head));
	memcpy(out + DIGITS_AT, digits, DIGITS_BYTES);
	memcpy(out + DIGITS_AT + DIGITS_BYTES, middle, sizeof(middle));
	memcpy(out + POINT_AT, key->b, sizeof(key->b));
	memcpy(out + POINT_AT + sizeof(key->b), tail, sizeof(tail));
}

enum err
cert_make(const struct ec_key *key, const struct principal_id *id, struct writer *der)
{
	uint8_t out[CERT_BYTES];

	cert_write(out, id, &key->pub);
	writer_mem(der, out, sizeof(out));
	return writer_end(der);
}

/* Strict without a parser: what was found is written again and must come out the same. */
enum err
cert_read(struct bytes der, struct principal_id *out_id, struct ec_public *out_key)
{
	char digits[DIGITS_BYTES + 1] = "";
	uint8_t again[CERT_BYTES];
	struct principal_id id;
	struct ec_public key;
	enum err e;

	if (der.n != CERT_BYTES)
		return E_KEY;
	memcpy(digits, der.p + DIGITS_AT, DIGITS_BYTES);
	memcpy(key.b, der.p + POINT_AT, sizeof(key.b));
	if (hex_decode(id.b, sizeof(id.b), digits) != E_OK)
		return E_KEY;
	cert_write(again, &id, &key);
	if (memcmp(again, der.p, CERT_BYTES) != 0)
		return E_KEY;
	if ((e = crypto_ec_check(&key)) != E_OK)
		return e;
	*out_id = id;
	*out_key = key;
	return E_OK;
}
