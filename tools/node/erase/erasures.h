/*
 * erasures: signed orders to erase, kept for good and obeyed whenever something that they are about
 * is met: now, in a parcel that comes late, after a restore. FORMATS.md "Erasures". An order is
 * written down first; its parts are then dropped from all parcels here, and the store is written
 * anew. A crash between these goes on at the next command.
 */
#ifndef BANYAN_TOOLS_NODE_ERASE_ERASURES_H
#define BANYAN_TOOLS_NODE_ERASE_ERASURES_H

#include "core/record/erasure.h"
#include "core/parcel/parcel.h"
#include "tools/node/peer.h"

struct erasure_row {
	struct erasure order;
	struct bytes statement;
	struct bytes reason; /* at the office that gave it; else empty */
};

/* erasures_get: the order about a record. Views live as those of store_get. E_ABSENT. */
enum err
erasures_get(struct peer *, struct store_txn *, const struct record_id *, struct erasure_row *out);
/* erasures_find: the same by the first 8 or more digits. E_ABSENT. */
enum err
erasures_find(struct peer *, struct store_txn *, const char *digits, struct erasure_row *out);
/* erasures_walk: each order (valid during the call); anything but E_OK ends it. */
typedef enum err erasures_fn(void *arg, const struct erasure_row *);
enum err erasures_walk(struct peer *, struct store_txn *, erasures_fn *, void *arg);
/*
 * erasures_parts: what of an item must go (bits of enum erasure_parts); 0: nothing. Costs nothing
 * where there is no order. erasures_is_gone: is this record erased?
 */
enum err erasures_parts(struct store_txn *, const struct parcel_item *, unsigned *parts);
enum err erasures_is_gone(struct store_txn *, const struct record_id *, bool *out);
/* erasures_record_parts: what is ordered of a record, added to *parts. */
enum err erasures_record_parts(struct store_txn *, const struct record_id *, unsigned *parts);

/* erasures_meet: does a parcel that came hold something that must go? */
struct arrival;
enum err erasures_meet(struct peer *, struct store_txn *, const struct arrival *, bool *out);

/*
 * In a job. erasures_note: an order that is known to hold: kept, what is derived of the record
 * goes, and the rest is due. *fresh: it says more than what was known. erasures_take: somebody's
 * word, checked first (E_SIGNATURE: nobody's whose word counts); a node tells its devices.
 */
enum err erasures_note(struct peer *, struct store_txn *, struct bytes statement,
		       struct bytes reason, bool *fresh);
enum err
erasures_take(struct peer *, struct store_txn *, struct bytes statement, bool *fresh, struct why *);
/*
 * erasures_begins: in a job: a slice was met that begins a record of which an order wants these
 * parts gone, perhaps one that names no leaf: from now on it is about this leaf, and that is due.
 */
enum err erasures_begins(struct store_txn *, const uint8_t leaf[HASH_BYTES], unsigned parts);
/* erasures_strip: in a job: drop from one arrival what orders say, and let the store be written
 * anew. */
enum err erasures_note_due(struct store_txn *);
enum err erasures_strip(struct peer *, struct store_txn *, uint64_t seq);

/*
 * erasures_settle: do what is due: all arrivals looked through, the store written anew. Nothing
 * where nothing is. Not with a snapshot open, nor in a job. E_STORE_READERS, E_STORE_FULL: it stays
 * due.
 */
enum err erasures_settle(struct peer *, struct why *);
enum err erasures_due(struct store_txn *, bool *out);

/*
 * The orders beside the store, STORE.orders, for a backup that is older than they are.
 * erasures_keep_all_beside: all that are known here, also other offices', are in it, durably, when
 * this returns. Part of settling: an order stays due until it stands there. erasures_take_file: the
 * orders of a file (be32 length || statement, ...), obeyed here; *count: those that were new. An
 * order of an office that is not known here (the backup is older) is passed over and stays in the
 * file. path NULL: of STORE.orders, if there is one. E_FILE_ABSENT; E_IO: one that cannot be read
 * is not one without orders.
 */
enum err erasures_keep_all_beside(struct peer *, struct why *);
enum err erasures_take_file(struct peer *, const char *path, size_t *count, struct why *);

#endif
