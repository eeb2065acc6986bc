#include "core/set/shared.h"

#include <stdlib.h>

#include "core/crypto/crypto.h"
#include "core/pack.h"
#include "core/set/shared_inside.h"

#define VERSION 1u
#define KEY_CHECK_TEXT "banyan shared key 1"

struct shared_key
shared_key(const struct shared *s, enum shared_kind kind, const void *rest, size_t count)
{
	struct shared_key k = {.n = ID_BYTES + 1 + count};

	memcpy(k.b, s->config.other.b, ID_BYTES);
	k.b[ID_BYTES] = (uint8_t)kind;
	if (count > 0)
		memcpy(k.b + ID_BYTES + 1, rest, count);
	return k;
}

/* Another key shows before anything is compared. */
static uint64_t
key_check(const struct shared *s)
{
	return siphash(&s->config.key, BYTES_LIT(KEY_CHECK_TEXT));
}

struct head {
	uint64_t check, upto, count, sum;
	uint8_t spread[SKETCH_SPREAD_BYTES];
};

/* E_ABSENT: there is none. */
static enum err
head_get(const struct shared *s, struct store_txn *txn, struct head *h)
{
	struct shared_key k = shared_key(s, SHARED_HEAD, NULL, 0);
	struct reader r;
	struct bytes v;
	enum err e;

	*h = (struct head){0};
	if ((e = store_get(txn, STORE_SHARED, BYTES(k.b, k.n), &v)) != E_OK)
		return e;
	reader_init(&r, v);
	reader_array_of(&r, 6);
	if (reader_u64(&r) != VERSION)
		return E_STORE_DAMAGED;
	h->check = reader_u64(&r);
	h->upto = reader_u64(&r);
	h->count = reader_u64(&r);
	h->sum = reader_u64(&r);
	reader_bin_fixed(&r, h->spread, SKETCH_SPREAD_BYTES);
	return reader_end(&r) == E_OK ? E_OK : E_STORE_DAMAGED;
}

static enum err
block_read(struct shared *s, struct store_txn *txn, uint8_t block)
{
	struct shared_key k = shared_key(s, SHARED_BLOCK, &block, 1);
	struct sketch_cell *cell = &s->sketch.cell[block * SHARED_BLOCK_CELLS];
	struct bytes v;
	uint32_t i;
	enum err e = store_get(txn, STORE_SHARED, BYTES(k.b, k.n), &v);

	if (e != E_OK || v.n != SHARED_BLOCK_CELLS * SKETCH_CELL_BYTES)
		return e == E_OK || e == E_ABSENT ? E_STORE_DAMAGED : e;
	for (i = 0; i < SHARED_BLOCK_CELLS; i++)
		cell[i] = sketch_cell_get(v.p + i * SKETCH_CELL_BYTES);
	return E_OK;
}

static enum err
load(struct shared *s, struct store_txn *txn)
{
	unsigned block;
	struct head h;
	enum err e = head_get(s, txn, &h);

	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (h.check != key_check(s)) {
		shared_reset(s);
		return E_OK;
	}
	s->upto = s->saved_upto = h.upto;
	s->sketch.count = h.count;
	s->sketch.sum = h.sum;
	memcpy(s->sketch.spread, h.spread, sizeof(h.spread));
	for (block = 0; block < SHARED_BLOCKS && e == E_OK; block++)
		e = block_read(s, txn, (uint8_t)block);
	return e;
}

enum err
shared_open(struct shared **out, struct store_txn *txn, const struct shared_config *config)
{
	struct shared *s = calloc(1, sizeof(*s));
	enum err e;

	if ((*out = s) == NULL)
		return E_NO_MEMORY;
	s->config = *config;
	if ((e = load(s, txn)) == E_OK)
		return E_OK;
	shared_close(s);
	*out = NULL;
	return e;
}

