/* RFC 9180's vectors for DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 in base mode. */
#include "core/crypto/hpke.h"

#include "core/fault.h"
#include "tests/check.h"
#include "tests/recorded.h"

#define FIELD_BYTES 320u

/* Values of the vector files, which are strings or whole numbers. */
struct message {
	char sequence_number[8], pt[FIELD_BYTES], aad[FIELD_BYTES], ct[FIELD_BYTES];
};
struct export
{
	char exporter_context[FIELD_BYTES], L[8], exported_value[FIELD_BYTES];
};
struct vector {
	char aead_id[8], info[FIELD_BYTES], skEm[FIELD_BYTES], skRm[FIELD_BYTES];
	char pkRm[FIELD_BYTES], enc[FIELD_BYTES], key[FIELD_BYTES], base_nonce[FIELD_BYTES];
	char exporter_secret[FIELD_BYTES];
	struct message messages[8];
	struct export exports[8];
	size_t message_count, export_count;
};

#define FIELD(name) \
	{ \
#name, offsetof(struct vector, name), sizeof(((struct vector *)0)->name) \
	}
static const struct field {
	const char *name;
	size_t offset, bytes;
} fields[] = {FIELD(aead_id), FIELD(info), FIELD(skEm),       FIELD(skRm),           FIELD(pkRm),
	      FIELD(enc),     FIELD(key),  FIELD(base_nonce), FIELD(exporter_secret)};

static char *
read_whole(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	long n;

	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0 &&
	    (text = calloc(1, (size_t)n + 1)) != NULL &&
	    fread(text, 1, (size_t)n, f) != (size_t)n) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

/* The next string after *at (inside its quotes), its end put at zero; NULL when there is
 * none. */
static char *
next_string(char **at)
{
	char *start = strchr(*at, '"'), *end = start == NULL ? NULL : strchr(start + 1, '"');

	if (end == NULL)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return start + 1;
}

static void
set(char *out, size_t bytes, const char *value)
{
	CHECK(strlen(value) < bytes);
	snprintf(out, bytes, "%s", value);
}

static void
set_field(struct vector *v, const char *name, const char *value)
{
	struct message *m = &v->messages[v->message_count % 8];
	struct export *x = &v->exports[v->export_count % 8];
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(fields[i].name, name) == 0)
			set((char *)v + fields[i].offset, fields[i].bytes, value);
	if (strcmp(name, "sequence_number") == 0)
		set(m->sequence_number, sizeof(m->sequence_number), value);
	else if (strcmp(name, "pt") == 0)
		set(m->pt, sizeof(m->pt), value);
	else if (strcmp(name, "aad") == 0)
		set(m->aad, sizeof(m->aad), value);
	else if (strcmp(name, "ct") == 0) {
		set(m->ct, sizeof(m->ct), value);
		v->message_count++;
	} else if (strcmp(name, "exporter_context") == 0)
		set(x->exporter_context, sizeof(x->exporter_context), value);
	else if (strcmp(name, "L") == 0)
		set(x->L, sizeof(x->L), value);
	else if (strcmp(name, "exported_value") == 0) {
		set(x->exported_value, sizeof(x->exported_value), value);
		v->export_count++;
	}
}

static struct bytes
unhex(uint8_t *out, const char *hex)
{
	size_t n = strlen(hex) / 2;

	CHECK(n <= FIELD_BYTES && hex_decode(out, n, hex) == E_OK);
	return BYTES(out, n);
}

static void
check_hex(const uint8_t *got, const char *want)
{
	char text[2 * FIELD_BYTES + 1];

	hex_encode(text, got, strlen(want) / 2);
	CHECK_STR(text, want);
}

