/* down_item: the bodies of control items and notices, the node's words to its devices. FORMATS.md
 * "Control items and notices". */
#ifndef BANYAN_TOOLS_NODE_DOWN_DOWN_ITEM_H
#define BANYAN_TOOLS_NODE_DOWN_DOWN_ITEM_H

#include "tools/node/down/down.h"

struct down_item {
	uint64_t kind; /* a down_kind, or of another version: then nothing below is set */
	/*
	 * FORM: bundle. AREAS: table. OFFICE, REVOCATION, ENROLMENT: statement. ADDRESSES: list.
	 * RETENTION: rules. ABOVE: upper.h
	 */
	struct bytes content;
	uint64_t order;          /* FORM */
	char languages[128];     /* FORM, LANGUAGES */
	char form[128];          /* LANGUAGES */
	uint64_t highest;        /* CODECS */
	uint32_t form_key;       /* DICTIONARY: of this version; `content` is the dictionary */
	struct record_id record; /* REVIEW, and what follows */
	enum review_state state;
	char note[REASON_BYTES_MAX + 1];
	uint32_t time_s;
	uint32_t key_no; /* OFFICE KEY: whoever has it wipes the item */
	uint8_t secret[EC_SECRET_BYTES];
};

/* down_item_write: append the body; whoever asks the writer learns whether it fitted. */
void down_item_write(struct writer *, const struct down_item *);
/*
 * down_item_read: `content` is a view into the body. E_PARCEL: no item at all. E_PACK_*: an item of
 * a known kind that is not as it is written. A kind that is not known is E_OK, with its number.
 */
enum err down_item_read(struct bytes body, struct down_item *out);

/* down_item_known: a kind of this version? */
bool down_item_known(uint64_t kind);

#endif
