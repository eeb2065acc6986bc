#include "sync/repair.h"

#include <assert.h>
#include <stdlib.h>

#include "core/crypto/crypto.h"
#include "sync/repair_own.h"

/* Past these, cells would not suffice: 4,096 tell about 2,900. The first guess may be a third too
 * high. */
#define GUESS_FIRST_MAX 4500u
#define GUESS_MAX 3200u
/* Two or three rounds suffice; who asks more often has a peer whose sketch is wrong. */
#define MORE_MAX 6u

enum err
repair_new(struct repair **out, const struct repair_config *config)
{
	struct repair *r = calloc(1, sizeof(*r));

	if ((*out = r) == NULL)
		return E_NO_MEMORY;
	r->config = *config;
	writer_heap_init(&r->list, REPAIR_LOGS_BYTES_MAX);
	writer_heap_init(&r->peer_logs, REPAIR_LOGS_BYTES_MAX);
	writer_heap_init(&r->cells_out, SKETCH_CELLS_MAX * SKETCH_CELL_BYTES);
	if ((r->sketch = malloc(sizeof(*r->sketch))) != NULL)
		return E_OK;
	repair_free(r);
	*out = NULL;
	return E_NO_MEMORY;
}

void
repair_free(struct repair *r)
{
	if (r == NULL)
		return;
	writer_free(&r->list);
	writer_free(&r->peer_logs);
	writer_free(&r->cells_out);
	sketch_peel_free(r->peel);
	free(r->sketch);
	free(r->send);
	crypto_wipe(&r->config.key, sizeof(r->config.key));
	free(r);
}

enum repair_state
repair_state(const struct repair *r)
{
	return r->state;
}

size_t
repair_sends(const struct repair *r, const struct repair_send **out)
{
	*out = r->send;
	return r->send_count;
}

uint64_t
repair_wanted(const struct repair *r)
{
	return r->wanted;
}

bool
repair_takes(uint8_t type)
{
	return type == MESSAGE_SUMS || type == MESSAGE_SAME || type == MESSAGE_CELLS ||
	       type == MESSAGE_MORE || type == MESSAGE_WANT || type == MESSAGE_LOGS;
}

enum err
repair_send_add(struct repair *r, const struct log_id *log, uint64_t lo, uint64_t hi)
{
	if (r->send_count == r->send_room) {
		size_t room = r->send_room == 0 ? 64 : r->send_room * 2;
		struct repair_send *more = realloc(r->send, room * sizeof(*more));

		if (more == NULL)
			return E_NO_MEMORY;
		r->send = more;
		r->send_room = room;
	}
	r->send[r->send_count++] = (struct repair_send){*log, lo, hi};
	return E_OK;
}

/* Forget an earlier repair and take the set as it is now. */
static enum err
begin(struct repair *r)
{
	const struct sketch *now;
	enum err e;

	writer_reset(&r->list);
	writer_reset(&r->peer_logs);
	r->list.e = r->peer_logs.e = E_OK;
	r->asked_logs = r->logs_sent = r->cells_wait = r->list_waits = false;
	r->cells = r->cells_to = r->more_count = 0;
	r->list_sent = r->send_count = 0;
	r->wanted = 0;
	r->out.type = 0;
	sketch_peel_free(r->peel);
	r->peel = NULL;
	r->state = REPAIR_FAILED;
	if ((e = r->config.source.sketch(r->config.source.ctx, &now)) != E_OK)
		return e;
	*r->sketch = *now;
	r->state = REPAIR_RUNNING;
	return E_OK;
}

enum err
repair_start(struct repair *r)
{
	struct message_sums *sums = &r->out.u.sums;
	enum err e;

	assert(r->config.client);
	if ((e = begin(r)) != E_OK)
		return e;
	r->out.type = MESSAGE_SUMS;
	sums->count = r->sketch->count;
	sums->sum = r->sketch->sum;
	memcpy(sums->spread, r->sketch->spread, sizeof(sums->spread));
	return E_OK;
}

