/*
 * test_hostile_join: the door. Who comes in with an invitation that ran out, with somebody's name,
 * or asks twice. (What a newcomer believes: test_hostile_newcomer.)
 */
#include "tests/device_fixture.h"
#include "tools/node/enrol/enrol_node.h"
#include "tools/node/state.h"

static struct node n;

/* A fresh invitation's secret. */
static bool
invites(const char *name, uint8_t secret[INVITE_SECRET_BYTES])
{
	struct invitation v = {
	    .role = ROLE_MEMBER, .area = "V1", .name = name, .address = "127.0.0.1:1", .days = 1};
	struct invite invite;
	struct writer line;
	bool good;

	writer_heap_init(&line, 4096);
	good = enrol_invite(n.peer, &n.peer->identities[1], &v, &line, &n.why) == E_OK &&
	       invite_decode(writer_cstr(&line), &invite, &n.why) == E_OK;
	if (good)
		memcpy(secret, invite.secret, INVITE_SECRET_BYTES);
	writer_free(&line);
	return good;
}

static enum err
joins(const struct device *d, const uint8_t secret[INVITE_SECRET_BYTES])
{
	struct message_join join = {.principal = d->self.id, .seal_public = d->self.seal.pub};
	struct message_welcome welcome;
	struct arena arena;
	enum err e;

	arena_init(&arena, 1u << 20);
	memcpy(join.secret, secret, INVITE_SECRET_BYTES);
	n.why = (struct why){.e = E_OK};
	e = enrol_join(n.peer, &join, &d->self.sign.pub, &welcome, &arena, &n.why);
	arena_free(&arena);
	return e;
}

static void
device_new(struct device *d)
{
	memset(d, 0, sizeof(*d));
	crypto_random(d->self.id.b, ID_BYTES);
	CHECK(crypto_ec_new(&d->self.sign) == E_OK && crypto_ec_new(&d->self.seal) == E_OK);
}

static enum err
later_job(struct store_txn *txn, void *arg)
{
	return peer_saw_time(txn, peer_now_s(n.peer) + *(uint32_t *)arg);
}

/* As node_join leaves it: the member of that id, its name and the key that counts. */
static void
is_still(const struct device *d, const char *name)
{
	struct store_txn *txn;
	struct member m;

	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(member_get(txn, &d->self.id, &m) == E_OK);
	CHECK_STR(m.enrolment.name, name);
	CHECK(memcmp(&m.enrolment.sign_pub, &d->self.sign.pub, sizeof(struct ec_public)) == 0);
	store_read_end(txn);
}

static void
is_in_state(const struct device *d, enum member_state state)
{
	struct store_txn *txn;
	struct member m;

	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(member_get(txn, &d->self.id, &m) == E_OK && m.state == state);
	store_read_end(txn);
}

static void
an_invitation_that_ran_out(void)
{
	uint8_t secret[2][INVITE_SECRET_BYTES];
	uint32_t nearly = 86400 - 60, more = 120;
	struct device in_time, late;

	REQUIRE(node_begin(&n));
	device_new(&in_time);
	device_new(&late);
	CHECK(invites("in time", secret[0]) && invites("late", secret[1]));
	CHECK(store_write(n.peer->store, later_job, &nearly) == E_OK &&
	      joins(&in_time, secret[0]) == E_OK);
	CHECK(store_write(n.peer->store, later_job, &more) == E_OK);
	CHECK(joins(&late, secret[1]) == E_INVITE_EXPIRED);
	CHECK(joins(&in_time, secret[0]) ==
	      E_OK); /* its answer was lost: it is in, and asks again */
	node_end(&n);
}

/* The id of a member that is there, with a fresh invitation: nothing of the member changes. */
static void
the_id_of_another(void)
{
	uint8_t secret[INVITE_SECRET_BYTES];
	struct device member, thief;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	device_new(&thief);
	thief.self.id = member.self.id;
	CHECK(invites("thief", secret) && joins(&thief, secret) == E_INVITE_USED);
	is_still(&member, "member");
	thief.self.id = n.peer->identities[1].id; /* the officer's, the node's own */
	CHECK(joins(&thief, secret) == E_INVITE_USED);
	thief.self.id = peer_self(n.peer)->id;
	CHECK(joins(&thief, secret) == E_INVITE_USED);
	device_new(&thief); /* and the invitation serves nobody less for it */
	CHECK(joins(&thief, secret) == E_OK);
	node_end(&n);
}

/* A used invitation answers once more to who used it, with the same key; to nobody else. */
static void
an_invitation_asked_again(void)
{
	uint8_t secret[INVITE_SECRET_BYTES];
	struct device member, other;

	REQUIRE(node_begin(&n));
	device_new(&member);
	CHECK(invites("member", secret) && joins(&member, secret) == E_OK &&
	      joins(&member, secret) == E_OK);
	other = member;
	CHECK(crypto_ec_new(&other.self.sign) == E_OK);
	CHECK(joins(&other, secret) == E_INVITE_USED);
	other = member;
	crypto_random(other.self.id.b, ID_BYTES);
	CHECK(joins(&other, secret) == E_INVITE_USED);
	other = member;
	memset(&other.self.seal.pub, 4, sizeof(other.self.seal.pub));
	CHECK(joins(&other, secret) == E_KEY);
	memset(secret, 1, sizeof(secret));
	CHECK(joins(&member, secret) == E_INVITE_UNKNOWN);
	is_still(&member, "member");
	node_end(&n);
}

