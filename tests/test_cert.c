#include "core/crypto/cert.h"

#include <mbedtls/x509_crt.h>
#include <unistd.h>

#include "tests/check.h"

static struct ec_key key;
static struct principal_id id;
static uint8_t der[CERT_BYTES];

static void
set_up(void)
{
	uint8_t secret[32] = {0};
	struct writer w;
	size_t i;

	secret[31] = 3;
	for (i = 0; i < sizeof(id.b); i++)
		id.b[i] = (uint8_t)(0x9f + i * 17);
	writer_init(&w, der, sizeof(der));
	CHECK(crypto_ec_from_secret(&key, secret) == E_OK);
	CHECK(cert_make(&key, &id, &w) == E_OK && w.n == CERT_BYTES);
}

static void
there_and_back(void)
{
	struct principal_id id2;
	struct ec_public key2;
	uint8_t small[CERT_BYTES - 1];
	struct writer w;

	set_up();
	CHECK(cert_read(BYTES(der, sizeof(der)), &id2, &key2) == E_OK);
	CHECK(ID_EQUAL(&id, &id2) && ID_EQUAL(&key.pub, &key2));
	writer_init(&w, small, sizeof(small));
	CHECK(cert_make(&key, &id, &w) == E_NO_ROOM);
}

/* Each byte changed and each cut is refused; the id's digits may only become another id.
 */
static void
anything_else_is_refused(void)
{
	struct principal_id id2;
	struct ec_public key2;
	uint8_t longer[CERT_BYTES + 1] = {0};
	size_t i;

	set_up();
	for (i = 0; i < sizeof(der); i++) {
		CHECK(cert_read(BYTES(der, i), &id2, &key2) == E_KEY);
		der[i] ^= 0x20; /* also a digit's case */
		CHECK_MSG(cert_read(BYTES(der, sizeof(der)), &id2, &key2) == E_KEY, "byte %zu", i);
		der[i] ^= 0x20;
	}
	memcpy(longer, der, sizeof(der));
	CHECK(cert_read(BYTES(longer, sizeof(longer)), &id2, &key2) == E_KEY);
	CHECK(cert_read(BYTES_NONE, &id2, &key2) == E_KEY);
	key.pub.b[64] ^= 1; /* not on the curve */
	{
		struct writer w;

		writer_init(&w, der, sizeof(der));
		CHECK(cert_make(&key, &id, &w) == E_OK);
	}
	CHECK(cert_read(BYTES(der, sizeof(der)), &id2, &key2) == E_KEY);
}

static void
mbedtls_takes_it(void)
{
	mbedtls_x509_crt crt;
	char name[100], digits[33];
	uint32_t flags = 0;
	unsigned char point[65];
	size_t n = 0;

	set_up();
	mbedtls_x509_crt_init(&crt);
	REQUIRE(mbedtls_x509_crt_parse_der(&crt, der, sizeof(der)) == 0);
	CHECK(mbedtls_x509_dn_gets(name, sizeof(name), &crt.subject) == 35);
	hex_encode(digits, id.b, sizeof(id.b));
	CHECK_STR(name + 3, digits);
	CHECK(crt.valid_from.year == 1970 && crt.valid_to.year == 9999);
	CHECK(mbedtls_pk_can_do(&crt.pk, MBEDTLS_PK_ECDSA));
	CHECK(mbedtls_ecp_point_write_binary(&mbedtls_pk_ec(crt.pk)->grp, &mbedtls_pk_ec(crt.pk)->Q,
					     MBEDTLS_ECP_PF_UNCOMPRESSED, &n, point,
					     sizeof(point)) == 0);
	CHECK(n == 65 && memcmp(point, key.pub.b, 65) == 0);
	/* The only thing that a TLS library misses is an issuer that it trusts. */
	CHECK(mbedtls_x509_crt_verify(&crt, NULL, NULL, NULL, &flags, NULL, NULL) != 0);
	CHECK_MSG(flags == MBEDTLS_X509_BADCERT_NOT_TRUSTED, "flags %x", flags);
	mbedtls_x509_crt_free(&crt);
}

static void
openssl_takes_it(void)
{
	char path[] = "/tmp/banyan-cert-XXXXXX", command[200], text[4096] = "", digits[33];
	int fd;
	FILE *f;

	if (system("command -v openssl >/dev/null 2>&1") != 0)
		SKIP("no openssl");
	set_up();
	REQUIRE((fd = mkstemp(path)) >= 0);
	CHECK(write(fd, der, sizeof(der)) == (ssize_t)sizeof(der));
	close(fd);
	snprintf(command, sizeof(command),
		 "openssl x509 -inform DER -in %s -noout -subject -dates -pubkey "
		 "-nameopt RFC2253",
		 path);
	REQUIRE((f = popen(command, "r")) != NULL);
	CHECK(fread(text, 1, sizeof(text) - 1, f) > 0);
	CHECK(pclose(f) == 0);
	unlink(path);
	hex_encode(digits, id.b, sizeof(id.b));
	CHECK(strstr(text, "subject=CN=") != NULL && strstr(text, digits) != NULL);
	CHECK(strstr(text, "notBefore=Jan  1 00:00:00 1970 GMT") != NULL);
	CHECK(strstr(text, "notAfter=Dec 31 23:59:59 9999 GMT") != NULL);
	CHECK(strstr(text, "BEGIN PUBLIC KEY") != NULL);
}

CHECK_MAIN(T(there_and_back), T(anything_else_is_refused), T(mbedtls_takes_it), T(openssl_takes_it))
