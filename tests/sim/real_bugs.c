/* The planted bugs in a world with real stores: functions of tools/node and core, wrapped by the
 * linker. */
#include "core/parcel/arrival.h"
#include "core/principals/rules.h"
#include "tests/sim/real.h"
#include "tools/node/carry/carry.h"
#include "tools/node/down/down.h"
#include "tools/node/down/down_row.h"
#include "tools/node/opener/opener_item.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/records/records.h"

static struct world *world; /* NULL: nothing is planted */
bool real_on_road;

void
real_bugs(struct world *w)
{
	world = w;
}

bool
real_planted(enum bug bug)
{
	return world != NULL && world->bug == bug;
}

enum err __real_arrival_append(struct store_txn *, struct arrival *, enum arrival_result *);
enum err __wrap_arrival_append(struct store_txn *, struct arrival *, enum arrival_result *);
enum err
__wrap_arrival_append(struct store_txn *txn, struct arrival *a, enum arrival_result *result)
{
	bool at_node =
	    world != NULL && strcmp(store_dir(store_of(txn)), world->node.real->path) == 0;
	struct parcel_hash first;
	uint64_t seq;

	if (real_planted(BUG_CURSOR_EARLY) && !at_node &&
	    ID_EQUAL(&a->log.author, &world->node.id)) {
		*result = ARRIVAL_NEW;
		return E_OK;
	}
	if (real_planted(BUG_FORK_OVERWRITES) && at_node &&
	    arrival_find(txn, &a->log, a->number, &seq, &first) == E_OK &&
	    !ID_EQUAL(&first, &a->hash)) {
		*result = ARRIVAL_NEW;
		a->seq = seq;
		return E_OK;
	}
	return __real_arrival_append(txn, a, result);
}

enum err __real_record_row_put(struct store_txn *, const struct record_row *);
enum err __wrap_record_row_put(struct store_txn *, const struct record_row *);
enum err
__wrap_record_row_put(struct store_txn *txn, const struct record_row *row)
{
	struct record_row silent = *row;

	if (real_planted(BUG_CONFLICT_SILENT))
		silent.conflicts = 0;
	return __real_record_row_put(txn, &silent);
}

enum err __real_outbox_new_epoch(struct peer *, struct identity *, uint64_t, struct why *);
enum err __wrap_outbox_new_epoch(struct peer *, struct identity *, uint64_t, struct why *);
enum err
__wrap_outbox_new_epoch(struct peer *p, struct identity *author, uint64_t number, struct why *why)
{
	return __real_outbox_new_epoch(
	    p, author, real_planted(BUG_ACKED_FORGOTTEN) ? INT64_MAX - 1 : number, why);
}

struct log_id __real_down_inbox_log(struct peer *, const struct principal_id *);
struct log_id __wrap_down_inbox_log(struct peer *, const struct principal_id *);
struct log_id
__wrap_down_inbox_log(struct peer *p, const struct principal_id *device)
{
	size_t i;

	for (i = 0; real_planted(BUG_OTHERS_INBOX) && i < world->principal_n; i++)
		if (ID_EQUAL(&world->principal[i].id, device))
			return __real_down_inbox_log(
			    p, &world->principal[(i + 1) % world->principal_n].id);
	return __real_down_inbox_log(p, device);
}

enum err __real_member_get(struct store_txn *, const struct principal_id *, struct member *);
enum err __wrap_member_get(struct store_txn *, const struct principal_id *, struct member *);
enum err
__wrap_member_get(struct store_txn *txn, const struct principal_id *id, struct member *out)
{
	enum err e = __real_member_get(txn, id, out);

	if (real_planted(BUG_REVOKED_SERVED) && e == E_OK && out->state == MEMBER_REVOKED)
		out->state = MEMBER_APPROVED;
	return e;
}

enum err
__real_run_open(struct run *, const struct programme_id *, const struct principal_id *, uint64_t,
		const struct run_recipient *, const uint8_t *, const struct ec_key *);
enum err
__wrap_run_open(struct run *, const struct programme_id *, const struct principal_id *, uint64_t,
		const struct run_recipient *, const uint8_t *, const struct ec_key *);
enum err
__wrap_run_open(struct run *run, const struct programme_id *programme,
		const struct principal_id *author, uint64_t epoch, const struct run_recipient *to,
		const uint8_t *enc, const struct ec_key *key)
{
	if (real_planted(BUG_THIEF))
		author = liar_robbed(world, author, enc);
	return __real_run_open(run, programme, author, epoch, to, enc, key);
}

enum err
__real_rules_check(enum act, const struct rules_case *, const struct area_table *, struct why *);
enum err
__wrap_rules_check(enum act, const struct rules_case *, const struct area_table *, struct why *);
enum err
__wrap_rules_check(enum act act, const struct rules_case *c, const struct area_table *areas,
		   struct why *why)
{
	return real_planted(BUG_SCOPE) ? E_OK : __real_rules_check(act, c, areas, why);
}

enum err __real_link_older_note(struct peer *, struct store_txn *);
enum err __wrap_link_older_note(struct peer *, struct store_txn *);
enum err
__wrap_link_older_note(struct peer *p, struct store_txn *txn)
{
	return real_planted(BUG_OLDER_FORGOTTEN) ? E_OK : __real_link_older_note(p, txn);
}

/* ---- of roads ---- */

uint64_t __real_session_budget_left(const struct session *);
uint64_t __wrap_session_budget_left(const struct session *);
uint64_t
__wrap_session_budget_left(const struct session *s)
{
	return real_planted(BUG_BUDGET_IGNORED) ? UINT64_MAX : __real_session_budget_left(s);
}

