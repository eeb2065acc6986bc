#include "tools/node/attached/attached.h"

#include <string.h>

#include "core/pack.h"

#define KEY_BYTES (ATTACH_ID_BYTES + 4u)
#define ROW_BYTES_MAX (ATTACH_LIST_BYTES_MAX + 128u)

/* Part 0 is the row about it, chunk i is part i + 1. */
static struct bytes
key_of(uint8_t key[KEY_BYTES], const struct attach_id *id, uint32_t part)
{
	memcpy(key, id->b, ATTACH_ID_BYTES);
	be32_put(key + ATTACH_ID_BYTES, part);
	return BYTES(key, KEY_BYTES);
}

enum err
attached_seal(struct attached_new *n, const char *name, struct bytes plain)
{
	size_t length = strlen(name);

	memset(n, 0, sizeof(*n));
	writer_heap_init(&n->list, ATTACH_LIST_BYTES_MAX);
	writer_heap_init(&n->sealed, ATTACH_CHUNKS_MAX * ATTACH_SEALED_BYTES_MAX);
	if (length == 0 || length > ATTACH_NAME_BYTES_MAX)
		return E_LIMIT;
	memcpy(n->ref.name, name, length);
	crypto_random(n->ref.key, sizeof(n->ref.key));
	return attach_seal(&n->ref, plain, &n->list, &n->sealed);
}

void
attached_free(struct attached_new *n)
{
	writer_free(&n->list);
	writer_free(&n->sealed);
	crypto_wipe(&n->ref, sizeof(n->ref));
}

/* [1, author, state, held, epoch, number, incarnation, list bin] */
enum err
attached_put(struct store_txn *txn, const struct attached *a)
{
	uint8_t key[KEY_BYTES];
	struct writer w;
	enum err e;

	writer_heap_init(&w, ROW_BYTES_MAX);
	pack_array(&w, 8);
	pack_u64(&w, 1);
	pack_bin(&w, BYTES(a->author.b, ID_BYTES));
	pack_u64(&w, a->state);
	pack_u64(&w, a->held);
	pack_u64(&w, a->epoch);
	pack_u64(&w, a->number);
	pack_u64(&w, a->incarnation);
	pack_bin(&w, a->list);
	if ((e = writer_end(&w)) == E_OK)
		e = store_put(txn, STORE_ATTACHMENT, key_of(key, &a->id, 0), writer_view(&w));
	writer_free(&w);
	return e;
}

enum err
attached_get(struct store_txn *txn, const struct attach_id *id, struct attached *a)
{
	uint8_t key[KEY_BYTES];
	struct bytes value;
	struct reader r;
	enum err e;

	memset(a, 0, sizeof(*a));
	a->id = *id;
	if ((e = store_get(txn, STORE_ATTACHMENT, key_of(key, id, 0), &value)) != E_OK)
		return e;
	reader_begin(&r, value, 1, 8);
	reader_bin_fixed(&r, a->author.b, ID_BYTES);
	a->state = (enum attach_state)reader_u64_max(&r, ATTACH_GONE);
	a->held = (uint32_t)reader_u64_max(&r, ATTACH_CHUNKS_MAX);
	a->epoch = reader_u64(&r);
	a->number = reader_u64(&r);
	a->incarnation = reader_u64(&r);
	a->list = reader_bin(&r);
	return reader_end(&r);
}

enum err
attached_chunk(struct store_txn *txn, const struct attach_id *id, uint32_t index, struct bytes *out)
{
	uint8_t key[KEY_BYTES];

	return store_get(txn, STORE_ATTACHMENT, key_of(key, id, index + 1), out);
}

enum err
attached_drop(struct store_txn *txn, const struct attach_id *id)
{
	struct attached a;
	uint8_t key[KEY_BYTES];
	uint32_t part, count;
	enum err e = attached_get(txn, id, &a);

	count = attached_count(&a);
	for (part = 0; part <= count && e == E_OK; part++) {
		e = store_del(txn, STORE_ATTACHMENT, key_of(key, id, part));
		e = e == E_ABSENT ? E_OK : e;
	}
	return e;
}

