/*
 * handed: what this device gave to which relay, so that it is not given to the same one at each
 * meeting. A relay has no name: it is known by the key of its present run, as a hash. CURSOR
 * "handed" || hash[16] -> [1, time, address, epoch, [number ...]]; CURSOR "pieces" || hash[16] ->
 * [1, [[attachment's id, chunks] ...]]. It frees nothing: only a receipt does. FORMATS.md "Carried
 * for others".
 */
#ifndef BANYAN_TOOLS_NODE_ROADS_HANDED_H
#define BANYAN_TOOLS_NODE_ROADS_HANDED_H

#include "core/record/attach.h"
#include "tools/node/peer.h"

#define HANDED_RELAYS_MAX 16u    /* the one met longest ago goes */
#define HANDED_NUMBERS_MAX 1024u /* past them a parcel is given twice */
#define HANDED_PIECES_MAX 64u    /* attachments; further ones wait for an answer */
#define HANDED_DAYS_MAX 30u      /* half of what a relay keeps at most: then it is given again */

struct handed {
	uint8_t relay[16];
	uint64_t time_s, epoch;
	char address[64];
	size_t count;
	uint64_t numbers[HANDED_NUMBERS_MAX]; /* rising */
	size_t piece_count;
	struct handed_pieces {
		struct attach_id id;
		uint32_t chunks; /* from the first */
	} pieces[HANDED_PIECES_MAX];
};

/* handed_of: the row of a relay, empty if there is none, or it is old, or of another log. Large: on
 * the heap. */
void handed_key(const struct ec_public *relay, uint8_t out[16]);
enum err handed_of(struct store_txn *, const uint8_t relay[16], uint64_t epoch, uint64_t now_s,
		   struct handed *out);
/* handed_add: one more number; false: there is no room for it. handed_has: is it one? */
bool handed_add(struct handed *, uint64_t number);
bool handed_has(const struct handed *, uint64_t number);
/* handed_chunks: the chunks of an attachment that it has; NULL: none, and there is no room for one
 * more. */
uint32_t *handed_chunks(struct handed *, const struct attach_id *);
/* In jobs. handed_put: as it is now. handed_clear: the office answered by it: what no receipt
 * covers is given anew. */
enum err handed_put(struct store_txn *, const struct handed *);
enum err handed_clear(struct store_txn *, const uint8_t relay[16]);
/* handed_walk: each row; anything but E_OK ends it. */
typedef enum err handed_fn(void *arg, const struct handed *);
enum err handed_walk(struct store_txn *, handed_fn *, void *arg);

#endif
