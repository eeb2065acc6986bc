/*
 * people: who is enrolled at this office, as devices and status tell it.
 */
#ifndef BANYAN_TOOLS_PEOPLE_H
#define BANYAN_TOOLS_PEOPLE_H

#include "tools/node/peer.h"
#include "tools/node/serve/quota.h"

#define OVERDUE_DAYS 35u /* returns are monthly; five days of grace for roads and rain */

struct person {
	struct principal_id id;
	char name[NAME_BYTES_MAX + 1], area[AREA_CODE_BYTES_MAX + 1], reason[REASON_BYTES_MAX + 1];
	enum role role;
	enum member_state state;
	uint32_t joined_s, last_seen_s; /* 0: never seen */
	bool here;                      /* works at this very store */
	bool overdue;                   /* a member of whom nothing was seen for OVERDUE_DAYS */
	uint64_t records;
	struct quota quota; /* of this node's disk */
};

/*
 * people_list: all whose area is within `who`'s; those who wait first, then the overdue, then by
 * name. In the arena. `records` is filled only if asked.
 */
enum err people_list(struct peer *, struct store_txn *, const struct enrolment *who,
		     bool with_records, struct arena *, struct person **out, size_t *count);
/* people_state: "pending", "approved", "revoked". */
const char *people_state(enum member_state);
/* people_json: one person as a JSON object, appended. */
void people_json(const struct person *, bool with_records, struct writer *);

#endif