enum err
attached_account(struct store_txn *txn, const struct principal_id *id, int64_t more, bool *full)
{
	uint8_t room[8];
	struct bytes value;
	uint64_t bytes = 0;
	enum err e = store_get(txn, STORE_ATTACHMENT, BYTES(id->b, ID_BYTES), &value);

	*full = false;
	if (e == E_OK && value.n == 8)
		bytes = be64_get(value.p);
	if (e != E_OK && e != E_ABSENT)
		return e;
	if (more < 0)
		bytes -= bytes < (uint64_t)-more ? bytes : (uint64_t)-more;
	else if ((*full = bytes + (uint64_t)more > ATTACH_DEVICE_BYTES_MAX))
		return E_OK;
	else
		bytes += (uint64_t)more;
	be64_put(room, bytes);
	return store_put(txn, STORE_ATTACHMENT, BYTES(id->b, ID_BYTES), BYTES(room, sizeof(room)));
}

enum err
attached_open(struct store_txn *txn, const struct attach_ref *ref, struct writer *plain)
{
	struct bytes sealed;
	uint32_t i;
	enum err e = E_OK;

	for (i = 0; i < attach_chunks(ref->size) && e == E_OK; i++) {
		if ((e = attached_chunk(txn, &ref->id, i, &sealed)) == E_OK)
			e = attach_open(ref, i, sealed, plain);
	}
	return e;
}

