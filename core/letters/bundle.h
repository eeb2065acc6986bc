/*
 * bundle: envelopes one after the other: the file on a stick, and what a relay hands on. It may be
 * cut anywhere: what stands before the cut is whole and usable. The checks find damage, not malice:
 * an envelope is sealed by itself. FORMATS.md section "Bundles".
 *
 *   bundle = "BANYANS1" || be32 count || be64 bytes || check(0) (8) || entry ...
 *   entry  = be32 length || envelope || check(i) (8)          bytes: of all entries together
 *   check(0) = SHA-256("banyan bundle 1" || be32 count || be64 bytes)[8]
 *   check(i) = SHA-256("banyan bundle 1" || check(i - 1) || be32 i || envelope)[8]
 */
#ifndef BANYAN_CORE_LETTERS_BUNDLE_H
#define BANYAN_CORE_LETTERS_BUNDLE_H

#include "core/letters/envelope.h"

#define BUNDLE_BYTES_MAX \
	(60u << 20) /* it is read into memory, and rides in one input of a command (64 MiB) */
#define BUNDLE_ENTRIES_MAX 65536u
#define BUNDLE_HEAD_BYTES 28u
#define BUNDLE_ENTRY_BYTES 12u /* beside the envelope */

/* Writing: the caller says first how many envelopes of how many bytes together there will be. */
struct bundle_writer {
	struct writer *out;
	uint8_t check[8];
	uint32_t index;
};
/* bundle_begin, bundle_add: append. E_LIMIT, E_NO_ROOM, E_NO_MEMORY. */
enum err
bundle_begin(struct bundle_writer *, struct writer *out, uint32_t count, uint64_t envelope_bytes);
enum err bundle_add(struct bundle_writer *, struct bytes envelope);

/* Reading: what the head announces, and what is whole of it. */
struct bundle {
	uint32_t count; /* announced */
	uint64_t bytes; /* announced, of entries */
	uint32_t whole; /* entries that are here and unharmed, from the first */
	uint64_t whole_bytes;
	bool cut; /* it ends before all of them; else with whole < count: an entry is damaged */
	struct bytes entries;
};
/*
 * bundle_read: look at all of it; *out's views live as long as the input. E_OK also for a cut or
 * damaged one, whose whole entries can be used: ask `whole` and `count`. E_BUNDLE: it is no bundle
 * (`why` says how), or bytes follow its end. E_VERSION: of a newer banyan.
 */
enum err bundle_read(struct bytes, struct bundle *out, struct why *);
/* bundle_next: the whole entries in order; *at begins at 0. False at the end. */
bool bundle_next(const struct bundle *, size_t *at, struct bytes *envelope);

#endif
