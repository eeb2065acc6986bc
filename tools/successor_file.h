/*
 * successor_file: what travels between an office further down whose node is gone and the root's
 * holder, as text: who the successor is and whom it follows; and back the root's word. Lines as in
 * root_file.h:
 *
 *   banyan successor 1                                         banyan word 1
 *   programme HEX32  area CODE  id HEX32  sign HEX130          succession HEX
 *   seal HEX130  number N  node HEX32 (1 to 16 of them)
 *
 * Nothing in them is secret.
 */
#ifndef BANYAN_TOOLS_SUCCESSOR_FILE_H
#define BANYAN_TOOLS_SUCCESSOR_FILE_H

#include "core/principals/principal.h"

#define SUCCESSOR_PATH_BYTES 1024u

/*
 * _path: STORE without its slashes, and `ending`. _create: a new file, durable. E_FILE_EXISTS,
 * E_IO. _write: `number` is that of the word which the successor has. _read: E_SUCCESSOR_FILE.
 * word_write, word_read: appends the statement. E_SUCCESSOR_FILE.
 */
void successor_path(char path[SUCCESSOR_PATH_BYTES], const char *store, const char *ending);
enum err successor_create(const char *path, struct bytes text, struct why *);
void successor_write(struct writer *text, const struct succession *);
enum err successor_read(const char *path, struct succession *out, struct why *);
/* successor_ask: STORE.successor: what the root is asked to say of this node; its place in `path`.
 */
struct peer;
enum err successor_ask(char path[SUCCESSOR_PATH_BYTES], const char *store, struct peer *,
		       const struct principal_id *nodes, size_t count, struct why *);
void successor_word_write(struct writer *text, struct bytes statement, const char *area);
enum err successor_word_read(const char *path, struct writer *statement, struct why *);

#endif
