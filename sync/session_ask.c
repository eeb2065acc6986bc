/* The end that asks for a verb: ASK and INPUT. */
#include <string.h>

#include "sync/session_own.h"

enum err
session_ask(struct session *s, const char *verb, const char *const *args, size_t arg_count,
	    bool input, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_ASK};
	size_t sum = 5, i;

	if (arg_count > ASK_ARGS_MAX)
		return E_LIMIT;
	for (i = 0; i < arg_count; i++) {
		m.u.ask.args.str[i] = bytes_of_str(args[i]);
		sum += 5 + m.u.ask.args.str[i].n;
	}
	if (sum > ASK_ARGS_BYTES_MAX || strlen(verb) > 64)
		return E_LIMIT;
	client_begin(s, STATE_RUNNING, now_ms);
	m.u.ask.verb = bytes_of_str(verb);
	m.u.ask.args.count = arg_count;
	m.u.ask.has_input = s->client.input_open = input;
	session_put(s, &m);
	return E_OK;
}

enum err
session_input(struct session *s, struct bytes in, uint64_t now_ms)
{
	struct message m = {.type = MESSAGE_INPUT};
	bool end = in.n == 0;

	s->now_ms = now_ms;
	if (s->state != STATE_RUNNING || !s->client.input_open)
		return E_OK; /* the verb is over: nobody reads it */
	if (!session_room(s))
		return E_NO_ROOM;
	do {
		size_t n = in.n < CHUNK_BYTES_MAX ? in.n : CHUNK_BYTES_MAX;

		m.u.input.bytes = BYTES(in.p, n);
		session_put(s, &m);
		in = bytes_after(in, n);
	} while (in.n > 0 && s->state == STATE_RUNNING);
	if (end) {
		s->client.input_open = false;
		s->in_since_ms = now_ms;
	}
	return E_OK;
}
