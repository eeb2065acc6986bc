/*
 * Attachments between two nodes of one office: the one that was invited asks the other what it has,
 * takes what it lacks and gives what the other lacks, chunk by chunk. Both read the same records,
 * so each drops by itself what is void or erased. PROTOCOL.md "Attachments between twins".
 */
#include <string.h>

#include "tools/node/attached/attached.h"
#include "tools/node/link/link.h"

#define ROW_BYTES (ATTACH_ID_BYTES + ID_BYTES + 8u)
#define ROWS_BYTES_MAX (ROW_BYTES << 20)

enum op { OP_LIST, OP_GET, OP_PUT };

/* ---- what is here ---- */

struct listing {
	struct writer *rows;
	uint64_t sum;
	uint32_t count;
};

/* id || author || be32 chunks that are here || be32 all; in the order of ids. */
static enum err
list_one(void *arg, struct store_txn *txn, const struct attached *a)
{
	struct listing *g = arg;

	(void)txn;
	if (a->state != ATTACH_THEIRS)
		return E_OK;
	g->sum += be64_get(a->id.b) * ((uint64_t)a->held + 1);
	g->count++;
	writer_mem(g->rows, a->id.b, ATTACH_ID_BYTES);
	writer_mem(g->rows, a->author.b, ID_BYTES);
	writer_be32(g->rows, a->held);
	writer_be32(g->rows, attached_count(a));
	return writer_end(g->rows);
}

static enum err
list_here(struct peer *p, struct listing *g)
{
	struct store_txn *txn;
	enum err e = store_read_begin(p->store, &txn);

	if (e != E_OK)
		return e;
	e = attached_walk(txn, list_one, g);
	store_read_end(txn);
	return e;
}

/* be32 first || (first 0: be32 n || list) || chunks: as an author says it behind the id. */
static enum err
say_chunks(struct peer *p, const struct attach_id *id, uint32_t first, struct writer *w)
{
	struct store_txn *txn;
	struct attached a;
	struct bytes sealed;
	uint32_t i;
	enum err e = store_read_begin(p->store, &txn);

	if (e != E_OK)
		return e;
	e = attached_get(txn, id, &a);
	writer_be32(w, first);
	if (e == E_OK && first == 0) {
		writer_be32(w, attached_count(&a));
		writer_bytes(w, a.list);
	}
	for (i = first; e == E_OK && i < a.held && i < first + ATTACH_ASK_CHUNKS_MAX; i++)
		if ((e = attached_chunk(txn, id, i, &sealed)) == E_OK) {
			writer_be32(w, (uint32_t)sealed.n);
			writer_bytes(w, sealed);
		}
	store_read_end(txn);
	return e == E_OK ? writer_end(w) : e;
}

/* ---- asked ---- */

static enum err
answer_list(struct peer *p, struct bytes said, struct writer *answer)
{
	struct listing g = {.rows = answer};
	enum err e;

	if (said.n != 12)
		return E_ATTACHMENT;
	writer_u8(answer, 1);
	if ((e = list_here(p, &g)) == E_OK && g.sum == be64_get(said.p) &&
	    g.count == be32_get(said.p + 8)) {
		writer_reset(answer);
		writer_u8(answer, 0); /* the same */
	}
	return e;
}

static enum err
answer_get(struct peer *p, struct bytes said, struct writer *answer)
{
	struct attach_id id;
	enum err e;

	if (said.n != ATTACH_ID_BYTES + 4)
		return E_ATTACHMENT;
	memcpy(id.b, said.p, ATTACH_ID_BYTES);
	e = say_chunks(p, &id, be32_get(said.p + ATTACH_ID_BYTES), answer);
	if (e == E_ABSENT) { /* dropped since */
		writer_reset(answer);
		e = E_OK;
	}
	return e;
}

static enum err
answer_put(struct peer *p, struct bytes said, struct writer *answer, struct why *why)
{
	uint8_t room[ATTACH_ANSWER_BYTES];
	struct principal_id author;
	enum err e;

	if (said.n < ID_BYTES)
		return E_ATTACHMENT;
	memcpy(author.b, said.p, ID_BYTES);
	if ((e = attached_take_twin(p, &author, BYTES(said.p + ID_BYTES, said.n - ID_BYTES), room,
				    why)) == E_OK)
		writer_mem(answer, room, sizeof(room));
	return e;
}

enum err
attached_twin_answer(struct peer *p, struct bytes said, struct writer *answer, struct why *why)
{
	struct bytes rest = said.n == 0 ? said : BYTES(said.p + 1, said.n - 1);
	enum err e = E_ATTACHMENT;

	if (said.n > 0 && said.p[0] == OP_LIST)
		e = answer_list(p, rest, answer);
	else if (said.n > 0 && said.p[0] == OP_GET)
		e = answer_get(p, rest, answer);
	else if (said.n > 0 && said.p[0] == OP_PUT)
		e = answer_put(p, rest, answer, why);
	return e == E_OK ? writer_end(answer) : e;
}

/* ---- asking ---- */

struct asking {
	struct peer *peer;
	struct writer said, answer;
	struct why *why;
};

static enum err
hear(void *ctx, uint8_t stream, struct bytes piece)
{
	struct asking *g = ctx;

	if (stream == STREAM_OUT)
		writer_bytes(&g->answer, piece);
	return writer_end(&g->answer);
}

