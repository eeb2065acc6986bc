#include "core/record/stanza.h"

#include "core/crypto/hpke.h"
#include "core/pack.h"

#define LABEL "banyan stanza 1"
#define INFO_BYTES_MAX (sizeof(LABEL) + ID_BYTES + HASH_BYTES + 1u + AREA_CODE_BYTES_MAX + 16u)

static void
pack_to(struct writer *w, const struct stanza *s)
{
	if (s->to_principal) {
		pack_bin(w, BYTES(s->principal.b, ID_BYTES));
		return;
	}
	pack_array(w, 2);
	pack_cstr(w, s->area);
	pack_u64(w, s->key_no);
}

/* What the wrapping is bound to. */
static enum err
info_of(const struct stanza *s, const struct programme_id *programme,
	const uint8_t leaf[HASH_BYTES], enum slice_class cls, struct writer *w)
{
	writer_bytes(w, BYTES_LIT(LABEL));
	writer_mem(w, programme->b, ID_BYTES);
	writer_mem(w, leaf, HASH_BYTES);
	writer_u8(w, (uint8_t)cls);
	pack_to(w, s);
	return writer_end(w);
}

static enum err
check_to(const struct stanza *s)
{
	size_t n = strlen(s->area);

	return s->to_principal || (n > 0 && n <= AREA_CODE_BYTES_MAX && s->key_no > 0) ? E_OK
										       : E_LIMIT;
}

enum err
stanza_wrap(struct stanza *s, const struct programme_id *programme, const uint8_t leaf[HASH_BYTES],
	    enum slice_class cls, const uint8_t key[AEAD_KEY_BYTES], const struct ec_public *reader)
{
	uint8_t memory[INFO_BYTES_MAX];
	struct writer info;
	struct hpke hpke;
	enum err e;

	if (cls == SLICE_IDENTIFYING && !s->to_principal)
		return E_FORBIDDEN;
	writer_init(&info, memory, sizeof(memory));
	if ((e = check_to(s)) != E_OK || (e = info_of(s, programme, leaf, cls, &info)) != E_OK ||
	    (e = hpke_sender(&hpke, s->enc, reader, writer_view(&info))) != E_OK)
		return e;
	e = hpke_seal(&hpke, BYTES_NONE, BYTES(key, AEAD_KEY_BYTES), s->wrapped);
	hpke_wipe(&hpke);
	return e;
}

enum err
stanza_unwrap(const struct stanza *s, const struct programme_id *programme,
	      const uint8_t leaf[HASH_BYTES], enum slice_class cls, const struct ec_key *reader,
	      uint8_t key[AEAD_KEY_BYTES])
{
	uint8_t memory[INFO_BYTES_MAX];
	struct writer info;
	struct hpke hpke;
	enum err e;

	writer_init(&info, memory, sizeof(memory));
	if ((e = check_to(s)) != E_OK || (e = info_of(s, programme, leaf, cls, &info)) != E_OK ||
	    (e = hpke_recipient(&hpke, s->enc, reader, writer_view(&info))) != E_OK)
		return e;
	e = hpke_open(&hpke, BYTES_NONE, BYTES(s->wrapped, sizeof(s->wrapped)), key);
	hpke_wipe(&hpke);
	return e;
}

enum err
stanza_encode(const struct stanza *s, struct writer *w)
{
	enum err e = check_to(s);

	if (e != E_OK)
		return e;
	pack_array(w, 4);
	pack_u64(w, 1);
	pack_to(w, s);
	pack_bin(w, BYTES(s->enc, sizeof(s->enc)));
	pack_bin(w, BYTES(s->wrapped, sizeof(s->wrapped)));
	return writer_end(w);
}

enum err
stanza_decode(struct bytes b, struct stanza *s, struct why *why)
{
	struct reader r;
	struct bytes area;
	enum err e;

	memset(s, 0, sizeof(*s));
	reader_begin(&r, b, 1, 4);
	if (reader_peek(&r) == PACK_BIN) {
		s->to_principal = true;
		reader_bin_fixed(&r, s->principal.b, ID_BYTES);
	} else {
		reader_array_of(&r, 2);
		area = reader_str(&r);
		if (area.n > AREA_CODE_BYTES_MAX ||
		    (area.n > 0 && memchr(area.p, 0, area.n) != NULL))
			reader_fail(&r, E_LIMIT);
		else if (area.n > 0)
			memcpy(s->area, area.p, area.n);
		s->key_no = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	}
	reader_bin_fixed(&r, s->enc, sizeof(s->enc));
	reader_bin_fixed(&r, s->wrapped, sizeof(s->wrapped));
	if ((e = reader_end(&r)) == E_OK)
		e = check_to(s);
	return e == E_OK ? e : why_set(why, e, "a stanza");
}
