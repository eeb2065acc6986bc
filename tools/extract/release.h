/*
 * release: the ledger of tables that were given out, and their archive. A release is written once:
 * table.csv in pieces (BLOB), then its row (RELEASE) and its audit entry in one commit. README.md,
 * "The ledger", to the byte.
 */
#ifndef BANYAN_TOOLS_EXTRACT_RELEASE_H
#define BANYAN_TOOLS_EXTRACT_RELEASE_H

#include "core/crypto/crypto.h"
#include "core/id.h"
#include "core/store/store.h"

#define RELEASE_AUDIENCE_BYTES 48u
#define RELEASE_PIECE_BYTES (1u << 20)

struct release {
	uint64_t number;      /* from 1 */
	uint8_t id[ID_BYTES]; /* random: names the pieces */
	uint64_t time_s;
	struct principal_id actor;
	char audience[RELEASE_AUDIENCE_BYTES]; /* "office", or "researcher " and the principal's id
						*/
	struct bytes form, query;              /* query: canonical text */
	int32_t from_day, to_day;
	uint64_t rows, published;
	uint32_t pieces;
	uint8_t sha256[SHA256_BYTES]; /* of table.csv */
	struct bytes manifest;
};

/* The value of a RELEASE row. release_read: views into it. E_VERSION, E_PACK_*, E_STORE_DAMAGED. */
void release_write(struct writer *, const struct release *);
enum err release_read(struct bytes key, struct bytes value, struct release *out);
/*
 * release_find: what may this audience be answered? E_OK: the same query was answered before, it is
 * in *out (views live as those of store_get). E_ABSENT: nothing stands in the way. E_OVERLAP names
 * the release that does.
 */
enum err release_find(struct store_txn *, const char *audience, const char *form, const char *query,
		      int32_t from_day, int32_t to_day, struct release *out, struct why *);

/*
 * A release being written: begin, text..., end (or drop). The pieces are durable as they come and
 * count only with the row. E_LIMIT past EXTRACT_TABLE_BYTES_MAX.
 */
struct release_writer {
	struct store *store;
	struct release r;
	struct writer piece;
	struct crypto_hash hash;
	uint64_t bytes;
};
void release_begin(struct release_writer *, struct store *);
enum err release_text(struct release_writer *, struct bytes, struct why *);
/* release_close_table: the last piece; r.sha256 is known then, for the manifest. */
enum err release_close_table(struct release_writer *, struct why *);
/* release_commit: row and audit entry. r is filled in by the caller, number by this; E_OVERLAP if
 * another came between. */
enum err release_commit(struct release_writer *, struct why *);
/* release_drop: after a failure: its pieces go. Frees the writer in any case. */
void release_drop(struct release_writer *);
void release_done(struct release_writer *);

/* release_piece: the index-th piece of table.csv. */
enum err
release_piece(struct store_txn *, const uint8_t id[ID_BYTES], uint32_t index, struct bytes *out);

#endif
