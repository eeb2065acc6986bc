/* signed: [body, signature]. */
#include "core/crypto/signed.h"

static enum err
split(struct bytes b, struct bytes *body, uint8_t signature[SIGNATURE_BYTES])
{
	struct reader r;

	reader_init(&r, b);
	reader_array_of(&r, 2);
	*body = reader_skip(&r);
	reader_bin_fixed(&r, signature, SIGNATURE_BYTES);
	return reader_end(&r);
}

/* What is signed, in memory that the caller frees. */
static enum err
message(struct writer *w, const char *label, const struct programme_id *programme,
	struct bytes body)
{
	writer_heap_init(w, strlen(label) + ID_BYTES + body.n);
	writer_str(w, label);
	writer_mem(w, programme->b, ID_BYTES);
	writer_bytes(w, body);
	return writer_end(w);
}

enum err
signed_put(struct writer *out, const char *label, const struct programme_id *programme,
	   struct bytes body, const struct ec_key *key)
{
	uint8_t signature[SIGNATURE_BYTES];
	struct writer w;
	enum err e = message(&w, label, programme, body);

	if (e == E_OK)
		e = crypto_sign(signature, key, writer_view(&w));
	writer_free(&w);
	if (e != E_OK)
		return e;
	pack_array(out, 2);
	writer_bytes(out, body);
	pack_bin(out, BYTES(signature, SIGNATURE_BYTES));
	return writer_end(out);
}

enum err
signed_body(struct bytes b, struct bytes *body)
{
	uint8_t signature[SIGNATURE_BYTES];

	return split(b, body, signature);
}

enum err
signed_verify(struct bytes b, const char *label, const struct programme_id *programme,
	      const struct ec_public *by)
{
	uint8_t signature[SIGNATURE_BYTES];
	struct bytes body;
	struct writer w;
	enum err e = split(b, &body, signature);

	if (e != E_OK)
		return e;
	if ((e = message(&w, label, programme, body)) == E_OK)
		e = crypto_verify(signature, by, writer_view(&w));
	writer_free(&w);
	return e;
}
