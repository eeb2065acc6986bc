/*
 * message: the messages of PROTOCOL.md as structs, encoded and decoded by one table (message.def).
 */
#ifndef BANYAN_SYNC_MESSAGE_H
#define BANYAN_SYNC_MESSAGE_H

#include "core/crypto/crypto.h"
#include "core/id.h"
#include "core/letters/carried.h"
#include "core/limits.h"
#include "core/set/sketch.h"

#define PROTOCOL_LOW 1u /* the lowest and the highest version spoken here */
#define PROTOCOL_HIGH 1u
#define NUMBER_MAX (UINT64_MAX >> 1) /* of a parcel: adding to it never wraps */
#define ASK_ARGS_MAX 64u             /* a command line */
#define ASK_ARGS_BYTES_MAX (256u << 10)
#define WANT_BYTES_MAX (40u << 10)  /* 4,112 parcels, 9 bytes each at most */
#define CHUNK_BYTES_MAX (32u << 10) /* of input and output: small enough to share a link */

enum message_type {
#define M(code, name, member, sender) MESSAGE_##name = (code),
#define F(...)
#define R(code, name, reason) MESSAGE_RESERVED_##name = (code),
#include "sync/message.def"
#undef M
#undef F
#undef R
};
/* Types from here on may be skipped by who does not know them. */
#define MESSAGE_SKIPPABLE 0x80u

#define HELLO_NOTHING 0x01u /* no parcels, no END: this flight is over */
#define HELLO_ASK 0x02u     /* no parcels yet: say first (ACK) what you hold */

#define HELLO_KNOWS_AGAIN 0x04u /* LAST may say LAST_AGAIN */
/* DOWN of broadcast may leave out bodies and say their hashes: if the node is in another life than
 * HELLO names; in any case. */
#define HELLO_SPARE_LIFE 0x08u
#define HELLO_SPARE 0x10u

#define LAST_MORE 0x04u  /* in LAST's status: DOWN parcels follow, up to an END */
#define LAST_AGAIN 0x08u /* the next exchange of this session may begin with AGAIN */

/* What became of parcels, on the wire as these numbers. */
enum message_status {
	STATUS_OK = 0,
	STATUS_FORKED = 1,      /* kept, beside another parcel of the same number */
	STATUS_QUARANTINED = 2, /* kept aside for an officer */
	STATUS_BEHIND = 3 /* the node holds less than the device thought: go on after `number` */
};

enum message_stream {
	STREAM_OUT = 1,
	STREAM_ERR = 2,
	STREAM_FILE = 3,     /* a file begins: its name, no slashes */
	STREAM_DATA = 4,     /* bytes of the file begun last */
	STREAM_FILE_END = 5, /* that file is whole */
	STREAM_PROGRESS = 6, /* a line that replaces the one before */
	STREAM_FAULT = 7     /* the verb failed: the error's name, a zero byte, the thing */
};

struct message_hello {
	uint64_t proto_low, proto_high, flags, epoch, acked;
	uint64_t incarnation; /* the upper 32 bits of the node's, 0 unknown */
	uint64_t cursor[2];
};
struct message_parcel {
	struct bytes bytes;
};
struct message_end {
	char nothing;
};
struct message_ack {
	uint64_t number, hash, status;
};
struct message_down {
	uint64_t log, epoch;
	struct bytes parcel;
};
struct message_last {
	uint64_t number;
	uint64_t status;      /* a message_status, LAST_MORE, LAST_AGAIN */
	uint64_t incarnation; /* 0: the one greeted */
	uint64_t safe, node_time_s, head[2], digest;
};
struct message_error {
	uint64_t code; /* wire_error.def */
	uint64_t retry_s;
	struct bytes thing;
};
struct message_again {
	uint64_t flags;
};
struct message_join {
	uint8_t secret[16];
	struct principal_id principal;
	struct ec_public seal_public;
	struct bytes name;
};
struct message_successor {
	struct principal_id node;
};
struct message_succession {
	struct bytes statement;
};
struct message_came_back {
	struct bytes own_enrolment, node_enrolment;
};
struct message_welcome {
	struct bytes programme_name;
	struct ec_public root_public;
	struct bytes node_enrolment, own_enrolment,
	    office; /* signed objects of core/principals/principal.h */
	struct bytes area;
	uint64_t node_time_s;
	bool approved;
};
struct message_strs {
	size_t count;
	struct bytes str[ASK_ARGS_MAX];
};
struct message_ask {
	struct bytes verb;
	struct message_strs args;
	bool has_input; /* INPUT frames follow */
};
struct message_input {
	struct bytes bytes;
};
struct message_answer {
	uint64_t stream;
	struct bytes bytes;
};
struct message_budget {
	uint64_t bytes;
};
struct message_part {
	uint64_t number, bytes, hash;
};
struct message_version {
	uint64_t spoken;
};
struct message_rest {
	struct bytes bytes;
};
struct message_done {
	uint64_t exit_status;
};
/* Repair between two nodes (sync/repair.h). */
struct message_sums {
	uint64_t count, sum;
	uint8_t spread[SKETCH_SPREAD_BYTES];
};
struct message_same {
	char nothing;
};
struct message_cells {
	struct bytes bytes;
}; /* none: send your logs */
struct message_more {
	uint64_t cells;
};
struct message_want {
	struct bytes bytes;
};
struct message_logs {
	bool more; /* another LOGS follows */
	struct bytes logs;
};

/* Between nodes: PROTOCOL.md "Between nodes". */
#define NODE_NOTHING 0x01u /* nothing follows, no CLOSE either: answer now */
#define NODE_LISTED 0x04u  /* both say what repair found, and what arrived since */
#define NODE_COMPARE \
	0x08u /* the client may hold what it was never told: say nothing of what is here now, the \
		 sums tell */
#define NODE_ANEW 0x02u /* the sums differed: work yours out anew, and say all that is shared */
struct message_carried {
	struct bytes bytes;
};
struct message_node {
	uint64_t flags, incarnation, from, above, down;
};
struct message_statement {
	uint64_t kind;
	struct bytes bytes;
}; /* an enum statement of core/principals/principal.h */
struct message_stanza {
	uint8_t leaf[HASH_BYTES];
	struct bytes bytes;
};
struct message_mark {
	uint64_t seq;
};
struct message_taken {
	uint64_t seq, status;
};
struct message_close {
	uint64_t seq, incarnation, count, digest;
};

struct message {
	uint8_t type;
	union {
#define M(code, name, member, sender) struct message_##member member;
#define F(...)
#define R(...)
#include "sync/message.def"
#undef M
#undef F
#undef R
	} u;
};

/* message_encode: the body (without the frame's head) appended. E_LIMIT past a field's bound,
 * naming it. */
enum err message_encode(struct writer *, const struct message *, struct why *);
/*
 * message_decode: views point into `body`. E_FRAME, naming message and field; for an unknown type
 * E_FRAME too (ask message_known first).
 */
enum err message_decode(struct message *out, uint8_t type, struct bytes body, struct why *);
bool message_known(uint8_t type);
/* message_bytes_max: no body of this type is longer; 0 for an unknown type. */
size_t message_bytes_max(uint8_t type);
const char *message_name(uint8_t type);
/* message_from: may the client's (device's) or the server's (node's) end send this type? */
bool message_from(uint8_t type, bool client);

/* Errors have stable numbers on the wire (wire_error.def); 0: it has none. Unknown numbers read as
 * E_PROTOCOL. */
uint16_t message_error_code(enum err);
enum err message_error_of(uint64_t code);

#endif
