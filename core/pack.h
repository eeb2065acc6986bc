/*
 * pack: MessagePack, written and read. The only door to msgpack-c.
 *
 * Banyan's own formats are canonical: shortest form of every integer, length and string header,
 * floats of 64 bits and only for what is no integer inside +-2^53; the reader refuses anything else
 * with E_PACK_LONG, so equal values have equal bytes and hashes. Reading pulls values one by one
 * from a view, allocates nothing, and remembers the first failure (E_PACK_CUT, E_PACK_TYPE,
 * E_PACK_LONG): ask once, at the end, with reader_end. After a failure every read returns 0, an
 * empty view or false. A count announced by an array or map is at most the number of bytes left, so
 * a loop over it is bounded by the input.
 */
#ifndef BANYAN_CORE_PACK_H
#define BANYAN_CORE_PACK_H

#include "core/bytes.h"

void pack_nil(struct writer *);
void pack_bool(struct writer *, bool);
void pack_u64(struct writer *, uint64_t);
void pack_i64(struct writer *, int64_t);
/* pack_f64: an integral value inside +-2^53 is written as an integer. NaN is written as nil. */
void pack_f64(struct writer *, double);
/* pack_is_float: must v be written as a float? Other numbers are written as integers, and NaN as
 * nil: one form each. */
bool pack_is_float(double v);
void pack_str(struct writer *, struct bytes);
void pack_cstr(struct writer *, const char *);
void pack_bin(struct writer *, struct bytes);
void pack_array(struct writer *, uint32_t count);
void pack_map(struct writer *, uint32_t pairs);

struct reader {
	const uint8_t *p, *end;
	enum err e;
};

enum pack_type {
	PACK_NONE, /* at the end, or after a failure */
	PACK_NIL,
	PACK_BOOL,
	PACK_UINT,
	PACK_INT, /* negative */
	PACK_F64,
	PACK_STR,
	PACK_BIN,
	PACK_ARRAY,
	PACK_MAP,
	PACK_EXT
};

void reader_init(struct reader *, struct bytes);
/* reader_peek: the type of the next value; consumes nothing. */
enum pack_type reader_peek(const struct reader *);
/* reader_nil: consume a nil if the next value is one. */
bool reader_nil(struct reader *);
bool reader_bool(struct reader *);
uint64_t reader_u64(struct reader *);
/* reader_u64_max: E_PACK_TYPE if the value is above max. */
uint64_t reader_u64_max(struct reader *, uint64_t max);
int64_t reader_i64(struct reader *);
/* reader_f64: any integer or float. */
double reader_f64(struct reader *);
/* Views into the input; valid as long as it is. str must be valid UTF-8. */
struct bytes reader_str(struct reader *);
struct bytes reader_bin(struct reader *);
/* reader_bin_fixed: exactly count bytes copied into out (zeroed on failure). */
void reader_bin_fixed(struct reader *, uint8_t *out, size_t count);
/*
 * reader_text: a string copied into out as a C string. E_PACK_TYPE if it does not fit out_bytes, is
 * not plain text (bytes_is_text), or is empty unless allowed; then out is "".
 */
void reader_text(struct reader *, char *out, size_t out_bytes, bool empty_allowed);
uint32_t reader_array(struct reader *);
/* reader_array_of: exactly `count` elements, else E_PACK_TYPE. */
void reader_array_of(struct reader *, uint32_t count);
/* reader_begin: reader_init, and the shape that every row and body has: an array of `count` whose
 * first element is the version. E_VERSION if that is another one, whatever the count is. */
void reader_begin(struct reader *, struct bytes, uint64_t version, uint32_t count);
uint32_t reader_map(struct reader *);
/* reader_skip: any one value, nested up to PACK_DEPTH_MAX; its bytes as a view. */
struct bytes reader_skip(struct reader *);
bool reader_more(const struct reader *);
/* reader_fail: note a failure of the caller's own finding (first one wins). */
void reader_fail(struct reader *, enum err);
/* reader_end: the first failure; E_PACK_EXTRA if bytes are left. */
enum err reader_end(const struct reader *);

#endif
