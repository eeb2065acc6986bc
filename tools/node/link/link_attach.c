/* Attachments go last: after all records, in the same connection, one after the other. PROTOCOL.md
 * "Attachments". */
#include <string.h>

#include "tools/node/attached/attached.h"
#include "tools/node/link/link_inside.h"

#define AROUND_BYTES 400u /* the ask, its answer and their records */
#define CHUNKS_FIRST 4u
#define ASK_LONG_MS 8000u /* a record that is finished meanwhile waits for the end of an ask */
#define ASK_SHORT_MS 2000u
#define PIECE_BYTES 4096u /* of an INPUT: what a cut leaves of one is lost */
/* What a chunk costs on the link: its frame, and of TLS 34 bytes a record of at least 256. */
#define CHUNK_COST(n) ((n) + (n) / 7u + 64u)

struct choosing {
	struct link_attach *la;
	bool found;
};

static enum err
choose(void *arg, struct store_txn *txn, const struct attached *a)
{
	struct choosing *g = arg;

	(void)txn;
	if (a->state != ATTACH_WAITS && a->state != ATTACH_OFFERED)
		return E_OK;
	g->found = true;
	g->la->query =
	    a->state == ATTACH_OFFERED && !(g->la->asked && ID_EQUAL(&g->la->id, &a->id));
	g->la->id = a->id;
	return E_ABSENT; /* the first */
}

/* What is to be said of it; as many chunks as may go at once. */
static enum err
say(struct link *l, struct store_txn *txn, uint64_t budget)
{
	struct link_attach *la = &l->attach;
	struct writer *w = &la->body;
	struct bytes sealed;
	struct attached a;
	uint32_t i;
	enum err e = attached_get(txn, &la->id, &a);

	writer_mem(w, la->id.b, ATTACH_ID_BYTES);
	writer_be32(w, la->query ? ATTACH_QUERY : a.held);
	if (e != E_OK || la->query)
		return e;
	if (a.held == 0) {
		writer_be32(w, attached_count(&a));
		writer_bytes(w, a.list);
		budget = budget > a.list.n + 100 ? budget - a.list.n - 100 : 0;
	}
	for (i = a.held; i < attached_count(&a) && i < a.held + la->chunks && e == E_OK; i++) {
		if ((e = attached_chunk(txn, &la->id, i, &sealed)) != E_OK)
			break;
		if (budget < CHUNK_COST(sealed.n))
			return i == a.held ? E_BUDGET : writer_end(w);
		budget -= CHUNK_COST(sealed.n);
		writer_be32(w, (uint32_t)sealed.n);
		writer_bytes(w, sealed);
	}
	return e == E_OK ? writer_end(w) : e;
}

static enum err
offer_job(struct store_txn *txn, void *arg)
{
	struct link *l = arg;
	struct attached a;
	enum err e = attached_get(txn, &l->attach.id, &a);

	a.state = ATTACH_OFFERED;
	return e == E_OK ? attached_put(txn, &a) : e;
}

bool
link_attach_begin(struct link *l, struct session *s, uint64_t now_ms)
{
	struct link_attach *la = &l->attach;
	struct choosing g = {.la = la};
	uint64_t left = session_budget_left(s);
	struct store_txn *txn;
	enum err e;

	la->active = false;
	if (la->stopped || peer_is_node(l->peer))
		return false;
	if ((e = store_read_begin(l->peer->store, &txn)) != E_OK)
		return false;
	e = attached_walk(txn, choose, &g);
	e = e == E_ABSENT ? E_OK : e;
	if (la->chunks == 0)
		la->chunks = CHUNKS_FIRST;
	writer_free(&la->body);
	writer_heap_init(&la->body, ATTACH_ASK_BYTES_MAX);
	if (e == E_OK && g.found)
		e = left < AROUND_BYTES
			? E_BUDGET
			: say(l, txn, left == UINT64_MAX ? left : left - AROUND_BYTES);
	store_read_end(txn);
	if (e == E_OK && g.found && !la->query)
		e = store_write(l->peer->store, offer_job, l);
	if (e != E_OK || !g.found) {
		if (e != E_OK && l->why.e == E_OK)
			why_set(&l->why, e, "%s", e == E_BUDGET ? "" : l->peer->path);
		return false;
	}
	la->active = la->asked = true;
	la->began_ms = now_ms;
	la->sent = la->answer_n = 0;
	if (session_ask(s, ATTACH_VERB, NULL, 0, true, now_ms) == E_OK)
		link_attach_room(l, s, now_ms);
	return true;
}

void
link_attach_room(struct link *l, struct session *s, uint64_t now_ms)
{
	struct link_attach *la = &l->attach;

	while (la->sent <= la->body.n && session_room(s)) {
		size_t n =
		    la->body.n - la->sent < PIECE_BYTES ? la->body.n - la->sent : PIECE_BYTES;

		if (session_input(s, BYTES(la->body.p + la->sent, n), now_ms) != E_OK)
			return;
		la->sent += n;
		if (n == 0) {
			la->sent = la->body.n + 1;
			return;
		}
	}
}

void
link_attach_answer(struct link *l, struct bytes piece)
{
	struct link_attach *la = &l->attach;

	if (piece.n <= sizeof(la->answer) - la->answer_n) {
		memcpy(la->answer + la->answer_n, piece.p, piece.n);
		la->answer_n += piece.n;
	} else {
		la->answer_n = 0;
	}
}

struct heard_job {
	struct link *l;
	struct attached_word word;
};

static enum err
heard_job(struct store_txn *txn, void *arg)
{
	struct heard_job *job = arg;
	struct session_head head;
	enum err e = link_own_head(job->l->peer, txn, &head);

	if (e != E_OK)
		return e;
	job->word.epoch = head.epoch;
	job->word.number = head.number;
	return attached_heard(txn, &job->l->attach.id, &job->word);
}

static void
learn_chunks(struct link_attach *la, uint64_t took_ms)
{
	if (took_ms > ASK_LONG_MS && la->chunks > 1)
		la->chunks /= 2;
	else if (took_ms < ASK_SHORT_MS && la->chunks < ATTACH_ASK_CHUNKS_MAX)
		la->chunks *= 2;
}

void
link_attach_finished(struct link *l, struct session *s, enum err e, uint64_t now_ms)
{
	struct link_attach *la = &l->attach;
	struct heard_job job = {.l = l, .word = {.incarnation = l->memory.incarnation}};

	la->active = false;
	learn_chunks(la, now_ms - la->began_ms);
	if (e != E_OK) /* a node that knows nothing of attachments breaks off, or the link did: they
			  wait */
		return;
	if (la->answer_n != ATTACH_ANSWER_BYTES) {
		la->stopped = true;
		return;
	}
	job.word.held = be32_get(la->answer);
	job.word.status = la->answer[4];
	if ((e = store_write(l->peer->store, heard_job, &job)) != E_OK) {
		why_set(&l->why, e, "%s",
			e == E_PROTOCOL ? "an attachment longer than it is" : l->peer->path);
		return;
	}
	l->result->attachments_sent += job.word.whole;
	if ((!job.word.further && !la->query) ||
	    (la->answer[4] != ATTACH_TAKEN &&
	     la->answer[4] != ATTACH_UNWANTED)) { /* no room for it there, say */
		la->stopped = true;
		return;
	}
	link_go_on(l, s, now_ms); /* what was finished meanwhile goes before the rest */
}
