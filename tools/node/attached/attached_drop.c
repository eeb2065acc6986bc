/* Attachments go with the record that named them: at its author's by a row, where it was read by
 * its answers. */
#include <string.h>

#include "tools/node/attached/attached.h"
#include "tools/node/erase/erasures.h"

#define LINK_KEY_BYTES (1u + ID_BYTES)

/* "r" || record id -> ids, one after the other. */
static struct bytes
link_key(uint8_t key[LINK_KEY_BYTES], const struct record_id *record)
{
	key[0] = 'r';
	memcpy(key + 1, record->b, ID_BYTES);
	return BYTES(key, LINK_KEY_BYTES);
}

/* A copy of the row's value: writes follow. */
static enum err
links_get(struct store_txn *txn, const struct record_id *record, struct writer *out)
{
	uint8_t key[LINK_KEY_BYTES];
	struct bytes value;
	enum err e = store_get(txn, STORE_ATTACHMENT, link_key(key, record), &value);

	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	writer_bytes(out, value);
	return value.n % ATTACH_ID_BYTES == 0 ? writer_end(out) : E_STORE_DAMAGED;
}

enum err
attached_link(struct store_txn *txn, const struct record_id *record, const struct attach_id *id)
{
	uint8_t key[LINK_KEY_BYTES], memory[ATTACH_LINKS_MAX * ATTACH_ID_BYTES];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	if ((e = links_get(txn, record, &w)) != E_OK)
		return e;
	writer_mem(&w, id->b, ATTACH_ID_BYTES);
	return writer_end(&w) == E_OK
		   ? store_put(txn, STORE_ATTACHMENT, link_key(key, record), writer_view(&w))
		   : E_LIMIT;
}

enum err
attached_forget(struct store_txn *txn, const struct record_id *record)
{
	uint8_t key[LINK_KEY_BYTES], memory[ATTACH_LINKS_MAX * ATTACH_ID_BYTES];
	struct attach_id id;
	struct writer w;
	size_t at;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	if ((e = links_get(txn, record, &w)) != E_OK || w.n == 0)
		return e;
	for (at = 0; at < w.n; at += ATTACH_ID_BYTES) {
		memcpy(id.b, memory + at, ATTACH_ID_BYTES);
		if ((e = attached_drop(txn, &id)) != E_OK &&
		    e != E_ABSENT) /* given up when it was safe */
			return e;
	}
	e = store_del(txn, STORE_ATTACHMENT, link_key(key, record));
	return e == E_OK ? erasures_note_due(txn) : e;
}

static enum err
refuse_one(struct store_txn *txn, const struct attach_id *id, const struct principal_id *author)
{
	struct attached a;
	enum err e = attached_get(txn, id, &a);
	bool full, here = e == E_OK;

	if (here && (a.state == ATTACH_GONE || !ID_EQUAL(&a.author, author)))
		return E_OK; /* somebody else's: a text that names it does not take it away */
	if (e != E_OK && e != E_ABSENT)
		return e;
	if (here && a.state == ATTACH_THEIRS &&
	    (e = attached_account(txn, author,
				  -(int64_t)(a.list.n / SHA256_BYTES * ATTACH_SEALED_BYTES_MAX),
				  &full)) != E_OK)
		return e;
	if (here && ((e = attached_drop(txn, id)) != E_OK || (e = erasures_note_due(txn)) != E_OK))
		return e;
	a = (struct attached){.id = *id, .author = *author, .state = ATTACH_GONE};
	return attached_put(txn, &a);
}

enum err
attached_refuse(struct store_txn *txn, struct bytes plain, const struct principal_id *author)
{
	struct attach_id id;
	size_t at = 0;
	enum err e = E_OK;

	while (e == E_OK && attach_ref_next(plain, &at, &id))
		e = refuse_one(txn, &id, author);
	return e;
}