/*
 * How many cells to begin with. One tells one difference; for few, rather too many than a second
 * round; for many, rather too few, since the client's guess from cells is better. Where the guess
 * is about what the counts differ by, that will be it: all is missing on one side.
 */
static uint32_t
cells_first(uint32_t guess, uint64_t least)
{
	bool sure = guess <= least + least / 3;

	if (guess <= 1)
		return 1;
	if (sure)
		guess = (uint32_t)least;
	if (guess >= 6 && guess < 16)
		return guess + guess / 4 + 13;
	if (guess < 36)
		return guess + guess * 3 / 4 + 6;
	guess = sure ? guess + guess * 5 / 12 + 24 : guess * 7 / 8 + 48;
	return guess < SKETCH_CELLS_MAX ? guess : SKETCH_CELLS_MAX;
}

static void
cells_send(struct repair *r, uint32_t to)
{
	writer_reset(&r->cells_out);
	sketch_cells_put(&r->cells_out, r->sketch, r->cells, to);
	r->cells = to;
	r->out.type = MESSAGE_CELLS;
	r->out.u.cells.bytes = writer_view(&r->cells_out);
}

/* Server: a client's sums. */
static enum err
on_sums(struct repair *r, const struct message_sums *m)
{
	uint32_t guess;
	uint64_t least;
	enum err e;

	if ((e = begin(r)) != E_OK)
		return e;
	if (m->count == r->sketch->count && m->sum == r->sketch->sum) {
		r->out.type = MESSAGE_SAME;
		r->state = REPAIR_SAME;
		return E_OK;
	}
	guess = sketch_guess(r->sketch, m->count, m->spread);
	least =
	    m->count > r->sketch->count ? m->count - r->sketch->count : r->sketch->count - m->count;
	if (guess <= GUESS_FIRST_MAX && least <= GUESS_MAX) {
		cells_send(r, cells_first(guess, least));
		return writer_end(&r->cells_out);
	}
	r->out.type = MESSAGE_CELLS;
	r->out.u.cells.bytes = BYTES_NONE;
	r->asked_logs = true;
	return E_OK;
}

static enum err
on_more(struct repair *r, const struct message_more *m, struct why *why)
{
	if (r->asked_logs || m->cells <= r->cells)
		return why_set(why, E_PROTOCOL, "MORE, %llu cells", (unsigned long long)m->cells);
	cells_send(r, (uint32_t)m->cells);
	return writer_end(&r->cells_out);
}

/* Client: not by cells. */
static enum err
logs_instead(struct repair *r)
{
	enum err e = repair_logs_put(r);

	r->logs_sent = true;
	r->list_waits = true;
	return e;
}

/* Client: cells that lead nowhere yet. */
static enum err
more_cells(struct repair *r)
{
	uint32_t guess = sketch_peel_guess(r->peel), to = guess + guess / 2 + 16;

	if (r->cells == SKETCH_CELLS_MAX || guess > GUESS_MAX || r->more_count++ == MORE_MAX)
		return logs_instead(r);
	if (to < r->cells + 8 + r->cells / 12)
		to = r->cells + 8 + r->cells / 12;
	if (to > SKETCH_CELLS_MAX)
		to = SKETCH_CELLS_MAX;
	r->cells_to = to;
	r->out.type = MESSAGE_MORE;
	r->out.u.more.cells = to;
	return E_OK;
}

