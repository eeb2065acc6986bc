#include "sync/exchange_node.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/fault.h"

#define OUT_BYTES_MAX (FRAME_BYTES_MAX + 4u * SESSION_OUTBOX_BYTES + ASK_ARGS_BYTES_MAX)
#define IN_BYTES_MAX ((size_t)FRAME_BYTES_MAX * 2u + (1u << 20))

enum err
session_new(struct session **out, const struct session_config *config, uint64_t now_ms)
{
	struct session *s = fault_malloc(sizeof(*s));

	*out = s;
	if (s == NULL)
		return E_NO_MEMORY;
	memset(s, 0, sizeof(*s));
	s->config = *config;
	s->version = 1;
	s->now_ms = s->in_since_ms = s->out_since_ms = now_ms;
	writer_heap_init(&s->in, IN_BYTES_MAX);
	writer_heap_init(&s->out, OUT_BYTES_MAX);
	writer_heap_init(&s->scratch, FRAME_BYTES_MAX);
	writer_heap_init(&s->part, PARCEL_BYTES_MAX);
	return E_OK;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	writer_free(&s->in);
	writer_free(&s->out);
	writer_free(&s->scratch);
	writer_free(&s->part);
	crypto_wipe(s, sizeof(*s));
	free(s);
}

/* ---- ends ---- */

void
session_raise(struct session *s, const struct session_event *event)
{
	assert(!s->has_event);
	s->event = *event;
	s->has_event = true;
}

void
session_finish(struct session *s, bool verified, enum err e, const char *thing)
{
	s->finished = (struct session_event){.kind = SESSION_FINISHED};
	s->finished.u.finished.verified = verified;
	why_set(&s->finished.u.finished.why, e, "%s", thing);
	s->finished_due = true;
	s->state = STATE_IDLE;
}

void
session_die(struct session *s, const struct why *why, uint32_t retry_s)
{
	if (s->state == STATE_OVER)
		return;
	s->receiving = s->config.side == SESSION_SERVER && s->state == STATE_RECEIVING;
	session_finish(s, false, why->e, why->thing);
	s->finished.u.finished.retry_s = retry_s;
	s->state = STATE_OVER;
}

/* The last word: what was wrong, by its wire number, or as a sentence when it has none. */
static void
put_error(struct session *s, const struct why *why, uint32_t retry_s)
{
	struct message m = {.type = MESSAGE_ERROR};
	char sentence[240];
	const char *thing = why->thing;

	m.u.error.code = message_error_code(why->e);
	m.u.error.retry_s = retry_s;
	if (m.u.error.code == 0) {
		m.u.error.code = message_error_code(E_PROTOCOL);
		thing = why_sentence(why, sentence, sizeof(sentence));
	}
	m.u.error.thing = bytes_of_str(thing);
	session_put(s, &m);
}

void
session_fail(struct session *s, enum err e, const char *format, ...)
{
	struct why why = {.e = e};
	va_list ap;

	if (s->state == STATE_OVER)
		return;
	va_start(ap, format);
	vsnprintf(why.thing, sizeof(why.thing), format, ap);
	va_end(ap);
	put_error(s, &why, 0);
	session_die(s, &why, 0);
}

void
session_refuse(struct session *s, enum err e, const char *thing, uint32_t retry_s, uint64_t now_ms)
{
	struct why why;

	s->now_ms = now_ms;
	if (s->state == STATE_OVER)
		return;
	if (e == E_PEER_BUSY) /* its sentence names the seconds */
		why_set(&why, e, "%u", retry_s);
	else
		why_set(&why, e, "%s", thing == NULL ? "" : thing);
	put_error(s, &why, retry_s);
	session_die(s, &why, retry_s);
}

void
session_eof(struct session *s, const char *thing)
{
	struct why why;

	why_set(&why, s->state == STATE_IDLE ? E_OK : E_PEER_GONE, "%s",
		thing == NULL ? "closed" : thing);
	session_die(s, &why, 0);
}

bool
session_over(const struct session *s)
{
	return s->state == STATE_OVER && !s->has_event && !s->finished_due;
}

