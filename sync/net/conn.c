#include "sync/net/conn.h"

#include <assert.h>
#include <stdlib.h>

static void on_timer(uv_timer_t *);

void
conn_init(struct conn *c, uv_loop_t *loop, const struct conn_hooks *hooks, void *owner,
	  uint8_t *read_buffer)
{
	c->io.handle.data = c;
	c->hooks = hooks;
	c->owner = owner;
	c->read_buffer = read_buffer;
	c->handles = 2;
	c->handshake_ms = HANDSHAKE_MS;
	uv_timer_init(loop, &c->timer);
	c->timer.data = c;
	writer_heap_init(&c->wire, FRAME_BYTES_MAX + (2u << 20));
	writer_heap_init(&c->flight, FRAME_BYTES_MAX + (2u << 20));
	c->opened_ms = c->heard_ms = conn_now_ms(c);
}

uint64_t
conn_now_ms(const struct conn *c)
{
	return uv_now(c->timer.loop);
}

/* ---- closing ---- */

static void
on_closed(uv_handle_t *handle)
{
	struct conn *c = handle->data;

	if (--c->handles > 0)
		return;
	tls_free(c->tls);
	session_free(c->session);
	writer_free(&c->wire);
	writer_free(&c->flight);
	c->tls = NULL;
	c->session = NULL;
	c->hooks->closed(c);
}

