#include "core/pack.h"

#include <math.h>
#include <msgpack/pack.h>

static int
sink(void *writer, const char *p, size_t n)
{
	writer_mem(writer, p, n);
	return 0; /* the writer remembers */
}

#define PACKER(w) (&(msgpack_packer){.data = (w), .callback = sink})

void
pack_nil(struct writer *w)
{
	msgpack_pack_nil(PACKER(w));
}

void
pack_bool(struct writer *w, bool v)
{
	if (v)
		msgpack_pack_true(PACKER(w));
	else
		msgpack_pack_false(PACKER(w));
}

void
pack_u64(struct writer *w, uint64_t v)
{
	msgpack_pack_uint64(PACKER(w), v);
}

void
pack_i64(struct writer *w, int64_t v)
{
	msgpack_pack_int64(PACKER(w), v);
}

void
pack_f64(struct writer *w, double v)
{
	if (isnan(v))
		pack_nil(w);
	else if (!pack_is_float(v))
		pack_i64(w, (int64_t)v);
	else
		msgpack_pack_double(PACKER(w), v);
}

void
pack_str(struct writer *w, struct bytes s)
{
	if (s.n > UINT32_MAX) {
		w->e = w->e == E_OK ? E_NO_ROOM : w->e;
		return;
	}
	msgpack_pack_str(PACKER(w), s.n);
	writer_bytes(w, s);
}

void
pack_cstr(struct writer *w, const char *s)
{
	pack_str(w, bytes_of_str(s));
}

void
pack_bin(struct writer *w, struct bytes b)
{
	if (b.n > UINT32_MAX) {
		w->e = w->e == E_OK ? E_NO_ROOM : w->e;
		return;
	}
	msgpack_pack_bin(PACKER(w), b.n);
	writer_bytes(w, b);
}

void
pack_array(struct writer *w, uint32_t count)
{
	msgpack_pack_array(PACKER(w), count);
}

void
pack_map(struct writer *w, uint32_t pairs)
{
	msgpack_pack_map(PACKER(w), pairs);
}
