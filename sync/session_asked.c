/* The node's end of a session that brings no parcels: newcomers, and commands that are asked. */
#include "sync/session_own.h"

enum err
session_welcome(struct session *s, const struct message_welcome *welcome, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_WELCOME};
	struct why why;
	enum err e;

	s->now_ms = s->in_since_ms = now_ms;
	if (s->state != STATE_JOIN)
		return E_OK;
	m.u.welcome = *welcome;
	writer_reset(&s->scratch);
	if ((e = message_encode(&s->scratch, &m, &why)) != E_OK)
		return e;
	session_put(s, &m);
	if (s->state == STATE_JOIN)
		s->state = STATE_IDLE;
	s->config.stranger = false;
	return E_OK;
}

void
session_succession(struct session *s, struct bytes statement, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_SUCCESSION, .u.succession = {statement}};

	s->now_ms = s->in_since_ms = now_ms;
	if (s->state != STATE_JOIN)
		return;
	session_put(s, &m);
	if (s->state == STATE_JOIN)
		s->state = STATE_IDLE;
}

void
session_enrol(struct session *s)
{
	s->config.stranger = false;
}

enum err
session_answer(struct session *s, enum message_stream stream, struct bytes b, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_ANSWER};

	s->now_ms = now_ms;
	if (s->state != STATE_ASKED)
		return E_OK; /* nobody listens any more */
	if (!session_room(s))
		return E_NO_ROOM;
	m.u.answer.stream = stream;
	do {
		size_t n = b.n < CHUNK_BYTES_MAX ? b.n : CHUNK_BYTES_MAX;

		m.u.answer.bytes = BYTES(b.p, n);
		session_put(s, &m);
		b = bytes_after(b, n);
	} while (b.n > 0 && s->state == STATE_ASKED);
	return E_OK;
}

void
session_done(struct session *s, uint8_t exit_status, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_DONE};

	s->now_ms = s->in_since_ms = now_ms;
	if (s->state != STATE_ASKED)
		return;
	m.u.done.exit_status = exit_status;
	session_put(s, &m);
	if (s->state == STATE_ASKED)
		s->state = STATE_IDLE;
}

/* ---- what comes ---- */

void
server_on_newcomer(struct session *s, const struct message *m)
{
	struct session_event event = {.kind = SESSION_JOIN};

	s->state = STATE_JOIN;
	if (m->type == MESSAGE_JOIN) {
		event.u.join = m->u.join;
	} else if (m->type == MESSAGE_SUCCESSOR) {
		event.kind = SESSION_SUCCESSOR;
		event.u.successor = m->u.successor;
	} else {
		event.kind = SESSION_RETURN;
		event.u.came_back = m->u.came_back;
	}
	session_raise(s, &event);
}

void
server_on_ask(struct session *s, const struct message *m)
{
	struct session_event event = {.kind = SESSION_ASK};

	if (m->type == MESSAGE_ASK) {
		s->state = STATE_ASKED;
		s->server = (struct server){.input_open = m->u.ask.has_input};
		event.u.ask = m->u.ask;
		session_raise(s, &event);
		return;
	}
	if (m->u.input.bytes.n == 0)
		s->server.input_open = false;
	if (s->state != STATE_ASKED)
		return; /* the verb is over: nobody reads it */
	event.kind = SESSION_INPUT;
	event.u.input = m->u.input.bytes;
	session_raise(s, &event);
}
