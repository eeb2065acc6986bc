/* view: a record as list, show and export tell it to who asks. */
#ifndef BANYAN_TOOLS_NODE_RECORDS_VIEW_H
#define BANYAN_TOOLS_NODE_RECORDS_VIEW_H

#include "tools/call/call.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/records/records.h"

struct view_record {
	struct record_id id;
	const struct form_entry *form; /* NULL: not known here */
	char area[AREA_CODE_BYTES_MAX + 1];
	char author[NAME_BYTES_MAX + 1];
	uint32_t created_s;
	char state[40]; /* void, conflict, incomplete, faulty, approved... or on a device waiting,
			   sent ... */
	enum review_state review;
	const char *note; /* of the review, on a device; "" */
	bool identifying; /* class D may be shown */
};

bool view_in_scope(struct peer *, const struct enrolment *who, const char *area);
bool view_has_identifying(const struct record_row *);
/* view_of_row: how a node sees it. view_of_own: how a device does: waiting, sent, held, safe. */
enum err
view_of_row(struct peer *, struct store_txn *, const struct record_row *, struct view_record *);
void view_of_own(struct peer *, const struct own_record *, uint64_t acked, uint64_t safe,
		 struct view_record *);
/* view_answers: the answers as a JSON object appended, without class D unless v->identifying. */
enum err view_answers(const struct view_record *, const struct record_row *, struct writer *);
/* One line of `list`: {"id","form","version","area","author","state","answers"...}; row NULL:
 * answers null. */
void view_json_line(struct call *, const struct view_record *, const struct record_row *);
void view_text_line(struct call *, const struct view_record *);
/* view_time: RFC 3339 in UTC, "1970-01-01T00:00:00Z". */
void view_time(char out[32], uint64_t time_s);

#endif
