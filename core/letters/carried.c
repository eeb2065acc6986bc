#include "core/letters/carried.h"

#include "core/pack.h"
#include "core/parcel/parcel.h"

enum err
carried_encode(const struct carried *c, struct writer *w)
{
	if (c->parcel.n > PARCEL_BYTES_MAX)
		return E_LIMIT;
	pack_array(w, 5);
	pack_u64(w, 1);
	pack_bin(w, BYTES(c->log.author.b, ID_BYTES));
	pack_u64(w, c->log.epoch);
	pack_bin(w, BYTES(c->previous.b, HASH_BYTES));
	pack_bin(w, c->parcel);
	return writer_end(w);
}

/* A log's first parcel follows none; each other one follows another. */
static bool
previous_fits(const struct carried *c)
{
	static const struct parcel_hash none;

	return ID_EQUAL(&c->previous, &none) == (c->number == 1);
}

enum err
carried_decode(struct bytes b, struct carried *c, struct why *why)
{
	struct reader r;
	enum err e;

	memset(c, 0, sizeof(*c));
	reader_begin(&r, b, 1, 5);
	reader_bin_fixed(&r, c->log.author.b, ID_BYTES);
	c->log.epoch = reader_u64(&r);
	reader_bin_fixed(&r, c->previous.b, HASH_BYTES);
	c->parcel = reader_bin(&r);
	if ((e = reader_end(&r)) == E_OK && c->parcel.n > PARCEL_BYTES_MAX)
		e = E_LIMIT;
	if (e == E_OK)
		e = parcel_peek(c->parcel, &c->number, &c->flags);
	if (e != E_OK)
		return why_set(why, e, "a carried parcel");
	return previous_fits(c)
		   ? E_OK
		   : why_set(why, E_PARCEL, "a carried parcel whose previous hash cannot be");
}
