/* signed: [body, signature]. */
#include "core/pack.h"
#include "core/signed.h"

enum err
signed_write(struct writer *out, struct bytes body, const uint8_t signature[SIGNATURE_BYTES])
{
	pack_array(out, 2);
	writer_bytes(out, body);
	pack_bin(out, BYTES(signature, SIGNATURE_BYTES));
	return writer_end(out);
}

enum err
signed_split(struct bytes b, struct bytes *body, uint8_t signature[SIGNATURE_BYTES])
{
	struct reader r;

	reader_init(&r, b);
	reader_array_of(&r, 2);
	*body = reader_skip(&r);
	reader_bin_fixed(&r, signature, SIGNATURE_BYTES);
	return reader_end(&r);
}
