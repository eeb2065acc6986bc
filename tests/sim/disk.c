/* Chance, and what lies on disks: lists that only grow. */
#include <stdlib.h>

#include "tests/sim/sim.h"

/* ---- chance ---- */

static uint64_t streams[2];

/* splitmix64 */
static uint64_t
next_of(uint64_t *s)
{
	uint64_t x = (*s += UINT64_C(0x9e3779b97f4a7c15));

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void
draw_seed(uint64_t seed)
{
	streams[0] = seed * 2 + 1;
	streams[1] = ~seed;
}

uint64_t
draw_apart(uint64_t seed, uint64_t what)
{
	uint64_t s = ~seed ^ what << 48;

	return next_of(&s);
}

uint64_t
draw(void)
{
	return next_of(&streams[0]);
}

uint64_t
draw_below(uint64_t limit)
{
	return limit == 0 ? 0 : draw() % limit;
}

bool
chance(unsigned permille)
{
	return draw_below(1000) < permille;
}

void
sim_random(void *out, size_t count)
{
	uint8_t *p = out;
	size_t i;

	for (i = 0; i < count; i += 8) {
		uint64_t x = next_of(&streams[1]);

		memcpy(p + i, &x, count - i < 8 ? count - i : 8);
	}
}

/* ---- lists ---- */

void *
grow(void *array, size_t n, size_t *cap, size_t each)
{
	if (n < *cap)
		return array;
	*cap = *cap == 0 ? 16 : *cap * 2;
	array = realloc(array, *cap * each);
	if (array == NULL)
		abort();
	return array;
}

void
entries_add(struct entries *list, const struct entry *e)
{
	list->e = grow(list->e, list->n, &list->cap, sizeof(*list->e));
	list->e[list->n++] = *e;
}

const struct entry *
entries_find_hash(const struct entries *list, const struct log_id *log, uint64_t number,
		  const struct parcel_hash *hash)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct entry *e = &list->e[i];

		if (e->log.epoch == log->epoch && e->number == number &&
		    ID_EQUAL(&e->log.author, &log->author) &&
		    (hash == NULL || ID_EQUAL(&e->hash, hash)))
			return e;
	}
	return NULL;
}

const struct entry *
entries_find(const struct entries *list, const struct log_id *log, uint64_t number)
{
	return entries_find_hash(list, log, number, NULL);
}

struct session_head
entries_head(const struct entries *list, const struct log_id *log)
{
	struct session_head head = {.epoch = log->epoch};
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct entry *e = &list->e[i];

		if (e->log.epoch == log->epoch && e->number == head.number + 1 &&
		    ID_EQUAL(&e->log.author, &log->author)) {
			head.number = e->number;
			head.hash = e->hash;
		}
	}
	return head;
}

static void *
copy_of(const void *from, size_t n, size_t each)
{
	void *to = n == 0 ? NULL : malloc(n * each);

	if (n > 0 && to == NULL)
		abort();
	return n == 0 ? NULL : memcpy(to, from, n * each);
}

void
disk_copy(struct device_disk *to, const struct device_disk *from)
{
	disk_free(to);
	*to = *from;
	to->log.e = copy_of(from->log.e, from->log.n, sizeof(*from->log.e));
	to->log.cap = from->log.n;
	to->outbox = copy_of(from->outbox, from->outbox_n, sizeof(*from->outbox));
	to->outbox_cap = from->outbox_n;
	to->own = copy_of(from->own, from->own_n, sizeof(*from->own));
	to->own_cap = from->own_n;
}

void
disk_free(struct device_disk *d)
{
	free(d->log.e);
	free(d->outbox);
	free(d->own);
	memset(d, 0, sizeof(*d));
}

uint64_t
disk_acked(const struct device_disk *d, uint64_t epoch)
{
	size_t i;

	for (i = 0; i < d->acked_n; i++)
		if (d->acked[i].epoch == epoch)
			return d->acked[i].number;
	return 0;
}
