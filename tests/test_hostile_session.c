/*
 * test_hostile_session: an enrolled device that knows the messages and says them wrong: out of
 * turn, a node's, about numbers and logs that are not. Each gets its answer, keeps nobody else from
 * theirs, and others' records stand.
 */
#include "tests/lies.h"

#include "tests/hostile_client.h"
#include "tools/node/attached/attached.h"
#include "tools/node/roads/satchel.h"
#include "tools/node/serve/quota.h"

static pthread_t serving_thread;

static void
begin(void)
{
	lies_begin();
	serving_thread = serve_begin();
}

static struct message
hello(uint64_t flags, uint64_t epoch, uint64_t acked)
{
	struct message m = {.type = MESSAGE_HELLO};

	m.u.hello = (struct message_hello){
	    .proto_low = 1, .proto_high = 1, .flags = flags, .epoch = epoch, .acked = acked};
	return m;
}

/* The next message of the node; views live until the next call. False: it closed, or says nothing.
 */
static bool
next(struct client *c, struct message *m)
{
	static uint8_t body[1u << 20];
	struct frame_head head;
	struct why why;
	uint8_t plain[4096];
	size_t got;

	for (;;) {
		if (frame_head(writer_view(&c->in), &head, &why) != E_OK)
			return false;
		if (head.head_bytes > 0 && c->in.n >= head.head_bytes + head.body_bytes)
			break;
		got = 0;
		if (tls_read(c->tls, plain, sizeof(plain), &got, &why) != E_OK ||
		    (got == 0 && !more(c)))
			return false;
		writer_mem(&c->in, plain, got);
	}
	memcpy(body, c->in.p + head.head_bytes, head.body_bytes);
	got = head.head_bytes + head.body_bytes;
	memmove(c->in.p, c->in.p + got, c->in.n - got);
	c->in.n -= got;
	return message_decode(m, head.type, BYTES(body, head.body_bytes), &why) == E_OK;
}

/* What is said on one new connection of the liar's, and the answer to the last of it: an error, or
 * E_OK. */
static enum err
answer_to(const struct message *said, size_t count)
{
	struct message m;
	struct client c;
	enum err e = E_PEER_GONE;
	size_t i;

	if (!client_open(&c, &liar))
		return E_INTERNAL;
	for (i = 0; i < count; i++)
		if (!say(&c, &said[i]))
			break;
	if (next(&c, &m))
		e = m.type == MESSAGE_ERROR ? message_error_of(m.u.error.code) : E_OK;
	client_close(&c);
	return e;
}

/* The honest device is served as ever; the node ends, and the world is as it should be. */
static void
end(size_t aside, enum err reason)
{
	struct message greeting = hello(HELLO_NOTHING, honest.self.epoch, honest.number), m;
	struct client c;

	CHECK(client_open(&c, &honest) && say(&c, &greeting) && next(&c, &m));
	CHECK_MSG(m.type == MESSAGE_LAST && m.u.last.number == honest.number, "0x%02x", m.type);
	client_close(&c);
	serve_end(serving_thread);
	lies_end(aside, reason);
}

/* What only nodes say, and what only the node says to a device. */
static void
messages_of_others(void)
{
	static const uint8_t types[] = {
	    MESSAGE_ACK,   MESSAGE_DOWN,      MESSAGE_LAST,   MESSAGE_WELCOME, MESSAGE_ANSWER,
	    MESSAGE_DONE,  MESSAGE_STATEMENT, MESSAGE_STANZA, MESSAGE_MARK,    MESSAGE_TAKEN,
	    MESSAGE_CLOSE, MESSAGE_SUMS,      MESSAGE_SAME,   MESSAGE_CELLS,   MESSAGE_MORE,
	    MESSAGE_WANT,  MESSAGE_LOGS,      MESSAGE_PART,   MESSAGE_CARRIED};
	struct message m[2];
	size_t i;
	enum err e;

	begin();
	for (i = 0; i < sizeof(types); i++) {
		memset(m, 0, sizeof(m));
		m[0].type = types[i];
		e = answer_to(m, 1);
		CHECK_MSG(e == E_PROTOCOL, "%s: %s", message_name(types[i]), err_name(e));
	}
	memset(m, 0, sizeof(m));
	m[0].type = MESSAGE_NODE;
	CHECK((e = answer_to(m, 1)) == E_FORBIDDEN);
	m[1].type = MESSAGE_STATEMENT; /* said before the answer came */
	CHECK((e = answer_to(m, 2)) == E_FORBIDDEN);
	end(0, E_OK);
}

