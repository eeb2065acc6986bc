#include <stdlib.h>

#include "core/pack.h"
#include "core/parcel/parcel.h"

struct parcel_builder {
	struct parcel_context context;
	uint64_t number;
	uint8_t flags;
	char area[AREA_CODE_BYTES_MAX + 1]; /* "" for the author's own */
	size_t runs;
	size_t closed_bytes; /* of all runs but the last */
	size_t open_bytes;   /* of the last one's items */
	size_t open_items, open_head_bytes;
	size_t count;
	struct parcel_item items[PARCEL_SLICES_MAX];
};

enum err
parcel_begin(struct parcel_builder **out, const struct parcel_context *context, uint64_t number,
	     uint8_t flags, const char *area)
{
	struct parcel_builder *b;

	*out = NULL;
	if (number == 0 || (area != NULL && !parcel_area_fits(bytes_of_str(area))))
		return E_PARCEL;
	if ((b = malloc(sizeof(*b))) == NULL)
		return E_NO_MEMORY;
	memset(b, 0, offsetof(struct parcel_builder, items));
	b->context = *context;
	b->context.own_area = NULL; /* not ours to keep */
	b->number = number;
	b->flags = flags;
	if (area != NULL && (context->own_area == NULL || strcmp(area, context->own_area) != 0))
		memcpy(b->area, area, strlen(area));
	*out = b;
	return E_OK;
}

void
parcel_builder_free(struct parcel_builder *b)
{
	free(b);
}

/* The widths of canonical MessagePack. */
static size_t
uint_bytes(uint64_t v)
{
	return v < 0x80 ? 1 : v <= 0xff ? 2 : v <= 0xffff ? 3 : v <= 0xffffffffu ? 5 : 9;
}

static size_t
array_bytes(size_t count)
{
	return count < 16 ? 1 : 3; /* PARCEL_SLICES_MAX is below 65536 */
}

static size_t
bin_bytes(size_t n)
{
	return n + (n <= 0xff ? 2 : n <= 0xffff ? 3 : 5);
}

static size_t
part_bytes(const struct parcel_part *part)
{
	return part->present    ? bin_bytes(part->ciphertext.n)
	       : part->left_out ? 1 + bin_bytes(HASH_BYTES)
				: 1;
}

static size_t
item_bytes(const struct parcel_item *item)
{
	return 1 + uint_bytes(item->index) + (item->has_record ? bin_bytes(ID_BYTES) : 1) +
	       part_bytes(&item->analytic) + part_bytes(&item->identifying);
}

/* A run without its array of items. */
static size_t
run_head_bytes(const struct parcel_builder *b, const struct parcel_item *item)
{
	return 1 + (item->enc != NULL ? bin_bytes(EC_PUBLIC_BYTES) : 1) +
	       (item->to.to_principal ? bin_bytes(ID_BYTES) : uint_bytes(item->to.key_no)) +
	       (item->epoch == b->context.log.epoch ? 1 : uint_bytes(item->epoch));
}

static size_t
open_run_bytes(const struct parcel_builder *b)
{
	return b->runs == 0 ? 0 : b->open_head_bytes + array_bytes(b->open_items) + b->open_bytes;
}

static bool
joins_last(const struct parcel_builder *b, const struct parcel_item *item)
{
	return b->count > 0 && item_joins(&b->items[b->count - 1], item);
}

size_t
parcel_bytes_with(const struct parcel_builder *b, const struct parcel_item *item)
{
	size_t area = strlen(b->area), runs = b->runs;
	size_t n = 1 + 1 + uint_bytes(b->number) + uint_bytes(b->flags) +
		   (area == 0 ? 1 : area + (area < 32 ? 1 : 2)) + bin_bytes(SIGNATURE_BYTES);

	if (joins_last(b, item)) {
		n += b->open_head_bytes + array_bytes(b->open_items + 1) + b->open_bytes;
	} else {
		n += open_run_bytes(b) + run_head_bytes(b, item) + array_bytes(1);
		runs++;
	}
	return n + b->closed_bytes + item_bytes(item) + array_bytes(runs);
}

