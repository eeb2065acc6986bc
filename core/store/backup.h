/*
 * backup: a store as one portable, encrypted, hot bundle: every row of every table,
 * whatever the machine's word size. It is opened by what opens the store at that time
 * (its key slots go along). Format: FORMATS.md, "Backups".
 */
#ifndef BANYAN_CORE_STORE_BACKUP_H
#define BANYAN_CORE_STORE_BACKUP_H

#include "core/store/store.h"

struct backup_info {
	uint64_t rows, bytes;  /* rows of tables; bytes of the bundle */
	uint64_t arrival_last; /* the newest arrival in it */
	uint64_t incarnation;  /* of the store that was backed up */
};

/* A sink takes bytes or returns an error (which ends the backup). */
typedef enum err backup_sink_fn(void *arg, struct bytes);
/* backup_stream: the bundle into a sink. The safe mark is not moved: the sink's
 * durability is unknown. */
enum err
backup_stream(struct store *, backup_sink_fn *, void *arg, struct backup_info *, struct why *);
/*
 * backup_write: the bundle into a new file, durable when it returns; then the safe mark
 * goes to the newest arrival in it. E_FILE_EXISTS, E_STORE_FULL, E_IO. Nothing is left
 * behind on failure.
 */
enum err backup_write(struct store *, const char *path, struct backup_info *, struct why *);
/* backup_check: read all of it and write nothing. E_BACKUP, E_STORE_KEY, E_VERSION,
 * E_FILE_ABSENT, E_IO. */
enum err backup_check(const char *path, const struct unlock *, struct backup_info *, struct why *);
/*
 * backup_restore: check the whole bundle, then make a store of it in `dir`, with a new
 * incarnation. As backup_check, and E_STORE_EXISTS, E_STORE_FULL. A crash in the middle
 * leaves no store.
 */
enum err backup_restore(const char *path, const char *dir, const struct unlock *,
			const struct store_options *, struct backup_info *, struct why *);

#endif
