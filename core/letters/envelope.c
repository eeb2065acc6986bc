#include "core/letters/envelope.h"

#include "core/crypto/hpke.h"
#include "core/pack.h"

#define LABEL "banyan envelope 1"
#define ENVELOPE_VERSION 1u
#define INFO_BYTES_MAX (sizeof(LABEL) + ID_BYTES + AREA_CODE_BYTES_MAX + 16u)

/*
 * Padme (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", 2019): a length keeps as
 * many leading bits as its own length's logarithm has, so that it tells O(log log n) bits of
 * itself.
 */
size_t
envelope_padded(size_t n)
{
	size_t whole = n + 4, e = 0, s = 0, mask;

	if (whole <= ENVELOPE_LEAST_BYTES)
		return ENVELOPE_LEAST_BYTES;
	while (whole >> (e + 1) != 0)
		e++;
	while (e >> s != 0)
		s++;
	mask = ((size_t)1 << (e - s)) - 1;
	return (whole + mask) & ~mask;
}

static enum err
info_of(const struct programme_id *programme, const struct envelope_to *to, struct writer *w)
{
	writer_bytes(w, BYTES_LIT(LABEL));
	writer_mem(w, programme->b, ID_BYTES);
	if (to->to_principal) {
		pack_bin(w, BYTES(to->principal.b, ID_BYTES));
	} else {
		pack_array(w, 2);
		pack_cstr(w, to->area);
		pack_u64(w, to->key_no);
	}
	return writer_end(w);
}

static void
hints(const struct hpke *h, struct envelope_hint *own, struct envelope_hint *answer)
{
	hpke_export(h, BYTES_LIT("banyan hint 1"), own->b, sizeof(own->b));
	hpke_export(h, BYTES_LIT("banyan return hint 1"), answer->b, sizeof(answer->b));
}

/* be32 n || body || zeros, on the heap. */
static enum err
pad(struct bytes body, struct writer *plain)
{
	size_t padded = envelope_padded(body.n);
	uint8_t *p;

	writer_heap_init(plain, padded);
	if ((p = writer_space(plain, padded)) == NULL)
		return writer_end(plain);
	memset(p, 0, padded);
	be32_put(p, (uint32_t)body.n);
	memcpy(p + 4, body.p, body.n);
	return E_OK;
}

enum err
envelope_seal(const struct programme_id *programme, const struct envelope_to *to,
	      const struct ec_public *key, const struct envelope_hint *hint, struct bytes body,
	      struct writer *out, struct envelope_hint *answer)
{
	uint8_t memory[INFO_BYTES_MAX], head[ENVELOPE_HEAD_BYTES] = {ENVELOPE_VERSION}, *sealed;
	struct writer info, plain;
	struct envelope_hint own;
	struct hpke h;
	enum err e;

	if (body.n == 0 || body.n > ENVELOPE_BODY_BYTES_MAX)
		return E_LIMIT;
	writer_init(&info, memory, sizeof(memory));
	if ((e = info_of(programme, to, &info)) != E_OK ||
	    (e = hpke_sender(&h, head + 1 + ENVELOPE_HINT_BYTES, key, writer_view(&info))) != E_OK)
		return e;
	hints(&h, &own, answer);
	memcpy(head + 1, hint != NULL ? hint->b : own.b, ENVELOPE_HINT_BYTES);
	if ((e = pad(body, &plain)) == E_OK) {
		writer_mem(out, head, sizeof(head));
		sealed = writer_space(out, plain.n + AEAD_TAG_BYTES);
		e = sealed == NULL ? writer_end(out)
				   : hpke_seal(&h, BYTES(head, 1 + ENVELOPE_HINT_BYTES),
					       writer_view(&plain), sealed);
	}
	writer_free(&plain);
	hpke_wipe(&h);
	return e;
}

enum err
envelope_peek(struct bytes b, struct envelope_hint *hint)
{
	memset(hint, 0, sizeof(*hint));
	if (b.n == 0)
		return E_ENVELOPE;
	if (b.p[0] != ENVELOPE_VERSION)
		return E_VERSION;
	if (b.n < ENVELOPE_HEAD_BYTES + ENVELOPE_LEAST_BYTES + AEAD_TAG_BYTES ||
	    b.n > ENVELOPE_BYTES_MAX || b.p[1 + ENVELOPE_HINT_BYTES] != 4)
		return E_ENVELOPE;
	memcpy(hint->b, b.p + 1, sizeof(hint->b));
	return E_OK;
}

/* One body has one envelope length, and nothing hides in the padding. */
static enum err
unpad(struct bytes plain, struct bytes *body)
{
	size_t i, n = be32_get(plain.p);

	if (n == 0 || n > ENVELOPE_BODY_BYTES_MAX || n > plain.n - 4 ||
	    envelope_padded(n) != plain.n)
		return E_ENVELOPE;
	for (i = 4 + n; i < plain.n; i++)
		if (plain.p[i] != 0)
			return E_ENVELOPE;
	*body = BYTES(plain.p + 4, n);
	return E_OK;
}

enum err
envelope_open(const struct programme_id *programme, const struct envelope_to *to,
	      const struct ec_key *key, bool awaited, struct bytes b, struct writer *out,
	      struct envelope_hint *answer)
{
	uint8_t memory[INFO_BYTES_MAX], *room;
	struct bytes sealed, body;
	struct envelope_hint hint, own;
	struct writer info, plain;
	struct hpke h;
	enum err e;

	if ((e = envelope_peek(b, &hint)) != E_OK)
		return e;
	writer_init(&info, memory, sizeof(memory));
	if ((e = info_of(programme, to, &info)) != E_OK ||
	    (e = hpke_recipient(&h, b.p + 1 + ENVELOPE_HINT_BYTES, key, writer_view(&info))) !=
		E_OK)
		return e == E_KEY ? E_ENVELOPE : e;
	hints(&h, &own, answer);
	sealed = BYTES(b.p + ENVELOPE_HEAD_BYTES, b.n - ENVELOPE_HEAD_BYTES);
	writer_heap_init(&plain, sealed.n);
	if (!awaited && !crypto_equal(own.b, hint.b, sizeof(own.b)))
		e = E_ABSENT;
	else if ((room = writer_space(&plain, sealed.n - AEAD_TAG_BYTES)) == NULL)
		e = writer_end(&plain);
	else if ((e = hpke_open(&h, BYTES(b.p, 1 + ENVELOPE_HINT_BYTES), sealed, room)) == E_OK &&
		 (e = unpad(writer_view(&plain), &body)) == E_OK) {
		writer_bytes(out, body);
		e = writer_end(out);
	}
	writer_free(&plain);
	hpke_wipe(&h);
	return e;
}
