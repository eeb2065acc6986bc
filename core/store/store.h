/*
 * store: one directory, one owner, encrypted tables over LMDB. The only door to lmdb.h.
 *
 * STORE/ has data.mdb and lock.mdb (LMDB), keys (core/crypto/keyring.h), lock (held by the one
 * process that owns the store) and, while it serves, socket. Format: FORMATS.md, "The
 * store".
 *
 * Every value is sealed under a key derived from the store key, with its table and key as
 * additional data: a value moved to another row does not open. Keys of rows are in clear
 * and must say nothing: see store_table.def and store_key_name.
 *
 * Readers: any thread, any number up to STORE_READERS_MAX, a consistent snapshot each.
 * Keep them short: the map cannot grow and old pages cannot be used again while one is
 * open.
 *
 * Writers: jobs, run one after the other on the store's one writer thread; all that
 * wait are committed together, with one fsync. Nothing is reported done before it is
 * durable.
 */
#ifndef BANYAN_CORE_STORE_STORE_H
#define BANYAN_CORE_STORE_STORE_H

#include "core/bytes.h"
#include "core/crypto/keyring.h"

#define STORE_FORMAT \
	3u /* of a new store; of an earlier one with the first row that is new in it \
	    */
#define STORE_FORMAT_FIRST 1u
#define STORE_NAMES_BYTES 60u /* the names key, sealed under the store key */
#define STORE_KEY_BYTES_MAX 64u
#define STORE_VALUE_BYTES_MAX (18u << 20) /* an area table or form in clear, and its frame */
#define STORE_NAME_BYTES 16u
#define STORE_READERS_MAX 256u
#define STORE_JOBS_MAX 16384u /* waiting for the writer; more is E_STORE_QUEUE */

enum store_table {
	STORE_NO_TABLE,
#define X(number, name, key, what) STORE_##name = number,
#include "core/store/store_table.def"
#undef X
	STORE_TABLE_COUNT
};

/* store_table_name: "meta", "arrival"...; NULL for a number that is no table. */
const char *store_table_name(enum store_table);

struct store;
struct store_txn;
struct store_cursor;

/* store_step_fn: in a job: what makes a store of the next format out of this one. */
typedef enum err store_step_fn(struct store_txn *);

/* Zero in any field, or NULL for all of it, is the default. */
struct store_options {
	size_t map_bytes_start;   /* 16 MiB with 32-bit pointers, 16 GiB of addresses with
				     64 */
	struct keyring_cost cost; /* of the first slot's passphrase (store_create) */
	bool new_incarnation;     /* store_open: draw a new incarnation (after a restore) */
	unsigned grow_wait_s;     /* how long a grown map waits for readers: 60 */
	struct bytes names; /* store_create_with: the names key as store_names gave it; none: the
			       store key */
	/* for tests: what a later program knows: its format, a step from each one before it (from
	 * ours) */
	uint32_t format;
	store_step_fn *const *steps;
};

/*
 * store_create: make a store in `dir` (which may exist, empty) with a random store key
 * and one slot that `first` opens, and open it. Nothing is left behind on failure.
 * E_STORE_EXISTS: there is a store already. E_STORE_BUSY, E_STORE_FULL, E_STORE_IO,
 * E_NO_MEMORY.
 */
enum err store_create(const char *dir, const struct unlock *first, const struct store_options *,
		      struct store **out, struct why *);
/*
 * store_prepare: the same, with a second slot if `second` is not NULL; the store appears only with
 * store_publish, once all is in it that it cannot be without.
 */
enum err store_prepare(const char *dir, const struct unlock *first, const struct unlock *second,
		       const struct store_options *, struct store **out, struct why *);
/*
 * store_create_with: the same around existing key slots (the bytes of a `keys` file) and
 * the store key that they wrap: for restoring. The store appears only with store_publish:
 * until then a crash leaves a directory that is no store. store_close without it removes
 * the directory's files.
 */
enum err store_create_with(const char *dir, struct bytes keys_file, const struct store_key *,
			   const struct store_options *, struct store **out, struct why *);
