/* The planted bugs in a world with real stores: functions of tools/node and core, wrapped by the linker. */
#include "core/arrival.h"
#include "core/rules.h"
#include "tests/sim/real.h"
#include "tools/node/down.h"
#include "tools/node/outbox.h"

static struct world *world; /* NULL: nothing is planted */

void
real_bugs(struct world *w)
{
	world = w;
}

static bool
planted(enum bug bug)
{
	return world != NULL && world->bug == bug;
}

enum err __real_arrival_append(struct store_txn *, struct arrival *, enum arrival_result *);
enum err __wrap_arrival_append(struct store_txn *, struct arrival *, enum arrival_result *);
enum err
__wrap_arrival_append(struct store_txn *txn, struct arrival *a, enum arrival_result *result)
{
	bool at_node = world != NULL && strcmp(store_dir(store_of(txn)), world->node.real->path) == 0;
	struct parcel_hash first;
	uint64_t seq;

	if (planted(BUG_CURSOR_EARLY) && !at_node && ID_EQUAL(&a->log.author, &world->node.id)) {
		*result = ARRIVAL_NEW;
		return E_OK;
	}
	if (planted(BUG_FORK_OVERWRITES) && at_node &&
	    arrival_find(txn, &a->log, a->number, &seq, &first) == E_OK && !ID_EQUAL(&first, &a->hash)) {
		*result = ARRIVAL_NEW;
		a->seq = seq;
		return E_OK;
	}
	return __real_arrival_append(txn, a, result);
}

enum err __real_outbox_new_epoch(struct peer *, struct identity *, uint64_t, struct why *);
enum err __wrap_outbox_new_epoch(struct peer *, struct identity *, uint64_t, struct why *);
enum err
__wrap_outbox_new_epoch(struct peer *p, struct identity *author, uint64_t number, struct why *why)
{
	return __real_outbox_new_epoch(p, author, planted(BUG_ACKED_FORGOTTEN) ? INT64_MAX - 1 : number, why);
}

struct log_id __real_down_inbox_log(struct peer *, const struct principal_id *);
struct log_id __wrap_down_inbox_log(struct peer *, const struct principal_id *);
struct log_id
__wrap_down_inbox_log(struct peer *p, const struct principal_id *device)
{
	size_t i;

	for (i = 0; planted(BUG_OTHERS_INBOX) && i < world->principal_n; i++)
		if (ID_EQUAL(&world->principal[i].id, device))
			return __real_down_inbox_log(p, &world->principal[(i + 1) % world->principal_n].id);
	return __real_down_inbox_log(p, device);
}

enum err __real_member_get(struct store_txn *, const struct principal_id *, struct member *);
enum err __wrap_member_get(struct store_txn *, const struct principal_id *, struct member *);
enum err
__wrap_member_get(struct store_txn *txn, const struct principal_id *id, struct member *out)
{
	enum err e = __real_member_get(txn, id, out);

	if (planted(BUG_REVOKED_SERVED) && e == E_OK && out->state == MEMBER_REVOKED)
		out->state = MEMBER_APPROVED;
	return e;
}

enum err __real_rules_check(enum act, const struct rules_case *, const struct area_table *, struct why *);
enum err __wrap_rules_check(enum act, const struct rules_case *, const struct area_table *, struct why *);
enum err
__wrap_rules_check(enum act act, const struct rules_case *c, const struct area_table *areas, struct why *why)
{
	return planted(BUG_SCOPE) ? E_OK : __real_rules_check(act, c, areas, why);
}

enum err __real_link_older_note(struct peer *, struct store_txn *);
enum err __wrap_link_older_note(struct peer *, struct store_txn *);
enum err
__wrap_link_older_note(struct peer *p, struct store_txn *txn)
{
	return planted(BUG_OLDER_FORGOTTEN) ? E_OK : __real_link_older_note(p, txn);
}
