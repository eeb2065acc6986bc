#include "tools/people.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/json.h"
#include "tools/node/records/tally.h"
#include "tools/node/records/view.h"

struct gathering {
	struct peer *p;
	struct store_txn *txn;
	const struct enrolment *who;
	struct arena *arena;
	struct person *people;
	size_t count, cap;
	uint32_t now_s;
};

const char *
people_state(enum member_state state)
{
	return state == MEMBER_PENDING    ? "pending"
	       : state == MEMBER_APPROVED ? "approved"
					  : "revoked";
}

static enum err
last_seen(struct store_txn *txn, struct person *x)
{
	struct bytes value;
	enum err e = store_get(txn, STORE_PEER, BYTES(x->id.b, ID_BYTES), &value);

	if (e == E_OK && value.n == 4)
		x->last_seen_s = be32_get(value.p);
	return e == E_ABSENT ? E_OK : e;
}

static enum err
add(void *arg, const struct member *m)
{
	struct gathering *g = arg;
	struct person *x;
	uint32_t since;

	if (!view_in_scope(g->p, g->who, m->enrolment.area))
		return E_OK;
	if (g->count == g->cap) {
		size_t cap = g->cap == 0 ? 64 : 2 * g->cap;
		struct person *more = arena_alloc(g->arena, cap * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		if (g->count > 0)
			memcpy(more, g->people, g->count * sizeof(*more));
		g->people = more;
		g->cap = cap;
	}
	x = &g->people[g->count++];
	memset(x, 0, sizeof(*x));
	x->id = m->enrolment.id;
	memcpy(x->name, m->enrolment.name, sizeof(x->name));
	memcpy(x->area, m->enrolment.area, sizeof(x->area));
	memcpy(x->reason, m->reason, sizeof(x->reason));
	x->role = m->enrolment.role;
	x->state = m->state;
	x->joined_s = m->joined_s;
	x->last_seen_s = m->last_seen_s;
	x->here = peer_identity_by_id(g->p, &x->id) != NULL;
	if (last_seen(g->txn, x) != E_OK || quota_of(g->txn, &x->id, &x->quota) != E_OK)
		return E_STORE_DAMAGED;
	since = x->last_seen_s > x->joined_s ? x->last_seen_s : x->joined_s;
	x->overdue = x->role == ROLE_MEMBER && x->state == MEMBER_APPROVED && !x->here &&
		     g->now_s > since && g->now_s - since > OVERDUE_DAYS * 86400u;
	return E_OK;
}

static int
by_need(const void *a, const void *b)
{
	const struct person *x = a, *y = b;
	int mine = x->state == MEMBER_PENDING    ? 0
		   : x->overdue                  ? 1
		   : x->state == MEMBER_APPROVED ? 2
						 : 3;
	int theirs = y->state == MEMBER_PENDING    ? 0
		     : y->overdue                  ? 1
		     : y->state == MEMBER_APPROVED ? 2
						   : 3;

	return mine != theirs ? mine - theirs : strcmp(x->name, y->name);
}

enum err
people_list(struct peer *p, struct store_txn *txn, const struct enrolment *who, bool with_records,
	    struct arena *a, struct person **out, size_t *count)
{
	struct gathering g = {.p = p, .txn = txn, .who = who, .arena = a, .now_s = peer_now_s(p)};
	enum err e = member_walk(txn, add, &g);
	struct tally_row row;
	size_t i;

	for (i = 0; i < g.count && with_records && e == E_OK; i++)
		if ((e = tally_of(txn, TALLY_AUTHOR, BYTES(g.people[i].id.b, ID_BYTES), &row)) ==
		    E_OK)
			g.people[i].records = row.counts[TALLY_RECORDS];
	if (g.count > 0)
		qsort(g.people, g.count, sizeof(*g.people), by_need);
	*out = g.people;
	*count = g.count;
	return e;
}

static void
json_time(struct writer *w, const char *key, uint32_t time_s)
{
	char when[32];

	view_time(when, time_s);
	json_key_str(w, key, time_s == 0 ? NULL : when);
}

void
people_json(const struct person *x, bool with_records, struct writer *w)
{
	char id[2 * ID_BYTES + 1];

	hex_encode(id, x->id.b, ID_BYTES);
	writer_str(w, "{");
	json_key_str(w, "name", x->name);
	json_key_str(w, "id", id);
	json_key_str(w, "role", role_name(x->role));
	json_key_str(w, "area", x->area);
	json_key_str(w, "state", people_state(x->state));
	json_time(w, "joined", x->joined_s);
	json_time(w, "last_seen", x->last_seen_s);
	json_key_bool(w, "overdue", x->overdue);
	if (with_records)
		json_key_u64(w, "records", x->records);
	if (x->state == MEMBER_REVOKED)
		json_key_str(w, "reason", x->reason);
	writer_str(w, "}");
}