enum err store_publish(struct store *, struct why *);
/*
 * store_open: become the owner of the store in `dir`, and unlock it.
 * A store of an earlier format stays as it is until there is a row to write that an earlier program
 * would not find (FORMATS.md "The store", Versions).
 * E_STORE_ABSENT, E_STORE_WIPED, E_STORE_BUSY (another process owns it: talk to
 * STORE/socket), E_STORE_KEY, E_STORE_NEWER, E_STORE_DAMAGED, E_STORE_IO, E_NO_MEMORY.
 */
enum err store_open(const char *dir, const struct unlock *, const struct store_options *,
		    struct store **out, struct why *);
/* store_close: run the jobs that wait, end the writer, wipe keys. All readers must have
 * ended. */
void store_close(struct store *);
/* store_probe: E_OK (there, and free), E_STORE_ABSENT, E_STORE_WIPED, E_STORE_BUSY.
 * Changes nothing. */
enum err store_probe(const char *dir, struct why *);

/* The directory as given; the name of the slot that opened it. Ours, until store_close.
 */
const char *store_dir(const struct store *);
const char *store_opened_by(const struct store *);
/* store_key_of: the store key, for keyring_add and its like. Ours, until store_close. */
const struct store_key *store_key_of(const struct store *);
/* store_derive: a key for another purpose, derived from the store key and a label. */
void store_derive(const struct store *, const char *label, uint8_t *out, size_t count);
/* The random number of this life of the store: new at creation and at restore. */
uint64_t store_incarnation(const struct store *);
/* store_key_name: HMAC-SHA256(index key, table || name)[16]: a row's key that says
 * nothing. */
void store_key_name(const struct store *, enum store_table, struct bytes name,
		    uint8_t out[STORE_NAME_BYTES]);

/*
 * store_read_begin: a snapshot. End it with store_read_end, from any thread.
 * Never call store_write while the same thread holds one: the writer may need to wait for
 * it. E_LIMIT: STORE_READERS_MAX are open. E_NO_MEMORY, E_STORE_IO.
 */
enum err store_read_begin(struct store *, struct store_txn **out);
void store_read_end(struct store_txn *); /* NULL is harmless */
struct store *store_of(const struct store_txn *);

/*
 * store_get: the value, opened into the transaction's memory: valid until store_forget,
 * the end of the snapshot, or the end of the job. E_ABSENT: no such row (*out is empty).
 * E_STORE_DAMAGED: it does not open under the store's key. E_NO_MEMORY, E_STORE_IO.
 */
enum err store_get(struct store_txn *, enum store_table, struct bytes key, struct bytes *out);
/* store_lacked: an E_NO_MEMORY of this transaction was the machine's, who had none; not because of
 * what was read. */
bool store_lacked(const struct store_txn *);
/* store_has: the same without opening the value. */
bool store_has(struct store_txn *, enum store_table, struct bytes key);
/* store_forget: free and wipe the memory of all values got so far: for long loops. */
void store_forget(struct store_txn *);
/* store_mark, store_forget_since: the same for those got since the mark; whoever called before
 * keeps theirs. */
struct arena_mark store_mark(const struct store_txn *);
void store_forget_since(struct store_txn *, const struct arena_mark *);
/* store_count: rows of a table, without walking it. */
uint64_t store_count(struct store_txn *, enum store_table);

/* In jobs only. store_put replaces. E_LIMIT: value too long. Errors of the disk come as
 * in store_write. */
enum err store_put(struct store_txn *, enum store_table, struct bytes key, struct bytes value);
/* store_del: E_ABSENT if there was none. */
enum err store_del(struct store_txn *, enum store_table, struct bytes key);
/* store_clear: drop all rows of a table (derived data, to be rebuilt). */
enum err store_clear(struct store_txn *, enum store_table);

/* Tables keyed by one big-endian integer. */
struct store_seq {
	uint8_t b[8];
};
static inline struct store_seq
store_seq_of(uint64_t v)
{
	struct store_seq s;

	be64_put(s.b, v);
	return s;
}
/* store_last_seq: the greatest key of a table keyed by be64; 0 if it is empty. */
enum err store_last_seq(struct store_txn *, enum store_table, uint64_t *out);

/* Single values of META by a plain name. store_meta_u64: `fallback` if there is none. */
enum err store_meta_get(struct store_txn *, const char *name, struct bytes *out);
enum err store_meta_put(struct store_txn *, const char *name, struct bytes value);
enum err store_meta_u64(struct store_txn *, const char *name, uint64_t fallback, uint64_t *out);
enum err store_meta_put_u64(struct store_txn *, const char *name, uint64_t);

