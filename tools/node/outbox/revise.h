/*
 * revise: a record that a command is about, and the later revisions that commands make of it
 * (amend, void, review, resolve).
 *
 * At a member's device a record is known by its OWN_RECORD row alone, and revised blind. At a node
 * it is what the opener made of it. A revision is signed by the identity that acts; an officer who
 * asks from elsewhere has no key here: then the node signs, names the officer in `entered_for`, and
 * the rules were asked of the officer.
 */
#ifndef BANYAN_TOOLS_NODE_OUTBOX_REVISE_H
#define BANYAN_TOOLS_NODE_OUTBOX_REVISE_H

#include "tools/call/call.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/records/records.h"

struct subject {
	struct record_id id;
	char hex[2 * ID_BYTES + 1];
	struct form_entry *form; /* NULL: its form is not here */
	struct form_key form_key;
	char area[AREA_CODE_BYTES_MAX + 1];
	bool is_author, is_void;
	bool opened;           /* `merged` and `row` are filled: this store can read it */
	struct own_record own; /* where it is not opened */
	struct record_merged merged;
	struct record_row row;
	struct revision_id heads[PARENTS_MAX];
	size_t head_count;
	const struct attached_new
	    *attached; /* that the new answers name: kept in the same commit */
	size_t attached_count;
};

/*
 * subject_find: the record that RECORD (whole id or unique beginning) names, if who acts may do
 * `act` on it. Lives in the arena. E_RECORD_ID, E_RECORD_UNKNOWN, E_RECORD_AMBIGUOUS, E_SCOPE,
 * E_FORBIDDEN.
 */
enum err
subject_find(struct call *, const char *record, int act, struct arena *, struct subject *out);

/*
 * revise: add a revision whose parents are the subject's heads: sealed and durable; at a node it is
 * opened and merged when this returns, and in its audit log as `verb` and `detail`. Once it is
 * durable, call_kept says so and what fails is told with call_after. `body` has kind, answers,
 * identifying, text, state; the rest is filled in. E_RECORD_VOID; E_QUARANTINED: it was kept aside,
 * status says why.
 */
enum err revise(struct call *, const struct subject *, struct revision_body *body, const char *verb,
		const char *detail, struct revision_id *out);

/*
 * revise_last: the record's newest revision, if it is opened here, the only newest one, of this
 * kind and the word of who acts: what the same command, run again after a link broke, would say
 * twice. NULL: there is none such. In the subject's arena.
 */
const struct revision_row *revise_last(struct call *, const struct subject *, uint8_t kind);

/* revision_who: whose word a revision is. */
const struct principal_id *revision_who(struct peer *, const struct revision_row *);
/* revise_name: what the office calls a principal, or the first 8 digits of its id. */
void revise_name(struct peer *, struct store_txn *, const struct principal_id *,
		 char out[NAME_BYTES_MAX + 1]);

#endif
