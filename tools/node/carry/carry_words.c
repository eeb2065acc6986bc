/* What a node says beside a parcel: offices and revocations in their place, and keys for the
 * offices above. */
#include "core/pack.h"
#include "tools/node/carry/accept.h"
#include "tools/node/carry/carry_inside.h"
#include "tools/node/down/down.h"
#include "tools/node/opener/stanzas.h"

#define WORD_BYTES_MAX 8192u /* of a control parcel that can hold a statement */

/* An office or a revocation, after the enrolment of who signed it. */
static enum err
say_word(struct carry *c, struct store_txn *txn, enum statement kind, struct bytes statement)
{
	struct revocation r;
	struct office office;
	enum err e;

	if (kind == STATEMENT_OFFICE)
		e = office_decode(statement, &c->peer->programme.id, &office, NULL);
	else
		e = revocation_decode(statement, &c->peer->programme.id, &r, NULL);
	if (e != E_OK)
		return E_OK;
	e = carry_say_author(c, txn, kind == STATEMENT_OFFICE ? &office.issuer : &r.issuer);
	return e != E_OK ? e : carry_things_add(&c->say, MESSAGE_STATEMENT, kind, NULL, statement);
}

/* Offices and revocations that this node said, in their place. */
enum err
carry_say_words(struct carry *c, struct store_txn *txn, const struct arrival *a)
{
	struct parcel_context context = {.programme = c->peer->programme.id, .log = a->log};
	struct parcel parcel;
	struct arena arena;
	enum err e = E_OK;
	size_t i;

	if (a->parcel.n > WORD_BYTES_MAX)
		return E_OK;
	arena_init(&arena, 1u << 20);
	if (parcel_read(&parcel, a->parcel, &context, &arena, NULL) != E_OK)
		parcel.item_count = 0;
	for (i = 0; i < parcel.item_count && e == E_OK; i++) {
		struct writer body;
		struct reader r;
		struct bytes statement;
		uint64_t kind;

		if (parcel.items[i].enc != NULL || !parcel.items[i].analytic.present)
			continue;
		writer_heap_init(&body, 64u << 10);
		if (control_unpack(parcel.items[i].analytic.ciphertext, &body) == E_OK) {
			reader_init(&r, writer_view(&body));
			reader_array_of(&r, 2);
			kind = reader_u64(&r);
			statement = reader_bin(&r);
			if (reader_end(&r) == E_OK &&
			    (kind == DOWN_OFFICE || kind == DOWN_REVOCATION))
				e = say_word(c, txn,
					     kind == DOWN_OFFICE ? STATEMENT_OFFICE
								 : STATEMENT_REVOCATION,
					     statement);
		}
		writer_free(&body);
	}
	arena_free(&arena);
	return e;
}

enum err
carry_say_stanza(struct carry *c, const uint8_t leaf[HASH_BYTES], const struct stanza *s)
{
	uint8_t memory[256];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	if ((e = stanza_encode(s, &w)) != E_OK)
		return e;
	return carry_things_add(&c->say, MESSAGE_STANZA, 0, leaf, writer_view(&w));
}

/* For each office above, the key of an item's analytic slice: as it came from below, or made here.
 */
static enum err
say_item_stanzas(struct carry *c, struct store_txn *txn, const struct arrival *a,
		 const struct parcel_item *item)
{
	uint8_t key[AEAD_KEY_BYTES];
	bool has_key = false;
	struct stanza s;
	enum err e = E_OK;
	size_t i;

	if (item->enc == NULL || item->to.to_principal || !item->analytic.present)
		return E_OK;
	for (i = 0; i < c->above_count && e == E_OK; i++) {
		e = stanzas_get(c->peer, txn, item->leaf, c->above[i].area, &s);
		if (e == E_ABSENT && c->other.road == CARRY_TWIN)
			return E_OK;
		if (e == E_ABSENT && !has_key) {
			if ((e = stanzas_key(c->peer, txn, &a->log.author, item, key)) != E_OK)
				return e == E_ABSENT || e == E_SEAL ? E_OK
								    : e; /* it waits here itself */
			has_key = true;
			e = E_ABSENT;
		}
		if (e == E_ABSENT)
			e = stanzas_make(c->peer, item->leaf, key, &c->above[i], &s);
		if (e == E_OK)
			e = carry_say_stanza(c, item->leaf, &s);
	}
	crypto_wipe(key, sizeof(key));
	return e;
}

enum err
carry_say_late(struct carry *c, struct store_txn *txn, const uint8_t leaf[HASH_BYTES])
{
	uint8_t key[AEAD_KEY_BYTES];
	struct stanza s;
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < c->above_count && e == E_OK; i++) {
		e = stanzas_get(c->peer, txn, leaf, c->above[i].area, &s);
		/* who said it may know the office here and none above it */
		if (e == E_ABSENT && (e = stanzas_own_key(c->peer, txn, leaf, key)) == E_OK)
			e = stanzas_make(c->peer, leaf, key, &c->above[i], &s);
		if (e == E_OK)
			e = carry_say_stanza(c, leaf, &s);
		e = e == E_ABSENT || e == E_SEAL ? E_OK : e; /* nobody here can open it */
	}
	crypto_wipe(key, sizeof(key));
	return e;
}

enum err
carry_say_stanzas(struct carry *c, struct store_txn *txn, const struct arrival *a)
{
	struct parcel_context context = {.programme = c->peer->programme.id, .log = a->log};
	struct parcel parcel;
	struct arena arena;
	enum err e;
	size_t i;

	if (c->above_count == 0)
		return E_OK;
	arena_init(&arena, 64u << 20);
	if ((e = parcel_read(&parcel, a->parcel, &context, &arena, NULL)) == E_OK)
		for (i = 0; i < parcel.item_count && e == E_OK; i++)
			e = say_item_stanzas(c, txn, a, &parcel.items[i]);
	arena_free(&arena);
	return e;
}