static void
hash_part(struct parcel_part *part)
{
	if (part->present)
		crypto_sha256(part->hash, part->ciphertext);
	else if (!part->left_out)
		memset(part->hash, 0, sizeof(part->hash));
}

enum err
parcel_add(struct parcel_builder *b, const struct parcel_item *item)
{
	struct parcel_item *mine = &b->items[b->count];

	if (b->count == PARCEL_SLICES_MAX || parcel_bytes_with(b, item) > PARCEL_BYTES_MAX)
		return E_LIMIT;
	if (item_fault(item) != NULL || item_repeats(b->items, b->count, item) ||
	    (item->enc == NULL && item->epoch != b->context.log.epoch))
		return E_PARCEL;
	*mine = *item;
	hash_part(&mine->analytic);
	hash_part(&mine->identifying);
	item_leaf(mine->leaf, mine);
	if (!joins_last(b, mine)) {
		b->closed_bytes += open_run_bytes(b);
		b->open_head_bytes = run_head_bytes(b, mine);
		b->open_bytes = b->open_items = 0;
		b->runs++;
	}
	b->open_bytes += item_bytes(mine);
	b->open_items++;
	b->count++;
	return E_OK;
}

static void
write_part(struct writer *w, const struct parcel_part *part)
{
	if (part->present) {
		pack_bin(w, part->ciphertext);
	} else if (part->left_out) {
		pack_array(w, 1);
		pack_bin(w, BYTES(part->hash, HASH_BYTES));
	} else {
		pack_nil(w);
	}
}

static void
write_run_head(struct writer *w, const struct parcel_builder *b, const struct parcel_item *item,
	       size_t items)
{
	pack_array(w, 4);
	if (item->enc != NULL)
		pack_bin(w, BYTES(item->enc, EC_PUBLIC_BYTES));
	else
		pack_nil(w);
	if (item->to.to_principal)
		pack_bin(w, BYTES(item->to.principal.b, ID_BYTES));
	else
		pack_u64(w, item->to.key_no);
	if (item->epoch == b->context.log.epoch)
		pack_nil(w);
	else
		pack_u64(w, item->epoch);
	pack_array(w, (uint32_t)items);
}

static void
write_runs(struct writer *w, const struct parcel_builder *b)
{
	size_t i, end = 0;

	pack_array(w, (uint32_t)b->runs);
	for (i = 0; i < b->count; i++) {
		const struct parcel_item *item = &b->items[i];

		if (i == end) {
			for (end = i + 1;
			     end < b->count && item_joins(&b->items[end - 1], &b->items[end]);
			     end++)
				;
			write_run_head(w, b, item, end - i);
		}
		pack_array(w, 4);
		pack_u64(w, item->index);
		if (item->has_record)
			pack_bin(w, BYTES(item->record.b, ID_BYTES));
		else
			pack_nil(w);
		write_part(w, &item->analytic);
		write_part(w, &item->identifying);
	}
}

enum err
parcel_end(struct parcel_builder *b, const struct ec_key *author, struct writer *out,
	   struct parcel_hash *hash)
{
	uint8_t memory[PARCEL_MESSAGE_BYTES_MAX], signature[SIGNATURE_BYTES];
	struct writer message;
	enum err e;

	if (b->count == 0)
		return E_LIMIT;
	writer_init(&message, memory, sizeof(memory));
	if ((e = parcel_message(&b->context, b->number, b->flags, bytes_of_str(b->area), b->items,
				b->count, &message)) != E_OK)
		return e;
	if ((e = crypto_sign(signature, author, writer_view(&message))) != E_OK)
		return e;
	crypto_sha256(hash->b, writer_view(&message));
	pack_array(out, 6);
	pack_u64(out, 1);
	pack_u64(out, b->number);
	pack_u64(out, b->flags);
	if (b->area[0] != '\0')
		pack_cstr(out, b->area);
	else
		pack_nil(out);
	write_runs(out, b);
	pack_bin(out, BYTES(signature, sizeof(signature)));
	return writer_end(out);
}
