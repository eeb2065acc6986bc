#include "core/parcel/parcel.h"

#include "core/pack.h"

#define PARCEL_VERSION 1

/* [1, number, flags: what peek and read share. */
static enum err
read_head(struct reader *r, uint64_t *number, uint8_t *flags, struct why *why)
{
	uint32_t count = reader_array(r);
	uint64_t version = reader_u64(r);

	if (r->e == E_OK && version != PARCEL_VERSION)
		return why_set(why, E_VERSION, "a parcel");
	*number = reader_u64(r);
	*flags = (uint8_t)reader_u64_max(r, UINT8_MAX);
	if (r->e != E_OK || count != 6 || *number == 0)
		return why_set(why, E_PARCEL, "its head");
	return E_OK;
}

enum err
parcel_peek(struct bytes bytes, uint64_t *number, uint8_t *flags)
{
	struct reader r;

	reader_init(&r, bytes);
	return read_head(&r, number, flags, NULL);
}

static enum err
read_area(struct reader *r, struct bytes *area, struct why *why)
{
	*area = BYTES_NONE;
	if (reader_nil(r))
		return E_OK;
	*area = reader_str(r);
	return parcel_area_fits(*area) ? E_OK : why_set(why, E_PARCEL, "its area");
}

/* Items over all runs, counted without keeping any: so that memory is taken once and
 * never in vain. */
static enum err
count_items(struct reader r, size_t *count, struct why *why)
{
	uint32_t run, runs = reader_array(&r), i, items;

	*count = 0;
	for (run = 0; run < runs && r.e == E_OK; run++) {
		reader_array_of(&r, 4);
		reader_skip(&r);
		reader_skip(&r);
		reader_skip(&r);
		items = reader_array(&r);
		if (items == 0)
			return why_set(why, E_PARCEL, "an empty run");
		*count += items;
		if (*count > PARCEL_SLICES_MAX)
			return why_set(why, E_LIMIT, "more than %u items in a parcel",
				       PARCEL_SLICES_MAX);
		for (i = 0; i < items && r.e == E_OK;
		     i++) { /* whole ones: an announced one costs no memory */
			reader_array_of(&r, 4);
			reader_skip(&r);
			reader_skip(&r);
			reader_skip(&r);
			reader_skip(&r);
		}
	}
	if (r.e != E_OK || *count == 0)
		return why_set(why, E_PARCEL, "its runs");
	return E_OK;
}

static void
read_part(struct reader *r, struct parcel_part *part)
{
	if (reader_nil(r))
		return;
	if (reader_peek(r) == PACK_ARRAY) {
		reader_array_of(r, 1);
		reader_bin_fixed(r, part->hash, HASH_BYTES);
		part->left_out = true;
		return;
	}
	part->ciphertext = reader_bin(r);
	if (r->e == E_OK) {
		crypto_sha256(part->hash, part->ciphertext);
		part->present = true;
	}
}

static void
read_item(struct reader *r, struct parcel_item *item)
{
	reader_array_of(r, 4);
	item->index = (uint32_t)reader_u64_max(r, UINT32_MAX);
	if (!reader_nil(r)) {
		reader_bin_fixed(r, item->record.b, ID_BYTES);
		item->has_record = true;
	}
	read_part(r, &item->analytic);
	read_part(r, &item->identifying);
}

/* enc, recipient and epoch of a run into a pattern for its items. */
static void
read_run_head(struct reader *r, uint64_t log_epoch, struct parcel_item *pattern)
{
	*pattern = (struct parcel_item){.epoch = log_epoch};
	reader_array_of(r, 4);
	if (!reader_nil(r)) {
		struct bytes enc = reader_bin(r);

		if (enc.n != EC_PUBLIC_BYTES)
			reader_fail(r, E_PACK_TYPE);
		pattern->enc = enc.p;
	}
	if (reader_peek(r) == PACK_BIN) {
		pattern->to.to_principal = true;
		reader_bin_fixed(r, pattern->to.principal.b, ID_BYTES);
	} else {
		pattern->to.key_no = (uint32_t)reader_u64_max(r, UINT32_MAX);
	}
	if (!reader_nil(r)) {
		pattern->epoch = reader_u64(r);
		if (pattern->epoch == log_epoch || pattern->enc == NULL)
			reader_fail(r, E_PACK_TYPE);
	}
}

