/* Published vectors: FIPS 180-4, RFC 4231, RFC 5869, NIST SP 800-38D, RFC 6979, RFC 5903.
 */
#include "core/crypto/crypto.h"

#include <pthread.h>

#include "tests/check.h"

#define BUFFER_BYTES 512u

/* A row's hexadecimal into out; its length. */
static struct bytes
unhex(uint8_t *out, const char *hex)
{
	size_t n = strlen(hex) / 2;

	CHECK_MSG(n <= BUFFER_BYTES && hex_decode(out, n, hex) == E_OK, "%s", hex);
	return BYTES(out, n);
}

static void
check_hex(struct bytes got, const char *want)
{
	char text[2 * BUFFER_BYTES + 1];

	hex_encode(text, got.p, got.n);
	CHECK_STR(text, want);
}

static void
sha256_vectors(void)
{
	static const struct {
		const char *text, *hash;
	} rows[] = {
	    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	uint8_t out[32];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes all = bytes_of_str(rows[i].text);
		struct bytes parts[3] = {BYTES(all.p, all.n / 3), BYTES_NONE,
					 BYTES(all.p + all.n / 3, all.n - all.n / 3)};

		crypto_sha256(out, all);
		check_hex(BYTES(out, 32), rows[i].hash);
		crypto_sha256_parts(out, parts, 3);
		check_hex(BYTES(out, 32), rows[i].hash);
	}
}

static void
hmac_vectors(void)
{
	uint8_t key[131], out[32];

	crypto_hmac(out, BYTES_LIT("Jefe"), BYTES_LIT("what do ya want for nothing?"));
	check_hex(BYTES(out, 32),
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key)); /* longer than a block */
	crypto_hmac(out, BYTES(key, sizeof(key)),
		    BYTES_LIT("Test Using Larger Than Block-Size Key - Hash Key First"));
	check_hex(BYTES(out, 32),
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void
hkdf_vectors(void)
{
	static const struct {
		const char *ikm, *salt, *info, *prk, *okm;
	} rows[] = {
	    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
	     "f0f1f2f3f4f5f6f7f8f9",
	     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
	     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b"
	     "887185865"},
	    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
	     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
	     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa"
	     "4b61a96c8"},
	};
	uint8_t a[BUFFER_BYTES], b[BUFFER_BYTES], c[BUFFER_BYTES], prk[32], okm[42];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		crypto_hkdf_extract(prk, unhex(a, rows[i].salt), unhex(b, rows[i].ikm));
		check_hex(BYTES(prk, 32), rows[i].prk);
		crypto_hkdf_expand(okm, sizeof(okm), BYTES(prk, 32), unhex(c, rows[i].info));
		check_hex(BYTES(okm, sizeof(okm)), rows[i].okm);
	}
}

