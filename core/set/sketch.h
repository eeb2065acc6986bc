/*
 * sketch: a set of parcels in 57 KB, from which two peers find what differs between their sets at a
 * cost that grows with the differences and not with the sets. Coded symbols as in Yang, Gilad and
 * Alizadeh, "Practical Rateless Set Reconciliation" (SIGCOMM 2024); items, numbers and bytes are
 * ours: FORMATS.md, "Sketches".
 *
 * An item is (log, number, parcel's hash). A *symbol* is what is left of it in a cell: keyed short
 * names of log and hash, and the number. Whoever has no key cannot choose parcels that collide, or
 * that hide each other. Pure: no store, no clock. Nothing here fails but by memory; what a peer
 * sends is never asserted on.
 */
#ifndef BANYAN_CORE_SET_SKETCH_H
#define BANYAN_CORE_SET_SKETCH_H

#include "core/id.h"
#include "core/crypto/siphash.h"

#define SKETCH_KEY_BYTES 16u
#define SKETCH_CELLS_MAX 4096u  /* find about 2,900 differences */
#define SKETCH_CELL_BYTES 14u   /* on wire and disk */
#define SKETCH_SPREAD_BYTES 40u /* counters that say about how many differences there are */
#define SKETCH_NUMBER_MASK 0xffffffu

struct sketch_symbol {
	uint32_t log_tag;
	uint32_t number;   /* its low 24 bits */
	uint32_t hash_tag; /* 24 bits */
};

struct sketch_item {
	struct sketch_symbol symbol;
	uint64_t whole; /* 64 keyed bits of all of it: digests are sums of these */
};

/* sketch_log_tag: the short name of a log under the key. */
uint32_t sketch_log_tag(const struct siphash_key *, const struct log_id *);
/* sketch_item: log_tag is sketch_log_tag's: one log's items need it once. */
struct sketch_item sketch_item(const struct siphash_key *, uint32_t log_tag, const struct log_id *,
			       uint64_t number, const struct parcel_hash *);

/* A cell: the XOR of the symbols in it and of their checks, and how many they are, modulo 256. */
struct sketch_cell {
	uint64_t name; /* log tag 32, number 24, upper 8 of the hash tag */
	uint64_t rest; /* lower 16 of the hash tag, check 24, count 8; 16 zero bits above */
};

struct sketch {
	uint64_t count; /* items */
	uint64_t sum;   /* of their `whole`s, modulo 2^64: equal sums and counts mean equal sets */
	uint8_t spread[SKETCH_SPREAD_BYTES];
	struct sketch_cell cell[SKETCH_CELLS_MAX];
};

void sketch_init(struct sketch *);
/* sketch_add, sketch_remove: the item is not there yet, or is. About 0.2 us. */
void sketch_add(struct sketch *, const struct siphash_key *, const struct sketch_item *);
void sketch_remove(struct sketch *, const struct siphash_key *, const struct sketch_item *);

/*
 * The cells that a symbol lies in, rising from 0; cell i holds about one in 1 + i/2 of all items.
 *     for (mix = sketch_walk(&w, key, symbol); w.at < cells; sketch_walk_next(&w))
 */
struct sketch_walk {
	uint64_t state;
	uint32_t at; /* SKETCH_CELLS_MAX: past the last one */
};
/* sketch_walk: returns 64 keyed bits: the check above, the spread's bits below. */
uint64_t
sketch_walk(struct sketch_walk *, const struct siphash_key *, const struct sketch_symbol *);
void sketch_walk_next(struct sketch_walk *);

/* sketch_cells_put: cells [from, to) as bytes; to <= SKETCH_CELLS_MAX. */
void sketch_cells_put(struct writer *, const struct sketch *, uint32_t from, uint32_t to);
/* sketch_cell_get: one cell of SKETCH_CELL_BYTES. */
struct sketch_cell sketch_cell_get(const uint8_t *);

/* sketch_guess: about how many differences: exact for one, within a fifth or so, at most about
 * 21,000. */
uint32_t
sketch_guess(const struct sketch *, uint64_t count, const uint8_t spread[SKETCH_SPREAD_BYTES]);

/*
 * Peeling: the peer's cells from the first on, in any pieces, until all differences are found.
 * Work is bounded by the number of cells, whatever they hold: about 5 ms for 4,096.
 */
struct sketch_peel; /* heap: 140 KB */

struct sketch_found {
	struct sketch_symbol symbol;
	bool own; /* ours and not the peer's, else the peer's and not ours */
};

/* sketch_peel_new: what `own` is now is copied. E_NO_MEMORY. */
enum err
sketch_peel_new(struct sketch_peel **, const struct siphash_key *, const struct sketch *own);
void sketch_peel_free(struct sketch_peel *);
/*
 * sketch_peel_feed: the peer's next cells. E_FRAME: no whole number of cells, or past
 * SKETCH_CELLS_MAX; nothing was taken. E_LIMIT: cells that contradict each other (a peer that lies,
 * or another key): go another way.
 */
enum err sketch_peel_feed(struct sketch_peel *, struct bytes cells);
uint32_t sketch_peel_cells(const struct sketch_peel *); /* taken so far */
/* sketch_peel_done: all that differs is in `found`. */
bool sketch_peel_done(const struct sketch_peel *);
/* sketch_peel_found: ours, until the next feed. In no order. */
size_t sketch_peel_found(const struct sketch_peel *, const struct sketch_found **);
/* sketch_peel_guess: about how many differences there are, from the cells so far; never less than
 * were found. */
uint32_t sketch_peel_guess(const struct sketch_peel *);

#endif
