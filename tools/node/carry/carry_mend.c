/* The sums differed: repair finds what, and exactly that is said. PROTOCOL.md "Repair". */
#include <stdlib.h>

#include "sync/repair.h"
#include "tools/node/carry/carry_inside.h"

static enum err
mend_sketch(void *ctx, const struct sketch **out)
{
	return carry_left_sketch(ctx, out);
}

static enum err
mend_logs(void *ctx, uint32_t from, uint32_t to, repair_log_fn *each, void *arg)
{
	struct carry *c = ctx;

	return shared_logs(c->shared, c->reading, from, to, each, arg);
}

static enum err
mend_find(void *ctx, const struct log_id *log, uint32_t number, repair_hash_fn *each, void *arg)
{
	struct carry *c = ctx;

	return shared_find(c->shared, c->reading, log, number, each, arg);
}

static enum err
mend_walk(void *ctx, const struct log_id *log, repair_hash_fn *each, void *arg)
{
	struct carry *c = ctx;

	return shared_walk(c->shared, c->reading, log, each, arg);
}

/* All that came is opened and counted, and the set saved as it is: repair reads it. */
static enum err
begin(struct carry *c, struct why *why)
{
	struct repair_config config = {
	    !c->other.upper, c->key, {c, mend_sketch, mend_logs, mend_find, mend_walk}};
	enum err e;

	if ((e = carry_open_all(c, why)) != E_OK || (e = carry_sum_upto(c, false)) != E_OK ||
	    (e = carry_sum_save(c)) != E_OK)
		return e;
	c->extra_count = c->extra_sum = 0;
	return c->repair == NULL ? repair_new(&c->repair, &config) : E_OK;
}

enum err
carry_mend_start(struct carry *c, struct why *why)
{
	enum err e = begin(c, why);

	return e == E_OK ? repair_start(c->repair) : e;
}

enum err
carry_mend_take(struct carry *c, const struct message *m, struct why *why)
{
	enum err e = E_OK;

	if (c == NULL || (c->repair == NULL && m->type != MESSAGE_SUMS))
		return why_set(why, E_PROTOCOL, "%s before the nodes' exchange",
			       message_name(m->type));
	if (m->type == MESSAGE_SUMS)
		e = begin(c, why);
	if (e == E_OK && (e = store_read_begin(c->peer->store, &c->reading)) == E_OK) {
		e = repair_take(c->repair, m, why);
		store_read_end(c->reading);
		c->reading = NULL;
	}
	return e == E_OK || (why != NULL && why->e == e) ? e
							 : why_set(why, e, "what two nodes share");
}

bool
carry_mend_next(struct carry *c, struct message *out)
{
	return repair_next(c->repair, out);
}

bool
carry_mend_over(const struct carry *c)
{
	return repair_state(c->repair) != REPAIR_RUNNING;
}

enum err
carry_mend_list(struct carry *c, const struct carry *found)
{
	const struct repair_send *send;
	size_t n;

	if (found == NULL || found->repair == NULL)
		return E_PROTOCOL;
	n = repair_sends(found->repair, &send);
	if ((c->list = malloc((n + 1) * sizeof(*c->list))) == NULL)
		return E_NO_MEMORY;
	if (n > 0)
		memcpy(c->list, send, n * sizeof(*send));
	c->list_count = n;
	c->at = c->marked = found->bound;
	return E_OK;
}
