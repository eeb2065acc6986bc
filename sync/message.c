#include "sync/message.h"

#include <assert.h>
#include <stddef.h>

#include "core/pack.h"

enum field_type { FIELD_U, FIELD_BOOL, FIELD_FIXED, FIELD_BIN, FIELD_STR, FIELD_STRS, FIELD_RAW };
enum sender { SENDER_UP = 1, SENDER_DOWN = 2, SENDER_BOTH = 3 };

/* The table of all fields, in the order of messages. */
static const struct field {
	uint8_t message;
	enum field_type type;
	uint64_t bound;
	size_t offset; /* in struct message */
	const char *name;
} fields[] = {
#define M(...)
#define R(...)
#define F(kind, member, part, type, bound) \
	{MESSAGE_##kind, FIELD_##type, (bound), offsetof(struct message, u.member.part), #part},
#include "sync/message.def"
#undef M
#undef R
#undef F
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static const struct kind {
	const char *name;
	enum sender sender;
} kinds[256] = {
#define M(code, name, member, sender) [code] = {#name, SENDER_##sender},
#define R(...)
#define F(...)
#include "sync/message.def"
#undef M
#undef R
#undef F
};

bool
message_known(uint8_t type)
{
	return kinds[type].name != NULL;
}

const char *
message_name(uint8_t type)
{
	return message_known(type) ? kinds[type].name : "unknown";
}

bool
message_from(uint8_t type, bool client)
{
	return (kinds[type].sender & (client ? SENDER_UP : SENDER_DOWN)) != 0;
}

static size_t
field_bytes_max(const struct field *f)
{
	switch (f->type) {
	case FIELD_U:
		return 9;
	case FIELD_BOOL:
		return 1;
	case FIELD_FIXED:
	case FIELD_BIN:
	case FIELD_STR:
		return 5 + (size_t)f->bound;
	case FIELD_STRS:
		return ASK_ARGS_BYTES_MAX;
	case FIELD_RAW:
		return (size_t)f->bound;
	}
	return 0;
}

size_t
message_bytes_max(uint8_t type)
{
	size_t sum = 0, i;

	for (i = 0; i < FIELD_COUNT; i++)
		if (fields[i].message == type)
			sum += field_bytes_max(&fields[i]);
	return sum;
}

/* Pointers into a message, by the table. */
#define AT(message, f, type) ((type *)(void *)((char *)(message) + (f)->offset))
#define AT_CONST(message, f, type) \
	((const type *)(const void *)((const char *)(message) + (f)->offset))

static bool
strs_fit(const struct message_strs *strs, uint64_t bound)
{
	size_t sum = 5, i;

	if (strs->count > bound)
		return false;
	for (i = 0; i < strs->count; i++) {
		if (strs->str[i].n > ASK_ARGS_BYTES_MAX)
			return false;
		sum += 5 + strs->str[i].n;
	}
	return sum <= ASK_ARGS_BYTES_MAX;
}

/* One field written; false past its bound. */
static bool
field_encode(struct writer *w, const struct field *f, const struct message *m)
{
	const struct message_strs *strs;
	struct bytes b;
	size_t i;

	switch (f->type) {
	case FIELD_U:
		pack_u64(w, *AT_CONST(m, f, uint64_t));
		return *AT_CONST(m, f, uint64_t) <= f->bound;
	case FIELD_BOOL:
		pack_bool(w, *AT_CONST(m, f, bool));
		return true;
	case FIELD_FIXED:
		pack_bin(w, BYTES(AT_CONST(m, f, uint8_t), (size_t)f->bound));
		return true;
	case FIELD_BIN:
	case FIELD_STR:
	case FIELD_RAW:
		b = *AT_CONST(m, f, struct bytes);
		if (b.n > f->bound)
			return false;
		if (f->type == FIELD_BIN)
			pack_bin(w, b);
		else if (f->type == FIELD_STR)
			pack_str(w, b);
		else
			writer_bytes(w, b);
		return true;
	case FIELD_STRS:
		strs = AT_CONST(m, f, struct message_strs);
		if (!strs_fit(strs, f->bound))
			return false;
		pack_array(w, (uint32_t)strs->count);
		for (i = 0; i < strs->count; i++)
			pack_str(w, strs->str[i]);
		return true;
	}
	return false;
}

enum err
message_encode(struct writer *w, const struct message *m, struct why *why)
{
	size_t i;

	assert(message_known(m->type));
	for (i = 0; i < FIELD_COUNT; i++)
		if (fields[i].message == m->type && !field_encode(w, &fields[i], m))
			return why_set(why, E_LIMIT, "%s, %s", message_name(m->type),
				       fields[i].name);
	if (writer_end(w) != E_OK)
		return why_set(why, writer_end(w), "%s", message_name(m->type));
	return E_OK;
}

static void
strs_decode(struct reader *r, struct message_strs *out, uint64_t bound)
{
	uint32_t count = reader_array(r), i;

	*out = (struct message_strs){0};
	if (count > bound) {
		reader_fail(r, E_PACK_TYPE);
		return;
	}
	for (i = 0; i < count; i++)
		out->str[i] = reader_str(r);
	out->count = r->e == E_OK ? count : 0;
}

static void
field_decode(struct reader *r, const struct field *f, struct message *m)
{
	struct bytes *b;

	switch (f->type) {
	case FIELD_U:
		*AT(m, f, uint64_t) = reader_u64_max(r, f->bound);
		return;
	case FIELD_BOOL:
		*AT(m, f, bool) = reader_bool(r);
		return;
	case FIELD_FIXED:
		reader_bin_fixed(r, AT(m, f, uint8_t), (size_t)f->bound);
		return;
	case FIELD_BIN:
	case FIELD_STR:
		b = AT(m, f, struct bytes);
		*b = f->type == FIELD_BIN ? reader_bin(r) : reader_str(r);
		if (b->n > f->bound)
			reader_fail(r, E_PACK_TYPE);
		return;
	case FIELD_RAW:
		*AT(m, f, struct bytes) = BYTES(r->p, (size_t)(r->end - r->p));
		if ((size_t)(r->end - r->p) > f->bound)
			reader_fail(r, E_PACK_TYPE);
		r->p = r->end;
		return;
	case FIELD_STRS:
		strs_decode(r, AT(m, f, struct message_strs), f->bound);
		return;
	}
}

enum err
message_decode(struct message *out, uint8_t type, struct bytes body, struct why *why)
{
	struct reader r;
	size_t i;

	memset(out, 0, sizeof(*out));
	out->type = type;
	if (!message_known(type))
		return why_set(why, E_FRAME, "type 0x%02x", type);
	reader_init(&r, body);
	for (i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].message != type)
			continue;
		field_decode(&r, &fields[i], out);
		if (r.e != E_OK)
			return why_set(why, E_FRAME, "%s, %s", message_name(type), fields[i].name);
	}
	if (reader_end(&r) != E_OK)
		return why_set(why, E_FRAME, "%s goes on after its end", message_name(type));
	return E_OK;
}

static const struct wire_error {
	uint16_t code;
	enum err e;
} wire_errors[] = {
#define X(code, e) {(code), (e)},
#define R(code, reason)
#include "sync/wire_error.def"
#undef X
#undef R
};
#define WIRE_ERROR_COUNT (sizeof(wire_errors) / sizeof(wire_errors[0]))

uint16_t
message_error_code(enum err e)
{
	size_t i;

	for (i = 0; i < WIRE_ERROR_COUNT; i++)
		if (wire_errors[i].e == e)
			return wire_errors[i].code;
	return 0;
}

enum err
message_error_of(uint64_t code)
{
	size_t i;

	for (i = 0; i < WIRE_ERROR_COUNT; i++)
		if (wire_errors[i].code == code)
			return wire_errors[i].e;
	return E_PROTOCOL;
}
