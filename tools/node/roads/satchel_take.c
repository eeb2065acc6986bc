/* A node's answer to who brings envelopes of others: what each author lacks. */
#include <stdlib.h>

#include "core/letters/receipt.h"
#include "tools/node/roads/satchel.h"
#include "tools/node/roads/stick.h"

#define RECEIPT_ROOM 4096u /* of an answer that is a receipt, and how far attachments are */

struct answering {
	struct peer *peer;
	struct bundle bundle;
	struct mail mail;            /* the answers */
	struct mail_answer *answers; /* of each envelope; heap */
	uint32_t count;
	uint64_t room; /* for more than receipts */
};

/* Is it the first of its author? One answer holds what is new; the others say what is held. */
static bool
is_first(const struct answering *g, uint32_t i)
{
	uint32_t j;

	for (j = 0; j < i; j++)
		if (g->answers[j].wanted && ID_EQUAL(&g->answers[j].author, &g->answers[i].author))
			return false;
	return true;
}

static enum err
answer_one(struct answering *g, uint32_t i)
{
	const struct mail_answer *a = &g->answers[i];
	struct stick_answer said = {.hint = &a->hint};
	uint64_t before = g->mail.bytes;
	struct packed packed;
	struct store_txn *txn;
	struct member member;
	enum err e = store_read_begin(g->peer->store, &txn);

	if (e != E_OK)
		return e;
	if ((e = member_get(txn, &a->author, &member)) == E_OK && member.state == MEMBER_APPROVED) {
		said.to = &member.enrolment;
		if (is_first(g, i)) {
			said.alone = g->room;
			said.bytes =
			    g->room < SATCHEL_ANSWER_BYTES_MAX ? g->room : SATCHEL_ANSWER_BYTES_MAX;
		}
		e = stick_answer(&g->mail, txn, &said, &packed);
		g->room -= g->mail.bytes - before < g->room ? g->mail.bytes - before : g->room;
	}
	store_read_end(txn);
	return e == E_ABSENT ? E_OK : e;
}

/* All first: what is said of an author's logs and attachments is then true of all that came. */
static enum err
take_all(struct answering *g, const struct principal_id *via, struct writer *answer,
	 struct why *why)
{
	struct bytes envelope;
	uint32_t i = 0, wanted = 0;
	size_t at = 0;
	enum err e = E_OK;

	if ((g->answers = calloc(g->bundle.count + 1, sizeof(*g->answers))) == NULL)
		return E_NO_MEMORY;
	writer_be32(answer, g->bundle.count);
	while (e == E_OK && bundle_next(&g->bundle, &at, &envelope)) {
		struct mail_answer *a = &g->answers[i++];
		struct mail_taken taken = {0};

		e = mail_take(g->peer, envelope, via, &taken, a, why);
		writer_u8(answer, taken.others > 0 ? SATCHEL_OTHERS
				  : a->wanted || (taken.pieces > 0 && taken.refused == 0)
				      ? SATCHEL_TAKEN
				      : SATCHEL_REFUSED);
		wanted += a->wanted;
	}
	g->count = i;
	g->room -=
	    g->room < (uint64_t)wanted * RECEIPT_ROOM ? g->room : (uint64_t)wanted * RECEIPT_ROOM;
	return e;
}

enum err
satchel_take(struct peer *p, struct bytes in, const struct principal_id *via, uint64_t room,
	     struct writer *answer, struct why *why)
{
	struct answering g = {.peer = p,
			      .room = room < SATCHEL_ASK_BYTES_MAX ? room : SATCHEL_ASK_BYTES_MAX};
	uint32_t i;
	enum err e;

	if ((e = bundle_read(in, &g.bundle, why)) != E_OK)
		return e;
	if (g.bundle.whole < g.bundle.count)
		return why_set(why, E_BUNDLE, "it is not whole");
	mail_init(&g.mail, p);
	e = take_all(&g, via, answer, why);
	for (i = 0; i < g.count && e == E_OK; i++)
		if (g.answers[i].wanted)
			e = answer_one(&g, i);
	if (e == E_OK && (e = mail_bundle(&g.mail, answer)) == E_OK)
		e = writer_end(answer);
	mail_free(&g.mail);
	free(g.answers);
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", p->path);
}
