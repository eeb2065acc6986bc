/*
 * bytes_nodes: two nodes in memory that exchange and repair, and believe nothing which does not
 * hold together: what is carried ends with a tag over it. Of a set of a few parcels
 * (tests/repair_set.h), so that each byte of what they say can be tried.
 */
#ifndef BANYAN_TESTS_BYTES_NODES_H
#define BANYAN_TESTS_BYTES_NODES_H

#include "core/crypto/crypto.h"
#include "sync/repair.h"
#include "sync/session.h"
#include "tests/check.h"
#include "tests/repair_set.h"
#include "tests/wire_tap.h"

#define PIECES_MAX 64u
#define LOGS 3u
#define PIECE_BYTES 16u

struct piece {
	uint32_t log, number;
};

struct pieces {
	struct piece piece[PIECES_MAX];
	bool theirs[PIECES_MAX];
	size_t count;
};

struct end {
	struct session *s;
	struct parcel_set set;
	struct pieces arrival, batch, list;
	size_t at, marked, list_at;
	uint64_t taken, heard;
	bool bad, finished, verified;
	unsigned words_left; /* statements and stanzas to say */
	struct repair *repair;
	uint8_t bytes[PIECE_BYTES], leaf[HASH_BYTES];
	struct why why;
};

#define REPAIRS 1u /* after sums that differ */
#define REPAIRS_FIRST 2u
#define WRONG_SKETCH 4u
#define MORE_CELLS 8u

static struct end low, high;
static bool repaired;
static unsigned how_now;
static uint64_t now_ms, key_seed = 1;

/* ---- parcels ---- */

static inline void
tag_put(uint8_t out[8], struct bytes b)
{
	uint8_t hash[SHA256_BYTES];

	crypto_sha256(hash, b);
	memcpy(out, hash, 8);
}

static inline bool
tag_holds(struct bytes b)
{
	uint8_t tag[8];

	if (b.n < 8)
		return false;
	tag_put(tag, BYTES(b.p, b.n - 8));
	return memcmp(tag, b.p + b.n - 8, 8) == 0;
}

static inline struct set_log *
log_named(struct parcel_set *set, uint32_t name)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		if (set->log[i].name == name)
			return &set->log[i];
	return NULL;
}

static inline void
piece_add(struct pieces *l, struct piece p, bool theirs)
{
	MUST_HOLD(l->count < PIECES_MAX);
	l->theirs[l->count] = theirs;
	l->piece[l->count++] = p;
}

static inline void
arrive(struct end *d, struct piece p, bool theirs)
{
	struct set_log *l = log_named(&d->set, p.log);

	if (l != NULL && set_add(&d->set, l, (struct set_parcel){p.number, 0}))
		piece_add(&d->arrival, p, theirs);
}

/* ---- what an end says ---- */

static inline enum err
say_piece(struct end *d, struct piece p, struct message *out)
{
	be32_put(d->bytes, p.log);
	be32_put(d->bytes + 4, p.number);
	tag_put(d->bytes + 8, BYTES(d->bytes, 8));
	*out =
	    (struct message){.type = MESSAGE_CARRIED, .u.carried = {BYTES(d->bytes, PIECE_BYTES)}};
	return E_OK;
}

/* A statement, and a stanza: words that no sum counts. */
static inline enum err
say_word(struct end *d, struct message *out)
{
	bool stanza = --d->words_left % 2 == 0;

	*out = (struct message){.type = stanza ? MESSAGE_STANZA : MESSAGE_STATEMENT};
	memset(d->bytes, 2, 8);
	tag_put(d->bytes + 8, BYTES(d->bytes, 8));
	if (stanza) {
		memcpy(out->u.stanza.leaf, d->bytes, PIECE_BYTES);
		out->u.stanza.bytes = BYTES(d->bytes, PIECE_BYTES);
	} else {
		out->u.statement = (struct message_statement){2, BYTES(d->bytes, PIECE_BYTES)};
	}
	return E_OK;
}

static inline enum err
say_next(void *ctx, uint64_t room, struct message *out)
{
	struct end *d = ctx;

	(void)room;
	if (d->words_left > 0)
		return say_word(d, out);
	if (d->list_at < d->list.count)
		return say_piece(d, d->list.piece[d->list_at++], out);
	if (d->at >= d->marked + 3) {
		d->marked = d->at;
		*out = (struct message){.type = MESSAGE_MARK, .u.mark = {d->at}};
		return E_OK;
	}
	while (d->at < d->arrival.count && d->arrival.theirs[d->at])
		d->at++;
	if (d->at >= d->arrival.count)
		return E_ABSENT;
	return say_piece(d, d->arrival.piece[d->at++], out);
}

static inline enum err
say_close(void *ctx, struct message_close *out)
{
	struct end *d = ctx;

	*out = (struct message_close){.seq = d->arrival.count,
				      .incarnation = 7,
				      .count = d->set.sketch.count,
				      .digest = d->set.sketch.sum};
	return E_OK;
}

/* ---- what it does with what comes ---- */

