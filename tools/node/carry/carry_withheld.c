/* What is not taken back from above, because somebody will still bring more of it. */
#include "core/parcel/parcel.h"
#include "tools/node/carry/accept.h"
#include "tools/node/carry/carry_inside.h"

/* Does this office have a second node, that may hold what is lost here? */
static enum err
each_twin(void *arg, const struct member *m)
{
	struct carry *c = arg;

	c->has_twin =
	    c->has_twin || (m->enrolment.role == ROLE_NODE && m->state == MEMBER_APPROVED &&
			    peer_identity_by_id(c->peer, &m->enrolment.id) == NULL &&
			    strcmp(m->enrolment.area, c->peer->home.area) == 0);
	return E_OK;
}

enum err
carry_find_twin(struct carry *c, struct store_txn *txn)
{
	struct member first;

	/* the one that invited this one */
	if (c->peer->above.twin && member_get(txn, &c->peer->above.node, &first) == E_OK)
		c->has_twin = first.state != MEMBER_REVOKED && first.state != MEMBER_KNOWN_REVOKED;
	return member_walk(txn, each_twin, c);
}

/*
 * Will somebody still bring the whole of a parcel that comes back from above without its
 * identifying part? Its author will, unless that is this very store, which wrote it after the
 * backup that it was put back from, or was shut out; a second node of the office may. Else what is
 * known above is all that is left.
 */
enum err
carry_may_come_whole(struct carry *c, struct store_txn *txn, const struct principal_id *author,
		     bool *out)
{
	struct member m;
	enum err e;

	*out = c->has_twin || peer_identity_by_id(c->peer, author) == NULL;
	if (c->has_twin || !*out || (e = member_get(txn, author, &m)) == E_ABSENT)
		return E_OK;
	*out = e == E_OK && m.state != MEMBER_REVOKED && m.state != MEMBER_KNOWN_REVOKED;
	return e;
}

/*
 * From above comes no parcel back that lost its identifying part on the way up, where this very
 * office should have it whole: its author has that still, and a part taken for the whole would be
 * taken for the last word.
 */
enum err
carry_withholds(struct carry *c, struct store_txn *txn, const struct accepted *x,
		struct arena *arena, bool *out)
{
	struct parcel_context context = {.programme = c->peer->programme.id,
					 .log = x->arrival.log,
					 .previous = x->arrival.previous};
	struct office_at office;
	struct parcel parcel;
	bool left_out = false;
	enum err e;
	size_t i;

	*out = false;
	if (c->other.road != CARRY_UP)
		return E_OK;
	if ((e = parcel_read(&parcel, x->arrival.parcel, &context, arena, NULL)) != E_OK)
		return e;
	if (parcel.area[0] != '\0' &&
	    ((e = office_for(c->peer, txn, parcel.area, &office)) != E_OK || !office.own))
		return e;
	for (i = 0; i < parcel.item_count; i++)
		left_out = left_out || parcel.items[i].identifying.left_out;
	return left_out ? carry_may_come_whole(c, txn, &x->arrival.log.author, out) : E_OK;
}