/* What `said` holds is asked; the answer is in `answer`. */
static enum err
ask(struct asking *g)
{
	uint8_t status = 0;
	enum err e = writer_end(&g->said);

	writer_reset(&g->answer);
	if (e == E_OK)
		e = link_ask_verb(g->peer, ATTACH_TWIN_VERB, NULL, writer_view(&g->said), hear, g,
				  &status, g->why);
	return e == E_OK && status != 0
		   ? why_set(g->why, E_PEER_BUSY, "attachments of the other node")
		   : e;
}

static void
begin(struct asking *g, enum op op)
{
	writer_reset(&g->said);
	writer_u8(&g->said, (uint8_t)op);
}

/* Up to what the other has of it. */
static enum err
pull(struct asking *g, const uint8_t *row, uint32_t held, uint32_t theirs)
{
	uint8_t room[ATTACH_ANSWER_BYTES];
	struct principal_id author;
	struct writer w;
	uint32_t before;
	enum err e = E_OK;

	memcpy(author.b, row + ATTACH_ID_BYTES, ID_BYTES);
	writer_heap_init(&w, ATTACH_ASK_BYTES_MAX);
	while (e == E_OK && held < theirs) {
		before = held;
		begin(g, OP_GET);
		writer_mem(&g->said, row, ATTACH_ID_BYTES);
		writer_be32(&g->said, held);
		if ((e = ask(g)) != E_OK || g->answer.n == 0)
			break;
		writer_reset(&w);
		writer_mem(&w, row, ATTACH_ID_BYTES);
		writer_bytes(&w, writer_view(&g->answer));
		if ((e = writer_end(&w)) != E_OK ||
		    (e = attached_take_twin(g->peer, &author, writer_view(&w), room, g->why)) !=
			E_OK)
			break;
		held = be32_get(room);
		if (held <= before || room[4] != ATTACH_TAKEN)
			break; /* no room, or not wanted here */
	}
	writer_free(&w);
	return e;
}

static enum err
push(struct asking *g, const uint8_t *row, uint32_t theirs, uint32_t held)
{
	struct attach_id id;
	uint32_t before;
	enum err e = E_OK;

	memcpy(id.b, row, ATTACH_ID_BYTES);
	while (e == E_OK && theirs < held) {
		before = theirs;
		begin(g, OP_PUT);
		writer_mem(&g->said, row + ATTACH_ID_BYTES, ID_BYTES);
		writer_mem(&g->said, id.b, ATTACH_ID_BYTES);
		if ((e = say_chunks(g->peer, &id, theirs, &g->said)) != E_OK ||
		    (e = ask(g)) != E_OK)
			break;
		if (g->answer.n != ATTACH_ANSWER_BYTES)
			return why_set(g->why, E_PROTOCOL, "an answer about attachments");
		theirs = be32_get(g->answer.p);
		if (theirs <= before || g->answer.p[4] != ATTACH_TAKEN)
			break;
	}
	return e == E_ABSENT ? E_OK : e; /* dropped here meanwhile */
}

/* Both lists are in the order of ids. */
static enum err
compare(struct asking *g, struct bytes here, struct bytes there)
{
	size_t i = 0, j = 0;
	enum err e = E_OK;

	while (e == E_OK && (i < here.n || j < there.n)) {
		int d = i >= here.n    ? 1
			: j >= there.n ? -1
				       : memcmp(here.p + i, there.p + j, ATTACH_ID_BYTES);
		uint32_t held = d <= 0 ? be32_get(here.p + i + ATTACH_ID_BYTES + ID_BYTES) : 0;
		uint32_t theirs = d >= 0 ? be32_get(there.p + j + ATTACH_ID_BYTES + ID_BYTES) : 0;

		if (theirs > held)
			e = pull(g, there.p + j, held, theirs);
		else if (held > theirs)
			e = push(g, here.p + i, theirs, held);
		i += d <= 0 ? ROW_BYTES : 0;
		j += d >= 0 ? ROW_BYTES : 0;
	}
	return e;
}

enum err
attached_twin_exchange(struct peer *p, struct why *why)
{
	struct asking g = {.peer = p, .why = why};
	struct writer here, there;
	struct listing list = {.rows = &here};
	enum err e;

	if (!p->above.known || !p->above.twin)
		return E_OK;
	writer_heap_init(&here, ROWS_BYTES_MAX);
	writer_heap_init(&there, ROWS_BYTES_MAX);
	writer_heap_init(&g.said, ATTACH_ASK_BYTES_MAX + 64);
	writer_heap_init(&g.answer, ROWS_BYTES_MAX);
	if ((e = list_here(p, &list)) == E_OK) {
		begin(&g, OP_LIST);
		writer_be64(&g.said, list.sum);
		writer_be32(&g.said, list.count);
		if ((e = ask(&g)) == E_PROTOCOL) /* an older node does not know the verb */
			e = E_OK;
		else if (e == E_OK && g.answer.n % ROW_BYTES != 1)
			e = why_set(why, E_PROTOCOL, "a list of attachments");
		else if (e == E_OK && g.answer.p[0] != 0) {
			writer_mem(&there, g.answer.p + 1, g.answer.n - 1); /* asking goes on */
			e = writer_end(&there) == E_OK
				? compare(&g, writer_view(&here), writer_view(&there))
				: E_NO_MEMORY;
		}
	}
	writer_free(&here);
	writer_free(&there);
	writer_free(&g.said);
	writer_free(&g.answer);
	return e == E_OK || (why != NULL && why->e == e) ? e : why_set(why, e, "%s", p->path);
}