void
conn_close(struct conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close(&c->io.handle, on_closed);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

static void
on_shutdown(uv_shutdown_t *request, int status)
{
	struct conn *c = request->data;

	if (status < 0 && !c->closing)
		conn_close(c);
}

/*
 * All was said. What the peer still sends is read and dropped for a moment: closing a socket with
 * unread bytes resets it, and the reset can overtake our last word.
 */
static void
linger(struct conn *c)
{
	if (c->lingering || c->closing)
		return;
	c->lingering = true;
	c->linger_ms = conn_now_ms(c) + CONN_LINGER_MS;
	c->shutdown.data = c;
	if (c->eof || uv_shutdown(&c->shutdown, &c->io.stream, on_shutdown) != 0)
		conn_close(c);
}

/* The link or TLS is broken: the session hears of it, its host too. */
static void
fail(struct conn *c, const struct why *why)
{
	struct session_event event;

	if (c->session != NULL) {
		session_eof(c->session, why->thing);
		while (session_next(c->session, &event))
			c->hooks->event(c, &event);
	}
	c->hooks->failed(c, why);
}

/* ---- writing ---- */

static void
on_written(uv_write_t *request, int status)
{
	struct conn *c = request->data;
	struct why why;

	c->writing = false;
	if (c->closing)
		return;
	if (c->flight.cap > CONN_KEPT_BYTES)
		writer_free(&c->flight);
	writer_reset(&c->flight);
	if (status < 0) {
		why_set(&why, E_PEER_GONE, "%s", uv_strerror(status));
		fail(c, &why);
		conn_close(c);
		return;
	}
	conn_pump(c);
}

/* Everything that waits, in one write. What found no room among it is missed by the peer: rather an
 * end than silence. */
static void
flush(struct conn *c)
{
	struct writer w = c->flight;
	struct why why;
	uv_buf_t buf;

	if (!c->closing && writer_end(&c->wire) != E_OK) {
		why_set(&why, E_NO_MEMORY, "writing");
		fail(c, &why);
		conn_close(c);
	}
	if (c->writing || c->wire.n == 0 || c->closing)
		return;
	c->flight = c->wire;
	c->wire = w;
	buf = uv_buf_init((char *)c->flight.p, (unsigned)c->flight.n);
	c->counts.bytes_out += c->flight.n;
	c->counts.writes++;
	if (!c->up)
		c->counts.handshake_bytes += c->flight.n;
	c->awaited = true;
	c->write.data = c;
	c->write_ms = conn_now_ms(c);
	c->writing = uv_write(&c->write, &c->io.stream, &buf, 1, on_written) == 0;
	if (!c->writing) {
		why_set(&why, E_PEER_GONE, "cannot write");
		fail(c, &why);
		conn_close(c);
	}
}

/* ---- pumping ---- */

static void
collect(struct conn *c)
{
	struct writer *out;

	if (c->tls == NULL || (out = tls_out(c->tls))->n == 0)
		return;
	writer_bytes(&c->wire, writer_view(out));
	if (out->cap > CONN_KEPT_BYTES)
		writer_free(out);
	writer_reset(out);
}

static bool
deliver(struct conn *c)
{
	struct session_event event;
	bool any = false;

	while (!c->closing && session_next(c->session, &event)) {
		any = true;
		c->hooks->event(c, &event);
	}
	return any;
}

/* Plain bytes from TLS into the session. */
static bool
take_in(struct conn *c, struct why *why)
{
	size_t n = 0;

	if (c->tls == NULL || c->lingering || !session_hungry(c->session))
		return false;
	if (tls_read(c->tls, c->read_buffer, CONN_READ_BYTES, &n, why) != E_OK) {
		c->eof = true;
		return false;
	}
	if (n > 0)
		session_feed(c->session, BYTES(c->read_buffer, n), conn_now_ms(c));
	return n > 0;
}

/* What the session has to say, as far as there is room. */
static bool
take_out(struct conn *c, struct why *why)
{
	bool any = false, had_room = session_room(c->session);

	while (c->wire.n < CONN_WIRE_BYTES) {
		struct bytes b;

		session_spent(c->session, c->counts.bytes_in + c->counts.bytes_out + c->wire.n,
			      c->record_bytes);
		b = session_outbox(c->session, conn_now_ms(c));
		if (b.n == 0)
			break;
		if (c->record_bytes != 0 &&
		    b.n > c->record_bytes) /* what a cut leaves of a record is lost */
			b.n = c->record_bytes;
		any = true;
		if (c->tls == NULL) {
			writer_bytes(&c->wire, b);
		} else if (tls_write(c->tls, b, why) != E_OK) {
			c->eof = true;
			return false;
		}
		collect(c);
		session_sent(c->session, b.n, conn_now_ms(c));
	}
	if (!had_room && session_room(c->session) && c->hooks->room != NULL)
		c->hooks->room(c);
	return any;
}

/* The handshake goes on; true once it is done (now or before). */
static bool
bring_up(struct conn *c, struct why *why)
{
	bool up = c->tls == NULL;

	if (c->up)
		return true;
	if (c->tls != NULL && tls_handshake(c->tls, &up, why) != E_OK) {
		collect(c);
		flush(c); /* the alert */
		if (c->closing)
			return false;
		fail(c, why);
		if (c->writing)
			linger(c);
		else
			conn_close(c);
		return false;
	}
	if (!up) {
		collect(c);
		flush(c);
		return false;
	}
	if (c->tls != NULL)
		c->counts.handshake_bytes += tls_out(c->tls)->n;
	c->up = true;
	c->counts.resumed = c->tls != NULL && tls_resumed(c->tls);
	return c->hooks->up(c) && !c->closing;
}

static void on_alloc(uv_handle_t *, size_t, uv_buf_t *);
static void on_read(uv_stream_t *, ssize_t, const uv_buf_t *);

static void
steer_reading(struct conn *c)
{
	bool want = c->lingering || !c->up || c->session == NULL || session_hungry(c->session);

	if (c->closing || c->eof || want == c->reading)
		return;
	if (!want)
		uv_read_stop(&c->io.stream);
	else if (uv_read_start(&c->io.stream, on_alloc, on_read) != 0) {
		struct why why;

		why_set(&why, E_PEER_GONE,
			"cannot read"); /* rather than wait for what nobody will hear */
		fail(c, &why);
		conn_close(c);
		return;
	}
	c->reading = want;
}

static void
steer_timer(struct conn *c)
{
	uint64_t at = UINT64_MAX, now = conn_now_ms(c);

	if (c->closing)
		return;
	if (!c->up)
		at = c->opened_ms + c->handshake_ms;
	else if (c->session != NULL)
		at = session_deadline_ms(c->session);
	if (c->writing && c->write_ms + 2u * SESSION_IDLE_MS < at)
		at = c->write_ms + 2u * SESSION_IDLE_MS;
	if (c->lingering && c->linger_ms < at)
		at = c->linger_ms;
	if (at == UINT64_MAX)
		uv_timer_stop(&c->timer);
	else
		uv_timer_start(&c->timer, on_timer, at > now ? at - now : 1, 0);
}

static void
pump_once(struct conn *c)
{
	struct why why = {.e = E_OK};
	bool busy = true;

	if (c->lingering || !bring_up(c, &why) || c->session == NULL)
		return;
	collect(c); /* the handshake's own last bytes go with the first of the session */
	while (busy && !c->closing) {
		busy = take_in(c, &why);
		busy = deliver(c) || busy;
		if (!c->closing)
			busy = take_out(c, &why) || busy;
	}
	if (c->closing)
		return;
	flush(c);
	if (c->closing)
		return;
	if (c->eof && why.e != E_OK) {
		fail(c, &why);
		conn_close(c);
		return;
	}
	if (session_over(c->session) && !c->writing && c->wire.n == 0)
		linger(c);
	else if (!c->writing && !c->lingering)
		c->hooks->quiet(c);
}

void
conn_pump(struct conn *c)
{
	if (c->closing)
		return;
	c->again = true;
	if (c->pumping)
		return; /* called from inside an event: the loop below goes round once more */
	c->pumping = true;
	while (c->again && !c->closing) {
		c->again = false;
		pump_once(c);
	}
	c->pumping = false;
	steer_reading(c);
	steer_timer(c);
}

/* ---- what libuv says ---- */

static void
on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
	struct conn *c = handle->data;

	(void)hint;
	*buf = uv_buf_init((char *)c->read_buffer, CONN_READ_BYTES);
}

