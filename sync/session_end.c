/* How long a session waits, and how its two ends are compared. */
#include "sync/session_own.h"

#include <assert.h>

/* Does the peer owe us something? (On the serving side, also the next exchange.) */
static bool
peer_owes(const struct session *s)
{
	switch (s->state) {
	case STATE_IDLE:
		return s->config.side == SESSION_SERVER && !s->config.local;
	case STATE_ASKING:
	case STATE_WAITING:
	case STATE_JOINING:
	case STATE_NODE_WAITING:
	case STATE_NODE_TAKING:
		return true;
	case STATE_TAKING:
		return !s->client.ended;
	case STATE_RUNNING:
		return !s->config.local && !s->client.input_open;
	case STATE_RECEIVING:
		return !server_blocked(s);
	case STATE_ASKED:
		return s->server.input_open && !s->config.local;
	case STATE_OFFERING:
	case STATE_GREETED:
	case STATE_SETTLING:
	case STATE_SENDING:
	case STATE_JOIN:
	case STATE_NODE_OFFERING:
	case STATE_NODE_GREETED:
	case STATE_NODE_SENDING:
	case STATE_NODE_HELD:
	case STATE_OVER:
		return false;
	}
	return false;
}

/* Time that bytes take on the slowest link that we wait for. */
static uint64_t
slow_ms(uint64_t bytes, uint64_t max_ms)
{
	uint64_t ms = bytes * 1000u / SESSION_RATE_BYTES_MIN;

	return ms < max_ms ? ms : max_ms;
}

uint64_t
session_deadline_ms(const struct session *s)
{
	uint64_t deadline = UINT64_MAX, at;

	if (s->state != STATE_OVER && (peer_owes(s) || s->in.n > s->in_taken + s->event_bytes)) {
		at = s->in_since_ms + SESSION_IDLE_MS + slow_ms(s->in_credit, UINT64_MAX) +
		     slow_ms(s->out_credit, 5u * SESSION_IDLE_MS);
		if (!server_blocked(s) && at < deadline)
			deadline = at;
	}
	if (session_waiting(s) > 0 && s->out_since_ms + SESSION_IDLE_MS < deadline)
		deadline = s->out_since_ms + SESSION_IDLE_MS;
	return deadline;
}

void
session_tick(struct session *s, uint64_t now_ms)
{
	struct why why = {.e = s->state == STATE_IDLE ? E_OK : E_PEER_TIMEOUT};

	s->now_ms = now_ms;
	if (now_ms < session_deadline_ms(s))
		return;
	if (s->state != STATE_IDLE || s->in.n > s->in_taken + s->event_bytes)
		session_fail(s, E_PEER_TIMEOUT, " ");
	session_die(s, &why, 0);
	if (session_waiting(s) > 0 && now_ms >= s->out_since_ms + SESSION_IDLE_MS)
		session_sent(s, session_waiting(s),
			     now_ms); /* nobody takes it: let the close come */
}

struct session_counts
session_counts(const struct session *s)
{
	return s->counts;
}

uint64_t
session_digest(const struct principal_id *device, const struct session_heads *heads)
{
	uint8_t b[16 + ID_BYTES + SESSION_LOG_COUNT * (16 + HASH_BYTES)], hash[SHA256_BYTES];
	struct writer w;
	size_t i;

	writer_init(&w, b, sizeof(b));
	writer_bytes(&w, BYTES_LIT("banyan heads 1"));
	writer_mem(&w, device->b, ID_BYTES);
	for (i = 0; i < SESSION_LOG_COUNT; i++) {
		static const struct parcel_hash none;
		const struct session_head *h = &heads->log[i];

		writer_be64(&w, h->number == 0 ? 0 : h->epoch);
		writer_be64(&w, h->number);
		writer_mem(&w, h->number == 0 ? none.b : h->hash.b, HASH_BYTES);
	}
	assert(writer_end(&w) == E_OK);
	crypto_sha256(hash, writer_view(&w));
	return be64_get(hash);
}
