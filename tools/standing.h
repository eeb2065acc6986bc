/* standing: what `status` gathered of a store, and how it is told. */
#ifndef BANYAN_TOOLS_STANDING_H
#define BANYAN_TOOLS_STANDING_H

#include "core/bytes.h"
#include "tools/call/call.h"
#include "tools/node/link/link.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/erase/sweep.h"
#include "tools/people.h"

struct standing {
	struct call *c;
	struct peer *p;
	struct enrolment who;
	struct store_stat disk;
	struct waiting waiting;
	struct sync_memory sync;
	uint64_t records, parcels, backlog, forks, unsafe;
	uint64_t conflicts, conflict_records, faulty, edited, clocks, incomplete, questioned;
	uint64_t quarantined, pending, overdue;
	struct retention rules;
	uint64_t due; /* by them */
	uint32_t last_sync_s, now_s;
	struct person *people;
	size_t people_count;
	struct arena arena;
	struct writer quarantine; /* JSON objects, commas between */
	struct writer attention;  /* lines */
};

static inline const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* The whole of the command's output, as JSON and for people. */
void standing_json(struct standing *, struct writer *);
void standing_text(struct standing *, struct writer *);

#endif