static void
check_messages(const struct vector *v, struct hpke *sender, struct hpke *recipient)
{
	uint8_t pt[FIELD_BYTES], ad[FIELD_BYTES], ct[FIELD_BYTES], out[FIELD_BYTES];
	size_t i;

	for (i = 0; i < v->message_count; i++) {
		const struct message *m = &v->messages[i];
		struct bytes a = unhex(ad, m->aad), plain = unhex(pt, m->pt), sealed;

		sender->sequence = recipient->sequence = strtoull(m->sequence_number, NULL, 10);
		CHECK(hpke_seal(sender, a, plain, out) == E_OK);
		check_hex(out, m->ct);
		sealed = unhex(ct, m->ct);
		ct[3] ^= 1;
		CHECK(hpke_open(recipient, a, sealed, out) == E_SEAL);
		ct[3] ^= 1; /* a refused message did not use up its number */
		CHECK(hpke_open(recipient, a, sealed, out) == E_OK);
		check_hex(out, m->pt);
		CHECK(hpke_open(recipient, a, sealed, out) == E_SEAL); /* a repeat */
	}
}

static void
check_vector(const struct vector *v)
{
	enum aead aead = (enum aead)atoi(v->aead_id);
	struct hpke sender, recipient;
	struct ec_key ephemeral, key;
	uint8_t info[FIELD_BYTES], bytes[FIELD_BYTES];
	struct bytes i = unhex(info, v->info);
	size_t x;

	unhex(bytes, v->skEm);
	REQUIRE(crypto_ec_from_secret(&ephemeral, bytes) == E_OK);
	check_hex(ephemeral.pub.b, v->enc);
	unhex(bytes, v->skRm);
	REQUIRE(crypto_ec_from_secret(&key, bytes) == E_OK);
	check_hex(key.pub.b, v->pkRm);
	REQUIRE(hpke_sender_with(&sender, aead, &ephemeral, &key.pub, i) == E_OK);
	REQUIRE(hpke_recipient_with(&recipient, aead, ephemeral.pub.b, &key, i) == E_OK);
	CHECK(memcmp(&sender, &recipient, sizeof(sender)) == 0);
	check_hex(sender.key, v->key);
	check_hex(sender.base_nonce, v->base_nonce);
	check_hex(sender.exporter_secret, v->exporter_secret);
	for (x = 0; x < v->export_count; x++) {
		struct bytes context = unhex(bytes, v->exports[x].exporter_context);
		uint8_t out[64];

		hpke_export(&sender, context, out, strtoul(v->exports[x].L, NULL, 10));
		check_hex(out, v->exports[x].exported_value);
	}
	check_messages(v, &sender, &recipient);
	if (aead == AEAD_EXPORT_ONLY)
		CHECK(hpke_seal(&sender, BYTES_NONE, BYTES_NONE, bytes) == E_CRYPTO);
	else
		CHECK(v->message_count > 0);
	CHECK(v->export_count > 0);
}

/* The files are flat: `first` is the key that each vector begins with. */
static size_t
check_file(char *text, const char *first)
{
	static struct vector v;
	char *at = text, *name, *value;
	size_t count = 0;

	memset(&v, 0, sizeof(v));
	while ((name = next_string(&at)) != NULL) {
		while (*at == ' ' || *at == ':')
			at++;
		if (*at >= '0' && *at <= '9') { /* a bare number */
			value = at;
			at += strspn(at, "0123456789");
			*at++ = '\0';
		} else if (*at != '"') {
			continue; /* an array begins: its objects' strings follow */
		} else if ((value = next_string(&at)) == NULL) {
			break;
		}
		if (strcmp(name, first) == 0 && v.info[0] != '\0') {
			check_vector(&v);
			count++;
			memset(&v, 0, sizeof(v));
		}
		set_field(&v, name, value);
	}
	if (v.info[0] != '\0') {
		check_vector(&v);
		count++;
	}
	return count;
}

static void
vectors(void)
{
	char *text = read_whole(TESTS_DIR "/vectors/hpke_p256.json");

	REQUIRE(text != NULL);
	CHECK(check_file(text, "source") == 4);
	free(text);
}

static void
vectors_beside_the_repository(void)
{
	char path[500], *text;

	if (!recorded_path("hpke-p256-base.json", path, sizeof(path)))
		SKIP("no shared/conformance");
	REQUIRE((text = read_whole(path)) != NULL);
	CHECK(check_file(text, "suite") >= 2);
	free(text);
}

