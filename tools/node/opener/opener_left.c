/* Of a slice that was opened, what an order says must go: not opened, and looked after. */
#include "tools/node/attached/attached.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/opener/opener_item.h"

/* What a record names that is not wanted any more. */
static enum err
note_gone(struct opening *o, struct bytes plain, const struct principal_id *author)
{
	struct opening_gone *more;

	if (plain.n == 0)
		return E_OK;
	if ((more = arena_alloc(&o->arena, sizeof(*more))) == NULL)
		return E_NO_MEMORY;
	*more = (struct opening_gone){plain, *author, o->gone};
	o->gone = more;
	return E_OK;
}

enum err
opener_left(struct opening *o, const struct parcel_item *item, unsigned parts,
	    struct bytes identifying, const struct principal_id *author)
{
	struct opening_begun *more;
	enum err e;

	if (parts == 0 || (e = note_gone(o, identifying, author)) != E_OK || item->has_record)
		return parts == 0 ? E_OK : e;
	if ((more = arena_alloc(&o->arena, sizeof(*more))) == NULL)
		return E_NO_MEMORY;
	*more = (struct opening_begun){.parts = parts, .next = o->begun};
	memcpy(more->leaf, item->leaf, HASH_BYTES);
	o->begun = more;
	return E_OK;
}

enum err
opener_left_commit(struct store_txn *txn, const struct opening *o)
{
	const struct opening_begun *begun;
	const struct opening_gone *gone;
	enum err e;

	for (gone = o->gone; gone != NULL; gone = gone->next)
		if ((e = attached_refuse(txn, gone->plain, &gone->author)) != E_OK)
			return e;
	for (begun = o->begun; begun != NULL; begun = begun->next)
		if ((e = erasures_begins(txn, begun->leaf, begun->parts)) != E_OK)
			return e;
	return E_OK;
}
