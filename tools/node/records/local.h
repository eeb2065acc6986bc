/*
 * local: what this store's own finished records leave for later questionnaires: small lists of
 * choices, numbers and dates, never an answer of class D or S (schemas/FORMS.md 6a,
 * core/SECURITY.md). One row of BLOB a list and area.
 */
#ifndef BANYAN_TOOLS_NODE_RECORDS_LOCAL_H
#define BANYAN_TOOLS_NODE_RECORDS_LOCAL_H

#include "schemas/form.h"
#include "tools/node/peer.h"

#define LOCAL_LISTS_MAX 8u
#define LOCAL_ITEMS_MAX 64u       /* of one list and area; the oldest make room */
#define LOCAL_VALUE_BYTES_MAX 64u /* a code, a number, a date */

/* A form's local lists as CSV, as the evaluator takes them. local_free is a no-op on zeros. */
struct local {
	struct arena arena;
	struct form_file files[LOCAL_LISTS_MAX];
	size_t count;
};

/* local_read: the lists of a form for an area. E_LIMIT, E_NO_MEMORY, errors of the store. */
enum err local_read(struct local *, struct peer *, const struct form *, const char *area);
void local_free(struct local *);

/* local_note: in a job: what one finished record leaves. */
enum err local_note(struct store_txn *, const struct form *, const char *area,
		    const struct field_value *values, size_t count);

#endif
