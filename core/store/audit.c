#include "core/store/audit.h"

#include "core/crypto/crypto.h"
#include "core/pack.h"

#define ENTRY_BYTES_MAX (3u * (AUDIT_TEXT_BYTES_MAX + 3u) + 64u)

static void
chain(uint8_t hash[HASH_BYTES], struct bytes entry)
{
	struct bytes parts[] = {BYTES_LIT("banyan audit 1"), BYTES(hash, HASH_BYTES), entry};
	uint8_t next[SHA256_BYTES];

	crypto_sha256_parts(next, parts, 3);
	memcpy(hash, next, HASH_BYTES);
}

/* Cut at a character: what begins with 10xxxxxx continues the one before. */
static struct bytes
text_cut(const char *s)
{
	struct bytes b = bytes_of_str(s == NULL ? "" : s);

	if (b.n > AUDIT_TEXT_BYTES_MAX) {
		b.n = AUDIT_TEXT_BYTES_MAX;
		while (b.n > 0 && (b.p[b.n] & 0xc0) == 0x80)
			b.n--;
	}
	return b;
}

enum err
audit_head(struct store_txn *txn, uint64_t *n, uint8_t hash[HASH_BYTES])
{
	struct store_seq key;
	struct bytes v;
	enum err e;

	memset(hash, 0, HASH_BYTES);
	if ((e = store_last_seq(txn, STORE_AUDIT, n)) != E_OK || *n == 0)
		return e;
	key = store_seq_of(*n);
	if ((e = store_get(txn, STORE_AUDIT, BYTES(key.b, 8), &v)) != E_OK)
		return e;
	if (v.n < HASH_BYTES)
		return E_STORE_DAMAGED;
	memcpy(hash, v.p, HASH_BYTES);
	return E_OK;
}

static enum err
entry_decode(struct bytes v, struct audit_entry *out)
{
	struct reader r;

	if (v.n < HASH_BYTES)
		return E_STORE_DAMAGED;
	memcpy(out->hash, v.p, HASH_BYTES);
	reader_init(&r, BYTES(v.p + HASH_BYTES, v.n - HASH_BYTES));
	reader_array_of(&r, 6);
	out->n = reader_u64(&r);
	out->time_s = reader_u64(&r);
	reader_bin_fixed(&r, out->actor.b, ID_BYTES);
	out->verb = reader_str(&r);
	out->object = reader_str(&r);
	out->detail = reader_str(&r);
	return reader_end(&r) == E_OK ? E_OK : E_STORE_DAMAGED;
}

enum err
audit_append(struct store_txn *txn, uint64_t time_s, const struct principal_id *actor,
	     const char *verb, const char *object, const char *detail)
{
	uint8_t memory[HASH_BYTES + ENTRY_BYTES_MAX], hash[HASH_BYTES];
	struct bytes texts[3] = {text_cut(verb), text_cut(object), text_cut(detail)};
	struct store_seq key;
	struct audit_entry check;
	struct writer w;
	uint64_t n;
	size_t i;
	enum err e;

	if ((e = audit_head(txn, &n, hash)) != E_OK)
		return e;
	writer_init(&w, memory, sizeof(memory));
	writer_mem(&w, hash, sizeof(hash)); /* room: the new hash goes there */
	pack_array(&w, 6);
	pack_u64(&w, n + 1);
	pack_u64(&w, time_s);
	pack_bin(&w, BYTES(actor->b, ID_BYTES));
	for (i = 0; i < 3; i++)
		pack_str(&w, texts[i]);
	if ((e = writer_end(&w)) != E_OK)
		return e;
	if (entry_decode(writer_view(&w), &check) != E_OK)
		return E_PACK_TYPE; /* not UTF-8 */
	chain(hash, BYTES(memory + HASH_BYTES, w.n - HASH_BYTES));
	memcpy(memory, hash, HASH_BYTES);
	key = store_seq_of(n + 1);
	return store_put(txn, STORE_AUDIT, BYTES(key.b, 8), writer_view(&w));
}

enum err
audit_iterate(struct store_txn *txn, uint64_t from, audit_fn *f, void *arg)
{
	struct store_seq first = store_seq_of(from);
	struct store_cursor *c;
	struct audit_entry entry;
	struct bytes key, v;
	enum err e, ended;

	if ((e = store_walk(txn, STORE_AUDIT, BYTES(first.b, 8), STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &v))
		if ((e = entry_decode(v, &entry)) == E_OK)
			e = f(&entry, arg);
	ended = store_walk_end(c);
	return e != E_OK ? e : ended;
}

enum err
audit_verify(struct store_txn *txn, uint64_t *count, struct why *why)
{
	uint8_t hash[HASH_BYTES] = {0};
	struct store_cursor *c;
	struct audit_entry entry;
	struct bytes key, v;
	bool holds = true;
	enum err e;

	*count = 0;
	if ((e = store_walk(txn, STORE_AUDIT, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return why_set(why, e, "the audit log");
	while (holds && store_next(c, &key, &v)) {
		holds = key.n == 8 && be64_get(key.p) == *count + 1 &&
			entry_decode(v, &entry) == E_OK && entry.n == *count + 1;
		if (holds) {
			chain(hash, BYTES(v.p + HASH_BYTES, v.n - HASH_BYTES));
			holds = memcmp(hash, entry.hash, HASH_BYTES) == 0;
		}
		*count += holds;
	}
	e = store_walk_end(c);
	if (!holds || e == E_STORE_DAMAGED)
		return why_set(why, E_AUDIT, "%llu", (unsigned long long)*count + 1);
	return e == E_OK ? E_OK : why_set(why, e, "the audit log");
}
