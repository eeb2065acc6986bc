/* What is said at a relay: a proof for a proof, hints; then envelopes for answers. */
#include <stdlib.h>

#include "tools/node/roads/relay_inside.h"

#define VISIT_INPUT_BYTES_MAX (SATCHEL_ASK_BYTES_MAX + 4u + SATCHEL_ROWS_MAX * ENVELOPE_HINT_BYTES)

void
visit_answer(struct visit *v)
{
	struct session *s = net_conn_session(v->conn);
	uint64_t now_ms = net_conn_now_ms(v->conn);

	while (v->done && v->answered < v->answer.n) {
		size_t left = v->answer.n - v->answered,
		       n = left < CHUNK_BYTES_MAX ? left : CHUNK_BYTES_MAX;

		if (session_answer(s, STREAM_OUT, BYTES(v->answer.p + v->answered, n), now_ms) !=
		    E_OK)
			return; /* room will come */
		v->answered += n;
	}
	if (v->done) {
		v->done = false;
		session_done(s, v->status, now_ms);
	}
}

static void
refuse(struct visit *v, enum err e, const char *thing)
{
	session_refuse(net_conn_session(v->conn), e, thing, 60, net_conn_now_ms(v->conn));
}

/* ---- meet ---- */

static enum err
add_hint(void *arg, struct bytes envelope)
{
	struct envelope_hint hint;
	enum err e = envelope_peek(envelope, &hint);

	if (e == E_OK)
		writer_mem(arg, hint.b, sizeof(hint.b));
	return e;
}

static enum err
answer_meet(struct visit *v)
{
	struct relay *r = v->relay;
	uint8_t proof[MEETING_PROOF_BYTES], word[MEETING_SATCHEL_BYTES];
	struct store_txn *txn;
	enum err e;

	if ((e = store_read_begin(r->peer->store, &txn)) != E_OK)
		return e;
	meeting_proof(proof, &r->key, &r->own.pub, &v->key);
	if ((e = satchel_room(txn, &r->options->limits, &v->room)) == E_OK) {
		writer_mem(&v->answer, proof, sizeof(proof));
		writer_be64(&v->answer, v->room);
		if (v->input.n > 0 && v->input.p[0] == MEET_SATCHEL &&
		    (e = meeting_satchel(word, &r->satchel, &r->own.pub, &v->key)) == E_OK)
			writer_mem(&v->answer, word, sizeof(word));
	}
	if (e == E_OK)
		e = satchel_walk(txn, SATCHEL_DOWN, add_hint, &v->answer);
	store_read_end(txn);
	return e == E_OK ? writer_end(&v->answer) : e;
}

/* Who cannot prove that it belongs to the programme learns nothing, not even of whose programme
 * this relay is. */
void
visit_ask(struct visit *v, const struct message_ask *ask)
{
	uint8_t want[MEETING_PROOF_BYTES], got[MEETING_PROOF_BYTES];
	char hex[2 * MEETING_PROOF_BYTES + 1] = "";

	writer_reset(&v->input);
	writer_reset(&v->answer);
	v->answered = 0;
	v->done = false;
	v->giving = v->met && bytes_equal(ask->verb, BYTES_LIT(GIVE_VERB));
	if (v->giving && ask->has_input)
		return;
	if (bytes_equal(ask->verb, BYTES_LIT(MEET_VERB)) && ask->has_input &&
	    ask->args.count == 1 && ask->args.str[0].n == 2 * MEETING_PROOF_BYTES) {
		memcpy(hex, ask->args.str[0].p, ask->args.str[0].n);
		meeting_proof(want, &v->relay->key, NULL, &v->key);
		v->met = hex_decode(got, sizeof(got), hex) == E_OK &&
			 crypto_equal(want, got, sizeof(want));
		if (v->met)
			return;
	}
	v->met = false;
	refuse(v, E_STRANGER, "who came");
}

/* ---- give ---- */

struct give {
	struct visit *visit;
	struct bundle bundle;
	uint32_t now_s;
	uint64_t kept, bytes;
};

/* As many as there is room for, from the first; all at once. */
static enum err
give_job(struct store_txn *txn, void *arg)
{
	struct give *g = arg;
	const struct satchel_limits *limits = &g->visit->relay->options->limits;
	struct bytes envelope;
	uint64_t room;
	size_t at = 0;
	enum err e;

	g->kept = g->bytes = 0;
	if ((e = satchel_expire(txn, limits, g->now_s)) != E_OK ||
	    (e = satchel_room(txn, limits, &room)) != E_OK)
		return e;
	room = room < g->visit->room ? room : g->visit->room;
	while (bundle_next(&g->bundle, &at, &envelope)) {
		e = satchel_put(txn, SATCHEL_UP, envelope, g->now_s, room);
		if (e == E_RELAY_FULL)
			break;
		if (e == E_ENVELOPE || e == E_VERSION)
			continue;
		if (e != E_OK)
			return e;
		room -= envelope.n;
		g->bytes += envelope.n;
		g->kept++;
	}
	return satchel_shrink(txn, limits);
}