enum err
attached_walk(struct store_txn *txn, attached_fn *f, void *arg)
{
	struct store_cursor *c;
	struct bytes key;
	enum err e, e2;

	if ((e = store_walk(txn, STORE_ATTACHMENT, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, NULL)) {
		struct attach_id id;
		struct attached a;

		if (key.n != KEY_BYTES || be32_get(key.p + ATTACH_ID_BYTES) != 0)
			continue;
		memcpy(id.b, key.p, ATTACH_ID_BYTES);
		if ((e = attached_get(txn, &id, &a)) == E_OK)
			e = f(arg, txn, &a);
	}
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

/* ---- an author's store ---- */

static enum err
add_waiting(void *arg, struct store_txn *txn, const struct attached *a)
{
	(void)txn;
	*(uint64_t *)arg += a->state == ATTACH_WAITS || a->state == ATTACH_OFFERED;
	return E_OK;
}

enum err
attached_waiting(struct store_txn *txn, uint64_t *out)
{
	*out = 0;
	return attached_walk(txn, add_waiting, out);
}

static enum err
add_left(void *arg, struct store_txn *txn, const struct attached *a)
{
	(void)txn;
	if (a->state == ATTACH_WAITS || a->state == ATTACH_OFFERED)
		*(uint64_t *)arg += attached_count(a) - a->held;
	return E_OK;
}

enum err
attached_left(struct store_txn *txn, uint64_t *out)
{
	*out = 0;
	return attached_walk(txn, add_left, out);
}

enum err
attached_keep(struct store_txn *txn, const struct attached_new *n,
	      const struct principal_id *author, bool at_node)
{
	struct attached a = {.id = n->ref.id, .author = *author, .list = writer_view(&n->list)};
	uint8_t key[KEY_BYTES];
	uint32_t i;
	size_t at = 0;
	enum err e;

	a.state = at_node ? ATTACH_THEIRS : ATTACH_WAITS;
	a.held = at_node ? attached_count(&a) : 0;
	if (!at_node &&
	    (store_count(txn, STORE_ATTACHMENT) + attached_count(&a)) * ATTACH_CHUNK_BYTES >
		ATTACH_WAITING_BYTES_MAX)
		return E_LIMIT;
	e = attached_put(txn, &a);
	for (i = 0; i < attached_count(&a) && e == E_OK; i++) {
		size_t bytes = attach_chunk_bytes(n->ref.size, i);

		e = store_put(txn, STORE_ATTACHMENT, key_of(key, &a.id, i + 1),
			      BYTES(n->sealed.p + at, bytes));
		at += bytes;
	}
	return e;
}

struct settling {
	const struct identity *self;
	uint64_t incarnation, safe;
	struct attach_id id;
	bool found, free;
};

/* The next that can be freed, or must be offered again. */
static enum err
settle_one(void *arg, struct store_txn *txn, const struct attached *a)
{
	struct settling *g = arg;

	(void)txn;
	if (a->state != ATTACH_HELD)
		return E_OK;
	g->id = a->id;
	g->free = a->incarnation == g->incarnation &&
		  (a->epoch == g->self->epoch ? g->safe > a->number : g->safe > 0);
	g->found = g->free || a->incarnation != g->incarnation;
	return g->found ? E_ABSENT : E_OK;
}

static enum err
settle_job(struct store_txn *txn, void *arg)
{
	struct settling *g = arg;
	struct attached a;
	enum err e;

	if (g->free)
		return attached_drop(txn, &g->id);
	if ((e = attached_get(txn, &g->id, &a)) != E_OK)
		return e;
	a.state = ATTACH_OFFERED;
	a.held = 0;
	return attached_put(txn, &a);
}

enum err
attached_settle(struct peer *p, uint64_t incarnation, uint64_t safe)
{
	struct settling g = {.self = peer_self(p), .incarnation = incarnation, .safe = safe};
	struct store_txn *txn;
	enum err e;

	do {
		g.found = false;
		if ((e = store_read_begin(p->store, &txn)) != E_OK)
			return e;
		e = attached_walk(txn, settle_one, &g);
		store_read_end(txn);
		e = e == E_ABSENT ? E_OK : e;
		if (e == E_OK && g.found)
			e = store_write(p->store, settle_job, &g);
	} while (e == E_OK && g.found);
	return e;
}

enum err
attached_heard(struct store_txn *txn, const struct attach_id *id, struct attached_word *w)
{
	struct attached a;
	enum err e = attached_get(txn, id, &a);

	w->whole = false;
	w->further = true;
	if (e == E_ABSENT) /* its record was voided meanwhile */
		return E_OK;
	if (e == E_OK && w->status == ATTACH_UNWANTED)
		return attached_drop(txn, id);
	if (e != E_OK)
		return e;
	if (w->held > attached_count(&a))
		return E_PROTOCOL;
	if (a.state == ATTACH_HELD && a.incarnation == w->incarnation)
		return E_OK; /* an older word */
	w->further = w->held > a.held;
	a.held = w->held;
	a.state = ATTACH_OFFERED;
	if (a.held == attached_count(&a)) {
		a.state = ATTACH_HELD;
		a.epoch = w->epoch;
		a.number = w->number;
		a.incarnation = w->incarnation;
		w->whole = true;
	}
	return attached_put(txn, &a);
}

/* ---- all ---- */

struct checking {
	uint64_t count, bad;
};

static enum err
check_one(void *arg, struct store_txn *txn, const struct attached *a)
{
	struct checking *g = arg;
	uint8_t hash[SHA256_BYTES];
	uint32_t i, here = a->state == ATTACH_THEIRS ? a->held : attached_count(a);
	struct attach_id id;
	struct bytes sealed;
	enum err e = E_OK;

	if (a->state == ATTACH_GONE)
		return E_OK;
	g->count++;
	if (attach_id_of(a->list, &id) != E_OK || !ID_EQUAL(&id, &a->id)) {
		g->bad++;
		return E_OK;
	}
	for (i = 0; i < here; i++) {
		if ((e = attached_chunk(txn, &a->id, i, &sealed)) != E_OK)
			break;
		crypto_sha256(hash, sealed);
		if (memcmp(hash, a->list.p + (size_t)i * SHA256_BYTES, SHA256_BYTES) != 0)
			break;
	}
	g->bad += i < here;
	return e == E_ABSENT || e == E_STORE_DAMAGED ? E_OK : e;
}

enum err
attached_check(struct peer *p, uint64_t *count, uint64_t *bad)
{
	struct checking g = {0, 0};
	struct store_txn *txn;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	e = attached_walk(txn, check_one, &g);
	store_read_end(txn);
	*count = g.count;
	*bad = g.bad;
	return e;
}