/* A device's own messages where they have no place. */
static void
out_of_turn(void)
{
	static const uint8_t types[] = {MESSAGE_PARCEL, MESSAGE_END, MESSAGE_REST, MESSAGE_INPUT,
					MESSAGE_AGAIN};
	struct message m[3];
	size_t i;

	begin();
	for (i = 0; i < sizeof(types); i++) {
		memset(m, 0, sizeof(m));
		m[0].type = types[i];
		CHECK_MSG(answer_to(m, 1) == E_PROTOCOL, "%s", message_name(types[i]));
	}
	memset(m, 0, sizeof(m));
	m[0] = hello(0, liar.self.epoch, 0);
	m[1] = m[0];
	CHECK(answer_to(m, 2) == E_PROTOCOL);
	m[1] = (struct message){.type = MESSAGE_REST}; /* of a part that nobody began */
	CHECK(answer_to(m, 2) == E_PROTOCOL);
	m[1] = (struct message){.type = MESSAGE_JOIN};
	CHECK(answer_to(m, 2) == E_PROTOCOL);
	end(0, E_OK);
}

/* Numbers, heads, cursors and lives that are not; another's log. */
static void
numbers_that_are_not(void)
{
	struct message m[3], a;
	struct client c;
	size_t i;

	begin();
	for (i = 0; i < 3; i++) {
		m[0] = hello(HELLO_NOTHING, i == 2 ? honest.self.epoch : liar.self.epoch,
			     i == 0 ? NUMBER_MAX : 0);
		m[0].u.hello.cursor[0] = m[0].u.hello.cursor[1] = NUMBER_MAX;
		m[0].u.hello.incarnation =
		    i == 1 ? UINT32_MAX : store_incarnation(n.peer->store) >> 32;
		CHECK(client_open(&c, &liar) && say(&c, &m[0]) && next(&c, &a));
		if (i == 0) /* it says that more is held than ever came */
			CHECK(a.type == MESSAGE_ACK && a.u.ack.status == STATUS_BEHIND &&
			      a.u.ack.number == 0);
		else
			CHECK(a.type == MESSAGE_LAST &&
			      a.u.last.number ==
				  0); /* of the other's log under its epoch: nothing */
		client_close(&c);
	}
	m[0] = (struct message){.type = MESSAGE_BUDGET};
	m[1] = hello(HELLO_NOTHING, liar.self.epoch, 0);
	CHECK(answer_to(m, 2) == E_OK);
	m[0].u.budget.bytes = UINT32_MAX;
	CHECK(answer_to(m, 2) == E_OK);
	end(0, E_OK);
}

/* A parcel's bytes, of the liar or of the honest device, as its next. */
static struct bytes
parcel_of(const struct device *d, uint64_t number, struct writer *copy)
{
	struct log_id log = {d->self.id, d->self.epoch};
	struct parcel_hash hash;
	struct store_txn *txn;
	struct arrival a;
	uint64_t seq;

	if (store_read_begin(n.peer->store, &txn) != E_OK)
		return BYTES_NONE;
	if (arrival_find(txn, &log, number, &seq, &hash) == E_OK &&
	    arrival_get(txn, seq, &a) == E_OK)
		writer_bytes(copy, a.parcel);
	store_read_end(txn);
	return writer_view(copy);
}

static void
parcels_of_others(void)
{
	struct message m[3];
	struct writer copy;
	struct client c;
	struct message a;

	begin();
	writer_heap_init(&copy, PARCEL_BYTES_MAX);
	m[0] = hello(0, liar.self.epoch, 0);
	m[1] = (struct message){.type = MESSAGE_PARCEL};
	m[1].u.parcel.bytes = BYTES_LIT("no parcel");
	m[2] = (struct message){.type = MESSAGE_END};
	CHECK(answer_to(m, 3) == E_PARCEL);
	m[1].u.parcel.bytes = parcel_of(&honest, 2, &copy); /* its number is not its place */
	CHECK(answer_to(m, 3) == E_PARCEL);
	writer_reset(&copy);
	m[1].u.parcel.bytes =
	    parcel_of(&honest, 1, &copy); /* taken, and found to be another's when it is opened */
	CHECK(client_open(&c, &liar) && say(&c, &m[0]) && say(&c, &m[1]) && say(&c, &m[2]));
	while (next(&c, &a) && a.type == MESSAGE_ACK)
		;
	CHECK(a.type == MESSAGE_LAST && a.u.last.number == 1);
	client_close(&c);
	writer_free(&copy);
	end(1, E_SIGNATURE);
}