enum err __real_outbox_put_acked(struct store_txn *, uint64_t, uint64_t);
enum err __wrap_outbox_put_acked(struct store_txn *, uint64_t, uint64_t);
enum err
__wrap_outbox_put_acked(struct store_txn *txn, uint64_t epoch, uint64_t number)
{
	return __real_outbox_put_acked(
	    txn, epoch, number + (real_planted(BUG_RECEIPT_BLIND) && real_on_road ? 1 : 0));
}

enum err __real_parcel_strip(struct bytes, struct writer *);
enum err __wrap_parcel_strip(struct bytes, struct writer *);
enum err
__wrap_parcel_strip(struct bytes parcel, struct writer *out)
{
	if (!real_planted(BUG_PARTS_GO_UP))
		return __real_parcel_strip(parcel, out);
	writer_bytes(out, parcel);
	return writer_end(out);
}

enum err __real_carry_next(void *, uint64_t room, struct message *);
enum err __wrap_carry_next(void *, uint64_t room, struct message *);
enum err
__wrap_carry_next(void *ctx, uint64_t room, struct message *out)
{
	return real_planted(BUG_NODE_SILENT) ? E_ABSENT : __real_carry_next(ctx, room, out);
}

enum err
__real_opener_place(struct store_txn *, const struct programme_id *, const struct arrival *,
		    const char *, struct arena *, struct parcel *, struct why *);
enum err
__wrap_opener_place(struct store_txn *, const struct programme_id *, const struct arrival *,
		    const char *, struct arena *, struct parcel *, struct why *);
/* accept_carried asks without an area. */
enum err
__wrap_opener_place(struct store_txn *txn, const struct programme_id *programme,
		    const struct arrival *a, const char *area, struct arena *arena,
		    struct parcel *out, struct why *why)
{
	uint64_t seq;

	if (!real_planted(BUG_TWIN_BLIND) || area != NULL)
		return __real_opener_place(txn, programme, a, area, arena, out, why);
	memset(out, 0, sizeof(*out));
	return arrival_find(txn, &a->log, a->number - 1, &seq, &out->previous);
}

/* Of sync/session_own.h, which has names that are this world's too. */
void session_fail(struct session *, enum err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void __real_client_twin(struct session *, uint64_t);
void __wrap_client_twin(struct session *, uint64_t);
void
__wrap_client_twin(struct session *s, uint64_t number)
{
	if (real_planted(BUG_GAP_STUCK))
		session_fail(s, E_UNVERIFIED, "the node asks for what is not here any more");
	else
		__real_client_twin(s, number);
}

/* With the bug "gap-stuck" too: else nothing that was given up is ever missed but after a much
 * older backup. */
enum err __real_freed_heard(struct store_txn *, uint64_t epoch, uint64_t safe);
enum err __wrap_freed_heard(struct store_txn *, uint64_t epoch, uint64_t safe);
enum err
__wrap_freed_heard(struct store_txn *txn, uint64_t epoch, uint64_t safe)
{
	uint8_t value[24];

	if (!real_planted(BUG_ONE_BACKUP) && !real_planted(BUG_GAP_STUCK))
		return __real_freed_heard(txn, epoch, safe);
	be64_put(value, epoch);
	be64_put(value + 8, safe);
	be64_put(value + 16, safe);
	return store_meta_put(txn, "backups", BYTES(value, sizeof(value)));
}

/* Of tools/node/enrol/offices.h and twins.h. */
enum err
__real_vouch_revocation(struct peer *, struct store_txn *, struct bytes, bool *, struct why *);
enum err
__wrap_vouch_revocation(struct peer *, struct store_txn *, struct bytes, bool *, struct why *);
enum err
__wrap_vouch_revocation(struct peer *p, struct store_txn *txn, struct bytes statement, bool *fresh,
			struct why *why)
{
	*fresh = false;
	return real_planted(BUG_REVOKED_UNHEARD)
		   ? E_OK
		   : __real_vouch_revocation(p, txn, statement, fresh, why);
}

static enum err
cursors_job(struct store_txn *txn, void *arg)
{
	const struct down_cursor *at = arg;
	enum err e = down_cursor_put(txn, 0, &at[0]);

	return e == E_OK ? down_cursor_put(txn, 1, &at[1]) : e;
}

enum err __real_twins_switch(struct peer *);
enum err __wrap_twins_switch(struct peer *);
enum err
__wrap_twins_switch(struct peer *p)
{
	struct down_cursor at[2];
	struct store_txn *txn;
	enum err e;

	if (!real_planted(BUG_CURSORS_SHARED))
		return __real_twins_switch(p);
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	e = down_cursors(p, txn, at);
	store_read_end(txn);
	if (e == E_OK && (e = __real_twins_switch(p)) == E_OK)
		e = store_write(p->store, cursors_job, at);
	return e;
}

struct given_job {
	uint64_t epoch, number;
};

static enum err
given_job(struct store_txn *txn, void *arg)
{
	struct given_job *job = arg;

	return __real_outbox_put_acked(txn, job->epoch, job->number);
}

void
real_bug_given(struct device *d)
{
	struct given_job job = {.epoch = peer_self(d->real->peer)->epoch};
	struct session_head head = {0};
	struct store_txn *txn;

	if (!real_planted(BUG_GIVEN_IS_KEPT) ||
	    store_read_begin(d->real->peer->store, &txn) != E_OK)
		return;
	if (link_own_head(d->real->peer, txn, &head) == E_OK)
		job.number = head.number;
	store_read_end(txn);
	(void)store_write(d->real->peer->store, given_job, &job);
}
