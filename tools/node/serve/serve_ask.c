/* Commands asked of the daemon: through its local socket, or over TLS by an officer's or
 * researcher's store. */
#include <stdlib.h>

#include "tools/node/acting.h"
#include "tools/node/attached/attached.h"
#include "tools/node/roads/satchel.h"
#include "tools/node/link/link.h"
#include "tools/node/serve/serve_inside.h"

#define QUEUE_BYTES_MAX (1u << 20) /* an answer waits here for the link */
#define BUSY_RETRY_S 5u

struct piece {
	struct piece *next;
	uint8_t stream;
	size_t n;
	uint8_t p[];
};

/* One command at work. Its thread writes pieces; the loop sends them. */
struct serve_ask {
	struct serve *serve;
	struct serve_conn *conn;
	struct principal_id actor;
	enum serve_ask_kind kind;
	uint64_t carry_room; /* that a relay has for answers */
	bool remote, started, finished, abandoned, cut;
	struct writer ask;
	pthread_t thread;
	pthread_cond_t room;
	struct piece *first, **last;
	size_t queued;
	uint8_t status;
};

/* ---- the command's thread ---- */

static enum err
push(void *ctx, uint8_t stream, struct bytes b)
{
	struct serve_ask *a = ctx;
	struct piece *piece = malloc(sizeof(*piece) + b.n);
	enum err e = E_OK;

	if (piece == NULL)
		return E_NO_MEMORY;
	*piece = (struct piece){.stream = stream, .n = b.n};
	if (b.n > 0)
		memcpy(piece->p, b.p, b.n);
	pthread_mutex_lock(&a->serve->lock);
	while (!a->abandoned && a->queued > 0 && a->queued + b.n > QUEUE_BYTES_MAX)
		pthread_cond_wait(&a->room, &a->serve->lock);
	if (a->abandoned) {
		free(piece);
		e = E_PEER_GONE;
	} else {
		*a->last = piece;
		a->last = &piece->next;
		a->queued += b.n;
	}
	pthread_mutex_unlock(&a->serve->lock);
	a->serve->host->wake(a->serve);
	return e;
}

static enum err
carry_out(struct serve_ask *a, struct call *c)
{
	struct peer *p = a->serve->peer;
	enum err e = E_OK;

	if (!a->remote)
		e = acting_local(c, p);
	return e == E_OK ? acting_run(c, p) : call_fail(c, e);
}

/* Those whom the command shut out are cut by the loop. */
static void
forget_revoked(struct serve_ask *a, struct call *c)
{
	struct store_txn *txn;
	struct serve_forget *f;
	struct member m;

	if (strcmp(call_command(c)->name, "revoke") != 0 || call_arg(c, 0) == NULL)
		return;
	if (store_read_begin(a->serve->peer->store, &txn) != E_OK)
		return;
	if (member_find(txn, call_arg(c, 0), &m, NULL) == E_OK && m.state == MEMBER_REVOKED) {
		pthread_mutex_lock(&a->serve->lock);
		if (a->serve->forget_count <
		    sizeof(a->serve->forget) / sizeof(a->serve->forget[0])) {
			f = &a->serve->forget[a->serve->forget_count++];
			f->id = m.enrolment.id;
			snprintf(f->reason, sizeof(f->reason), "%s", m.reason);
		}
		pthread_mutex_unlock(&a->serve->lock);
	}
	store_read_end(txn);
}

static void
tell_fault(struct serve_ask *a, enum err e, const struct why *why)
{
	uint8_t memory[400];
	struct writer w;

	writer_init(&w, memory, sizeof(memory));
	writer_str(&w, err_name(e));
	writer_u8(&w, 0);
	writer_str(&w, why->e == e ? why->thing : "");
	(void)push(a, ANSWER_FAULT, writer_view(&w));
}

/* A relay's bundle, taken and answered for each author; or a twin's question. */
static enum err
bytes_main(struct serve_ask *a)
{
	struct why why = {.e = E_OK};
	struct writer answer;
	size_t at, n;
	enum err e;

	writer_heap_init(&answer, BUNDLE_BYTES_MAX);
	e = a->kind == SERVE_TWIN
		? attached_twin_answer(a->serve->peer, writer_view(&a->ask), &answer, &why)
		: satchel_take(a->serve->peer, writer_view(&a->ask), &a->actor, a->carry_room,
			       &answer, &why);
	if (e != E_OK)
		tell_fault(a, e, &why);
	for (at = 0; e == E_OK && at < answer.n; at += n) {
		n = answer.n - at < CHUNK_BYTES_MAX ? answer.n - at : CHUNK_BYTES_MAX;
		e = push(a, ANSWER_OUT, BYTES(answer.p + at, n));
	}
	writer_free(&answer);
	return e;
}