static enum err
share_job(struct store_txn *txn, void *arg)
{
	return quota_set(txn, *(uint64_t *)arg);
}

/* What was so when it greeted is asked again at the commit: whether it may, and how much. */
static void
changed_since_it_greeted(void)
{
	struct message greeting = hello(HELLO_ASK, liar.self.epoch, 0),
		       parcel = {.type = MESSAGE_PARCEL}, over = {.type = MESSAGE_END};
	struct principal_id who;
	struct writer copy;
	struct message a;
	struct client c;
	int i;

	begin();
	writer_heap_init(&copy, PARCEL_BYTES_MAX);
	parcel.u.parcel.bytes = parcel_of(&honest, 1, &copy);
	for (i = 0; i < 2; i++) {
		CHECK(store_write(n.peer->store, share_job, &(uint64_t){DEVICE_BYTES_MAX}) == E_OK);
		CHECK(client_open(&c, &liar) && say(&c, &greeting) && next(&c, &a) &&
		      a.type == MESSAGE_ACK && a.u.ack.number == 0);
		if (i == 0)
			CHECK(store_write(n.peer->store, share_job, &(uint64_t){1}) == E_OK);
		else
			CHECK(enrol_revoke(n.peer, &n.peer->identities[1], "liar", "seized", &who,
					   &n.why) == E_OK);
		CHECK(say(&c, &parcel) && say(&c, &over) && next(&c, &a));
		CHECK_MSG(a.type == MESSAGE_ERROR &&
			      message_error_of(a.u.error.code) == (i == 0 ? E_QUOTA : E_REVOKED),
			  "%d: 0x%02x", i, a.type);
		client_close(&c);
	}
	writer_free(&copy);
	end(0, E_OK);
}

/* A flight that never ends, and the next one while it stands open. */
static void
flights_without_end(void)
{
	struct message greeting = hello(0, liar.self.epoch, 0);
	struct client c[3];
	size_t i;

	begin();
	for (i = 0; i < 3; i++)
		CHECK(client_open(&c[i], &liar) && say(&c[i], &greeting));
	end(0, E_OK);
	for (i = 0; i < 3; i++)
		client_close(&c[i]);
}

/* Asks: a verb that is none, a member that asks the node to act, an envelope bundle that is none.
 */
static void
asks_that_are_none(void)
{
	struct message m[3] = {{.type = MESSAGE_ASK},
			       {.type = MESSAGE_INPUT},
			       {.type = MESSAGE_INPUT}},
		       a;
	struct client c;

	begin();
	m[0].u.ask = (struct message_ask){.verb = BYTES_LIT("wipe"), .has_input = true};
	CHECK(answer_to(m, 1) == E_PROTOCOL);
	m[0].u.ask.verb = BYTES_LIT(LINK_CALL_VERB);
	CHECK(answer_to(m, 1) == E_FORBIDDEN);
	m[0].u.ask.verb = BYTES_LIT(ATTACH_TWIN_VERB); /* what nodes of an office give each other */
	CHECK(answer_to(m, 1) == E_FORBIDDEN);
	m[0].u.ask.has_input = false;
	CHECK(answer_to(m, 1) == E_PROTOCOL);
	m[0].u.ask = (struct message_ask){.verb = BYTES_LIT(SATCHEL_VERB), .has_input = true};
	m[1].u.input.bytes = BYTES_LIT("no bundle");
	CHECK(client_open(&c, &liar) && say(&c, &m[0]) && say(&c, &m[1]) && say(&c, &m[2]));
	while (next(&c, &a) && a.type == MESSAGE_ANSWER)
		;
	CHECK_MSG(a.type == MESSAGE_DONE && a.u.done.exit_status != 0, "0x%02x", a.type);
	client_close(&c);
	end(0, E_OK);
}