bool
session_idle(const struct session *s)
{
	return s->state == STATE_IDLE && !s->has_event && !s->finished_due &&
	       session_waiting(s) == 0 && s->in.n <= s->in_taken + s->event_bytes;
}

/* ---- out ---- */

/* What a buffer holds past the first `from` bytes. */
static struct bytes
rest_of(const struct writer *w, size_t from)
{
	return w->n > from ? BYTES(w->p + from, w->n - from) : BYTES_NONE;
}

/* Room is made by moving what waits to the front; sent bytes are gone. */
static void
out_compact(struct session *s)
{
	if (s->out_sent == 0)
		return;
	memmove(s->out.p, s->out.p + s->out_sent, s->out.n - s->out_sent);
	s->out.n -= s->out_sent;
	s->out_sent = 0;
}

void
session_put(struct session *s, const struct message *m)
{
	struct why why = {.e = E_OK};
	size_t before;

	out_compact(s);
	if (s->out.n == 0)
		s->out_since_ms = s->now_ms;
	before = s->out.n;
	writer_reset(&s->scratch);
	if (message_encode(&s->scratch, m, &why) != E_OK) {
		session_die(s, &why, 0);
		return;
	}
	frame_put_head(&s->out, m->type, s->scratch.n);
	writer_bytes(&s->out, writer_view(&s->scratch));
	if (writer_end(&s->out) != E_OK) {
		s->out.n = before;
		why_set(&why, writer_end(&s->out), "%s", message_name(m->type));
		session_die(s, &why, 0);
		return;
	}
	s->out_credit += s->out.n - before;
	s->counts.bytes_out += s->out.n - before;
}

struct bytes
session_outbox(struct session *s, uint64_t now_ms)
{
	s->now_ms = now_ms;
	node_pull(s);
	if (s->config.side == SESSION_CLIENT)
		client_pull(s);
	else
		server_pull(s);
	return rest_of(&s->out, s->out_sent);
}

void
session_sent(struct session *s, size_t count_bytes, uint64_t now_ms)
{
	assert(count_bytes <= session_waiting(s));
	s->now_ms = s->out_since_ms = now_ms;
	s->out_sent += count_bytes;
	if (s->out_sent < s->out.n)
		return;
	if (s->out.cap > (16u << 10)) { /* a thousand idle sessions keep little */
		writer_free(&s->out);
		writer_free(&s->scratch);
	}
	writer_reset(&s->out);
	s->out_sent = 0;
}

bool
session_room(const struct session *s)
{
	return session_waiting(s) <= SESSION_OUTBOX_BYTES;
}

/* ---- in ---- */

static struct bytes
in_view(const struct session *s)
{
	return rest_of(&s->in, s->in_taken);
}

/* The frame whose views the last event showed is done with. */
static void
in_release(struct session *s)
{
	s->in_taken += s->event_bytes;
	s->event_bytes = 0;
	if (s->in_taken < s->in.n)
		return;
	if (s->in.cap > (16u << 10))
		writer_free(&s->in);
	writer_reset(&s->in);
	s->in_taken = 0;
}

void
session_feed(struct session *s, struct bytes in, uint64_t now_ms)
{
	struct why why;

	s->now_ms = now_ms;
	if (s->state == STATE_OVER)
		return;
	if (!s->has_event)
		in_release(s);
	if (s->in_taken > 0 && !s->has_event) {
		memmove(s->in.p, s->in.p + s->in_taken, s->in.n - s->in_taken);
		s->in.n -= s->in_taken;
		s->in_taken = 0;
	}
	writer_bytes(&s->in, in);
	s->in_credit += in.n;
	s->counts.bytes_in += in.n;
	if (writer_end(&s->in) != E_OK) {
		why_set(&why, writer_end(&s->in), "what the peer sent");
		session_fail(s, why.e, "%s", why.thing);
	}
}

/* Whole frames may wait while the host is busy; a peer that goes on must wait on the link. */
bool
session_hungry(const struct session *s)
{
	struct frame_head head;
	struct bytes in = in_view(s);

	if (s->state == STATE_OVER)
		return false;
	if (s->event_bytes > in.n)
		return true;
	in = rest_of(&s->in, s->in_taken + s->event_bytes);
	if (in.n < (64u << 10) && !server_blocked(s))
		return true;
	if (frame_head(in, &head, NULL) != E_OK)
		return false;
	return head.head_bytes == 0 || in.n < head.head_bytes + head.body_bytes;
}

