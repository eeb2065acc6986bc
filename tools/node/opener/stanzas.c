#include "tools/node/opener/stanzas.h"

#include <stdio.h>

#include "tools/node/enrol/office_keys.h"
#include "tools/node/opener/opener.h"

#define WAIT_PREFIX "wait"

struct stanza_key {
	uint8_t b[HASH_BYTES + STORE_NAME_BYTES];
};

static struct stanza_key
key_of(struct peer *p, const uint8_t leaf[HASH_BYTES], const char *area)
{
	struct stanza_key k;

	memcpy(k.b, leaf, HASH_BYTES);
	store_key_name(p->store, STORE_STANZA, bytes_of_str(area), k.b + HASH_BYTES);
	return k;
}

enum err
stanzas_get(struct peer *p, struct store_txn *txn, const uint8_t leaf[HASH_BYTES], const char *area,
	    struct stanza *out)
{
	struct stanza_key k = key_of(p, leaf, area);
	struct bytes value;
	enum err e = store_get(txn, STORE_STANZA, BYTES(k.b, sizeof(k.b)), &value);

	return e != E_OK ? e : stanza_decode(value, out, NULL);
}

enum err
stanzas_put(struct peer *p, struct store_txn *txn, const uint8_t leaf[HASH_BYTES],
	    const struct stanza *s)
{
	struct stanza_key k = key_of(p, leaf, s->area);
	uint8_t memory[256];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	if ((e = stanza_encode(s, &w)) != E_OK)
		return e;
	return store_put(txn, STORE_STANZA, BYTES(k.b, sizeof(k.b)), writer_view(&w));
}

static void
wait_key(uint8_t key[4 + HASH_BYTES], const uint8_t leaf[HASH_BYTES])
{
	memcpy(key, WAIT_PREFIX, 4);
	memcpy(key + 4, leaf, HASH_BYTES);
}

enum err
stanzas_wait(struct store_txn *txn, const uint8_t leaf[HASH_BYTES], uint64_t seq)
{
	struct store_seq value = store_seq_of(seq);
	uint8_t key[4 + HASH_BYTES];

	wait_key(key, leaf);
	return store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(value.b, 8));
}

uint64_t
stanzas_waiting(struct store_txn *txn)
{
	struct store_cursor *c;
	struct bytes key;
	uint64_t n = 0;

	if (store_walk_prefix(txn, STORE_CURSOR, BYTES_LIT(WAIT_PREFIX), STORE_FORWARD, &c) != E_OK)
		return 0;
	while (store_next(c, &key, NULL))
		n += key.n == 4 + HASH_BYTES;
	return store_walk_end(c) == E_OK ? n : 0;
}

enum err
stanzas_take(struct peer *p, struct store_txn *txn, const uint8_t leaf[HASH_BYTES],
	     struct bytes bytes, struct why *why)
{
	uint8_t key[4 + HASH_BYTES], pass[4 + HASH_BYTES];
	struct arrival a;
	struct stanza s;
	struct bytes value;
	enum err e;

	if ((e = stanza_decode(bytes, &s, why)) != E_OK)
		return e;
	if (s.to_principal)
		return why_set(why, E_PARCEL, "a stanza for no office");
	if ((e = stanzas_put(p, txn, leaf, &s)) != E_OK || strcmp(s.area, p->home.area) != 0)
		return e;
	wait_key(key, leaf);
	if ((e = store_get(txn, STORE_CURSOR, BYTES(key, sizeof(key)), &value)) != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (value.n != 8)
		return E_STORE_DAMAGED;
	memcpy(pass, "pass", 4); /* it waits above as well, perhaps: carry_say.c */
	memcpy(pass + 4, leaf, HASH_BYTES);
	if ((e = arrival_get(txn, be64_get(value.p), &a)) != E_OK ||
	    (p->above.known && (e = store_put(txn, STORE_CURSOR, BYTES(pass, sizeof(pass)),
					      BYTES_LIT("1"))) != E_OK) ||
	    (e = store_del(txn, STORE_CURSOR, BYTES(key, sizeof(key)))) != E_OK)
		return e;
	return opener_note(txn, &a, true);
}

enum err
stanzas_own_key(struct peer *p, struct store_txn *txn, const uint8_t leaf[HASH_BYTES],
		uint8_t key[AEAD_KEY_BYTES])
{
	const struct ec_key *own;
	struct stanza s;
	enum err e = stanzas_get(p, txn, leaf, p->home.area, &s);

	if (e != E_OK)
		return e;
	return (own = office_key_at(p, s.key_no)) == NULL
		   ? E_ABSENT
		   : stanza_unwrap(&s, &p->programme.id, leaf, SLICE_ANALYTIC, own, key);
}

enum err
stanzas_key(struct peer *p, struct store_txn *txn, const struct principal_id *author,
	    const struct parcel_item *item, uint8_t key[AEAD_KEY_BYTES])
{
	uint8_t wait[4 + HASH_BYTES];
	const struct ec_key *own;
	struct run run;
	enum err e;

	if (!p->home.has_secret)
		return E_ABSENT;
	if ((e = stanzas_own_key(p, txn, item->leaf, key)) != E_ABSENT)
		return e;
	/* another office's key may have the number of one of this office's: what waits is not its
	 */
	wait_key(wait, item->leaf);
	if (store_has(txn, STORE_CURSOR, BYTES(wait, sizeof(wait))) || item->to.to_principal ||
	    (own = office_key_at(p, item->to.key_no)) == NULL)
		return E_ABSENT;
	if ((e = run_open(&run, &p->programme.id, author, item->epoch, &item->to, item->enc,
			  own)) != E_OK)
		return e;
	slice_key(&run, SLICE_ANALYTIC, item->index, key);
	run_wipe(&run);
	return E_OK;
}

enum err
stanzas_make(struct peer *p, const uint8_t leaf[HASH_BYTES], const uint8_t key[AEAD_KEY_BYTES],
	     const struct office_at *to, struct stanza *out)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->area, sizeof(out->area), "%s", to->area);
	out->key_no = to->key_no;
	return stanza_wrap(out, &p->programme.id, leaf, SLICE_ANALYTIC, key, &to->seal);
}