static enum err
read_runs(struct reader *r, struct parcel *p, struct why *why)
{
	uint32_t run, runs = reader_array(r), i, count;
	struct parcel_item pattern, *item;
	const char *fault;

	for (run = 0; run < runs; run++) {
		read_run_head(r, p->log.epoch, &pattern);
		count = reader_array(r);
		if (r->e == E_OK && run > 0 && item_joins(&p->items[p->item_count - 1], &pattern))
			return why_set(why, E_PARCEL, "a run that is cut in two");
		for (i = 0; i < count && r->e == E_OK; i++) {
			item = &p->items[p->item_count];
			*item = pattern;
			read_item(r, item);
			if (r->e != E_OK)
				break;
			if ((fault = item_fault(item)) != NULL)
				return why_set(why, E_PARCEL, "%s", fault);
			if (item_repeats(p->items, p->item_count, item))
				return why_set(why, E_PARCEL, "a slice that stands in it twice");
			item_leaf(item->leaf, item);
			if (!item->has_record && item->enc != NULL)
				run_record_id(&item->record, item->enc, item->index, 0);
			p->item_count++;
		}
		if (r->e != E_OK)
			break;
	}
	return r->e == E_OK ? E_OK : why_set(why, E_PARCEL, "item %zu", p->item_count);
}

enum err
parcel_read(struct parcel *out, struct bytes bytes, const struct parcel_context *context,
	    struct arena *arena, struct why *why)
{
	struct reader r;
	struct bytes area;
	struct writer w;
	size_t count;
	uint8_t *message;
	enum err e;

	*out = (struct parcel){.log = context->log, .previous = context->previous};
	if (bytes.n > PARCEL_BYTES_MAX)
		return why_set(why, E_LIMIT, "a parcel of %zu bytes", bytes.n);
	reader_init(&r, bytes);
	if ((e = read_head(&r, &out->number, &out->flags, why)) != E_OK ||
	    (e = read_area(&r, &area, why)) != E_OK || (e = count_items(r, &count, why)) != E_OK)
		return e;
	if ((out->items = arena_alloc(arena, count * sizeof(*out->items))) == NULL ||
	    (message = arena_alloc(arena, PARCEL_MESSAGE_BYTES_MAX)) == NULL)
		return why_set(why, E_NO_MEMORY, "a parcel");
	if ((e = read_runs(&r, out, why)) != E_OK)
		return e;
	reader_bin_fixed(&r, out->signature, SIGNATURE_BYTES);
	if (reader_end(&r) != E_OK)
		return why_set(why, E_PARCEL, "its end");
	if (area.n > 0)
		memcpy(out->area, area.p, area.n);
	else if (context->own_area != NULL && strlen(context->own_area) < sizeof(out->area))
		memcpy(out->area, context->own_area, strlen(context->own_area));
	writer_init(&w, message, PARCEL_MESSAGE_BYTES_MAX);
	e = parcel_message(context, out->number, out->flags, area, out->items, out->item_count, &w);
	if (e != E_OK)
		return why_set(why, E_INTERNAL, "the message of a parcel");
	out->signed_message = writer_view(&w);
	crypto_sha256(out->hash.b, out->signed_message);
	return E_OK;
}

enum err
parcel_verify(const struct parcel *p, const struct ec_public *author)
{
	return crypto_verify(p->signature, author, p->signed_message);
}

/* Step over one item up to the part that is meant; the part's bytes as they stand. */
static struct bytes
find_part(struct reader *r, bool identifying)
{
	reader_array_of(r, 4);
	reader_skip(r);
	reader_skip(r);
	if (identifying)
		reader_skip(r);
	return reader_skip(r);
}

static struct bytes
find_item_part(struct reader *r, size_t item, bool identifying)
{
	uint32_t run, runs = reader_array(r), i, items;

	for (run = 0; run < runs && r->e == E_OK; run++) {
		reader_array_of(r, 4);
		reader_skip(r);
		reader_skip(r);
		reader_skip(r);
		items = reader_array(r);
		if (item < items) {
			for (i = 0; i < item; i++)
				reader_skip(r);
			return find_part(r, identifying);
		}
		item -= items;
		for (i = 0; i < items && r->e == E_OK; i++)
			reader_skip(r);
	}
	return BYTES_NONE;
}

enum err
parcel_drop(struct bytes parcel, size_t item, bool identifying, struct writer *out)
{
	struct reader r, part_reader;
	struct bytes part;
	struct parcel_part read = {.present = false};
	uint64_t number;
	uint8_t flags;
	enum err e;

	reader_init(&r, parcel);
	if ((e = read_head(&r, &number, &flags, NULL)) != E_OK)
		return e;
	reader_skip(&r);
	part = find_item_part(&r, item, identifying);
	if (r.e != E_OK)
		return E_PARCEL;
	reader_init(&part_reader, part);
	if (part.n > 0)
		read_part(&part_reader, &read);
	if (part_reader.e != E_OK)
		return E_PARCEL;
	if (!read.present && !read.left_out)
		return E_ABSENT;
	writer_bytes(out, BYTES(parcel.p, (size_t)(part.p - parcel.p)));
	pack_array(out, 1);
	pack_bin(out, BYTES(read.hash, HASH_BYTES));
	writer_bytes(out,
		     BYTES(part.p + part.n, (size_t)(parcel.p + parcel.n - (part.p + part.n))));
	return writer_end(out);
}
