#include "tools/node/down/down_item.h"

#include "core/pack.h"
#include "tools/node/state.h"

void
down_item_write(struct writer *w, const struct down_item *i)
{
	switch ((enum down_kind)i->kind) {
	case DOWN_FORM:
		pack_array(w, 4);
		pack_u64(w, i->kind);
		pack_u64(w, i->order);
		pack_cstr(w, i->languages);
		pack_bin(w, i->content);
		return;
	case DOWN_LANGUAGES:
		pack_array(w, 3);
		pack_u64(w, i->kind);
		pack_cstr(w, i->form);
		pack_cstr(w, i->languages);
		return;
	case DOWN_REVIEW:
		pack_array(w, 5);
		pack_u64(w, i->kind);
		pack_bin(w, BYTES(i->record.b, ID_BYTES));
		pack_u64(w, i->state);
		pack_cstr(w, i->note);
		pack_u64(w, i->time_s);
		return;
	case DOWN_OFFICE_KEY:
		pack_array(w, 3);
		pack_u64(w, i->kind);
		pack_u64(w, i->key_no);
		pack_bin(w, BYTES(i->secret, sizeof(i->secret)));
		return;
	case DOWN_CODECS:
		pack_array(w, 2);
		pack_u64(w, i->kind);
		pack_u64(w, i->highest);
		return;
	case DOWN_DICTIONARY:
		pack_array(w, 3);
		pack_u64(w, i->kind);
		pack_u64(w, i->form_key);
		pack_bin(w, i->content);
		return;
	case DOWN_AREAS:
	case DOWN_OFFICE:
	case DOWN_REVOCATION:
	case DOWN_ADDRESSES:
	case DOWN_ERASURE:
	case DOWN_RETENTION:
	case DOWN_ENROLMENT:
	case DOWN_ABOVE:
		pack_array(w, 2);
		pack_u64(w, i->kind);
		pack_bin(w, i->content);
		return;
	}
}

static uint32_t
elements_of(uint64_t kind)
{
	if (kind == DOWN_LANGUAGES || kind == DOWN_OFFICE_KEY || kind == DOWN_DICTIONARY)
		return 3;
	return kind == DOWN_REVIEW ? 5 : kind == DOWN_FORM ? 4 : 2;
}

bool
down_item_known(uint64_t kind)
{
	return (kind >= DOWN_FORM && kind <= DOWN_CODECS) || kind == DOWN_ERASURE ||
	       kind == DOWN_RETENTION || (kind >= DOWN_REVIEW && kind <= DOWN_ABOVE);
}

enum err
down_item_read(struct bytes body, struct down_item *i)
{
	struct reader r;
	uint32_t count;

	memset(i, 0, sizeof(*i));
	reader_init(&r, body);
	count = reader_array(&r);
	i->kind = reader_u64(&r);
	if (r.e != E_OK)
		return E_PARCEL;
	if (!down_item_known(i->kind))
		return E_OK;
	if (count != elements_of(i->kind))
		reader_fail(&r, E_PACK_TYPE);
	if (i->kind == DOWN_FORM) {
		i->order = reader_u64(&r);
		state_str(&r, i->languages, sizeof(i->languages));
		i->content = reader_bin(&r);
	} else if (i->kind == DOWN_LANGUAGES) {
		state_str(&r, i->form, sizeof(i->form));
		state_str(&r, i->languages, sizeof(i->languages));
	} else if (i->kind == DOWN_REVIEW) {
		reader_bin_fixed(&r, i->record.b, ID_BYTES);
		i->state = (enum review_state)reader_u64_max(&r, REVIEW_APPROVED);
		state_str(&r, i->note, sizeof(i->note));
		i->time_s = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	} else if (i->kind == DOWN_CODECS) {
		i->highest = reader_u64(&r);
	} else if (i->kind == DOWN_DICTIONARY) {
		i->form_key = (uint32_t)reader_u64_max(&r, UINT32_MAX);
		i->content = reader_bin(&r);
	} else if (i->kind == DOWN_OFFICE_KEY) {
		i->key_no = (uint32_t)reader_u64_max(&r, UINT32_MAX);
		reader_bin_fixed(&r, i->secret, sizeof(i->secret));
	} else {
		i->content = reader_bin(&r);
	}
	return reader_end(&r);
}