enum err
shared_copy(struct shared **out, const struct shared *from, const struct shared_config *config)
{
	struct shared *s = malloc(sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return E_NO_MEMORY;
	*s = *from;
	s->config = *config;
	s->fresh = NULL;
	s->fresh_room = s->fresh_count;
	if (s->fresh_count > 0) {
		if ((s->fresh = malloc(s->fresh_count * sizeof(*s->fresh))) == NULL) {
			shared_close(s);
			return E_NO_MEMORY;
		}
		memcpy(s->fresh, from->fresh, s->fresh_count * sizeof(*s->fresh));
	}
	*out = s;
	return E_OK;
}

void
shared_close(struct shared *s)
{
	if (s == NULL)
		return;
	crypto_wipe(&s->config.key, sizeof(s->config.key));
	free(s->fresh);
	free(s);
}

void
shared_reset(struct shared *s)
{
	sketch_init(&s->sketch);
	s->upto = 0;
	s->all_changed = true;
	memset(s->known, 0, sizeof(s->known));
	s->fresh_count = 0;
}

uint64_t
shared_upto(const struct shared *s)
{
	return s->upto;
}

uint64_t
shared_unsaved(const struct shared *s)
{
	return s->all_changed ? s->upto : s->upto - s->saved_upto;
}

const struct sketch *
shared_sketch(const struct shared *s)
{
	return &s->sketch;
}

/* ---- bringing it up to date ---- */

static void
fresh_log(struct shared *s, const struct log_id *log)
{
	if (s->fresh_count == s->fresh_room) {
		size_t room = s->fresh_room == 0 ? 64 : 2 * s->fresh_room;
		struct log_id *more = realloc(s->fresh, room * sizeof(*more));

		if (more == NULL) {
			s->failed = E_NO_MEMORY;
			return;
		}
		s->fresh = more;
		s->fresh_room = room;
	}
	s->fresh[s->fresh_count++] = *log;
}

/* A log's tag. One that was not among the last ones may be new: its row is looked for when the set
 * is saved. */
static uint32_t
note_log(struct shared *s, const struct log_id *log)
{
	size_t place = (be32_get(log->author.b) ^ (uint32_t)log->epoch) % SHARED_KNOWN;

	if (s->known[place].there && log_id_equal(&s->known[place].log, log))
		return s->known[place].tag;
	s->known[place].log = *log;
	s->known[place].tag = sketch_log_tag(&s->config.key, log);
	s->known[place].there = true;
	fresh_log(s, log);
	return s->known[place].tag;
}

bool
shared_note(struct shared *s, const struct arrival *a, bool belongs)
{
	struct sketch_item item;

	if (a->seq != s->upto + 1)
		return false;
	s->upto = a->seq;
	if (!belongs)
		return true;
	item = sketch_item(&s->config.key, note_log(s, &a->log), &a->log, a->number, &a->hash);
	sketch_add(&s->sketch, &s->config.key, &item);
	return true;
}

enum err
shared_catch_up(struct shared *s, struct store_txn *txn, uint64_t seq)
{
	while (s->upto < seq) {
		struct arrival a;
		bool belongs;
		enum err e;

		if ((e = arrival_get(txn, s->upto + 1, &a)) != E_OK ||
		    (e = s->config.rule(s->config.arg, txn, &a, &belongs)) != E_OK)
			return e;
		(void)shared_note(s, &a, belongs);
		if (s->upto % 256 == 0)
			store_forget(txn);
	}
	return s->failed;
}

/* ---- saving ---- */

static enum err
put(struct store_txn *txn, const struct shared_key *k, struct bytes v)
{
	return store_put(txn, STORE_SHARED, BYTES(k->b, k->n), v);
}

static enum err
blocks_put(struct store_txn *txn, const struct shared *s)
{
	uint8_t room[SHARED_BLOCK_CELLS * SKETCH_CELL_BYTES];
	uint32_t from;
	enum err e = E_OK;

	for (from = 0; from < SKETCH_CELLS_MAX && e == E_OK; from += SHARED_BLOCK_CELLS) {
		uint8_t block = (uint8_t)(from / SHARED_BLOCK_CELLS);
		struct shared_key k = shared_key(s, SHARED_BLOCK, &block, 1);
		struct writer w;

		writer_init(&w, room, sizeof(room));
		sketch_cells_put(&w, &s->sketch, from, from + SHARED_BLOCK_CELLS);
		e = put(txn, &k, writer_view(&w));
	}
	return e;
}

static enum err
head_put(struct store_txn *txn, const struct shared *s)
{
	struct shared_key k = shared_key(s, SHARED_HEAD, NULL, 0);
	uint8_t room[128];
	struct writer w;

	writer_init(&w, room, sizeof(room));
	pack_array(&w, 6);
	pack_u64(&w, VERSION);
	pack_u64(&w, key_check(s));
	pack_u64(&w, s->upto);
	pack_u64(&w, s->sketch.count);
	pack_u64(&w, s->sketch.sum);
	pack_bin(&w, BYTES(s->sketch.spread, SKETCH_SPREAD_BYTES));
	return writer_end(&w) != E_OK ? writer_end(&w) : put(txn, &k, writer_view(&w));
}

/* Of another key, or of a rule that changed: none of its rows stays. */
static enum err
rows_drop(struct store_txn *txn, const struct shared *s)
{
	struct shared_key k = shared_key(s, SHARED_HEAD, NULL, 0);
	enum err e = E_OK;

	while (e == E_OK) {
		uint8_t room[STORE_KEY_BYTES_MAX];
		struct store_cursor *c;
		struct bytes key = BYTES_NONE;
		size_t n = 0;

		if ((e = store_walk_prefix(txn, STORE_SHARED, BYTES(k.b, ID_BYTES), STORE_FORWARD,
					   &c)) != E_OK)
			return e;
		if (store_next(c, &key, NULL)) {
			n = key.n;
			memcpy(room, key.p, n);
		}
		if ((e = store_walk_end(c)) != E_OK || n == 0)
			return e;
		e = store_del(txn, STORE_SHARED, BYTES(room, n));
	}
	return e;
}

static enum err
logs_put(struct store_txn *txn, const struct shared *s)
{
	size_t i;
	enum err e = E_OK;

	for (i = 0; i < s->fresh_count && e == E_OK; i++) {
		uint8_t b[1 + ID_BYTES + 8] = {4}, rest[SHARED_LOG_BYTES];
		struct bytes v = BYTES(b + 1, ID_BYTES + 8);
		struct shared_key k;

		memcpy(b + 1, s->fresh[i].author.b, ID_BYTES);
		be64_put(b + 1 + ID_BYTES, s->fresh[i].epoch);
		be32_put(rest, sketch_log_tag(&s->config.key, &s->fresh[i]));
		be64_put(rest + 4, siphash(&s->config.key, BYTES(b, sizeof(b))));
		k = shared_key(s, SHARED_LOG, rest, sizeof(rest));
		if (!store_has(txn, STORE_SHARED, BYTES(k.b, k.n)))
			e = put(txn, &k, v);
	}
	return e;
}

/* Somebody else's save may have come between; what is written must be all of one state. */
enum err
shared_save(struct store_txn *txn, struct shared *s)
{
	struct head now;
	bool ours;
	enum err e = head_get(s, txn, &now);

	if (s->failed != E_OK || (e != E_OK && e != E_ABSENT))
		return s->failed != E_OK ? s->failed : e;
	ours = e == E_OK && now.check == key_check(s);
	if (ours && !s->all_changed && now.upto >= s->upto)
		return E_OK;
	if ((!ours || s->all_changed) && (e = rows_drop(txn, s)) != E_OK)
		return e;
	if ((e = logs_put(txn, s)) != E_OK || (e = blocks_put(txn, s)) != E_OK)
		return e;
	return head_put(txn, s);
}

void
shared_saved(struct shared *s)
{
	s->saved_upto = s->upto;
	s->all_changed = false;
	s->fresh_count = 0;
}

bool
shared_is_stored(const struct shared *s, struct store_txn *txn)
{
	struct shared_key k = shared_key(s, SHARED_HEAD, NULL, 0);

	return store_has(txn, STORE_SHARED, BYTES(k.b, k.n));
}

enum err
shared_forget(struct store_txn *txn)
{
	return store_clear(txn, STORE_SHARED);
}
