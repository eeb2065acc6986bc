/* The rows of FORM: [1, order, languages, bundle]. FORMATS.md "Rows of a peer". */
#include "tools/node/down/down_row.h"

#include "core/crypto/crypto.h"
#include "core/pack.h"
#include "tools/node/state.h"

struct form_key
form_key_of(struct bytes bundle)
{
	uint8_t hash[SHA256_BYTES];

	crypto_sha256(hash, bundle);
	return (struct form_key){be32_get(hash)};
}

enum err
down_put_form(struct store_txn *txn, struct form_key form, uint64_t order, const char *languages,
	      struct bytes bundle)
{
	uint8_t key[4];
	struct writer w;
	enum err e;

	be32_put(key, form.v);
	writer_heap_init(&w, CONTROL_PLAIN_BYTES_MAX + 4096);
	pack_array(&w, 4);
	pack_u64(&w, 1);
	pack_u64(&w, order);
	pack_cstr(&w, languages);
	pack_bin(&w, bundle);
	if ((e = writer_end(&w)) == E_OK)
		e = store_put(txn, STORE_FORM, BYTES(key, sizeof(key)), writer_view(&w));
	writer_free(&w);
	return e;
}

enum err
down_read_form(struct bytes value, struct form_row *out)
{
	struct reader r;

	memset(out, 0, sizeof(*out));
	reader_begin(&r, value, 1, 4);
	out->order = reader_u64(&r);
	state_str(&r, out->languages, sizeof(out->languages));
	out->bundle = reader_bin(&r);
	return reader_end(&r);
}

enum err
down_put_languages(struct store_txn *txn, struct peer *p, const char *id, const char *languages)
{
	struct form_entry *f;
	enum err e;

	for (f = p->forms; f != NULL; f = f->next) {
		struct form_row row;
		struct bytes value;
		uint8_t key[4];

		if (strcmp(form_id(f->form), id) != 0)
			continue;
		be32_put(key, f->key.v);
		if ((e = store_get(txn, STORE_FORM, BYTES(key, sizeof(key)), &value)) != E_OK)
			return e;
		if ((e = down_read_form(value, &row)) != E_OK ||
		    (e = down_put_form(txn, f->key, row.order, languages, row.bundle)) != E_OK)
			return e;
	}
	return E_OK;
}
