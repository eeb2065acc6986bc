/* What a link may cost, and what need not be said or sent again: after a cut, and in a further
 * exchange. */
#include "sync/session_own.h"

void
session_spent(struct session *s, uint64_t wire_bytes, uint32_t record_bytes)
{
	s->spent = wire_bytes;
	s->spent_frames = s->counts.bytes_out - session_waiting(s);
	s->record_bytes = record_bytes;
}

uint64_t
session_budget_left(const struct session *s)
{
	uint64_t used = s->counts.bytes_in + s->counts.bytes_out;

	if (s->budget_bytes == 0)
		return UINT64_MAX;
	if (s->spent != 0)
		used = s->spent + frame_cost(s, s->counts.bytes_out - s->spent_frames);
	return used < s->budget_bytes ? s->budget_bytes - used : 0;
}

void
session_cut_parcel(const struct session *s, uint64_t *epoch, uint64_t *number, struct bytes out[2])
{
	const struct server *v = &s->server;
	struct frame_head head;
	struct bytes in = BYTES_NONE;

	out[0] = out[1] = BYTES_NONE;
	if (s->config.side != SESSION_SERVER || (s->state != STATE_RECEIVING && !s->receiving) ||
	    v->dropping)
		return;
	*epoch = v->hello.epoch;
	*number = v->next;
	if (s->in_taken + s->event_bytes < s->in.n)
		in = BYTES(s->in.p + s->in_taken + s->event_bytes,
			   s->in.n - s->in_taken - s->event_bytes);
	if (s->part_number == v->next)
		out[0] = writer_view(&s->part);
	if (frame_head(in, &head, NULL) != E_OK || head.head_bytes == 0 ||
	    in.n - head.head_bytes >= head.body_bytes)
		return;
	in = BYTES(in.p + head.head_bytes, in.n - head.head_bytes);
	if (head.type == MESSAGE_REST && out[0].n > 0) {
		out[1] = in;
	} else if (head.type == MESSAGE_PARCEL) {
		out[0] = in;
	}
}

/* What LAST would say was said by the LAST before it. */
bool
server_as_known(const struct session *s, const struct message_last *last)
{
	const struct message_last *k = &s->known.last;

	return s->server.again && (last->status & ~LAST_AGAIN) == STATUS_OK &&
	       last->incarnation == 0 && last->number == k->number && last->safe == k->safe &&
	       last->head[0] == k->head[0] && last->head[1] == k->head[1] &&
	       last->digest == k->digest;
}

/* The next exchange may refer to this one. */
void
server_know(struct session *s, struct message_last *last)
{
	struct server *v = &s->server;

	s->known.can =
	    (v->hello.flags & HELLO_KNOWS_AGAIN) != 0 && (last->status & 3u) != STATUS_FORKED;
	s->known.epoch = v->hello.epoch;
	s->known.incarnation = v->heads.incarnation;
	if (s->known.can)
		last->status |= LAST_AGAIN;
	s->known.last = *last;
}

/* The peer need not send again what came of its next parcel. */
void
server_put_part(struct session *s, struct bytes part)
{
	struct message m = {.type = MESSAGE_PART};
	uint8_t hash[SHA256_BYTES];

	if (part.n == 0)
		return;
	writer_bytes(&s->part, part);
	if (writer_end(&s->part) != E_OK) {
		writer_free(&s->part);
		return;
	}
	crypto_sha256(hash, part);
	s->part_number = s->server.next;
	m.u.part = (struct message_part){s->part_number, part.n, be64_get(hash)};
	session_put(s, &m);
}
