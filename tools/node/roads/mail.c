/* Letters written and sealed. */
#include "tools/node/roads/mail.h"

#include <stdlib.h>

#include "core/pack.h"
#include "tools/node/carry/accept.h"
#include "tools/node/outbox/receipts.h"

#define MAIL_VERSION 1u
#define HINTS_MAX 1024u              /* answers that a device waits for */
#define HINT_SECONDS (400u * 86400u) /* a relay keeps nothing so long */

void
mail_init(struct mail *m, struct peer *p)
{
	memset(m, 0, sizeof(*m));
	m->peer = p;
	m->wished = MAIL_BYTES_WISHED;
	writer_heap_init(&m->body, ENVELOPE_BODY_BYTES_MAX);
	writer_heap_init(&m->envelopes, BUNDLE_BYTES_MAX);
}

void
mail_to_office(struct mail *m)
{
	m->to = (struct envelope_to){.key_no = m->peer->home.key_no};
	memcpy(m->to.area, m->peer->home.area, sizeof(m->to.area));
	m->key = m->peer->home.seal.pub;
}

void
mail_to(struct mail *m, const struct enrolment *n)
{
	m->to = (struct envelope_to){.to_principal = true, .principal = n->id};
	m->key = n->seal_pub;
}

enum err
mail_seal(struct mail *m, const struct envelope_hint *hint)
{
	struct envelope_hint *more;
	size_t before = m->envelopes.n;
	enum err e;

	if (m->body.n == 0 || (m->head.n > 0 && m->body.n == 1 + m->head.n && m->count > 0))
		return E_OK; /* nothing but what an envelope before said already */
	if ((more = realloc(m->answers, (m->count + 1) * sizeof(*more))) == NULL)
		return E_NO_MEMORY;
	m->answers = more;
	writer_be32(&m->envelopes, 0);
	if ((e = writer_end(&m->envelopes)) != E_OK ||
	    (e = envelope_seal(&m->peer->programme.id, &m->to, &m->key, hint, writer_view(&m->body),
			       &m->envelopes, &m->answers[m->count])) != E_OK)
		return e;
	be32_put(m->envelopes.p + before, (uint32_t)(m->envelopes.n - before - 4));
	m->bytes += m->envelopes.n - before - 4;
	m->count++;
	writer_reset(&m->body);
	return E_OK;
}

enum err
mail_letter(struct mail *m, struct bytes letter)
{
	enum err e;

	if (m->body.n > 1 + m->head.n && m->body.n + letter.n > m->wished &&
	    (e = mail_seal(m, NULL)) != E_OK)
		return e;
	if (m->body.n == 0) {
		pack_u64(&m->body, MAIL_VERSION);
		writer_bytes(&m->body, m->head);
	}
	writer_bytes(&m->body, letter);
	return writer_end(&m->body);
}

enum err
mail_bundle(const struct mail *m, struct writer *out)
{
	struct bundle_writer b;
	size_t at;
	enum err e = bundle_begin(&b, out, m->count, m->bytes);

	for (at = 0; e == E_OK && at < m->envelopes.n; at += 4 + be32_get(m->envelopes.p + at))
		e = bundle_add(&b, BYTES(m->envelopes.p + at + 4, be32_get(m->envelopes.p + at)));
	return e;
}

void
mail_free(struct mail *m)
{
	writer_free(&m->body);
	writer_free(&m->envelopes);
	free(m->answers);
}

/* ---- letters ---- */

enum err
letter_carried(struct store_txn *txn, const struct programme_id *programme, const struct arrival *a,
	       struct writer *out)
{
	struct writer carried;
	enum err e;

	writer_heap_init(&carried, CARRIED_BYTES_MAX);
	if ((e = accept_carried(txn, programme, a, &carried)) == E_OK) {
		pack_array(out, 2);
		pack_u64(out, 1);
		pack_bin(out, writer_view(&carried));
		e = writer_end(out);
	}
	writer_free(&carried);
	return e;
}

enum err
letter_receipt(struct peer *p, struct store_txn *txn, const struct principal_id *to,
	       struct writer *out)
{
	uint8_t memory[RECEIPT_BYTES_MAX];
	struct writer receipt;
	enum err e;

	writer_init(&receipt, memory, sizeof(memory));
	if ((e = receipts_give(p, txn, to, &receipt)) != E_OK)
		return e;
	pack_array(out, 2);
	pack_u64(out, 2);
	pack_bin(out, writer_view(&receipt));
	return writer_end(out);
}

enum err
letter_down(unsigned log, uint64_t epoch, struct bytes parcel, struct writer *out)
{
	pack_array(out, 4);
	pack_u64(out, 3);
	pack_u64(out, log);
	pack_u64(out, epoch);
	pack_bin(out, parcel);
	return writer_end(out);
}

/* ---- answers that are waited for ---- */

#define HINT_KEY_BYTES (5u + ENVELOPE_HINT_BYTES)

static void
hint_key(const struct envelope_hint *hint, uint8_t key[HINT_KEY_BYTES])
{
	memcpy(key, "hint ", 5);
	memcpy(key + 5, hint->b, ENVELOPE_HINT_BYTES);
}

/* Those that are too old, and all when they are too many: a receipt is known by its signature too.
 */
static enum err
forget_hints(struct store_txn *txn, size_t more, uint32_t now_s)
{
	uint8_t(*keys)[HINT_KEY_BYTES] = malloc(HINTS_MAX * sizeof(*keys));
	struct store_cursor *c;
	struct bytes key, value;
	size_t count = 0, all = 0, i;
	enum err e;

	if (keys == NULL)
		return E_NO_MEMORY;
	if ((e = store_walk_prefix(txn, STORE_CURSOR, BYTES_LIT("hint "), STORE_FORWARD, &c)) !=
	    E_OK)
		goto done;
	while (store_next(c, &key, &value)) {
		all++;
		if (key.n == HINT_KEY_BYTES && value.n == 8 && count < HINTS_MAX &&
		    (all + more > HINTS_MAX || be64_get(value.p) + HINT_SECONDS < now_s))
			memcpy(keys[count++], key.p, HINT_KEY_BYTES);
	}
	e = store_walk_end(c);
	for (i = 0; i < count && e == E_OK; i++)
		e = store_del(txn, STORE_CURSOR, BYTES(keys[i], HINT_KEY_BYTES));
done:
	free(keys);
	return e;
}

enum err
mail_await(struct store_txn *txn, const struct envelope_hint *hints, size_t count, uint32_t now_s)
{
	struct store_seq value = store_seq_of(now_s);
	uint8_t key[HINT_KEY_BYTES];
	size_t i;
	enum err e;

	if (count > HINTS_MAX)
		count = HINTS_MAX;
	e = forget_hints(txn, count, now_s);
	for (i = 0; i < count && e == E_OK; i++) {
		hint_key(&hints[i], key);
		e = store_put(txn, STORE_CURSOR, BYTES(key, sizeof(key)), BYTES(value.b, 8));
	}
	return e;
}

bool
mail_awaits(struct store_txn *txn, const struct envelope_hint *hint)
{
	uint8_t key[HINT_KEY_BYTES];

	hint_key(hint, key);
	return store_has(txn, STORE_CURSOR, BYTES(key, sizeof(key)));
}

enum err
mail_came(struct store_txn *txn, const struct envelope_hint *hint)
{
	uint8_t key[HINT_KEY_BYTES];
	enum err e;

	hint_key(hint, key);
	e = store_del(txn, STORE_CURSOR, BYTES(key, sizeof(key)));
	return e == E_ABSENT ? E_OK : e;
}
