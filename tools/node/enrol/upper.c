#include "tools/node/enrol/upper.h"

#include <stdio.h>

#include "tools/node/down/down_item.h"
#include "tools/node/down/down_row.h"
#include "tools/node/link/link.h"
#include "tools/node/enrol/offices.h"
#include "tools/node/state.h"
#include "tools/node/link/twins.h"

#define CONTENT_BYTES_MAX (UPPER_OFFICES_MAX * STATEMENT_BYTES_MAX + 2048u)
#define AT "at upper" /* META: its memory is in place */

const struct above *
upper_of(const struct peer *p)
{
	if (p->above.known && !p->above.twin)
		return &p->above;
	return p->upper.known ? &p->upper : NULL;
}

/* ---- where a store stands with the node above ---- */

struct stand {
	struct sync_memory memory;
	struct down_cursor broadcast;
};

static void
names_of(const struct principal_id *node, char sync[80], char broadcast[80])
{
	char hex[2 * ID_BYTES + 1];

	hex_encode(hex, node->b, ID_BYTES);
	(void)snprintf(sync, 80, "sync %s", hex);
	(void)snprintf(broadcast, 80, "down broadcast %s", hex);
}

static enum err
stand_get(struct peer *p, struct store_txn *txn, const struct above *up, struct stand *out)
{
	char sync[80] = "sync", broadcast[80] = "down broadcast";
	enum err e;

	if (up != &p->above)
		names_of(&up->node, sync, broadcast);
	if ((e = sync_memory_named(txn, sync, &out->memory)) != E_OK)
		return e;
	return down_cursor_named(txn, broadcast, &out->broadcast);
}

/* ---- telling ---- */

static enum err
write_offices(struct peer *p, struct store_txn *txn, struct writer *w)
{
	struct bytes office[UPPER_OFFICES_MAX];
	struct office_at above[AREA_DEPTH_MAX];
	size_t count, n = 0, i;
	enum err e;

	if ((e = office_above(p, txn, above, &count)) != E_OK)
		return e;
	for (i = 0; i < count && n < UPPER_OFFICES_MAX; i++)
		if ((e = office_statement(p, txn, above[i].area, &office[n])) == E_OK)
			n++;
		else if (e != E_ABSENT)
			return e;
	pack_array(w, (uint32_t)n);
	for (i = 0; i < n; i++)
		pack_bin(w, office[i]);
	return writer_end(w);
}

static enum err
write_content(struct peer *p, struct store_txn *txn, const struct above *up, struct writer *w)
{
	struct stand s;
	enum err e;

	if ((e = stand_get(p, txn, up, &s)) != E_OK)
		return e;
	state_above_write(w, up);
	pack_array(w, 4);
	pack_u64(w, s.memory.incarnation);
	pack_u64(w, s.broadcast.epoch);
	pack_u64(w, s.broadcast.number);
	pack_bin(w, BYTES(s.broadcast.hash.b, HASH_BYTES));
	return write_offices(p, txn, w);
}

struct telling {
	struct peer *peer;
	struct store_txn *txn;
	struct bytes content;
	uint8_t hash[SHA256_BYTES];
	struct enrolment to[TWINS_MAX];
	size_t count;
};

static void
told_key(uint8_t key[4 + ID_BYTES], const struct principal_id *twin)
{
	memcpy(key, "abov", 4);
	memcpy(key + 4, twin->b, ID_BYTES);
}

/* Collected first: what is put while rows are walked is not seen. */
static enum err
each_twin(void *arg, const struct member *m)
{
	struct telling *t = arg;
	uint8_t key[4 + ID_BYTES];
	struct bytes told;

	if (m->enrolment.role != ROLE_NODE || m->state != MEMBER_APPROVED ||
	    t->count == TWINS_MAX || peer_identity_by_id(t->peer, &m->enrolment.id) != NULL ||
	    strcmp(m->enrolment.area, t->peer->home.area) != 0 ||
	    !ID_EQUAL(&m->enrolment.issuer, &peer_self(t->peer)->id))
		return E_OK;
	told_key(key, &m->enrolment.id);
	if (store_get(t->txn, STORE_CURSOR, BYTES(key, sizeof(key)), &told) != E_OK ||
	    !bytes_equal(told, BYTES(t->hash, sizeof(t->hash))))
		t->to[t->count++] = m->enrolment;
	return E_OK;
}

static enum err
tell_all(struct telling *t)
{
	struct down_item item = {.kind = DOWN_ABOVE, .content = t->content};
	uint8_t key[4 + ID_BYTES];
	struct writer body;
	enum err e;
	size_t i;

	writer_heap_init(&body, CONTENT_BYTES_MAX + 64);
	down_item_write(&body, &item);
	e = writer_end(&body);
	for (i = 0; i < t->count && e == E_OK; i++) {
		told_key(key, &t->to[i].id);
		if ((e = down_notify(t->peer, t->txn, &t->to[i], writer_view(&body))) == E_OK)
			e = store_put(t->txn, STORE_CURSOR, BYTES(key, sizeof(key)),
				      BYTES(t->hash, sizeof(t->hash)));
	}
	writer_free(&body);
	return e;
}

