/*
 * root_file: what `init` writes to be kept elsewhere: the programme's root key, its recovery key,
 * and which nodes the root named; and what `join` writes at an office further down: the same
 * without a root, "banyan recovery 1". Text, a word and its value a line; # begins a comment; words
 * that are not known are passed over:
 *
 *   banyan root 1
 *   root HEX64        the root's secret
 *   recovery HEX64    the recovery key's secret
 *   programme NAME    area CODE    node HEX32      what `replace` needs when there is no backup;
 * "node" may stand several times: each successor is added
 */
#ifndef BANYAN_TOOLS_ROOT_FILE_H
#define BANYAN_TOOLS_ROOT_FILE_H

#include "core/crypto/crypto.h"
#include "core/principals/principal.h"

#define ROOT_FILE_NODES_MAX 16u

struct root_file {
	struct ec_key root, recovery;
	char programme[NAME_BYTES_MAX + 1],
	    area[AREA_CODE_BYTES_MAX + 1]; /* "" in a file of an older version */
	struct principal_id nodes[ROOT_FILE_NODES_MAX];
	size_t node_count;
};

/*
 * root_file_write: append the text; of no root: a recovery file. root_file_read: either one.
 * root_file_has_root: is it the programme's? Whoever asks wipes *out. E_FILE_ABSENT, E_IO,
 * E_ROOT_FILE. root_file_create: a new file PATH, or STORE and `ending`, with this in it, durable.
 * E_FILE_EXISTS, E_IO.
 */
bool root_file_has_root(const struct root_file *);
void root_file_write(struct writer *, const struct root_file *);
enum err root_file_read(struct root_file *out, const char *path, struct why *);
#define ROOT_PATH_BYTES 1024u
enum err root_file_create(char path[ROOT_PATH_BYTES], const char *given, const char *store,
			  const char *ending, const struct root_file *, struct why *);
/* root_file_add: note one more node at its end, durable when it returns. E_IO. */
enum err root_file_add(const char *path, const struct principal_id *node, struct why *);

#endif
