#include "core/letters/bundle.h"

#define MAGIC "BANYANS1"
#define MAGIC_BYTES 8u
#define CHECK_BYTES 8u

static void
check_head(uint8_t out[CHECK_BYTES], const uint8_t head[12])
{
	struct bytes parts[2] = {BYTES_LIT("banyan bundle 1"), BYTES(head, 12)};
	uint8_t hash[SHA256_BYTES];

	crypto_sha256_parts(hash, parts, 2);
	memcpy(out, hash, CHECK_BYTES);
}

static void
check_entry(uint8_t check[CHECK_BYTES], uint32_t index, struct bytes envelope)
{
	uint8_t hash[SHA256_BYTES], number[4];
	struct bytes parts[4] = {BYTES_LIT("banyan bundle 1"), BYTES(check, CHECK_BYTES),
				 BYTES(number, 4), envelope};

	be32_put(number, index);
	crypto_sha256_parts(hash, parts, 4);
	memcpy(check, hash, CHECK_BYTES);
}

enum err
bundle_begin(struct bundle_writer *b, struct writer *out, uint32_t count, uint64_t envelope_bytes)
{
	uint64_t bytes = envelope_bytes + (uint64_t)count * BUNDLE_ENTRY_BYTES;
	uint8_t head[12];

	memset(b, 0, sizeof(*b));
	b->out = out;
	if (count > BUNDLE_ENTRIES_MAX || bytes > BUNDLE_BYTES_MAX)
		return E_LIMIT;
	be32_put(head, count);
	be64_put(head + 4, bytes);
	check_head(b->check, head);
	writer_str(out, MAGIC);
	writer_mem(out, head, sizeof(head));
	writer_mem(out, b->check, CHECK_BYTES);
	return writer_end(out);
}

enum err
bundle_add(struct bundle_writer *b, struct bytes envelope)
{
	check_entry(b->check, ++b->index, envelope);
	writer_be32(b->out, (uint32_t)envelope.n);
	writer_bytes(b->out, envelope);
	writer_mem(b->out, b->check, CHECK_BYTES);
	return writer_end(b->out);
}

/* Entries from the first on, as far as their checks hold. */
static void
count_whole(struct bundle *b, uint8_t check[CHECK_BYTES])
{
	size_t at = 0;

	while (b->whole < b->count) {
		size_t left = b->entries.n - at, n;

		b->cut = left < BUNDLE_ENTRY_BYTES;
		if (b->cut)
			break;
		n = be32_get(b->entries.p + at);
		if (n > ENVELOPE_BYTES_MAX)
			break;
		b->cut = left - BUNDLE_ENTRY_BYTES < n;
		if (b->cut)
			break;
		check_entry(check, b->whole + 1, BYTES(b->entries.p + at + 4, n));
		if (memcmp(check, b->entries.p + at + 4 + n, CHECK_BYTES) != 0)
			break;
		b->whole++;
		at += BUNDLE_ENTRY_BYTES + n;
	}
	b->whole_bytes = at;
}

enum err
bundle_read(struct bytes in, struct bundle *b, struct why *why)
{
	uint8_t check[CHECK_BYTES];

	memset(b, 0, sizeof(*b));
	if (in.n < BUNDLE_HEAD_BYTES)
		return why_set(why, E_BUNDLE, "it ends in its head");
	if (memcmp(in.p, MAGIC, MAGIC_BYTES - 1) != 0)
		return why_set(why, E_BUNDLE, "it does not begin as one");
	if (in.p[MAGIC_BYTES - 1] != MAGIC[MAGIC_BYTES - 1])
		return why_set(why, E_VERSION, "the bundle");
	check_head(check, in.p + MAGIC_BYTES);
	if (memcmp(check, in.p + MAGIC_BYTES + 12, CHECK_BYTES) != 0)
		return why_set(why, E_BUNDLE, "its head is damaged");
	b->count = be32_get(in.p + MAGIC_BYTES);
	b->bytes = be64_get(in.p + MAGIC_BYTES + 4);
	if (b->count > BUNDLE_ENTRIES_MAX || b->bytes > BUNDLE_BYTES_MAX)
		return why_set(why, E_LIMIT, "the bundle");
	b->entries = BYTES(in.p + BUNDLE_HEAD_BYTES, in.n - BUNDLE_HEAD_BYTES);
	if (b->entries.n > b->bytes)
		return why_set(why, E_BUNDLE, "it goes on after its end");
	count_whole(b, check);
	if (b->whole == b->count && b->whole_bytes != b->bytes)
		return why_set(why, E_BUNDLE, "its head and its entries do not agree");
	return E_OK;
}

bool
bundle_next(const struct bundle *b, size_t *at, struct bytes *envelope)
{
	if (*at >= b->whole_bytes)
		return false;
	*envelope = BYTES(b->entries.p + *at + 4, be32_get(b->entries.p + *at));
	*at += BUNDLE_ENTRY_BYTES + envelope->n;
	return true;
}