/*
 * Walking a table in key order:
 *
 *     if ((e = store_walk(txn, STORE_FORM, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
 *             return e;
 *     while (store_next(c, &key, &value))
 *             ...
 *     e = store_walk_end(c);
 *
 * Forward from the first key >= from, backward from the last key <= from; BYTES_NONE is
 * the end where that direction begins. Key and value are valid until the next store_next;
 * value may be NULL: it is not opened then. Do not write to the table that is being
 * walked. End the walk before the transaction. store_walk_end: E_OK, or what ended the
 * loop early (E_STORE_DAMAGED...).
 */
enum store_direction { STORE_FORWARD, STORE_BACKWARD };
enum err store_walk(struct store_txn *, enum store_table, struct bytes from, enum store_direction,
		    struct store_cursor **out);
/* store_walk_prefix: only the keys that begin with `prefix`. */
enum err store_walk_prefix(struct store_txn *, enum store_table, struct bytes prefix,
			   enum store_direction, struct store_cursor **out);
bool store_next(struct store_cursor *, struct bytes *key, struct bytes *value);
enum err store_walk_end(struct store_cursor *);
/* store_del_prefix: in a job: delete every row whose key begins with `prefix`. None is E_OK. */
enum err store_del_prefix(struct store_txn *, enum store_table, struct bytes prefix);

/*
 * A job: it may read and write; if it returns anything but E_OK, nothing of it stays. It
 * runs on the writer thread and may be run more than once (another job of its batch
 * failed, the map had to grow): it must set its results anew each time, and they count
 * only once it is reported done.
 */
typedef enum err store_job_fn(struct store_txn *, void *arg);
typedef void store_done_fn(void *arg, enum err);

/*
 * store_write: run the job; returns once it is durable, or what it returned.
 * E_STORE_FULL: the disk is full; nothing was written and the store stays usable.
 * E_STORE_IO: the disk failed; this store takes no more writes until it is opened again.
 * E_STORE_QUEUE: too many jobs wait. E_STORE_READERS: the map had to grow but a reader
 * would not end.
 */
enum err store_write(struct store *, store_job_fn *, void *arg);
/*
 * store_write_async: the same without waiting. E_OK: `done` will be called exactly once,
 * on the writer thread, after the commit; it must be quick and may not call store_write.
 * Otherwise it is never called.
 */
enum err
store_write_async(struct store *, store_job_fn *, void *arg, store_done_fn *done, void *done_arg);

/*
 * store_rewrite: write the store anew without what was deleted, and overwrite the old file:
 * afterwards nothing in STORE holds it. Takes as much room again as the store has rows, and all
 * writers and readers wait. On failure all is as before, but for the rewriting. Not with a snapshot
 * open in this thread. E_STORE_READERS, E_STORE_FULL, E_STORE_IO, E_NO_MEMORY.
 */
enum err store_rewrite(struct store *);

/*
 * store_renew: the same, with every value sealed anew under `fresh`, and `keys_file` (its slots are
 * around `fresh`) in the place of the store's `keys`: what opened the store before opens nothing
 * any more. Names of rows and what store_derive gives stay. A crash leaves it as it was, or done.
 * `tell` (may be NULL) hears of rows. As store_rewrite; E_STORE_NEWER: a table of a later version.
 */
typedef void store_tell_fn(void *arg, uint64_t done, uint64_t total);
enum err store_renew(struct store *, const struct store_key *fresh, struct bytes keys_file,
		     store_tell_fn *tell, void *arg);
/* store_names: the names key, sealed, for a backup; false: it is the store key. */
bool store_names(const struct store *, uint8_t out[STORE_NAMES_BYTES]);
/* store_format_of: 1 to STORE_FORMAT. */
uint32_t store_format_of(const struct store *);

/* store_turn: for a world that drives its stores itself (core/fault.h): run the jobs that wait.
 * Else harmless. */
void store_turn(struct store *);

/* store_tick: every minute or so: clear dead readers. */
void store_tick(struct store *);

struct store_stat {
	uint64_t map_bytes, used_bytes, disk_free_bytes;
	uint64_t commits, jobs; /* since it was opened */
	unsigned readers;
	bool refuses_writes; /* the disk failed */
};
void store_stat(struct store *, struct store_stat *out);

#endif
