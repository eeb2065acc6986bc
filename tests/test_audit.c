#include "core/store/audit.h"

#include "core/crypto/crypto.h"
#include "tests/store_fixture.h"

static const struct principal_id actor = {"sixteen bytes!!"};

struct line {
	const char *verb, *object, *detail;
};

static enum err
append_job(struct store_txn *txn, void *arg)
{
	const struct line *l = arg;

	return audit_append(txn, 1700000000, &actor, l->verb, l->object, l->detail);
}

static enum err
append(struct store *s, const char *verb, const char *object, const char *detail)
{
	struct line l = {verb, object, detail};

	return store_write(s, append_job, &l);
}

static enum err
check_entry(const struct audit_entry *e, void *arg)
{
	uint64_t *next = arg;

	CHECK(e->n == *next && e->time_s == 1700000000 && ID_EQUAL(&e->actor, &actor));
	if (e->n == 2)
		CHECK(bytes_equal(e->verb, BYTES_LIT("revoke")) &&
		      bytes_equal(e->object, BYTES_LIT("village 12")) && e->detail.n == 0);
	(*next)++;
	return e->n == 4 ? E_INTERRUPTED : E_OK;
}

static void
appended_read_verified(void)
{
	struct fixture f;
	struct store_txn *txn;
	uint64_t n, next = 1;
	uint8_t hash[HASH_BYTES], want[SHA256_BYTES], zeros[HASH_BYTES] = {0};
	/* entry 1 as it must be written: a golden vector of the format */
	static const uint8_t entry[] = "\x96\x01\xce\x65\x53\xf1\x00\xc4\x10sixteen bytes!!\0"
				       "\xa5"
				       "enrol"
				       "\xa4"
				       "sokh"
				       "\xa6"
				       "member";
	struct bytes parts[] = {BYTES_LIT("banyan audit 1"), BYTES(zeros, HASH_BYTES),
				BYTES_LIT(entry)};

	fixture_init(&f);
	REQUIRE(store_read_begin(f.s, &txn) == E_OK);
	CHECK(audit_head(txn, &n, hash) == E_OK && n == 0 && memcmp(hash, zeros, HASH_BYTES) == 0);
	CHECK(audit_verify(txn, &n, NULL) == E_OK && n == 0);
	store_read_end(txn);
	CHECK(append(f.s, "enrol", "sokh", "member") == E_OK);
	REQUIRE(store_read_begin(f.s, &txn) == E_OK);
	crypto_sha256_parts(want, parts, 3);
	CHECK(audit_head(txn, &n, hash) == E_OK && n == 1 && memcmp(hash, want, HASH_BYTES) == 0);
	store_read_end(txn);
	CHECK(append(f.s, "revoke", "village 12", NULL) == E_OK);
	CHECK(append(f.s, "x", "not \xff utf-8", "") == E_PACK_TYPE);
	CHECK(append(f.s, "x", "y", "z") == E_OK);
	CHECK(append(f.s, "x", "y", "z") == E_OK);
	CHECK(append(f.s, "x", "y", "z") == E_OK);
	REQUIRE(store_read_begin(f.s, &txn) == E_OK);
	CHECK(audit_iterate(txn, 1, check_entry, &next) == E_INTERRUPTED && next == 5);
	next = 5;
	CHECK(audit_iterate(txn, 5, check_entry, &next) == E_OK && next == 6);
	CHECK(audit_verify(txn, &n, NULL) == E_OK && n == 5);
	store_read_end(txn);
	fixture_fini(&f);
}

static enum err
keep_text(const struct audit_entry *e, void *arg)
{
	*(size_t *)arg = e->detail.n;
	return E_OK;
}

static void
long_texts_are_cut_at_a_character(void)
{
	struct fixture f;
	struct store_txn *txn;
	char text[2 * AUDIT_TEXT_BYTES_MAX + 1] = "x";
	size_t i, n = 0;

	fixture_init(&f);
	for (i = 1; i + 2 < sizeof(text); i += 3)
		memcpy(text + i, "\xe0\xb8\x81", 3); /* a Thai letter */
	text[i] = '\0';
	CHECK(append(f.s, "note", "", text) == E_OK);
	REQUIRE(store_read_begin(f.s, &txn) == E_OK);
	CHECK(audit_iterate(txn, 1, keep_text, &n) == E_OK && n == 1 + 341 * 3);
	store_read_end(txn);
	fixture_fini(&f);
}

struct meddle {
	uint64_t n;
	int how;
};

/* Somebody who has the store's key changes an entry, takes one out, or swaps two. */
static enum err
meddle_job(struct store_txn *txn, void *arg)
{
	const struct meddle *m = arg;
	struct store_seq k = store_seq_of(m->n), k2 = store_seq_of(m->n + 1);
	struct bytes v, v2;
	uint8_t copy[256];
	enum err e;

	if ((e = store_get(txn, STORE_AUDIT, BYTES(k.b, 8), &v)) != E_OK)
		return e;
	if (m->how == 'd')
		return store_del(txn, STORE_AUDIT, BYTES(k.b, 8));
	if (m->how == 's') {
		if ((e = store_get(txn, STORE_AUDIT, BYTES(k2.b, 8), &v2)) != E_OK)
			return e;
		e = store_put(txn, STORE_AUDIT, BYTES(k.b, 8), v2);
		return e != E_OK ? e : store_put(txn, STORE_AUDIT, BYTES(k2.b, 8), v);
	}
	memcpy(copy, v.p, v.n);
	copy[m->how == 'h' ? 0 : v.n - 1] ^= 1;
	return store_put(txn, STORE_AUDIT, BYTES(k.b, 8), BYTES(copy, v.n));
}

static void
meddling_is_found(void)
{
	static const struct meddle rows[] = {{3, 'c'}, {3, 'h'}, {3, 'd'}, {3, 's'},
					     {1, 'c'}, {1, 'd'}, {5, 'h'}};
	size_t i, j;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		struct meddle m = rows[i];
		struct store_txn *txn;
		struct why why = {0};
		char want[8];
		uint64_t n;

		fixture_init(&f);
		for (j = 0; j < 5; j++)
			CHECK(append(f.s, "read", "record", "x") == E_OK);
		CHECK(store_write(f.s, meddle_job, &m) == E_OK);
		REQUIRE(store_read_begin(f.s, &txn) == E_OK);
		CHECK(audit_verify(txn, &n, &why) == E_AUDIT);
		snprintf(want, sizeof(want), "%u", (unsigned)m.n);
		CHECK_STR(why.thing, want);
		CHECK(n == m.n - 1);
		store_read_end(txn);
		fixture_fini(&f);
	}
}

CHECK_MAIN(T(appended_read_verified), T(long_texts_are_cut_at_a_character), T(meddling_is_found))
