/* What the node above says to everyone, a node says on to its own devices; but not what they have.
 * FORMATS.md "A tree of nodes". */
#include "core/pack.h"
#include "tools/node/down/down_item.h"
#include "tools/node/down/down_row.h"

/* The order in which this office counts a form: a bundle that is here keeps its own, and a new one
 * of a form comes last, however few the office above has counted. */
static enum err
form_order(struct peer *p, struct store_txn *txn, struct down_item *item,
	   const struct form_row *had)
{
	struct form_entry *newest;
	struct form *form;
	uint64_t last;
	enum err e;

	if (had != NULL) {
		item->order = had->order;
		return E_OK;
	}
	if (form_read(&form, item->content, NULL) != E_OK)
		return E_OK; /* of a later version: kept, and said on as it is */
	newest = peer_form(p, form_id(form));
	form_free(form);
	if (newest == NULL || newest->order < item->order)
		return E_OK;
	e = store_meta_u64(txn, "form order", 0, &last);
	item->order = last + 1;
	return e;
}

static enum err
form_here(struct peer *p, struct store_txn *txn, struct down_item *item, bool *here)
{
	struct form_key key = form_key_of(item->content);
	uint8_t name[4];
	struct form_row row;
	struct bytes value;
	enum err e;

	be32_put(name, key.v);
	if ((e = store_get(txn, STORE_FORM, BYTES(name, sizeof(name)), &value)) == E_OK)
		e = down_read_form(value, &row);
	if (e != E_OK)
		return e == E_ABSENT ? form_order(p, txn, item, NULL) : e;
	*here =
	    bytes_equal(row.bundle, item->content) && strcmp(row.languages, item->languages) == 0;
	return *here ? E_OK : form_order(p, txn, item, &row);
}

enum err
down_on_read(struct peer *p, struct store_txn *txn, struct bytes *body, struct arena *arena,
	     bool *here)
{
	struct down_item item;
	struct bytes now;
	struct writer w;
	uint64_t order;
	enum err e;

	*here = false;
	if (down_item_read(*body, &item) != E_OK)
		return E_OK; /* whoever takes it says what is wrong */
	if (item.kind == DOWN_AREAS) {
		e = store_get(txn, STORE_AREA, BYTES_LIT("current"), &now);
		*here = e == E_OK && bytes_equal(now, item.content);
		return e == E_ABSENT ? E_OK : e;
	}
	if (item.kind != DOWN_FORM)
		return E_OK;
	order = item.order;
	if ((e = form_here(p, txn, &item, here)) != E_OK || *here || item.order == order)
		return e;
	writer_heap_init(&w, CONTROL_PLAIN_BYTES_MAX);
	down_item_write(&w, &item);
	if ((e = writer_end(&w)) == E_OK)
		*body = arena_bytes(arena, writer_view(&w));
	writer_free(&w);
	return e != E_OK ? e : body->p == NULL ? E_NO_MEMORY : E_OK;
}

enum err
down_on_say(struct peer *p, struct store_txn *txn, struct bytes body)
{
	struct down_item item;
	struct reader r;
	uint64_t kind, order;
	enum err e;

	reader_init(&r, body);
	reader_array(&r);
	kind = reader_u64(&r);
	if (r.e != E_OK || (kind != DOWN_FORM && kind != DOWN_AREAS && kind != DOWN_LANGUAGES &&
			    kind != DOWN_DICTIONARY && kind != DOWN_REVOCATION &&
			    kind != DOWN_OFFICE && kind != DOWN_RETENTION && kind < DOWN_SAID_ON))
		return E_OK;
	if (kind == DOWN_FORM && down_item_read(body, &item) == E_OK &&
	    ((e = store_meta_u64(txn, "form order", 0, &order)) != E_OK ||
	     (item.order > order &&
	      (e = store_meta_put_u64(txn, "form order", item.order)) != E_OK)))
		return e;
	return down_publish(p, txn, body);
}
