/* What a cut left of a parcel: the device need not send it again when it comes back. In memory
 * only. */
#include <stdlib.h>

#include "tools/node/serve/serve_inside.h"

void
serve_part_free(struct serve_part *part)
{
	if (part == NULL)
		return;
	writer_free(&part->bytes);
	free(part);
}

void
serve_parts_fini(struct serve *s)
{
	while (s->parts != NULL) {
		struct serve_part *part = s->parts;

		s->parts = part->next;
		serve_part_free(part);
	}
}

static struct serve_part *
take_of(struct serve *s, const struct principal_id *author)
{
	struct serve_part **at, *part;

	for (at = &s->parts; *at != NULL; at = &(*at)->next) {
		if (!ID_EQUAL(&(*at)->author, author))
			continue;
		part = *at;
		*at = part->next;
		part->next = NULL;
		return part;
	}
	return NULL;
}

struct serve_part *
serve_part_take(struct serve *s, const struct log_id *log, uint64_t number)
{
	struct serve_part *part = take_of(s, &log->author);

	if (part != NULL && part->epoch == log->epoch && part->number == number)
		return part;
	serve_part_free(part); /* of something that came by another way meanwhile */
	return NULL;
}

/* The oldest go, until `more` bytes have room. */
static void
make_room(struct serve *s, size_t more)
{
	struct serve_part **at = &s->parts, *part;
	size_t sum = more;

	while (*at != NULL && sum + (*at)->bytes.n <= SERVE_PARTS_BYTES_MAX) {
		sum += (*at)->bytes.n;
		at = &(*at)->next;
	}
	while ((part = *at) != NULL) {
		*at = part->next;
		serve_part_free(part);
	}
}

void
serve_part_keep(struct serve_conn *c)
{
	struct serve_part *part;
	struct bytes piece[2];
	uint64_t epoch, number;
	size_t n;

	if (c->session == NULL || c->peer.local || c->stranger)
		return;
	session_cut_parcel(c->session, &epoch, &number, piece);
	n = piece[0].n + piece[1].n;
	if (n < SERVE_PART_BYTES_MIN || n > SERVE_PART_BYTES_MAX)
		return;
	serve_part_free(take_of(c->serve, &c->peer.id));
	make_room(c->serve, n);
	if ((part = calloc(1, sizeof(*part))) == NULL)
		return; /* then it is sent again */
	part->author = c->peer.id;
	part->epoch = epoch;
	part->number = number;
	writer_heap_init(&part->bytes, SERVE_PART_BYTES_MAX);
	writer_bytes(&part->bytes, piece[0]);
	writer_bytes(&part->bytes, piece[1]);
	if (writer_end(&part->bytes) != E_OK) {
		serve_part_free(part);
		return;
	}
	part->next = c->serve->parts;
	c->serve->parts = part;
}