/* Chunks of an attachment; what whole ones came before a cut are kept too. */
static enum err
attach_main(struct serve_ask *a)
{
	uint8_t answer[ATTACH_ANSWER_BYTES];
	struct why why = {.e = E_OK};
	enum err e =
	    attached_take(a->serve->peer, &a->actor, writer_view(&a->ask), a->cut, answer, &why);

	return e == E_OK ? push(a, ANSWER_OUT, BYTES(answer, sizeof(answer))) : e;
}

static enum err
call_main(struct serve_ask *a)
{
	struct call_asker asker = {.peer = a->serve->peer,
				   .actor = a->remote ? &a->actor : NULL,
				   .remote = a->remote,
				   .answer = push,
				   .ctx = a};
	struct why why = {.e = E_OK};
	struct call *c;
	enum err e = call_asked_new(&c, writer_view(&a->ask), &asker, &why);

	if (e != E_OK) {
		tell_fault(a, e, &why);
	} else {
		e = carry_out(a, c);
		if (e == E_OK)
			forget_revoked(a, c);
		call_free(c);
	}
	return e;
}

static void *
ask_main(void *arg)
{
	struct serve_ask *a = arg;
	enum err e = a->kind == SERVE_CALL     ? call_main(a)
		     : a->kind == SERVE_ATTACH ? attach_main(a)
					       : bytes_main(a);

	a->serve->host->arrived(a->serve);
	pthread_mutex_lock(&a->serve->lock);
	a->status = (uint8_t)err_exit_status(e);
	a->finished = true;
	pthread_mutex_unlock(&a->serve->lock);
	a->serve->host->wake(a->serve);
	return NULL;
}

/* ---- the loop ---- */

/* Is there a place for one more of this asker? A half-said ask holds one, so nobody may hold many.
 */
static bool
has_place(const struct serve_conn *c, enum serve_ask_kind kind)
{
	const struct serve *serve = c->serve;
	unsigned i, same = 0, remote = 0, attaching = 0;

	for (i = 0; i < serve->asks; i++) {
		const struct serve_conn *other = serve->conns_asking[i];
		bool attaches = other->ask->kind == SERVE_ATTACH || other->ask->kind == SERVE_TWIN;

		attaching += attaches;
		remote += !other->peer.local && !attaches;
		same += !other->peer.local && ID_EQUAL(&other->peer.id, &c->peer.id);
	}
	if (kind == SERVE_ATTACH || kind == SERVE_TWIN)
		return attaching < ASKS_ATTACH_MAX && same < ASKS_EACH_MAX;
	return serve->asks - attaching < ASKS_MAX &&
	       (c->peer.local || (remote < ASKS_REMOTE_MAX && same < ASKS_EACH_MAX));
}

/* The room that a relay has for answers, in decimal digits; an earlier one does not say. */
static uint64_t
room_said(const struct message_ask *ask)
{
	uint64_t room = 0;
	size_t i;

	if (ask->args.count == 0 || ask->args.str[0].n == 0 || ask->args.str[0].n > 18)
		return SATCHEL_ANSWERS_BYTES_MAX;
	for (i = 0; i < ask->args.str[0].n; i++) {
		uint8_t digit = ask->args.str[0].p[i];

		if (digit < '0' || digit > '9')
			return SATCHEL_ANSWERS_BYTES_MAX;
		room = room * 10 + (digit - '0');
	}
	return room;
}

