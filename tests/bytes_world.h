/*
 * bytes_world: a device and a node in memory that believe nothing which does not hold together, as
 * the real ones do: a parcel ends with a tag over its log, its number and the parcel before it. A
 * parcel holds one record. So after whatever was done to the bytes between them it can be said what
 * must be true.
 */
#ifndef BANYAN_TESTS_BYTES_WORLD_H
#define BANYAN_TESTS_BYTES_WORLD_H

#include "core/crypto/crypto.h"
#include "tests/wire_tap.h"

#define WORLD_LOG_MAX 24u
#define WORLD_LOGS_MAX 12u
#define WORLD_TEXT 8u

struct world_log {
	uint64_t epoch, number;
	uint8_t parcel[WORLD_LOG_MAX + 1][WORLD_TEXT + 8];
	struct parcel_hash hash[WORLD_LOG_MAX + 1];
};

static struct {
	struct session *s;
	struct world_log own, down[2];
	uint64_t acked, offered, life, record_count;
	bool held[256]; /* records that the node is believed to have: the device would not send them
			   again */
	bool finished, verified, lacks;
	struct why why;
} device;

static struct {
	struct session *s;
	struct world_log log[WORLD_LOGS_MAX], down[2];
	size_t log_count, twins;
	uint64_t life, late; /* late: the number to settle, once all that came was taken */
	bool has[256], settles_late, busy;
	struct bytes part;
} node;

static uint64_t world_now;

/* ---- logs ---- */

static inline void
world_tag(uint8_t out[8], const struct world_log *l, uint64_t number, const uint8_t *text)
{
	uint8_t head[16], hash[SHA256_BYTES];
	struct bytes parts[3] = {BYTES(head, 16), BYTES(l->hash[number - 1].b, HASH_BYTES),
				 BYTES(text, WORLD_TEXT)};

	be64_put(head, l->epoch);
	be64_put(head + 8, number);
	crypto_sha256_parts(hash, parts, 3);
	memcpy(out, hash, 8);
}

static inline void
world_append(struct world_log *l, const uint8_t *parcel)
{
	struct bytes parts[2] = {BYTES(l->hash[l->number].b, HASH_BYTES),
				 BYTES(parcel, WORLD_TEXT + 8)};

	l->number++;
	MUST_HOLD(l->number <= WORLD_LOG_MAX);
	memcpy(l->parcel[l->number], parcel, WORLD_TEXT + 8);
	crypto_sha256_parts(l->hash[l->number].b, parts, 2);
}

static inline void
world_write(struct world_log *l, uint8_t record)
{
	uint8_t parcel[WORLD_TEXT + 8] = "record";

	parcel[WORLD_TEXT - 1] = record;
	world_tag(parcel + WORLD_TEXT, l, l->number + 1, parcel);
	world_append(l, parcel);
}

/* Is it what the log's author wrote as that number? */
static inline bool
world_holds(const struct world_log *l, uint64_t number, struct bytes b)
{
	uint8_t tag[8];

	if (number == 0 || number > l->number + 1 || b.n != WORLD_TEXT + 8)
		return false;
	world_tag(tag, l, number, b.p);
	return memcmp(tag, b.p + WORLD_TEXT, 8) == 0;
}

static inline struct session_head
world_head(const struct world_log *l)
{
	return (struct session_head){l->epoch, l->number, l->hash[l->number]};
}

static inline struct world_log *
node_log(uint64_t epoch)
{
	size_t i;

	for (i = 0; i < node.log_count; i++)
		if (node.log[i].epoch == epoch)
			return &node.log[i];
	return NULL;
}

/* ---- what sessions read ---- */

static inline enum err
world_parcel_of(const struct world_log *l, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	if (number == 0 || number > l->number)
		return E_ABSENT;
	*out = BYTES(l->parcel[number], WORLD_TEXT + 8);
	*epoch = l->epoch;
	return E_OK;
}