/* What is said in one life of this node must be said again in the next one. */
static void
hash_of(struct peer *p, struct bytes content, uint8_t out[SHA256_BYTES])
{
	uint8_t life[8];
	struct bytes parts[] = {content, BYTES(life, sizeof(life))};

	be64_put(life, store_incarnation(p->store));
	crypto_sha256_parts(out, parts, 2);
}

enum err
upper_tell_job(struct store_txn *txn, void *peer)
{
	struct telling t = {.peer = peer, .txn = txn};
	const struct above *up = upper_of(t.peer);
	struct writer content;
	struct bytes at;
	enum err e;

	if (up == NULL || store_meta_get(txn, AT, &at) != E_ABSENT)
		return E_OK; /* while it is there itself: afterwards */
	writer_heap_init(&content, CONTENT_BYTES_MAX);
	if ((e = write_content(t.peer, txn, up, &content)) == E_OK) {
		t.content = writer_view(&content);
		hash_of(t.peer, t.content, t.hash);
		e = member_walk(txn, each_twin, &t);
	}
	if (e == E_OK && t.count > 0)
		e = tell_all(&t);
	writer_free(&content);
	return e;
}

enum err
upper_tell(struct peer *p)
{
	return upper_of(p) == NULL ? E_OK : store_write(p->store, upper_tell_job, p);
}

/* ---- taking ---- */

/* What the first node of the office heard so far came here by its own word: it is not asked for
 * again. */
static enum err
take_stand(struct store_txn *txn, const struct principal_id *node, const struct stand *told)
{
	char sync[80], broadcast[80];
	struct down_cursor here;
	struct sync_memory m;
	enum err e;

	names_of(node, sync, broadcast);
	if ((e = sync_memory_named(txn, sync, &m)) != E_OK ||
	    (e = down_cursor_named(txn, broadcast, &here)) != E_OK)
		return e;
	if (m.incarnation == told->memory.incarnation && here.epoch == told->broadcast.epoch &&
	    here.number >= told->broadcast.number)
		return E_OK;
	if (m.incarnation != told->memory.incarnation) /* its inbox there is of another life, too */
		m = (struct sync_memory){.incarnation = told->memory.incarnation,
					 .last_sync_s = m.last_sync_s};
	if ((e = sync_memory_put_named(txn, sync, &m)) != E_OK)
		return e;
	return down_cursor_put_named(txn, broadcast, &told->broadcast);
}

enum err
upper_take(struct peer *p, struct store_txn *txn, struct bytes content, struct above *out)
{
	struct stand told = {.memory = {0}};
	struct reader r;
	uint32_t count, i;
	bool fresh;
	enum err e;

	reader_init(&r, content);
	state_above_read(&r, out);
	reader_array_of(&r, 4);
	told.memory.incarnation = reader_u64(&r);
	told.broadcast.epoch = reader_u64(&r);
	told.broadcast.number = reader_u64(&r);
	reader_bin_fixed(&r, told.broadcast.hash.b, HASH_BYTES);
	count = reader_array(&r);
	if (count > UPPER_OFFICES_MAX)
		reader_fail(&r, E_LIMIT);
	for (i = 0; i < count && r.e == E_OK; i++) {
		struct bytes office = reader_bin(&r);

		/* one that it cannot verify (the node above has a successor) comes with that one's
		 * own words */
		if (r.e == E_OK && (e = vouch_office(p, txn, office, &fresh, NULL)) != E_OK &&
		    e != E_SIGNATURE && e != E_KEY)
			return e;
	}
	if ((e = reader_end(&r)) != E_OK)
		return e;
	out->twin = false;
	if ((e = take_stand(txn, &out->node, &told)) != E_OK)
		return e;
	return peer_put_upper(txn, out);
}

/* ---- going there ---- */

static enum err
enter_job(struct store_txn *txn, void *arg)
{
	struct peer *p = arg;
	enum err e = twins_memory_swap(txn, &p->above.node, &p->upper.node);

	return e == E_OK ? store_meta_put(txn, AT, BYTES(p->upper.node.b, ID_BYTES)) : e;
}

static enum err
leave_job(struct store_txn *txn, void *arg)
{
	struct peer *p = arg;
	uint8_t key[STORE_NAME_BYTES];
	struct principal_id at;
	struct bytes value;
	enum err e = store_meta_get(txn, AT, &value);

	if (e != E_OK || value.n != ID_BYTES)
		return e == E_OK ? E_STORE_DAMAGED : e == E_ABSENT ? E_OK : e;
	memcpy(at.b, value.p, ID_BYTES);
	if ((e = twins_memory_swap(txn, &at, &p->above.node)) != E_OK)
		return e;
	store_key_name(p->store, STORE_META, BYTES_LIT(AT), key);
	return store_del(txn, STORE_META, BYTES(key, sizeof(key)));
}

enum err
upper_enter(struct peer *p)
{
	return store_write(p->store, enter_job, p);
}

enum err
upper_leave(struct peer *p)
{
	return p->upper.known ? store_write(p->store, leave_job, p) : E_OK;
}

bool
upper_first_gone(struct peer *p)
{
	struct store_txn *txn;
	struct member m;
	bool gone = false;

	if (!p->upper.known || !p->above.twin || store_read_begin(p->store, &txn) != E_OK)
		return false;
	gone = member_get(txn, &p->above.node, &m) == E_OK &&
	       (m.state == MEMBER_REVOKED || m.state == MEMBER_KNOWN_REVOKED);
	store_read_end(txn);
	return gone;
}