/* An officer invites to its own part of the office, and to areas that are there. */
static void
invitations_beyond_the_own_part(void)
{
	static const struct {
		const char *area, *name;
		enum err e;
	} rows[] = {{"V1", "a", E_OK},
		    {"D1", "b", E_OK},
		    {"V2", "c", E_SCOPE},
		    {"P", "d", E_SCOPE},
		    {"V9", "e", E_AREA_UNKNOWN},
		    {"V1", "part", E_NAME_TAKEN},
		    {"V1", "member", E_NAME_TAKEN}};
	struct device part, member;
	struct identity officer;
	struct writer line;
	size_t i;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &part, ROLE_OFFICER, "D1", "part") == E_OK);
	REQUIRE(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	writer_heap_init(&line, 4096);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct invitation v = {.role = ROLE_MEMBER,
				       .area = rows[i].area,
				       .name = rows[i].name,
				       .address = "h:1",
				       .days = 1};
		enum err e = enrol_invite(n.peer, &part.self, &v, &line, &n.why);

		CHECK_MSG(e == rows[i].e, "%s in %s: %s", rows[i].name, rows[i].area, err_name(e));
	}
	officer = member.self;
	{
		struct invitation v = {
		    .role = ROLE_MEMBER, .area = "V1", .name = "f", .address = "h:1", .days = 1};

		CHECK(enrol_invite(n.peer, &officer, &v, &line, &n.why) == E_FORBIDDEN);
	}
	writer_free(&line);
	node_end(&n);
}

/* Letting in, shutting out: each officer in its own part, nobody but officers, and not each other's
 * node. */
static void
who_may_let_in_and_shut_out(void)
{
	struct identity *officer;
	struct device part, whole, member, other;
	struct principal_id who;
	static char long_reason[REASON_BYTES_MAX + 2];

	REQUIRE(node_begin(&n));
	officer = &n.peer->identities[1];
	memset(long_reason, 'x', sizeof(long_reason) - 1);
	REQUIRE(node_join(&n, &part, ROLE_OFFICER, "D1", "part") == E_OK);
	REQUIRE(node_join(&n, &whole, ROLE_OFFICER, "P", "whole") == E_OK);
	REQUIRE(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	REQUIRE(node_join(&n, &other, ROLE_MEMBER, "V2", "other") == E_OK);
	CHECK(enrol_approve(n.peer, &part.self, "whole", &n.why) == E_SCOPE);
	CHECK(enrol_approve(n.peer, &member.self, "part", &n.why) == E_FORBIDDEN);
	CHECK(enrol_approve(n.peer, officer, "nobody", &n.why) == E_PRINCIPAL_UNKNOWN);
	CHECK(enrol_approve_at(n.peer, officer, "whole", "h:1", &n.why) == E_USAGE); /* no node */
	CHECK(enrol_revoke(n.peer, &part.self, "other", "x", &who, &n.why) == E_SCOPE);
	CHECK(enrol_revoke(n.peer, &part.self, "whole", "x", &who, &n.why) == E_SCOPE);
	CHECK(enrol_revoke(n.peer, &member.self, "member", "x", &who, &n.why) == E_FORBIDDEN);
	CHECK(enrol_revoke(n.peer, officer, "node", "x", &who, &n.why) == E_USAGE);
	CHECK(enrol_revoke(n.peer, officer, "officer", "x", &who, &n.why) == E_USAGE);
	CHECK(enrol_revoke(n.peer, officer, "other", long_reason, &who, &n.why) == E_NO_ROOM);
	is_in_state(&other, MEMBER_APPROVED);
	is_in_state(&part, MEMBER_PENDING);
	is_in_state(&whole, MEMBER_PENDING);
	CHECK(enrol_revoke(n.peer, &part.self, "member", "first", &who, &n.why) == E_OK);
	CHECK(enrol_revoke(n.peer, officer, "member", "second", &who, &n.why) ==
	      E_OK); /* it is out: nothing changes */
	is_in_state(&member, MEMBER_REVOKED);
	CHECK(enrol_approve(n.peer, officer, "member", &n.why) ==
	      E_REVOKED); /* and does not come back */
	CHECK_STR(n.why.thing, "first");
	is_in_state(&member, MEMBER_REVOKED);
	node_end(&n);
}

CHECK_MAIN(T(an_invitation_that_ran_out), T(the_id_of_another), T(an_invitation_asked_again),
	   T(invitations_beyond_the_own_part), T(who_may_let_in_and_shut_out))
