#include "core/parcel/parcel.h"

static const uint8_t zeros[EC_PUBLIC_BYTES];

static bool
all_zeros(const uint8_t *p, size_t n)
{
	return memcmp(p, zeros, n) == 0;
}

void
item_leaf(uint8_t out[HASH_BYTES], const struct parcel_item *item)
{
	uint8_t key_no[4], epoch[8], index[4];
	struct bytes parts[] = {
	    BYTES_LIT("banyan item 1"),
	    BYTES(item->enc != NULL ? item->enc : zeros, EC_PUBLIC_BYTES),
	    BYTES(key_no, sizeof(key_no)),
	    BYTES(item->to.to_principal ? item->to.principal.b : zeros, ID_BYTES),
	    BYTES(epoch, sizeof(epoch)),
	    BYTES(index, sizeof(index)),
	    BYTES(item->has_record ? item->record.b : zeros, ID_BYTES),
	    BYTES(item->analytic.hash, HASH_BYTES),
	    BYTES(item->identifying.hash, HASH_BYTES),
	};

	be32_put(key_no, item->to.to_principal ? 0 : item->to.key_no);
	be64_put(epoch, item->epoch);
	be32_put(index, item->index);
	crypto_sha256_parts(out, parts, sizeof(parts) / sizeof(parts[0]));
}

static const char *
part_fault(const struct parcel_part *part, size_t least, size_t most)
{
	if (part->present && part->left_out)
		return "a part that is here and left out";
	if (part->present && part->ciphertext.n < least)
		return "a slice too short to be sealed";
	if (part->present && part->ciphertext.n > most)
		return "a slice too long";
	if (part->left_out && all_zeros(part->hash, HASH_BYTES))
		return "a part left out without its hash";
	return NULL;
}

/* What reads the same in a leaf must not be two things: hence no zero names, and points
 * that begin 04. */
const char *
item_fault(const struct parcel_item *item)
{
	bool control = item->enc == NULL;
	const char *fault;

	if (!control && item->enc[0] != 0x04)
		return "an encapsulation that is no point";
	if (!control && !item->to.to_principal && item->to.key_no == 0)
		return "a run to key number 0";
	if (item->to.to_principal && all_zeros(item->to.principal.b, ID_BYTES))
		return "a recipient without a name";
	if (item->has_record && all_zeros(item->record.b, ID_BYTES))
		return "a record without a name";
	if (!item->analytic.present && !item->analytic.left_out && !item->identifying.present &&
	    !item->identifying.left_out)
		return "an item without parts";
	if (control && (item->to.to_principal || item->to.key_no != 0 || item->has_record))
		return "a control item with a recipient or a record";
	if (control && (item->identifying.present || item->identifying.left_out))
		return "a control item with identifying answers";
	fault = part_fault(&item->analytic, control ? 1 : AEAD_TAG_BYTES + 1,
			   control ? CONTROL_BYTES_MAX : SLICE_BYTES_MAX);
	return fault != NULL ? fault
			     : part_fault(&item->identifying, AEAD_TAG_BYTES + 1, SLICE_BYTES_MAX);
}

static bool
same_enc(const struct parcel_item *a, const struct parcel_item *b)
{
	if (a->enc == NULL || b->enc == NULL)
		return a->enc == b->enc;
	return a->enc == b->enc || memcmp(a->enc, b->enc, EC_PUBLIC_BYTES) == 0;
}

bool
item_joins(const struct parcel_item *before, const struct parcel_item *item)
{
	return same_enc(before, item) && before->epoch == item->epoch &&
	       before->to.to_principal == item->to.to_principal &&
	       (item->to.to_principal ? ID_EQUAL(&before->to.principal, &item->to.principal)
				      : before->to.key_no == item->to.key_no);
}

bool
item_repeats(const struct parcel_item *items, size_t count, const struct parcel_item *item)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (items[i].index == item->index && same_enc(&items[i], item))
			return true;
	}
	return false;
}

bool
parcel_area_fits(struct bytes area)
{
	size_t i;

	if (area.n == 0 || area.n > AREA_CODE_BYTES_MAX)
		return false;
	for (i = 0; i < area.n; i++) {
		if (area.p[i] <= ' ' || area.p[i] == 0x7f)
			return false;
	}
	return true;
}

enum err
parcel_message(const struct parcel_context *context, uint64_t number, uint8_t flags,
	       struct bytes area, const struct parcel_item *items, size_t count, struct writer *out)
{
	size_t i;

	writer_str(out, "banyan parcel 1");
	writer_mem(out, context->programme.b, ID_BYTES);
	writer_mem(out, context->log.author.b, ID_BYTES);
	writer_be64(out, context->log.epoch);
	writer_be64(out, number);
	writer_mem(out, context->previous.b, HASH_BYTES);
	writer_u8(out, flags);
	writer_u8(out, (uint8_t)area.n);
	writer_bytes(out, area);
	writer_be16(out, (uint16_t)count);
	for (i = 0; i < count; i++)
		writer_mem(out, items[i].leaf, HASH_BYTES);
	return writer_end(out);
}