static const struct {
	enum aead a;
	const char *key, *nonce, *ad, *plain, *sealed;
} aead_rows[] = {
    {AEAD_AES_128_GCM, "00000000000000000000000000000000", "000000000000000000000000", "", "",
     "58e2fccefa7e3061367f1d57a4e7455a"},
    {AEAD_AES_128_GCM, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956"
     "809532fcf0e2449"
     "a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b2546"
     "6931c7d8f6a5aac"
     "84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"},
    {AEAD_AES_256_GCM, "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {AEAD_AES_256_GCM, "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {AEAD_AES_256_GCM, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956"
     "809532fcf0e2449"
     "a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590"
     "dbb3da7b08b1056"
     "828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
    {AEAD_CHACHA20_POLY1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202"
     "7"
     "39393a204966204920636f756c64206f6666657220796f75206f6e6c79206f6e65207469702"
     "0"
     "666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069742"
     "e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca"
     "9"
     "671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee"
     "3"
     "28091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b611"
     "6"
     "1ae10b594f09e26a7e902ecbd0600691"},
};

static void
aead_vectors(void)
{
	/* The GCM specification's test cases 1, 4, 13, 14, 16; RFC 8439 section 2.8.2. */
	uint8_t k[64], n[64], ad[64], plain[BUFFER_BYTES], sealed[BUFFER_BYTES], out[BUFFER_BYTES];
	size_t i, bit;

	for (i = 0; i < sizeof(aead_rows) / sizeof(aead_rows[0]); i++) {
		struct bytes a = unhex(ad, aead_rows[i].ad);
		struct bytes p = unhex(plain, aead_rows[i].plain),
			     s = unhex(sealed, aead_rows[i].sealed);
		enum aead c = aead_rows[i].a;

		unhex(k, aead_rows[i].key);
		unhex(n, aead_rows[i].nonce);
		CHECK(crypto_aead_seal_as(c, out, k, n, a, p) == E_OK);
		check_hex(BYTES(out, s.n), aead_rows[i].sealed);
		CHECK(crypto_aead_open_as(c, out, k, n, a, s) == E_OK);
		check_hex(BYTES(out, p.n), aead_rows[i].plain);
		if (c == AEAD_AES_256_GCM) {
			CHECK(crypto_aead_seal(out, k, n, a, p) == E_OK);
			check_hex(BYTES(out, s.n), aead_rows[i].sealed);
		}
		/* any flipped bit, and nothing comes out */
		for (bit = 0; bit < 8 * s.n; bit++) {
			size_t j, set = 0;

			sealed[bit / 8] = (uint8_t)(sealed[bit / 8] ^ (1u << bit % 8));
			memset(out, 0xee, sizeof(out));
			CHECK(crypto_aead_open_as(c, out, k, n, a, s) == E_SEAL);
			for (j = 0; j < p.n; j++)
				set |= out[j];
			CHECK(set == 0);
			sealed[bit / 8] = (uint8_t)(sealed[bit / 8] ^ (1u << bit % 8));
		}
		CHECK(crypto_aead_open_as(c, out, k, n, BYTES_LIT("x"), s) == E_SEAL);
		CHECK(crypto_aead_open_as(c, out, k, n, a, BYTES(sealed, 15)) == E_SEAL);
		CHECK(crypto_aead_open_as(c, out, k, n, a, BYTES_NONE) == E_SEAL);
	}
	CHECK(crypto_aead_seal_as(AEAD_EXPORT_ONLY, out, k, n, BYTES_NONE, BYTES_NONE) == E_CRYPTO);
	CHECK(crypto_aead_open_as(AEAD_EXPORT_ONLY, out, k, n, BYTES_NONE, BYTES(sealed, 16)) ==
	      E_CRYPTO);
}

static const char p256_n[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
static const char rfc6979_secret[] =
    "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";

static void
ecdsa_vectors(void)
{
	/* RFC 6979 A.2.5, SHA-256 */
	static const struct {
		const char *text, *sig;
	} rows[] = {
	    {"sample", "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
		       "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
	    {"test", "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
		     "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"},
	};
	struct ec_prepared *prepared;
	struct ec_key key;
	uint8_t secret[32], sig[64];
	size_t i, bit;

	unhex(secret, rfc6979_secret);
	REQUIRE(crypto_ec_from_secret(&key, secret) == E_OK);
	REQUIRE(crypto_ec_prepare(&prepared, &key.pub) == E_OK);
	check_hex(BYTES(key.pub.b, 65),
		  "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
		  "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes text = bytes_of_str(rows[i].text);

		CHECK(crypto_sign(sig, &key, text) == E_OK);
		check_hex(BYTES(sig, 64), rows[i].sig);
		CHECK(crypto_verify(sig, &key.pub, text) == E_OK);
		CHECK(crypto_verify_prepared(sig, prepared, text) == E_OK);
		CHECK(crypto_verify(sig, &key.pub, BYTES_LIT("another")) == E_SIGNATURE);
		CHECK(crypto_verify_prepared(sig, prepared, BYTES_LIT("another")) == E_SIGNATURE);
	}
	for (bit = 0; bit < 512; bit += 7) {
		sig[bit / 8] = (uint8_t)(sig[bit / 8] ^ (1u << bit % 8));
		CHECK(crypto_verify(sig, &key.pub, BYTES_LIT("test")) == E_SIGNATURE);
		CHECK(crypto_verify_prepared(sig, prepared, BYTES_LIT("test")) == E_SIGNATURE);
		sig[bit / 8] = (uint8_t)(sig[bit / 8] ^ (1u << bit % 8));
	}
	memset(sig, 0, 32); /* r = 0 */
	CHECK(crypto_verify(sig, &key.pub, BYTES_LIT("test")) == E_SIGNATURE);
	CHECK(crypto_verify_prepared(sig, prepared, BYTES_LIT("test")) == E_SIGNATURE);
	memset(sig, 0xff, 64); /* r, s >= n */
	CHECK(crypto_verify(sig, &key.pub, BYTES_LIT("test")) == E_SIGNATURE);
	CHECK(crypto_verify_prepared(sig, prepared, BYTES_LIT("test")) == E_SIGNATURE);
	crypto_ec_prepared_free(prepared);
	key.pub.b[64] ^= 1;
	CHECK(crypto_ec_prepare(&prepared, &key.pub) == E_KEY && prepared == NULL);
}

static void
agreement_vector(void)
{
	/* RFC 5903 section 8.1 */
	static const char i[] = "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433";
	static const char r[] = "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53";
	struct ec_key a, b;
	uint8_t secret[32], one[32], other[32];

	unhex(secret, i);
	REQUIRE(crypto_ec_from_secret(&a, secret) == E_OK);
	unhex(secret, r);
	REQUIRE(crypto_ec_from_secret(&b, secret) == E_OK);
	CHECK(crypto_ec_agree(one, &a, &b.pub) == E_OK);
	CHECK(crypto_ec_agree(other, &b, &a.pub) == E_OK);
	check_hex(BYTES(one, 32),
		  "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
	CHECK(memcmp(one, other, 32) == 0);
}

static void
bad_keys_are_refused(void)
{
	struct ec_key key, good;
	struct ec_public pub;
	uint8_t secret[32] = {0}, out[32], sig[64] = {1};
	size_t i;

	CHECK(crypto_ec_from_secret(&key, secret) == E_KEY); /* zero */
	unhex(secret, p256_n);
	CHECK(crypto_ec_from_secret(&key, secret) == E_KEY); /* n */
	secret[31]--;
	CHECK(crypto_ec_from_secret(&key, secret) == E_OK); /* n - 1 */
	memset(secret, 0xff, 32);
	CHECK(crypto_ec_from_secret(&key, secret) == E_KEY);

	REQUIRE(crypto_ec_new(&good) == E_OK);
	CHECK(crypto_ec_check(&good.pub) == E_OK);
	for (i = 0; i < 6; i++) {
		pub = good.pub;
		switch (i) {
		case 0:
			pub.b[64] ^= 1;
			break; /* not on the curve */
		case 1:
			pub.b[0] = 2;
			break; /* compressed */
		case 2:
			memset(&pub, 0, 65);
			break; /* infinity */
		case 3:
			memset(pub.b + 1, 0, 64);
			break;
		case 4:
			memset(pub.b + 1, 0xff, 64);
			break; /* past the prime */
		case 5:
			pub.b[0] = 6;
			break; /* hybrid */
		}
		CHECK_MSG(crypto_ec_check(&pub) == E_KEY, "case %zu", i);
		CHECK_MSG(crypto_ec_agree(out, &good, &pub) == E_KEY, "case %zu", i);
		CHECK_MSG(crypto_verify(sig, &pub, BYTES_LIT("x")) == E_KEY, "case %zu", i);
	}
	memset(good.secret, 0, 32);
	CHECK(crypto_sign(sig, &good, BYTES_LIT("x")) == E_KEY);
}

static void
passphrase_stays_the_same(void)
{
	/* libargon2's own answer, kept: it may never change, since it opens stores. */
	uint8_t out[32];

	CHECK(crypto_passphrase(out, BYTES_LIT("password"), (const uint8_t *)"somesaltsomesalt",
				1024, 2) == E_OK);
	check_hex(BYTES(out, 32),
		  "08a19ee7f6d7f589c2ab6af18d6e724172b19f7d6fd462b38430ab31ceabeaf0");
	CHECK(crypto_passphrase(out, BYTES_LIT("password"), (const uint8_t *)"somesaltsomesalt", 1,
				2) == E_CRYPTO);
}

static void
small_things(void)
{
	uint8_t a[64], b[64];

	crypto_random(a, sizeof(a));
	crypto_random(b, sizeof(b));
	CHECK(!crypto_equal(a, b, sizeof(a)));
	CHECK(crypto_equal(a, a, sizeof(a)));
	CHECK(crypto_equal(a, b, 0));
	crypto_wipe(a, sizeof(a));
	memset(b, 0, sizeof(b));
	CHECK(memcmp(a, b, sizeof(a)) == 0);
}

static void *
sign_and_verify(void *failures)
{
	struct ec_key key;
	uint8_t sig[64];
	int i;

	for (i = 0; i < 20; i++) {
		if (crypto_ec_new(&key) != E_OK || crypto_sign(sig, &key, BYTES_LIT("x")) != E_OK ||
		    crypto_verify(sig, &key.pub, BYTES_LIT("x")) != E_OK)
			++*(int *)failures;
	}
	return NULL;
}

static void
many_threads(void)
{
	pthread_t threads[8];
	int failures[8] = {0}, i;

	for (i = 0; i < 8; i++)
		REQUIRE(pthread_create(&threads[i], NULL, sign_and_verify, &failures[i]) == 0);
	for (i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		CHECK(failures[i] == 0);
	}
}

CHECK_MAIN(T(many_threads), T(sha256_vectors), T(hmac_vectors), T(hkdf_vectors), T(aead_vectors),
	   T(ecdsa_vectors), T(agreement_vector), T(bad_keys_are_refused),
	   T(passphrase_stays_the_same), T(small_things))
