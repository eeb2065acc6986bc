/* What a link may cost, and what is left of a parcel that it cut. */
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
	if (s->config.side != SESSION_SERVER || (s->state != STATE_RECEIVING && !s->receiving) || v->dropping)
		return;
	*epoch = v->hello.epoch;
	*number = v->next;
	if (s->in_taken + s->event_bytes < s->in.n)
		in = BYTES(s->in.p + s->in_taken + s->event_bytes, s->in.n - s->in_taken - s->event_bytes);
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