void
serve_ask_begin(struct serve_conn *c, enum serve_ask_kind kind, const struct message_ask *ask)
{
	struct serve *serve = c->serve;
	struct serve_ask *a;

	if (c->ask != NULL || !has_place(c, kind) || (a = calloc(1, sizeof(*a))) == NULL) {
		serve_refuse(c, E_PEER_BUSY, "", BUSY_RETRY_S);
		return;
	}
	if (pthread_cond_init(&a->room, NULL) != 0) {
		free(a);
		serve_refuse(c, E_PEER_BUSY, "", BUSY_RETRY_S);
		return;
	}
	a->serve = serve;
	a->conn = c;
	a->actor = c->peer.id;
	a->remote = !c->peer.local;
	a->kind = kind;
	a->carry_room = room_said(ask);
	a->last = &a->first;
	writer_heap_init(&a->ask, kind == SERVE_CARRY    ? SATCHEL_ASK_BYTES_MAX
				  : kind == SERVE_ATTACH ? ATTACH_ASK_BYTES_MAX
				  : kind == SERVE_TWIN   ? ATTACH_ASK_BYTES_MAX + 64u
				  : a->remote            ? ASK_REMOTE_BYTES_MAX
							 : ASK_BYTES_MAX);
	c->ask = a;
	serve->conns_asking[serve->asks++] = c;
	meter_add(&serve->meters, METER_ASKS, 1);
}

void
serve_ask_input(struct serve_conn *c, struct bytes chunk)
{
	struct serve_ask *a = c->ask;

	if (a == NULL || a->started)
		return;
	writer_bytes(&a->ask, chunk);
	if (writer_end(&a->ask) != E_OK) {
		serve_refuse(c, E_NO_ROOM, "what was asked", 0);
		return;
	}
	if (chunk.n > 0)
		return;
	a->started = pthread_create(&a->thread, NULL, ask_main, a) == 0;
	if (!a->started)
		serve_refuse(c, E_PEER_BUSY, "", BUSY_RETRY_S);
}

static void
ask_free(struct serve_ask *a)
{
	struct serve *serve = a->serve;
	unsigned i;

	if (a->started)
		pthread_join(a->thread, NULL);
	while (a->first != NULL) {
		struct piece *next = a->first->next;

		crypto_wipe(a->first->p, a->first->n);
		free(a->first);
		a->first = next;
	}
	for (i = 0; i < serve->asks; i++)
		if (serve->conns_asking[i] == a->conn) {
			serve->conns_asking[i] = serve->conns_asking[--serve->asks];
			break;
		}
	a->conn->ask = NULL;
	pthread_cond_destroy(&a->room);
	writer_free(&a->ask);
	free(a);
}

/* Send what the link takes; true when the command is done and all was sent. */
static bool
drain_one(struct serve_ask *a)
{
	struct serve_conn *c = a->conn;
	bool done;

	pthread_mutex_lock(&a->serve->lock);
	while (a->first != NULL) {
		struct piece *piece = a->first;

		if (c->session != NULL &&
		    session_answer(c->session, (enum message_stream)piece->stream,
				   BYTES(piece->p, piece->n), serve_now_ms(c)) != E_OK)
			break;
		a->first = piece->next;
		if (a->first == NULL)
			a->last = &a->first;
		a->queued -= piece->n;
		crypto_wipe(piece->p, piece->n);
		free(piece);
		pthread_cond_signal(&a->room);
	}
	done = a->finished && a->first == NULL;
	pthread_mutex_unlock(&a->serve->lock);
	return done;
}

void
serve_ask_drain(struct serve *serve)
{
	unsigned i = 0;

	while (i < serve->asks) {
		struct serve_conn *c = serve->conns_asking[i];
		struct serve_ask *a = c->ask;
		bool done = drain_one(a);
		uint8_t status = a->status;

		c->jobs++; /* it may close while its answer is sent */
		if (done) {
			ask_free(a); /* takes the last one's place in the list */
			if (c->session != NULL)
				session_done(c->session, status, serve_now_ms(c));
		} else {
			i++;
		}
		if (c->session != NULL)
			c->serve->host->pump(c);
		c->jobs--;
		serve_conn_drop(c);
	}
}

void
serve_ask_abandon(struct serve_conn *c)
{
	struct serve_ask *a = c->ask;

	if (a == NULL)
		return;
	pthread_mutex_lock(&c->serve->lock);
	a->abandoned = true;
	pthread_cond_signal(&a->room);
	pthread_mutex_unlock(&c->serve->lock);
	if (!a->started && a->kind == SERVE_ATTACH && a->ask.n > 0) {
		a->cut = true;
		a->started = pthread_create(&a->thread, NULL, ask_main, a) == 0;
	}
	if (!a->started)
		ask_free(a);
}

void
serve_ask_stop(struct serve *serve)
{
	while (serve->asks > 0) {
		struct serve_conn *c = serve->conns_asking[0];

		serve_ask_abandon(c);
		if (c->ask != NULL)
			ask_free(c->ask);
		serve_conn_drop(c); /* one that had gone, and waited for it */
	}
}
