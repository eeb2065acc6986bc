/* Attachments at the node: every chunk is held against the list before it is kept. PROTOCOL.md
 * "Attachments". */
#include <string.h>

#include "tools/node/attached/attached.h"

/* id || be32 first || (first 0: be32 count || list) || chunks. False: it ends before the chunks
 * begin. */
static bool
read_head(struct bytes said, struct attached_said *g)
{
	size_t at = ATTACH_ID_BYTES + 4, n;

	if (said.n < at)
		return false;
	memcpy(g->id.b, said.p, ATTACH_ID_BYTES);
	g->first = be32_get(said.p + ATTACH_ID_BYTES);
	if (g->first == 0) {
		if (said.n < at + 4)
			return false;
		n = be32_get(said.p + at);
		at += 4;
		if (n > ATTACH_CHUNKS_MAX || said.n - at < n * SHA256_BYTES)
			return false;
		g->list = BYTES(said.p + at, n * SHA256_BYTES);
		at += n * SHA256_BYTES;
	}
	g->chunks = BYTES(said.p + at, said.n - at);
	return true;
}

/* The row: as it is here, or begun with the list that came. */
static enum err
begin(struct store_txn *txn, struct attached_said *g, struct attached *a)
{
	struct attach_id id;
	bool full;
	enum err e = attached_get(txn, &g->id, a);

	if (e == E_OK && a->state == ATTACH_GONE)
		g->status = ATTACH_UNWANTED;
	if (e != E_ABSENT)
		return e;
	if (g->first == ATTACH_QUERY || g->list.n == 0 || attach_id_of(g->list, &id) != E_OK ||
	    !ID_EQUAL(&id, &g->id)) {
		g->status = g->first == ATTACH_QUERY ? ATTACH_TAKEN : ATTACH_WRONG;
		return E_OK;
	}
	/* the whole of it is counted at once: what is begun may be finished */
	e = attached_account(txn, &g->from,
			     (int64_t)(g->list.n / SHA256_BYTES * ATTACH_SEALED_BYTES_MAX), &full);
	full = full && !g->twins;
	if (e == E_OK && full)
		g->status = ATTACH_FULL;
	if (e == E_OK && !full)
		*a = (struct attached){
		    .id = g->id, .author = g->from, .state = ATTACH_THEIRS, .list = g->list};
	return e;
}

static enum err
take_chunk(struct store_txn *txn, struct attached *a, struct bytes sealed)
{
	uint8_t hash[SHA256_BYTES], key[ATTACH_ID_BYTES + 4];

	crypto_sha256(hash, sealed);
	if (a->held >= attached_count(a) ||
	    memcmp(hash, a->list.p + (size_t)a->held * SHA256_BYTES, SHA256_BYTES) != 0)
		return E_ATTACHMENT;
	memcpy(key, a->id.b, ATTACH_ID_BYTES);
	be32_put(key + ATTACH_ID_BYTES, ++a->held);
	return store_put(txn, STORE_ATTACHMENT, BYTES(key, sizeof(key)), sealed);
}

/* All that is right is kept, up to the first chunk that is not. */
static enum err
take_chunks(struct store_txn *txn, struct attached_said *g, struct attached *a)
{
	uint32_t index = g->first, before = a->held;
	size_t at = 0, n;
	enum err e = E_OK;

	while (e == E_OK && g->chunks.n - at >= 4) {
		n = be32_get(g->chunks.p + at);
		if (n > ATTACH_SEALED_BYTES_MAX || index > a->held) {
			e = E_ATTACHMENT;
			break;
		}
		if (n > g->chunks.n - at - 4)
			break;
		if (index++ == a->held)
			e = take_chunk(txn, a, BYTES(g->chunks.p + at + 4, n));
		at += 4 + n;
	}
	if (e == E_ATTACHMENT || (e == E_OK && at < g->chunks.n && !g->cut))
		g->status = ATTACH_WRONG;
	e = e == E_ATTACHMENT ? E_OK : e;
	return e == E_OK && (a->held > before || before == 0) ? attached_put(txn, a) : e;
}

enum err
attached_accept(struct store_txn *txn, struct attached_said *g)
{
	struct attached a;
	struct member m;
	enum err e;

	g->status = ATTACH_TAKEN;
	g->held = 0;
	g->whole = false;
	memset(&a, 0, sizeof(a));
	/* as for parcels: it may have been shut out meanwhile */
	if (!g->twins &&
	    ((e = member_get(txn, &g->from, &m)) != E_OK || m.state != MEMBER_APPROVED))
		return e == E_OK ? E_REVOKED : e;
	if ((e = begin(txn, g, &a)) != E_OK)
		return e;
	g->whole = a.held == attached_count(&a);
	if (a.list.n > 0 && g->first != ATTACH_QUERY)
		e = take_chunks(txn, g, &a);
	g->held = a.held;
	g->whole = !g->whole && a.list.n > 0 && a.held == attached_count(&a);
	return e;
}

static enum err
take_job(struct store_txn *txn, void *arg)
{
	return attached_accept(txn, arg);
}

static enum err
take(struct peer *p, struct attached_said *g, struct bytes said,
     uint8_t answer[ATTACH_ANSWER_BYTES], struct why *why)
{
	enum err e;

	memset(answer, 0, ATTACH_ANSWER_BYTES);
	if (!read_head(said, g))
		return why_set(why, E_ATTACHMENT, "what was said of it");
	if ((e = store_write(p->store, take_job, g)) != E_OK)
		return why_set(why, e, "the node's store");
	be32_put(answer, g->held);
	answer[4] = (uint8_t)g->status;
	return E_OK;
}

enum err
attached_take(struct peer *p, const struct principal_id *from, struct bytes said, bool cut,
	      uint8_t answer[ATTACH_ANSWER_BYTES], struct why *why)
{
	struct attached_said g = {.from = *from, .cut = cut};

	return take(p, &g, said, answer, why);
}

enum err
attached_take_twin(struct peer *p, const struct principal_id *author, struct bytes said,
		   uint8_t answer[ATTACH_ANSWER_BYTES], struct why *why)
{
	struct attached_said g = {.from = *author, .twins = true};

	return take(p, &g, said, answer, why);
}
