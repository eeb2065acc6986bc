/* A relay brings what it carries to its node. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/node/erase/erasures.h"
#include "tools/node/link/link.h"
#include "tools/node/roads/via.h"

#define ROUNDS_MAX 64u /* of half a bundle's bytes each, in one visit */

struct upload {
	struct peer *peer;
	const struct satchel_limits *limits;
	uint32_t now_s;
	struct mail mail; /* envelopes that go, as they are */
	struct writer bundle, answer;
	struct bundle answers;
	const uint8_t *statuses;
	uint64_t brought, others; /* of a round */
	size_t skip;              /* so many from the first stay here: they are for other offices */
	size_t seen;
	bool dropped, more;
};

static enum err
add(void *arg, struct bytes envelope)
{
	struct upload *u = arg;

	if (u->seen++ < u->skip)
		return E_OK;
	u->more = u->mail.bytes + envelope.n > SATCHEL_ASK_BYTES_MAX / 2 && u->mail.count > 0;
	if (u->more)
		return E_NO_ROOM; /* the next round */
	writer_be32(&u->mail.envelopes, (uint32_t)envelope.n);
	writer_bytes(&u->mail.envelopes, envelope);
	u->mail.count++;
	u->mail.bytes += envelope.n;
	return writer_end(&u->mail.envelopes);
}

static enum err
hear(void *ctx, uint8_t stream, struct bytes piece)
{
	struct upload *u = ctx;

	if (stream == STREAM_OUT)
		writer_bytes(&u->answer, piece);
	return writer_end(&u->answer);
}

/* be32 count || statuses || bundle: else nothing of it counts. */
static enum err
read_answer(struct upload *u, struct why *why)
{
	struct bytes a = writer_view(&u->answer);
	uint32_t count = a.n < 4 ? 0 : be32_get(a.p);
	enum err e;

	if (count != u->mail.count || a.n - 4 < count)
		return why_set(why, E_BUNDLE, "the node's answer");
	u->statuses = a.p + 4;
	if ((e = bundle_read(BYTES(a.p + 4 + count, a.n - 4 - count), &u->answers, why)) != E_OK)
		return e;
	return u->answers.whole == u->answers.count ? E_OK
						    : why_set(why, E_BUNDLE, "the node's answer");
}

/* In one commit: what the node took or refused goes, its answers are kept. What is for another
 * office stays until it is old. */
static enum err
settle_job(struct store_txn *txn, void *arg)
{
	struct upload *u = arg;
	struct bytes envelope;
	size_t at = 0, i;
	uint64_t room = 0;
	enum err e = E_OK;

	u->brought = u->others = 0;
	u->dropped = false;
	for (i = 0; i < u->mail.count && e == E_OK; i++) {
		envelope = BYTES(u->mail.envelopes.p + at + 4, be32_get(u->mail.envelopes.p + at));
		at += 4 + envelope.n;
		u->brought += u->statuses[i] == SATCHEL_TAKEN;
		u->others += u->statuses[i] == SATCHEL_OTHERS;
		if (u->statuses[i] == SATCHEL_OTHERS)
			continue;
		u->dropped = true;
		e = satchel_del(txn, SATCHEL_UP, envelope);
	}
	/* An envelope may have held what was erased since: nothing of it shall stay in freed pages.
	 */
	if (e == E_OK && u->dropped && store_count(txn, STORE_ERASURE) > 0)
		e = erasures_note_due(txn);
	if (e == E_OK)
		e = satchel_room(txn, u->limits, &room);
	for (at = 0; e == E_OK && bundle_next(&u->answers, &at, &envelope);) {
		if ((e = satchel_put(txn, SATCHEL_DOWN, envelope, u->now_s, room)) == E_OK)
			room -= envelope.n < room ? envelope.n : room;
		if (e == E_RELAY_FULL || e == E_ENVELOPE || e == E_VERSION)
			e = E_OK; /* its author hears by another road */
	}
	return e == E_OK ? satchel_shrink(txn, u->limits) : e;
}

static enum err
round_of(struct upload *u, struct why *why)
{
	struct store_txn *txn;
	uint64_t room;
	uint8_t status = 0;
	char said[24];
	enum err e;

	u->seen = 0;
	u->more = u->dropped = false;
	if ((e = store_read_begin(u->peer->store, &txn)) != E_OK)
		return why_set(why, e, "%s", u->peer->path);
	if ((e = satchel_room(txn, u->limits, &room)) == E_OK)
		e = satchel_walk(txn, SATCHEL_UP, add, u);
	store_read_end(txn);
	if ((e != E_OK && e != E_NO_ROOM) || u->mail.count == 0)
		return e == E_OK ? E_OK : why_set(why, e, "%s", u->peer->path);
	(void)snprintf(said, sizeof(said), "%llu", (unsigned long long)room);
	if ((e = mail_bundle(&u->mail, &u->bundle)) != E_OK ||
	    (e = link_ask_verb(u->peer, SATCHEL_VERB, said, writer_view(&u->bundle), hear, u,
			       &status, why)) != E_OK)
		return e;
	if (status != 0)
		return why_set(why, E_PEER_BUSY, "a few");
	if ((e = read_answer(u, why)) != E_OK)
		return e;
	return (e = store_write(u->peer->store, settle_job, u)) == E_OK
		   ? E_OK
		   : why_set(why, e, "%s", u->peer->path);
}

/* As they came: pieces of an attachment stand one behind the other. */
static enum err
upload(struct upload *u, uint64_t *brought, bool *dropped, struct why *why)
{
	unsigned i;
	enum err e = E_OK;

	u->more = true;
	for (i = 0; i < ROUNDS_MAX && u->more && e == E_OK; i++) {
		u->brought = u->others = 0;
		mail_init(&u->mail, u->peer);
		writer_heap_init(&u->bundle, BUNDLE_BYTES_MAX);
		writer_heap_init(&u->answer, BUNDLE_BYTES_MAX);
		e = round_of(u, why);
		*brought += u->brought;
		*dropped = *dropped || u->dropped;
		u->skip += (size_t)u->others;
		mail_free(&u->mail);
		writer_free(&u->bundle);
		writer_free(&u->answer);
	}
	return e;
}

enum err
via_upload(struct peer *p, const struct satchel_limits *limits, uint64_t *brought, struct why *why)
{
	struct upload u = {.peer = p, .limits = limits, .now_s = peer_now_s(p)};
	bool dropped = false;
	enum err e;

	*brought = 0;
	pthread_mutex_lock(&p->syncing); /* a relay's clock and a person may both want to */
	e = upload(&u, brought, &dropped, why);
	pthread_mutex_unlock(&p->syncing);
	if (dropped)
		(void)erasures_settle(p, NULL); /* what is not done stays due */
	return e;
}
