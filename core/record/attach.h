/*
 * attach: a photograph, sound or scanned page beside a record: sealed in chunks under a key of its
 * own, named by its ciphertext, so that equal files have different names. The reference, with the
 * key, is the answer in the record's identifying slice. FORMATS.md "Attachments".
 */
#ifndef BANYAN_CORE_RECORD_ATTACH_H
#define BANYAN_CORE_RECORD_ATTACH_H

#include "core/crypto/crypto.h"
#include "core/limits.h"

#define ATTACH_ID_BYTES 32u
#define ATTACH_SEALED_BYTES_MAX (ATTACH_CHUNK_BYTES + AEAD_TAG_BYTES)
#define ATTACH_LIST_BYTES_MAX (ATTACH_CHUNKS_MAX * SHA256_BYTES)
#define ATTACH_REF_BYTES_MAX (192u + ATTACH_NAME_BYTES_MAX)

struct attach_id {
	uint8_t b[ATTACH_ID_BYTES];
};

/* What a record says of it. Holds a secret: wipe it. */
struct attach_ref {
	struct attach_id id;
	uint8_t key[AEAD_KEY_BYTES];
	uint32_t size;
	char name[ATTACH_NAME_BYTES_MAX + 1];
};

/* How many chunks a file of `size` bytes has: at least 1. */
uint32_t attach_chunks(uint32_t size);
/* attach_chunk_bytes: the sealed length of chunk `index`. */
size_t attach_chunk_bytes(uint32_t size, uint32_t index);

/*
 * attach_seal: seal `plain` under ref->key: chunks one after the other to `sealed`, their hashes to
 * `list`; sets ref->size and ref->id. A key is used for one file only. E_LIMIT: longer than
 * ATTACH_BYTES_MAX. E_NO_ROOM, E_NO_MEMORY.
 */
enum err
attach_seal(struct attach_ref *, struct bytes plain, struct writer *list, struct writer *sealed);
/* attach_open: append the plain bytes of chunk `index`. E_ATTACHMENT: not this file's, or changed.
 */
enum err
attach_open(const struct attach_ref *, uint32_t index, struct bytes sealed, struct writer *plain);
/* attach_id_of: the name of a list of hashes. E_ATTACHMENT: no list of a file that may be. */
enum err attach_id_of(struct bytes list, struct attach_id *out);

/* attach_ref_write: the answer's text. attach_ref_read: false if the text is no reference. */
void attach_ref_write(const struct attach_ref *, struct writer *);
bool attach_ref_read(struct bytes text, struct attach_ref *out);
/*
 * attach_ref_next: the id that the next reference names which stands anywhere in `plain` (a
 * payload, a packed value), from *at on; *at goes behind it. False: there is none.
 */
bool attach_ref_next(struct bytes plain, size_t *at, struct attach_id *out);
/* attach_file_name: what the file is called when it is written out: 16 digits of its id, '-', and a
 * clean name. */
void attach_file_name(const struct attach_ref *, char *out, size_t cap);

#endif