static enum err
on_cells(struct repair *r, struct bytes cells, struct why *why)
{
	const struct sketch_found *found;
	size_t count;
	enum err e;

	if (r->logs_sent ||
	    (r->cells_to != 0 && cells.n != (r->cells_to - r->cells) * (size_t)SKETCH_CELL_BYTES))
		return why_set(why, E_PROTOCOL, "CELLS that were not asked for");
	if (cells.n == 0)
		return logs_instead(r);
	if (r->peel == NULL && (e = sketch_peel_new(&r->peel, &r->config.key, r->sketch)) != E_OK)
		return e;
	e = sketch_peel_feed(r->peel, cells);
	if (e == E_FRAME)
		return why_set(why, e, "CELLS, %zu bytes", cells.n);
	if (e != E_OK)
		return logs_instead(r);
	r->cells = sketch_peel_cells(r->peel);
	if (!sketch_peel_done(r->peel))
		return more_cells(r);
	count = sketch_peel_found(r->peel, &found);
	/* Sums differ and cells do not: symbols that are alike, or a peer that lies. Logs will
	 * tell. */
	if (count == 0)
		return logs_instead(r);
	if ((e = repair_found(r, found, count)) != E_OK)
		return e;
	r->out.type = MESSAGE_WANT;
	r->out.u.want.bytes = writer_view(&r->list);
	r->state = REPAIR_FOUND;
	return E_OK;
}

static enum err
on_logs(struct repair *r, const struct message_logs *m, struct why *why)
{
	enum err e;

	if (r->config.client && !r->logs_sent)
		return why_set(why, E_PROTOCOL, "LOGS that were not asked for");
	if (m->more && m->logs.n == 0)
		return why_set(why, E_FRAME, "LOGS, nothing and more");
	writer_bytes(&r->peer_logs, m->logs);
	if ((e = writer_end(&r->peer_logs)) != E_OK)
		return why_set(why, e == E_NO_ROOM ? E_LIMIT : e, "LOGS, more than %u bytes",
			       REPAIR_LOGS_BYTES_MAX);
	if (m->more)
		return E_OK;
	if ((e = repair_logs_compare(r, !r->config.client, why)) != E_OK)
		return e;
	r->list_waits = !r->config.client;
	r->state = REPAIR_FOUND;
	return E_OK;
}

static enum err
take(struct repair *r, const struct message *m, struct why *why)
{
	enum err e;

	if (m->type == MESSAGE_SUMS && !r->config.client)
		return on_sums(r, &m->u.sums);
	if (r->state != REPAIR_RUNNING || !message_from(m->type, !r->config.client))
		return why_set(why, E_PROTOCOL, "%s", message_name(m->type));
	switch (m->type) {
	case MESSAGE_SAME:
		if (r->cells > 0 || r->logs_sent)
			return why_set(why, E_PROTOCOL, "SAME");
		r->state = REPAIR_SAME;
		return E_OK;
	case MESSAGE_CELLS:
		return on_cells(r, m->u.cells.bytes, why);
	case MESSAGE_MORE:
		return on_more(r, &m->u.more, why);
	case MESSAGE_WANT:
		if ((e = repair_want_take(r, m->u.want.bytes, why)) == E_OK)
			r->state = REPAIR_FOUND;
		return e;
	case MESSAGE_LOGS:
		return on_logs(r, &m->u.logs, why);
	default:
		return why_set(why, E_PROTOCOL, "%s", message_name(m->type));
	}
}

enum err
repair_take(struct repair *r, const struct message *m, struct why *why)
{
	enum err e = take(r, m, why);

	if (e != E_OK)
		r->state = REPAIR_FAILED;
	return e;
}

bool
repair_next(struct repair *r, struct message *out)
{
	size_t piece = r->list.n - r->list_sent;

	if (r->state == REPAIR_FAILED)
		return false;
	if (r->out.type != 0) {
		*out = r->out;
		r->out.type = 0;
		return true;
	}
	if (!r->list_waits)
		return false;
	if (piece > CHUNK_BYTES_MAX)
		piece = CHUNK_BYTES_MAX;
	out->type = MESSAGE_LOGS;
	out->u.logs.logs = BYTES(r->list.p + r->list_sent, piece);
	r->list_sent += piece;
	out->u.logs.more = r->list_waits = r->list_sent < r->list.n;
	return true;
}
