#include "tools/node/roads/satchel.h"

#include "core/pack.h"
#include "core/letters/receipt.h"

#define KEY_BYTES 16u
#define DAY_S 86400u

/* ---- a relay's rows ---- */

static void
row_key(uint8_t key[KEY_BYTES], enum satchel_way way, struct bytes envelope)
{
	uint8_t hash[SHA256_BYTES];

	crypto_sha256(hash, envelope);
	key[0] = (uint8_t)way;
	memcpy(key + 1, hash, KEY_BYTES - 1);
}

static enum err
row_read(struct bytes value, uint64_t *time_s, struct bytes *envelope)
{
	struct reader r;

	reader_begin(&r, value, 1, 3);
	*time_s = reader_u64(&r);
	*envelope = reader_bin(&r);
	return reader_end(&r);
}

enum err
satchel_used(struct store_txn *txn, uint64_t *out)
{
	return store_meta_u64(txn, "satchel bytes", 0, out);
}

enum err
satchel_room(struct store_txn *txn, const struct satchel_limits *limits, uint64_t *out)
{
	uint64_t used;
	enum err e = satchel_used(txn, &used);

	*out = e == E_OK && used < limits->bytes_max ? (limits->bytes_max - used) / 2 : 0;
	return e;
}

enum err
satchel_put(struct store_txn *txn, enum satchel_way way, struct bytes envelope, uint32_t now_s, uint64_t room)
{
	uint8_t key[KEY_BYTES];
	struct envelope_hint hint;
	struct writer w;
	uint64_t used;
	enum err e;

	row_key(key, way, envelope);
	if (store_has(txn, STORE_SATCHEL, BYTES(key, sizeof(key))))
		return E_OK;
	if ((e = envelope_peek(envelope, &hint)) != E_OK || (e = satchel_used(txn, &used)) != E_OK)
		return e;
	if (envelope.n > room || store_count(txn, STORE_SATCHEL) >= SATCHEL_ROWS_MAX)
		return E_RELAY_FULL;
	writer_heap_init(&w, ENVELOPE_BYTES_MAX + 64);
	pack_array(&w, 3);
	pack_u64(&w, 1);
	pack_u64(&w, now_s);
	pack_bin(&w, envelope);
	if ((e = writer_end(&w)) == E_OK &&
	    (e = store_put(txn, STORE_SATCHEL, BYTES(key, sizeof(key)), writer_view(&w))) == E_OK)
		e = store_meta_put_u64(txn, "satchel bytes", used + envelope.n);
	writer_free(&w);
	return e;
}

static enum err
del_key(struct store_txn *txn, const uint8_t key[KEY_BYTES], size_t bytes)
{
	uint64_t used;
	enum err e = store_del(txn, STORE_SATCHEL, BYTES(key, KEY_BYTES));

	if (e != E_OK || (e = satchel_used(txn, &used)) != E_OK)
		return e == E_ABSENT ? E_OK : e;
	return store_meta_put_u64(txn, "satchel bytes", used > bytes ? used - bytes : 0);
}

enum err
satchel_del(struct store_txn *txn, enum satchel_way way, struct bytes envelope)
{
	uint8_t key[KEY_BYTES];

	row_key(key, way, envelope);
	return del_key(txn, key, envelope.n);
}

/* A few at a time: rows are not deleted under a walk. */
enum err
satchel_expire(struct store_txn *txn, const struct satchel_limits *limits, uint32_t now_s)
{
	uint8_t keys[256][KEY_BYTES];
	size_t bytes[256], count = 0, i;
	struct store_cursor *c;
	struct bytes key, value, envelope;
	uint64_t time_s;
	enum err e = store_walk(txn, STORE_SATCHEL, BYTES_NONE, STORE_FORWARD, &c);

	if (e != E_OK)
		return e;
	while (count < 256 && store_next(c, &key, &value))
		if (key.n == KEY_BYTES && row_read(value, &time_s, &envelope) == E_OK &&
		    time_s + (uint64_t)limits->days_max * DAY_S < now_s) {
			memcpy(keys[count], key.p, KEY_BYTES);
			bytes[count++] = envelope.n;
		}
	e = store_walk_end(c);
	for (i = 0; i < count && e == E_OK; i++)
		e = del_key(txn, keys[i], bytes[i]);
	return e;
}

enum err
satchel_walk(struct store_txn *txn, enum satchel_way way, satchel_fn *f, void *arg)
{
	uint8_t first = (uint8_t)way;
	struct store_cursor *c;
	struct bytes key, value, envelope;
	uint64_t time_s;
	enum err e = store_walk_prefix(txn, STORE_SATCHEL, BYTES(&first, 1), STORE_FORWARD, &c), ended;

	if (e != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value))
		if ((e = row_read(value, &time_s, &envelope)) == E_OK)
			e = f(arg, envelope);
	ended = store_walk_end(c);
	return e != E_OK ? e : ended;
}

/* ---- a node's answer ---- */

static enum err
answer_one(struct mail *m, const struct mail_answer *a)
{
	struct store_txn *txn;
	struct writer receipt;
	struct member member;
	enum err e = store_read_begin(m->peer->store, &txn);

	if (e != E_OK)
		return e;
	writer_heap_init(&receipt, RECEIPT_BYTES_MAX + 64);
	if ((e = member_get(txn, &a->author, &member)) == E_OK && member.state == MEMBER_APPROVED &&
	    (e = letter_receipt(m->peer, txn, &a->author, &receipt)) == E_OK) {
		mail_to(m, &member.enrolment);
		if ((e = mail_letter(m, writer_view(&receipt))) == E_OK)
			e = mail_seal(m, &a->hint);
	}
	writer_free(&receipt);
	store_read_end(txn);
	return e == E_ABSENT ? E_OK : e;
}

enum err
satchel_take(struct peer *p, struct bytes in, const struct principal_id *via, struct writer *answer, struct why *why)
{
	struct bundle b;
	struct bytes envelope;
	struct mail m;
	size_t at = 0;
	enum err e;

	if ((e = bundle_read(in, &b, why)) != E_OK)
		return e;
	if (b.whole < b.count)
		return why_set(why, E_BUNDLE, "it is not whole");
	mail_init(&m, p);
	writer_be32(answer, b.count);
	while (e == E_OK && bundle_next(&b, &at, &envelope)) {
		struct mail_taken taken = {0};
		struct mail_answer a;

		if ((e = mail_take(p, envelope, via, &taken, &a, why)) == E_OK && a.wanted)
			e = answer_one(&m, &a);
		writer_u8(answer, taken.others > 0 ? SATCHEL_OTHERS : a.wanted ? SATCHEL_TAKEN : SATCHEL_REFUSED);
	}
	if (e == E_OK && (e = mail_bundle(&m, answer)) == E_OK)
		e = writer_end(answer);
	mail_free(&m);
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", p->path);
}
