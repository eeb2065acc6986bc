/* What was found in cells: what is ours becomes sends, what is the peer's a WANT. */
#include <stdlib.h>

#include "sync/repair_own.h"

void
varint_put(struct writer *w, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		writer_u8(w, (uint8_t)(0x80 | (v & 0x7f)));
	writer_u8(w, (uint8_t)v);
}

uint64_t
varint_get(struct bytes *b)
{
	uint64_t v = 0;
	unsigned i;

	for (i = 0; i < 10 && i < b->n; i++) {
		uint8_t c = b->p[i];

		if (i == 9 && c > 1)
			break;
		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if (c & 0x80)
			continue;
		if (i > 0 && c == 0)
			break;
		b->p += i + 1;
		b->n -= i + 1;
		return v;
	}
	*b = BYTES_NONE;
	return 0;
}

/* One parcel that is looked for: by its symbol, or by what WANT says of it. */
struct look {
	struct repair *r;
	struct sketch_symbol symbol; /* of WANT: the number only */
	bool by_hash;
	uint64_t last; /* noted already: twins of a number are one send */
	const struct log_id *log;
	uint32_t log_tag;
};

static enum err
on_hash(void *arg, uint64_t number, const struct parcel_hash *hash)
{
	struct look *l = arg;

	if (number == l->last ||
	    (l->by_hash &&
	     sketch_item(&l->r->config.key, l->log_tag, l->log, number, hash).symbol.hash_tag !=
		 l->symbol.hash_tag))
		return E_OK;
	l->last = number;
	return repair_send_add(l->r, l->log, number, number);
}

static enum err
on_log(void *arg, uint32_t tag, const struct log_id *log)
{
	struct look *l = arg;

	l->log = log;
	l->log_tag = tag;
	l->last = 0;
	return l->r->config.source.find(l->r->config.source.ctx, log, l->symbol.number, on_hash, l);
}

static int
found_order(const void *a, const void *b)
{
	const struct sketch_found *x = a, *y = b;
	uint32_t tx = x->symbol.log_tag >> 8, ty = y->symbol.log_tag >> 8;

	if (tx != ty)
		return tx < ty ? -1 : 1;
	return x->symbol.number < y->symbol.number ? -1 : x->symbol.number > y->symbol.number;
}

/* WANT: [varint tag - last tag, varint count - 1, varint number, varint number - last number ...]
 * ... */
static enum err
want_put(struct repair *r, struct sketch_found *found, size_t count)
{
	uint32_t last = 0;
	size_t i, j;

	for (i = 0; i < count; i = j) {
		uint32_t tag = found[i].symbol.log_tag >> 8, number = 0;

		for (j = i; j < count && found[j].symbol.log_tag >> 8 == tag;)
			j++;
		varint_put(&r->list, tag - last);
		varint_put(&r->list, j - i - 1);
		for (; i < j; i++) {
			varint_put(&r->list, found[i].symbol.number - number);
			number = found[i].symbol.number;
		}
		last = tag;
	}
	r->wanted = count;
	return writer_end(&r->list);
}

enum err
repair_found(struct repair *r, const struct sketch_found *found, size_t count)
{
	struct sketch_found *sorted = malloc(count * sizeof(*sorted));
	size_t i, theirs = 0;
	enum err e = E_OK;

	if (sorted == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < count; i++)
		if (!found[i].own)
			sorted[theirs++] = found[i];
	qsort(sorted, theirs, sizeof(*sorted), found_order);
	for (i = 0; i < count && e == E_OK; i++) {
		struct look l = {.r = r, .by_hash = true, .symbol = found[i].symbol};

		if (found[i].own)
			e = r->config.source.logs(r->config.source.ctx, l.symbol.log_tag,
						  l.symbol.log_tag, on_log, &l);
	}
	if (e == E_OK)
		e = want_put(r, sorted, theirs);
	free(sorted);
	return e;
}

enum err
repair_want_take(struct repair *r, struct bytes b, struct why *why)
{
	uint64_t tag = 0, number, k;
	enum err e;

	while (b.n > 0) {
		tag += varint_get(&b);
		k = varint_get(&b);
		if (b.p == NULL || tag > 0xffffff || k >= b.n)
			return why_set(why, E_FRAME, "WANT");
		for (number = 0, k++; k > 0; k--) {
			struct look l = {.r = r};

			number += varint_get(&b);
			if (b.p == NULL || number > SKETCH_NUMBER_MASK)
				return why_set(why, E_FRAME, "WANT");
			l.symbol.number = (uint32_t)number;
			e = r->config.source.logs(r->config.source.ctx, (uint32_t)tag << 8,
						  (uint32_t)tag << 8 | 0xff, on_log, &l);
			if (e != E_OK)
				return e;
		}
	}
	return E_OK;
}