/* A researcher carries for nobody and makes no record; who was not let in asks nothing. */
static void
asks_of_a_researcher(void)
{
	struct message m = {.type = MESSAGE_ASK};
	struct device was = liar;

	begin();
	was = liar;
	m.u.ask = (struct message_ask){.verb = BYTES_LIT(SATCHEL_VERB), .has_input = true};
	CHECK(node_join(&n, &liar, ROLE_RESEARCHER, "P", "university") == E_OK);
	CHECK(answer_to(&m, 1) == E_NOT_APPROVED);
	CHECK(enrol_approve(n.peer, &n.peer->identities[1], "university", &n.why) == E_OK);
	CHECK(answer_to(&m, 1) == E_FORBIDDEN);
	m.u.ask.verb = BYTES_LIT(ATTACH_VERB);
	CHECK(answer_to(&m, 1) == E_FORBIDDEN);
	m.u.ask.verb = BYTES_LIT(ATTACH_TWIN_VERB);
	CHECK(answer_to(&m, 1) == E_FORBIDDEN);
	liar = was;
	end(0, E_OK);
}

/* What nodes of one office give each other is not for the node of another one. */
static void
asks_of_a_node_below(void)
{
	struct message m[2] = {{.type = MESSAGE_ASK}, {.type = MESSAGE_INPUT}};
	struct device was;

	begin();
	was = liar;
	m[0].u.ask = (struct message_ask){.verb = BYTES_LIT(ATTACH_TWIN_VERB), .has_input = true};
	CHECK(node_join(&n, &liar, ROLE_NODE, "D1", "below") == E_OK);
	CHECK(answer_to(m, 1) == E_NOT_APPROVED);
	CHECK(enrol_approve(n.peer, &n.peer->identities[1], "below", &n.why) == E_OK);
	CHECK(answer_to(m, 1) == E_FORBIDDEN);
	CHECK(node_join(&n, &liar, ROLE_NODE, "P", "twin") == E_OK);
	CHECK(enrol_approve(n.peer, &n.peer->identities[1], "twin", &n.why) == E_OK);
	CHECK(answer_to(m, 2) == E_OK);
	liar = was;
	end(0, E_OK);
}

/* Another's name in a JOIN, and an invitation that nobody wrote. */
static void
joins_that_are_none(void)
{
	struct message m = {.type = MESSAGE_JOIN};
	enum err e;

	begin();
	m.u.join.principal = honest.self.id;
	m.u.join.seal_public = liar.self.seal.pub;
	CHECK((e = answer_to(&m, 1)) == E_STRANGER);
	m.u.join.principal = liar.self.id;
	e = answer_to(&m, 1);
	CHECK_MSG(e == E_INVITE_UNKNOWN, "%s", err_name(e));
	end(0, E_OK);
}

/* Whoever has a seized handset's key after it was shut out: no road is open to it. */
static void
a_handset_that_was_shut_out(void)
{
	struct message m[2] = {hello(HELLO_NOTHING, liar.self.epoch, 0), {.type = MESSAGE_BUDGET}};
	struct message ask = {.type = MESSAGE_ASK}, again = {.type = MESSAGE_AGAIN},
		       node = {.type = MESSAGE_NODE};
	struct principal_id who;

	begin();
	CHECK(answer_to(m, 1) == E_OK);
	CHECK(enrol_revoke(n.peer, &n.peer->identities[1], "liar", "seized", &who, &n.why) == E_OK);
	CHECK(answer_to(m, 1) == E_REVOKED);
	m[0] = hello(0, liar.self.epoch + 1, 0);
	CHECK(answer_to(m, 1) == E_REVOKED);
	ask.u.ask = (struct message_ask){.verb = BYTES_LIT(SATCHEL_VERB), .has_input = true};
	CHECK(answer_to(&ask, 1) == E_REVOKED);
	CHECK(answer_to(&node, 1) != E_OK && answer_to(&again, 1) != E_OK);
	end(0, E_OK);
}

CHECK_MAIN(T(messages_of_others), T(out_of_turn), T(numbers_that_are_not), T(parcels_of_others),
	   T(changed_since_it_greeted), T(flights_without_end), T(asks_that_are_none),
	   T(asks_of_a_researcher), T(asks_of_a_node_below), T(joins_that_are_none),
	   T(a_handset_that_was_shut_out))