struct wanted {
	struct bytes hints;
	struct writer envelopes;
	uint32_t count;
	uint64_t bytes;
};

static enum err
pick(void *arg, struct bytes envelope)
{
	struct wanted *w = arg;
	struct envelope_hint hint;
	size_t i;

	if (envelope_peek(envelope, &hint) != E_OK || w->bytes + envelope.n > SATCHEL_ASK_BYTES_MAX)
		return E_OK;
	for (i = 0; i + sizeof(hint.b) <= w->hints.n; i += sizeof(hint.b))
		if (memcmp(w->hints.p + i, hint.b, sizeof(hint.b)) == 0) {
			writer_be32(&w->envelopes, (uint32_t)envelope.n);
			writer_bytes(&w->envelopes, envelope);
			w->count++;
			w->bytes += envelope.n;
			return writer_end(&w->envelopes);
		}
	return E_OK;
}

static enum err
given_job(struct store_txn *txn, void *arg)
{
	const struct writer *w = arg;
	size_t at;
	enum err e = E_OK;

	for (at = 0; e == E_OK && at < w->n; at += 4 + be32_get(w->p + at))
		e = satchel_given(txn, BYTES(w->p + at + 4, be32_get(w->p + at)));
	return e;
}

/* Answers stay until they are old, or their room is needed: the one who took them may lose them on
 * the way home. */
static enum err
answer_wanted(struct visit *v, struct bytes hints)
{
	struct wanted w = {.hints = hints};
	struct bundle_writer b;
	struct store_txn *txn;
	size_t at;
	enum err e;

	if ((e = store_read_begin(v->relay->peer->store, &txn)) != E_OK)
		return e;
	writer_heap_init(&w.envelopes, 2 * SATCHEL_ASK_BYTES_MAX);
	e = satchel_walk(txn, SATCHEL_DOWN, pick, &w);
	store_read_end(txn);
	if (e == E_OK)
		e = bundle_begin(&b, &v->answer, w.count, w.bytes);
	for (at = 0; e == E_OK && at < w.envelopes.n; at += 4 + be32_get(w.envelopes.p + at))
		e = bundle_add(&b, BYTES(w.envelopes.p + at + 4, be32_get(w.envelopes.p + at)));
	if (e == E_OK && w.count > 0)
		e = store_write(v->relay->peer->store, given_job, &w.envelopes);
	writer_free(&w.envelopes);
	return e;
}

/* be32 count || hints || bundle. */
static enum err
answer_give(struct visit *v)
{
	struct give g = {.visit = v, .now_s = peer_now_s(v->relay->peer)};
	struct bytes in = writer_view(&v->input);
	size_t hints;
	enum err e;

	if (in.n < 4 || be32_get(in.p) > SATCHEL_ROWS_MAX)
		return E_FRAME;
	hints = (size_t)be32_get(in.p) * ENVELOPE_HINT_BYTES;
	if (in.n - 4 < hints)
		return E_FRAME;
	if ((e = bundle_read(BYTES(in.p + 4 + hints, in.n - 4 - hints), &g.bundle, NULL)) != E_OK ||
	    (e = store_write(v->relay->peer->store, give_job, &g)) != E_OK)
		return e;
	if (g.kept < g.bundle.whole && g.kept == 0)
		return E_RELAY_FULL;
	v->room -= g.bytes;
	return answer_wanted(v, BYTES(in.p + 4, hints));
}

void
visit_input(struct visit *v, struct bytes chunk)
{
	enum err e;

	if (!v->met)
		return;
	writer_bytes(&v->input, chunk);
	if ((e = writer_end(&v->input)) != E_OK || v->input.n > VISIT_INPUT_BYTES_MAX) {
		refuse(v, E_NO_ROOM, "what was brought");
		return;
	}
	if (chunk.n > 0)
		return;
	e = v->giving ? answer_give(v) : answer_meet(v);
	writer_reset(&v->input);
	if (e != E_OK && e != E_RELAY_FULL) {
		refuse(v, e, "");
		return;
	}
	v->status = (uint8_t)err_exit_status(e);
	v->done = true;
	visit_answer(v);
}
