/* down_row: the FORM rows, shared by the node that says and the device that takes. */
#ifndef BANYAN_TOOLS_NODE_DOWN_ROW_H
#define BANYAN_TOOLS_NODE_DOWN_ROW_H

#include "tools/node/down.h"

/* form_key_of: the key of a bundle that was not compiled yet: first 4 bytes of its SHA-256. */
struct form_key form_key_of(struct bytes bundle);
/* Rows [1, order, languages, bundle]. */
enum err down_put_form(struct store_txn *, struct form_key, uint64_t order, const char *languages,
                       struct bytes bundle);
/* down_put_languages: the accepted draft languages of all versions of a form. */
enum err down_put_languages(struct store_txn *, struct peer *, const char *form_id, const char *languages);
/* In a job at the node: publish an office or revocation. */
enum err down_publish_statement(struct peer *, struct store_txn *, enum down_kind, struct bytes statement);

#endif
