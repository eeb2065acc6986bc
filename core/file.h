/*
 * file: small files, read whole and replaced durably. For what lies beside the store's
 * tables: key slots, backups.
 */
#ifndef BANYAN_CORE_FILE_H
#define BANYAN_CORE_FILE_H

#include "core/bytes.h"

/* file_join: "dir/name" on the heap, or NULL. */
char *file_join(const char *dir, const char *name);
/* file_probe: E_OK: dir/name is there. E_FILE_ABSENT, E_IO. file_unlink: if it is there.
 */
enum err file_probe(const char *dir, const char *name);
void file_unlink(const char *dir, const char *name);
/* file_error: what an errno of open, write or fsync means: E_STORE_FULL, E_FILE_ABSENT,
 * E_FILE_EXISTS, E_NO_MEMORY, else E_IO. */
enum err file_error(int error);
/* file_no_folder: `path` cannot be made, since its folder is not there: E_FOLDER_ABSENT, naming it.
 */
enum err file_no_folder(const char *path, struct why *why);
/* file_read: append the file's bytes. E_FILE_ABSENT, E_IO, E_LIMIT (longer than max),
 * E_NO_MEMORY. */
enum err file_read(const char *path, size_t max, struct writer *out, struct why *);
/*
 * file_replace: dir/name holds these bytes, all or nothing, durable on return: written
 * beside (mode 0600), synced, renamed, directory synced. E_STORE_FULL, E_IO, E_NO_MEMORY.
 */
enum err file_replace(const char *dir, const char *name, struct bytes, struct why *);
enum err file_write_all(int fd, struct bytes);
/* file_sync_dir: make names created or removed in dir durable. */
enum err file_sync_dir(const char *dir);
/* file_sync_parent: the same for the directory that holds `path`. */
enum err file_sync_parent(const char *path);

#endif