static inline void
take_item(struct end *d, const struct session_item *item)
{
	bool good = tag_holds(item->bytes);

	if (item->type == MESSAGE_CARRIED && good && item->bytes.n == PIECE_BYTES)
		piece_add(&d->batch,
			  (struct piece){be32_get(item->bytes.p), be32_get(item->bytes.p + 4)},
			  true);
	else
		d->bad = d->bad || !good;
}

static inline void
take_mark(struct end *d, uint64_t seq)
{
	size_t i;

	for (i = 0; i < d->batch.count && !d->bad; i++)
		arrive(d, d->batch.piece[i], true);
	d->batch.count = 0;
	d->heard = d->bad ? d->heard : seq;
	session_settle_mark(d->s, d->bad ? E_SIGNATURE : E_OK, "a parcel", now_ms);
}

/* What repair found: it is said in the next exchange. */
static inline void
list_sends(struct end *d)
{
	const struct repair_send *send;
	size_t n = repair_sends(d->repair, &send), i, k;

	d->list.count = d->list_at = 0;
	for (i = 0; i < n; i++) {
		const struct set_log *l = set_find(&d->set, &send[i].log);

		for (k = 0; l != NULL && k < l->count; k++)
			if (l->parcel[k].number >= send[i].lo && l->parcel[k].number <= send[i].hi)
				piece_add(&d->list, (struct piece){l->name, l->parcel[k].number},
					  false);
	}
}

static inline void
say_repair(struct end *d)
{
	struct message m;

	while (repair_next(d->repair, &m))
		session_repair_say(d->s, &m, now_ms);
}

static inline void
greet(unsigned flags)
{
	struct session_node mine = {
	    .flags = flags, .incarnation = 9, .from = low.taken, .above = 7, .down = low.heard};

	low.at = low.marked = flags & NODE_ANEW ? 0 : low.taken;
	if (flags & NODE_ANEW)
		mine.from = mine.down = mine.above = 0;
	low.finished = false;
	session_node(low.s, &mine, now_ms);
}

static inline void
take_repair(struct end *d, const struct message *m)
{
	enum err e = E_OK;
	bool over;

	if (d == &high && m->type == MESSAGE_SUMS) {
		repair_free(d->repair);
		MUST_HOLD((d->repair = set_repair(&d->set, false)) != NULL);
	}
	e = d->repair == NULL ? E_PROTOCOL : repair_take(d->repair, m, &d->why);
	if (e == E_OK)
		say_repair(d);
	over = e == E_OK && repair_state(d->repair) != REPAIR_RUNNING;
	session_settle_repair(d->s, e, "repair", over, now_ms);
	if (over && repair_state(d->repair) == REPAIR_FOUND) {
		list_sends(d);
		if (d == &low)
			greet(NODE_LISTED);
	} else if (over && d == &low) {
		low.finished = true;
	}
}

static inline void
begin_repair(void)
{
	repaired = true;
	repair_free(low.repair);
	MUST_HOLD((low.repair = set_repair(&low.set, true)) != NULL &&
		  repair_start(low.repair) == E_OK);
	low.finished = false;
	session_repair(low.s, now_ms);
	say_repair(&low);
}

static inline void
on_finished(struct end *d, const struct session_event *e)
{
	if (d->finished)
		return;
	d->finished = true;
	d->verified = e->u.finished.verified;
	d->why = e->u.finished.why;
	CHECK(d->why.e < ERR_COUNT && (!d->verified || d->why.e == E_OK));
	if (d == &low && d->why.e == E_UNVERIFIED && (how_now & REPAIRS) && !repaired)
		begin_repair();
}

static inline void
greeted(const struct message_node *node)
{
	bool anew = node->flags & NODE_ANEW;

	if ((node->flags & NODE_LISTED) && high.repair == NULL) {
		session_refuse(high.s, E_PROTOCOL, "nothing was repaired", 0, now_ms);
		return;
	}
	high.at = high.marked = anew || node->above != 0 ? 0 : (size_t)node->down;
	session_settle_node(high.s, high.heard, now_ms);
}

static inline void
answer(struct end *d, const struct session_event *e)
{
	if (e->kind == SESSION_NODE)
		greeted(&e->u.node);
	else if (e->kind == SESSION_NODE_ITEM && repair_takes(e->u.item.type))
		take_repair(d, &e->u.item.repair);
	else if (e->kind == SESSION_NODE_ITEM)
		take_item(d, &e->u.item);
	else if (e->kind == SESSION_NODE_MARK)
		take_mark(d, e->u.mark.seq);
	else if (e->kind == SESSION_FINISHED)
		on_finished(d, e);
	else if (e->kind == SESSION_NODE_TAKEN && e->u.taken.status == STATUS_BEHIND)
		d->at = d->marked = (size_t)e->u.taken.seq;
	else if (e->kind == SESSION_NODE_TAKEN)
		d->taken = e->u.taken.seq;
	else
		CHECK_MSG(e->kind == SESSION_HELLO && d == &high, "event %d", (int)e->kind);
	if (e->kind == SESSION_HELLO)
		session_refuse(d->s, E_PROTOCOL, "a device", 0, now_ms);
}

#endif