static inline enum err
device_parcel(void *ctx, enum session_log log, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	(void)ctx;
	return log == SESSION_LOG_OWN ? world_parcel_of(&device.own, number, out, epoch) : E_ABSENT;
}

static inline enum err
node_parcel(void *ctx, enum session_log log, uint64_t number, struct bytes *out, uint64_t *epoch)
{
	(void)ctx;
	return log != SESSION_LOG_OWN ? world_parcel_of(&node.down[log], number, out, epoch)
				      : E_ABSENT;
}

static inline enum err
device_hash(void *ctx, uint64_t number, struct parcel_hash *out)
{
	(void)ctx;
	if (number > device.own.number)
		return E_ABSENT;
	*out = device.own.hash[number];
	return E_OK;
}

static inline enum err
device_heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	(void)ctx;
	(void)epoch;
	out->log[SESSION_LOG_OWN] = world_head(&device.own);
	out->log[0] = world_head(&device.down[0]);
	out->log[1] = world_head(&device.down[1]);
	return E_OK;
}

static inline enum err
node_heads(void *ctx, uint64_t epoch, struct session_heads *out)
{
	const struct world_log *l = node_log(epoch);

	(void)ctx;
	if (l != NULL)
		out->log[SESSION_LOG_OWN] = world_head(l);
	out->log[0] = world_head(&node.down[0]);
	out->log[1] = world_head(&node.down[1]);
	out->incarnation = node.life;
	out->safe = out->log[SESSION_LOG_OWN].number / 2;
	out->now_s = 1790000000;
	return E_OK;
}

/* ---- the node ---- */

static inline void
node_greeted(const struct message_hello *hello)
{
	struct session_hello_reply reply = {.incarnation = node.life, .part = node.part};
	const struct world_log *l = node_log(hello->epoch);
	bool known = hello->incarnation == node.life >> 32;

	if (node.busy) {
		session_refuse(node.s, E_PEER_BUSY, "90", 90, world_now);
		return;
	}
	if (l != NULL)
		reply.held = world_head(l);
	reply.down_from[0] = known ? hello->cursor[0] : 0;
	reply.down_from[1] = known ? hello->cursor[1] : 0;
	session_settle_hello(node.s, &reply, world_now);
	node.part = BYTES_NONE;
}

static inline void
node_took(uint64_t epoch, uint64_t number, struct bytes b)
{
	struct world_log *l = node_log(epoch), fresh = {.epoch = epoch};
	struct parcel_hash twin = {{1}};

	if (!world_holds(l == NULL ? &fresh : l, number, b)) {
		session_refuse(node.s, E_SIGNATURE, "a parcel", 0, world_now);
		return;
	}
	if (l == NULL) {
		MUST_HOLD(node.log_count < WORLD_LOGS_MAX);
		l = &node.log[node.log_count++];
		*l = fresh;
	}
	node.has[b.p[WORLD_TEXT - 1]] = true;
	if (number <= l->number && memcmp(l->parcel[number], b.p, b.n) != 0) {
		node.twins++;
		crypto_sha256(twin.b, b);
		session_settle_parcel(node.s, number, &twin, STATUS_FORKED, world_now);
		return;
	}
	if (number > l->number)
		world_append(l, b.p);
	node.late = number;
	if (!node.settles_late)
		session_settle_parcel(node.s, number, &l->hash[number], STATUS_OK, world_now);
}

