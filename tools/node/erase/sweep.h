/*
 * sweep: which records have stayed as long as the programme lets them, and the orders that erase
 * them. Nothing goes by itself: an officer of their home office says so. FORMATS.md "Retention".
 */
#ifndef BANYAN_TOOLS_NODE_ERASE_SWEEP_H
#define BANYAN_TOOLS_NODE_ERASE_SWEEP_H

#include "core/record/retention.h"
#include "tools/node/records/records.h"

#define SWEEP_CLOCK_DAYS \
	400u /* a clock that is so far past all that ever arrived here may be wrong */

struct sweep_due {
	struct record_id id;
	enum erasure_parts parts;
	struct form_key form;
	char area[AREA_CODE_BYTES_MAX + 1];
	uint32_t last_s; /* its newest revision came */
	uint32_t days;   /* and so long it is kept */
	bool ordered;    /* sweep_run: its order is given */
};

/* sweep_rules: those in force here; none is E_OK too. */
enum err sweep_rules(struct store_txn *, struct retention *out);
/* sweep_is_due: of a record's row, at this time; *out is set if it is. Other offices' records never
 * are. */
enum err sweep_is_due(struct peer *, struct store_txn *, const struct retention *,
		      const struct record_row *, uint32_t now_s, struct sweep_due *out, bool *due);

/* sweep_old: f for each record that may be due, and perhaps for others: none is read of a form
 * whose records all came too lately. */
enum err sweep_old(struct peer *, struct store_txn *, const struct retention *, uint32_t now_s,
		   record_fn *f, void *arg);

struct sweep {
	struct peer *peer;
	const struct enrolment *who; /* whose scope it is */
	const struct principal_id *actor;
	struct retention rules;
	struct sweep_due *due; /* heap; by record id */
	size_t count, cap;
	size_t ordered, neighbours; /* sweep_run: orders given, records said again */
	uint32_t now_s, newest_s;   /* the clock; when something came here last */
};

/* sweep_find: what is due here and in who's scope. sweep_free. */
enum err sweep_find(struct sweep *, struct peer *, const struct enrolment *who,
		    const struct principal_id *actor, struct why *);
void sweep_free(struct sweep *);
/*
 * sweep_run: give the orders, those of one slice in one commit; then all of them are carried out at
 * once. The caller holds peer->acting. What was ordered stays so if it ends early. `tell` hears how
 * many are done.
 */
typedef void sweep_tell_fn(void *arg, size_t done, size_t total);
enum err sweep_run(struct sweep *, sweep_tell_fn *tell, void *arg, struct why *);

#endif
