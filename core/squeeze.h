/*
 * squeeze: compression, the only door to zstd. A frame is zstd's (RFC 8878) without magic number,
 * checksum, content size and dictionary id, so its first byte is always 00: 5 bytes over the
 * block's own. What a frame was made with (the dictionary, or none) is known from where it stands.
 *
 * Contexts are kept a thread and freed when it ends. They hold remains of the last payload in
 * memory, as the payload's own buffers did; nothing is written anywhere.
 */
#ifndef BANYAN_CORE_SQUEEZE_H
#define BANYAN_CORE_SQUEEZE_H

#include "core/bytes.h"

#define SQUEEZE_LEVEL 19      /* for what is made once and sent over 2G */
#define SQUEEZE_LEVEL_QUICK 3 /* for what stays here */

/*
 * squeeze_pack: append `plain`, compressed. dictionary: a trained one or any bytes alike, or
 * BYTES_NONE; it is copied. level is 1 (quick) to 19. E_NO_MEMORY, E_NO_ROOM.
 */
enum err squeeze_pack(struct writer *out, struct bytes plain, struct bytes dictionary, int level);
/*
 * squeeze_unpack: append what one frame holds; `squeezed` must be exactly that frame. Safe on any
 * bytes: at most max_bytes come out, and memory stays within 16 MiB and that. E_SQUEEZE: damaged,
 * made with another dictionary, or more than max_bytes; then nothing was appended. E_NO_MEMORY,
 * E_NO_ROOM.
 */
enum err squeeze_unpack(struct writer *out, struct bytes squeezed, struct bytes dictionary,
			size_t max_bytes);

/*
 * A *block*: a frame of one compressed block without the five bytes that are always the same (00 30
 * and the block's head). squeeze_pack_block: E_SQUEEZE: this payload makes no such frame (nothing
 * gained, or past SQUEEZE_BLOCK_BYTES_MAX); then nothing was appended. squeeze_unpack_block: as
 * squeeze_unpack.
 */
#define SQUEEZE_BLOCK_BYTES_MAX (64u << 10)
enum err
squeeze_pack_block(struct writer *out, struct bytes plain, struct bytes dictionary, int level);
enum err squeeze_unpack_block(struct writer *out, struct bytes block, struct bytes dictionary,
			      size_t max_bytes);

/*
 * squeeze_train: append a dictionary of at most max_bytes, trained from samples that lie one after
 * the other. E_SQUEEZE: too few or too much alike to learn from. E_NO_MEMORY, E_NO_ROOM.
 */
enum err squeeze_train(struct writer *out, const uint8_t *samples, const size_t *sizes,
		       size_t count, size_t max_bytes);

#endif