static void
on_end(struct conn *c, ssize_t code)
{
	struct why why;

	c->eof = true;
	if (c->lingering) {
		conn_close(c);
		return;
	}
	conn_pump(c); /* what came before the end counts */
	if (c->closing)
		return;
	why_set(&why, E_PEER_GONE, "%s",
		code == UV_EOF ? "the peer closed it" : uv_strerror((int)code));
	fail(c, &why);
	conn_close(c);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = stream->data;
	struct bytes in = BYTES(buf->base, n > 0 ? (size_t)n : 0u);
	struct why why;

	if (n == 0 || c->closing)
		return;
	if (n < 0) {
		on_end(c, n);
		return;
	}
	c->heard_ms = conn_now_ms(c);
	c->counts.bytes_in += in.n;
	c->counts.reads++;
	c->counts.turns += c->awaited;
	c->awaited = false;
	if (!c->up)
		c->counts.handshake_bytes += in.n;
	if (c->lingering)
		return;
	if (c->session != NULL)
		session_spent(c->session, c->counts.bytes_in + c->counts.bytes_out + c->wire.n,
			      c->record_bytes);
	if (c->bytes_max != 0 && c->counts.bytes_in + c->counts.bytes_out > c->bytes_max) {
		why_set(&why, E_BUDGET, "%s", "");
		fail(c, &why);
		conn_close(c);
		return;
	}
	if (c->tls == NULL) {
		session_feed(c->session, in, conn_now_ms(c));
	} else if (tls_feed(c->tls, in) != E_OK) {
		why_set(&why, E_NO_MEMORY, "reading");
		fail(c, &why);
		conn_close(c);
		return;
	}
	conn_pump(c);
}

static void
on_timer(uv_timer_t *timer)
{
	struct conn *c = timer->data;
	struct why why;

	why_set(&why, E_PEER_TIMEOUT, "no answer in time");
	if (c->lingering || (c->writing && conn_now_ms(c) >= c->write_ms + 2u * SESSION_IDLE_MS) ||
	    !c->up) {
		if (!c->lingering)
			fail(c, &why);
		conn_close(c);
		return;
	}
	if (c->session != NULL)
		session_tick(c->session, conn_now_ms(c));
	conn_pump(c);
}

void
conn_start(struct conn *c)
{
	conn_pump(c);
}