static bool
expects(const struct session *s, uint8_t type)
{
	return node_expects(s, type) ||
	       (s->config.side == SESSION_CLIENT ? client_expects(s, type)
						 : server_expects(s, type));
}

/* Is the frame that begins so one that we take? Decided before its body is held in memory. */
static bool
head_ok(struct session *s, const struct frame_head *head)
{
	bool client = s->config.side == SESSION_CLIENT;

	if (!message_known(head->type)) {
		if (head->type < MESSAGE_SKIPPABLE)
			session_fail(s, E_FRAME, "type 0x%02x", head->type);
		else if (head->body_bytes > SKIP_BYTES_MAX)
			session_fail(s, E_FRAME_LONG, "type 0x%02x, %u bytes", head->type,
				     head->body_bytes);
		else
			return true;
		return false;
	}
	if (head->body_bytes > message_bytes_max(head->type)) {
		session_fail(s, E_FRAME_LONG, "%s, %u bytes", message_name(head->type),
			     head->body_bytes);
		return false;
	}
	if (s->config.stranger && head->type != MESSAGE_JOIN && head->type != MESSAGE_SUCCESSOR &&
	    head->type != MESSAGE_RETURN && head->type != MESSAGE_ERROR) {
		session_fail(s, E_STRANGER, "this device");
		return false;
	}
	if (!message_from(head->type, !client) || !expects(s, head->type)) {
		session_fail(s, E_PROTOCOL, "%s in the wrong place", message_name(head->type));
		return false;
	}
	return true;
}

/* The peer's last word. Its text goes to a terminal: no control characters. */
static void
on_error(struct session *s, const struct message_error *error)
{
	struct why why;
	char *c;

	why_set(&why, message_error_of(error->code), "%.*s", (int)error->thing.n,
		(const char *)error->thing.p);
	for (c = why.thing; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f || (unsigned char)*c == 0xc2)
			*c = '?';
	session_die(s, &why, (uint32_t)error->retry_s);
}

/* One frame, if a whole one is there and it is its turn. False: nothing to do. */
static bool
take_frame(struct session *s)
{
	struct bytes in = in_view(s);
	struct frame_head head;
	struct message m;
	struct why why;

	if (s->state == STATE_OVER || server_blocked(s))
		return false;
	if (frame_head(in, &head, &why) != E_OK) {
		session_fail(s, why.e, "%s", why.thing);
		return false;
	}
	if (head.head_bytes == 0 || !head_ok(s, &head))
		return false;
	if (in.n - head.head_bytes < head.body_bytes)
		return false;
	s->event_bytes = head.head_bytes + head.body_bytes;
	s->in_since_ms = s->now_ms;
	s->in_credit = s->out_credit = 0;
	if (!message_known(head.type))
		return true;
	if (message_decode(&m, head.type, BYTES(in.p + head.head_bytes, head.body_bytes), &why) !=
	    E_OK) {
		session_fail(s, why.e, "%s", why.thing);
		return false;
	}
	if (m.type == MESSAGE_ERROR) {
		on_error(s, &m.u.error);
	} else if (node_expects(s, m.type)) {
		node_on(s, &m);
	} else if (s->config.side == SESSION_CLIENT) {
		client_on(s, &m);
	} else {
		server_on(s, &m);
	}
	return true;
}

bool
session_next(struct session *s, struct session_event *out)
{
	in_release(s);
	do {
		if (s->config.side == SESSION_CLIENT && !s->has_event && !s->finished_due)
			client_compare(s); /* now the host has taken the event of LAST */
		if (s->has_event || s->finished_due || !take_frame(s))
			break;
		if (!s->has_event)
			in_release(s);
	} while (true);
	if (s->has_event) {
		*out = s->event;
		s->has_event = false;
		return true;
	}
	if (s->finished_due) {
		*out = s->finished;
		s->finished_due = false;
		return true;
	}
	return false;
}
