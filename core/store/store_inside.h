/* store_inside: what store*.c share. Nobody else includes it: it is behind the door to
 * lmdb.h. */
#ifndef BANYAN_CORE_STORE_STORE_INSIDE_H
#define BANYAN_CORE_STORE_STORE_INSIDE_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/crypto/crypto.h"
#include "core/store/store.h"

#define TXN_BYTES_MAX \
	(256u << 20) /* values held open at once; store_forget frees them \
		      */
#define BATCH_BYTES_MAX \
	(8u << 20) /* one commit: what a small device has room for in dirty pages \
		    */

#define STORE_SEAL_BYTES (AEAD_NONCE_BYTES + AEAD_TAG_BYTES) /* nonce || ciphertext || tag */

#define STORE_FORMAT_KEY \
	"banyan"                /* in LMDB's main table, in clear: read before any key is used \
				 */
#define STORE_NAMES_KEY "names" /* there too, of a store whose key was renewed */
#define STORE_FORMAT_NAMES 2u   /* the format that always has it */
#define STORE_TABLES_3 STORE_RECORD_NUMBER /* from here on: not known to a program of format 2 */
#define STORE_LMDB_TABLES_MAX 64u          /* of LMDB; a store has fewer */
#define STORE_FILE_NEW "data.new"          /* while it is written anew: store_rewrite.c */

struct store_job {
	store_job_fn *fn;
	void *arg;
	store_done_fn *done;
	void *done_arg;
	struct store_job *next;
	enum err e;
	bool failed; /* in an earlier run of its batch: e is final */
};

struct store {
	char *dir;
	char opened_by[KEYRING_NAME_BYTES_MAX + 1];
	int lock_fd;
	bool made_dir, unpublished;
	struct writer keys_file; /* until published */
	MDB_env *env;
	MDB_dbi dbi[STORE_TABLE_COUNT];
	struct store_key key;
	struct store_key
	    names; /* what names of rows come from: the store key, until that was renewed */
	bool has_names;
	_Atomic uint32_t format;     /* of what is here */
	uint32_t format_most;        /* that this program knows */
	store_step_fn *const *steps; /* a test's; none of our own yet */
	uint8_t value_key[STORE_TABLE_COUNT][AEAD_KEY_BYTES];
	uint8_t index_key[32];
	uint64_t incarnation;

	/* Readers pass the gate; the map grows only when none is inside. */
	pthread_mutex_t gate;
	pthread_cond_t gate_moved;
	unsigned readers;
	bool growth_waits, growing;
	unsigned grow_wait_s;
	bool large; /* the kernel reads nothing ahead: a walk says what it wants next */
	pthread_mutex_t env_lock; /* held while jobs run, and while the file is replaced */

	pthread_mutex_t queue_lock;
	pthread_cond_t queue_more;
	struct store_job *head, *tail;
	unsigned waiting;
	bool closing, writer_runs;
	pthread_t writer;
	uint64_t commits, jobs;
	atomic_bool refuses; /* the disk failed: no more writes */
};

struct store_txn {
	struct store *store;
	MDB_txn *mdb;
	struct arena arena;
	bool writes;     /* a job's */
	bool wrote;      /* the running job has written */
	bool raised;     /* ... the number of our format: true of the store once it is committed */
	bool map_full;   /* grow, and run the batch again */
	bool lacked;     /* the machine had no memory for something that was read */
	enum err failed; /* the disk's failure in the running job */
	size_t written_bytes;
};

/* store_rc: what a return code of LMDB means. */
enum err store_rc(int rc);
MDB_dbi store_dbi(const struct store_txn *, enum store_table);
/* store_value_bytes: of a sealed value when opened. out has that room; sealed,
 * STORE_SEAL_BYTES more. */
size_t store_value_bytes(MDB_val sealed);
enum err store_value_seal(const struct store *, enum store_table, struct bytes key,
			  struct bytes plain, uint8_t *out);
enum err store_value_open(const struct store *, enum store_table, struct bytes key, MDB_val sealed,
			  uint8_t *out);
/* store_gate_in: be a reader; store_gate_out. */
void store_gate_in(struct store *);
void store_gate_out(struct store *);
/* store_drain: wait until no reader is inside, and let none in until store_drained.
 * E_STORE_READERS. */
enum err store_drain(struct store *);
void store_drained(struct store *);
/* store_env_open, store_tables_open: LMDB's side of an open store. */
enum err store_env_open(struct store *, const struct store_options *);
enum err store_tables_open(struct store *, bool create);
/*
 * store_keys_derive: of key and names. store_format_check: before anything is written; or write it
 * (`create`). store_format_migrate: run the steps. store_format_raise: into a transaction that
 * writes a row of our format: the number. store_format_note: as it is opened: it has such rows, and
 * a number from before there was one for them. store_format_put: format, and the names key if there
 * is one, into the main table of another file. store_format_settle: a data.new that a crash left
 * takes its place, or goes.
 */
void store_keys_derive(struct store *);
enum err store_names_open(struct store *, struct bytes sealed);
enum err store_format_check(struct store *, MDB_txn *, bool create);
enum err store_format_migrate(struct store *);
int store_format_raise(MDB_txn *);
enum err store_format_note(struct store *, MDB_txn *);
enum err store_format_put(const struct store *, MDB_txn *, MDB_dbi dbi_main);
enum err store_format_settle(struct store *);
/* store_overwrite: a file that nothing names any more: zeros over its blocks, as far as the disk
 * lets us. */
void store_overwrite(int fd);
/* store_grow: with readers drained. E_STORE_READERS, E_NO_MEMORY, E_STORE_FULL. */
enum err store_grow(struct store *);
/* store_writer_start, _stop: the writer thread; stop runs what waits. */
enum err store_writer_start(struct store *);
void store_writer_stop(struct store *);

#endif