static void
two_sides_agree(void)
{
	struct ec_key office, other;
	struct hpke a, b;
	uint8_t enc[EC_PUBLIC_BYTES], sealed[20], plain[4], x[32], y[32];

	REQUIRE(crypto_ec_new(&office) == E_OK && crypto_ec_new(&other) == E_OK);
	REQUIRE(hpke_sender(&a, enc, &office.pub, BYTES_LIT("info")) == E_OK);
	REQUIRE(hpke_recipient(&b, enc, &office, BYTES_LIT("info")) == E_OK);
	hpke_export(&a, BYTES_LIT("one"), x, 32);
	hpke_export(&b, BYTES_LIT("one"), y, 32);
	CHECK(memcmp(x, y, 32) == 0);
	hpke_export(&b, BYTES_LIT("two"), y, 32);
	CHECK(memcmp(x, y, 32) != 0);
	REQUIRE(hpke_seal(&a, BYTES_LIT("ad"), BYTES_LIT("text"), sealed) == E_OK);
	CHECK(hpke_open(&b, BYTES_LIT("da"), BYTES(sealed, 20), plain) == E_SEAL);
	CHECK(hpke_open(&b, BYTES_LIT("ad"), BYTES(sealed, 19), plain) == E_SEAL);
	CHECK(hpke_open(&b, BYTES_LIT("ad"), BYTES(sealed, 20), plain) == E_OK);
	CHECK(memcmp(plain, "text", 4) == 0);

	REQUIRE(hpke_recipient(&b, enc, &other, BYTES_LIT("info")) == E_OK); /* not its key */
	hpke_export(&b, BYTES_LIT("one"), y, 32);
	CHECK(memcmp(x, y, 32) != 0);
	CHECK(hpke_open(&b, BYTES_LIT("ad"), BYTES(sealed, 20), plain) == E_SEAL);
	REQUIRE(hpke_recipient(&b, enc, &office, BYTES_LIT("ofni")) == E_OK); /* not its info */
	CHECK(hpke_open(&b, BYTES_LIT("ad"), BYTES(sealed, 20), plain) == E_SEAL);
	a.sequence = UINT64_MAX;
	CHECK(hpke_seal(&a, BYTES_NONE, BYTES_NONE, sealed) == E_LIMIT);
	CHECK(hpke_open(&a, BYTES_NONE, BYTES(sealed, 16), plain) == E_LIMIT);
}

static void
bad_points_are_refused(void)
{
	static const struct hpke none;
	struct ec_key key;
	struct ec_public bad;
	struct hpke h;
	uint8_t enc[EC_PUBLIC_BYTES];

	REQUIRE(crypto_ec_new(&key) == E_OK);
	bad = key.pub;
	bad.b[40] ^= 1;
	memset(&h, 1, sizeof(h));
	CHECK(hpke_sender(&h, enc, &bad, BYTES_NONE) == E_KEY);
	CHECK(memcmp(&h, &none, sizeof(h)) == 0);
	memset(&h, 1, sizeof(h));
	CHECK(hpke_recipient(&h, bad.b, &key, BYTES_NONE) == E_KEY);
	CHECK(memcmp(&h, &none, sizeof(h)) == 0);
}

static enum err
seal_and_open(const struct ec_key *office)
{
	struct hpke a, b;
	uint8_t enc[EC_PUBLIC_BYTES], sealed[20], plain[4];
	enum err e;

	if ((e = hpke_sender(&a, enc, &office->pub, BYTES_NONE)) != E_OK ||
	    (e = hpke_recipient(&b, enc, office, BYTES_NONE)) != E_OK ||
	    (e = hpke_seal(&a, BYTES_NONE, BYTES_LIT("text"), sealed)) != E_OK)
		return e;
	return hpke_open(&b, BYTES_NONE, BYTES(sealed, sizeof(sealed)), plain);
}

static void
every_call_fails_once(void)
{
	struct ec_key office;
	unsigned n = 0;

	REQUIRE(crypto_ec_new(&office) == E_OK);
	do {
		fault_arm(n++);
		CHECK(seal_and_open(&office) == (fault_fired() ? E_CRYPTO : E_OK));
	} while (fault_fired());
	fault_disarm();
	CHECK(n > 5);
}

CHECK_MAIN(T(vectors), T(vectors_beside_the_repository), T(two_sides_agree),
	   T(bad_points_are_refused), T(every_call_fails_once))