static inline void
node_event(const struct session_event *e)
{
	static const struct message_welcome welcome = {
	    .programme_name = {(const uint8_t *)"Demo", 4}, .area = {(const uint8_t *)"KH01", 4}};

	switch ((int)e->kind) {
	case SESSION_HELLO:
		node_greeted(&e->u.hello);
		break;
	case SESSION_PARCEL:
		node_took(e->u.parcel.epoch, e->u.parcel.number, e->u.parcel.bytes);
		break;
	case SESSION_JOIN:
	case SESSION_RETURN:
		CHECK(session_welcome(node.s, &welcome, world_now) == E_OK);
		break;
	case SESSION_SUCCESSOR:
		session_succession(node.s, BYTES_LIT("the root's word"), world_now);
		break;
	case SESSION_ASK:
		(void)session_answer(node.s, STREAM_OUT, e->u.ask.verb, world_now);
		if (!e->u.ask.has_input)
			session_done(node.s, 65, world_now);
		break;
	case SESSION_INPUT:
		(void)session_answer(node.s, STREAM_DATA, e->u.input, world_now);
		if (e->u.input.n == 0)
			session_done(node.s, 0, world_now);
		break;
	case SESSION_FINISHED:
		CHECK(e->u.finished.why.e < ERR_COUNT && !e->u.finished.verified);
		break;
	default:
		CHECK_MSG(false, "event %d at the node", (int)e->kind);
	}
}

/* ---- the device ---- */

/* What the node is believed to hold of this log is never sent again: it must be there. */
static inline void
device_believes(uint64_t number)
{
	uint64_t i;

	CHECK_MSG(number <= device.own.number, "%llu parcels of %llu", (unsigned long long)number,
		  (unsigned long long)device.own.number);
	for (i = 1; i <= number && i <= device.own.number; i++)
		CHECK_MSG(node.has[device.own.parcel[i][WORLD_TEXT - 1]],
			  "parcel %llu is believed to be at the node", (unsigned long long)i);
}

/* A new log, with what the node has not got. */
static inline void
device_forks(uint64_t kept)
{
	struct world_log old = device.own;
	uint64_t i;

	device_believes(kept);
	memset(&device.own, 0, sizeof(device.own));
	device.own.epoch = old.epoch * 3 + 1;
	for (i = kept + 1; i <= old.number; i++)
		world_write(&device.own, old.parcel[i][WORLD_TEXT - 1]);
	device.acked = device.offered = 0;
}

static inline void
device_acked(const struct session_event *e)
{
	device_believes(e->u.acked.number);
	device.acked = e->u.acked.number;
	if (e->u.acked.last && e->u.acked.incarnation != device.life) {
		device.life = e->u.acked.incarnation;
		memset(device.down, 0, sizeof(device.down));
	}
}

static inline void
device_down(const struct session_event *e)
{
	struct world_log *l = &device.down[e->u.down.log & 1], first = {.epoch = e->u.down.epoch};
	bool lacks = device.lacks;

	device.lacks = false;
	if (lacks) {
		session_down_lacks(device.s, world_now);
		return;
	}
	if (!world_holds(l->number == 0 ? &first : l, l->number + 1, e->u.down.bytes) ||
	    (l->number > 0 && l->epoch != e->u.down.epoch)) {
		session_settle_down(device.s, E_SIGNATURE, "a parcel of the node", world_now);
		return;
	}
	if (l->number == 0)
		*l = first;
	world_append(l, e->u.down.bytes.p);
	session_settle_down(device.s, E_OK, NULL, world_now);
}

static inline void
device_event(const struct session_event *e)
{
	switch ((int)e->kind) {
	case SESSION_ACKED:
		device_acked(e);
		break;
	case SESSION_DOWN:
		device_down(e);
		break;
	case SESSION_FORKED:
		device_forks(e->u.forked.number);
		break;
	case SESSION_FINISHED:
		if (device.finished)
			break; /* only the link has ended since */
		device.finished = true;
		device.verified = e->u.finished.verified;
		device.why = e->u.finished.why;
		CHECK(device.why.e < ERR_COUNT && (!device.verified || device.why.e == E_OK));
		break;
	case SESSION_WELCOME:
	case SESSION_SUCCESSION:
	case SESSION_ANSWER:
		break;
	default:
		CHECK_MSG(false, "event %d at the device", (int)e->kind);
	}
}

#endif
