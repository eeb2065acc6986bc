/*
 * test_hostile: who may do what at a node's store, and what a device believes: askers who may not
 * ask, an officer who left, invitations used by others, a node that says nonsense.
 */
#include "tests/asking.h"
#include "tests/device_fixture.h"

static struct node n;

/* `banyan COMMAND STORE ARGS... --json`, asked over TLS by `who`. */
static enum err
ask(const struct device *who, const char *command, const char *const *args, uint32_t arg_count)
{
	return asks(n.peer, &who->self.id, true, command, args, arg_count);
}

static enum err
ask_list(const struct device *who)
{
	static const char *const args[] = {"N"};

	return ask(who, "list", args, 1);
}

/* What is nobody's area is the whole office's: an officer of a part of it does not change it; and
 * no exact counts leak. */
static void
beyond_the_own_part(void)
{
	static const char *const language[] = {"N", "km"}, *const nothing[] = {""};
	struct revision_body create = {.kind = REVISION_CREATE};
	struct device part, whole, university, member;
	struct record_id id;

	REQUIRE(node_begin(&n));
	CHECK(node_join(&n, &part, ROLE_OFFICER, "D1", "part") == E_OK);
	CHECK(node_join(&n, &whole, ROLE_OFFICER, "P", "whole") == E_OK);
	CHECK(node_join(&n, &university, ROLE_RESEARCHER, "P", "university") == E_OK);
	CHECK(node_join(&n, &member, ROLE_MEMBER, "V1", "member") == E_OK);
	CHECK(enrol_approve(n.peer, &n.peer->identities[1], "part", &n.why) == E_OK);
	CHECK(enrol_approve(n.peer, &n.peer->identities[1], "whole", &n.why) == E_OK);
	CHECK(enrol_approve(n.peer, &n.peer->identities[1], "university", &n.why) == E_OK);
	CHECK(node_say(&n, &member, NULL, &create, &id) == E_OK);
	CHECK(ask(&part, "form accept-language", language, 2) == E_SCOPE);
	CHECK(ask(&whole, "form accept-language", language, 2) !=
	      E_SCOPE); /* the form has no such language */
	CHECK(ask(&whole, "form list", nothing, 0) == E_OK &&
	      strstr(heard, "\"records\":1") != NULL);
	CHECK(ask(&university, "form list", nothing, 0) == E_OK &&
	      strstr(heard, "\"records\":null") != NULL);
	node_end(&n);
}

static enum err
use_invitation(struct device *d, const char *line)
{
	struct message_welcome welcome;
	struct message_join join = {0};
	struct invite invite;
	struct arena arena;
	enum err e;

	memset(d, 0, sizeof(*d));
	crypto_random(d->self.id.b, ID_BYTES);
	if (crypto_ec_new(&d->self.sign) != E_OK || crypto_ec_new(&d->self.seal) != E_OK)
		abort();
	arena_init(&arena, 1u << 20);
	if ((e = invite_decode(line, &invite, &n.why)) == E_OK) {
		join.principal = d->self.id;
		join.seal_public = d->self.seal.pub;
		memcpy(join.secret, invite.secret, sizeof(join.secret));
		e = enrol_join(n.peer, &join, &d->self.sign.pub, &welcome, &arena, &n.why);
	}
	arena_free(&arena);
	return e;
}

/* Invitations: once, by one, with a secret that was given out; and a name is one member's. */
static void
invitations(void)
{
	struct invitation v = {
	    .role = ROLE_MEMBER, .area = "V1", .name = "same", .address = "127.0.0.1:1", .days = 1};
	struct writer line[2];
	struct principal_id who;
	struct device one, two;

	REQUIRE(node_begin(&n));
	writer_heap_init(&line[0], 4096);
	writer_heap_init(&line[1], 4096);
	CHECK(enrol_invite(n.peer, &n.peer->identities[1], &v, &line[0], &n.why) == E_OK);
	CHECK(enrol_invite(n.peer, &n.peer->identities[1], &v, &line[1], &n.why) == E_OK);
	CHECK(use_invitation(&one, writer_cstr(&line[0])) == E_OK);
	CHECK(use_invitation(&two, writer_cstr(&line[0])) == E_INVITE_USED);
	CHECK(use_invitation(&two, writer_cstr(&line[1])) == E_NAME_TAKEN);
	CHECK(enrol_revoke(n.peer, &n.peer->identities[1], "same", "lost", &who, &n.why) == E_OK);
	CHECK(ID_EQUAL(&who, &one.self.id));
	writer_free(&line[0]);
	writer_free(&line[1]);
	node_end(&n);
}

static enum err
bad_words_job(struct store_txn *txn, void *arg)
{
	struct writer w;
	enum err e;
	int i;

	(void)arg;
	for (i = 0, e = E_OK; i < 2 && e == E_OK; i++) {
		writer_heap_init(&w, 4096);
		pack_array(&w, i == 0 ? 4 : 2);
		pack_u64(&w, i == 0 ? DOWN_FORM : DOWN_AREAS);
		if (i == 0) {
			pack_u64(&w, 9);
			pack_cstr(&w, "");
		}
		pack_bin(&w, BYTES_LIT("no form, no areas"));
		if ((e = writer_end(&w)) == E_OK)
			e = down_publish(n.peer, txn, writer_view(&w));
		writer_free(&w);
	}
	return e;
}

/* Everything in the node's broadcast log, as a sync brings it. */
static enum err
take_all(struct peer *device, uint64_t *count)
{
	uint64_t epoch = down_broadcast_log(n.peer).epoch;
	struct writer copy;
	enum err e = E_OK;

	for (*count = 0; e == E_OK; ++*count) {
		if ((e = device_hears(&n, *count + 1, &copy)) == E_OK)
			e = down_take(device, false, epoch, writer_view(&copy), &n.why);
		writer_free(&copy);
		if (e == E_ABSENT)
			return E_OK;
	}
	return e;
}

/* A node that says nonsense, or is newer: the device keeps what it has, opens again, and its work
 * is not lost. */
static void
words_of_a_bad_node(void)
{
	struct peer *device;
	struct unlock unlock;
	char path[PATH_MAX];
	uint64_t count;

	REQUIRE(node_begin(&n));
	unlock = n.unlock;
	unlock.name = NULL;
	REQUIRE(device_begin(&n, &device, &unlock, path));
	CHECK(store_write(n.peer->store, bad_words_job, NULL) == E_OK);
	CHECK_MSG(take_all(device, &count) == E_OK, "%s", n.why.thing);
	CHECK(count == 4); /* areas, the form, and the two bad ones */
	CHECK(peer_form(device, "N") != NULL && area_find(peer_areas(device), "V1") != AREA_NONE);
	peer_close(device);
	CHECK_MSG(peer_open(&device, path, &unlock, &n.why) == E_OK, "%s", n.why.thing);
	CHECK(device == NULL || (peer_form(device, "N") != NULL && peer_areas(device) != NULL));
	peer_close(device);
	node_end(&n);
}

/* What a relay or a stick says in the node's name: not signed by it, out of turn, twice, or of
 * another log. */
static void
words_that_the_node_did_not_say(void)
{
	uint64_t epoch, count;
	struct writer first, second;
	struct peer *device;
	struct unlock unlock;
	char path[PATH_MAX];

	REQUIRE(node_begin(&n));
	unlock = n.unlock;
	unlock.name = NULL;
	REQUIRE(device_begin(&n, &device, &unlock, path));
	epoch = down_broadcast_log(n.peer).epoch;
	CHECK(device_hears(&n, 1, &first) == E_OK && device_hears(&n, 2, &second) == E_OK);
	first.p[first.n - 1] ^= 1; /* of the signature */
	CHECK(down_take(device, false, epoch, writer_view(&first), &n.why) == E_SIGNATURE);
	CHECK(peer_areas(device) == NULL && peer_form(device, "N") == NULL);
	first.p[first.n - 1] ^= 1;
	CHECK(down_take(device, false, epoch + 1, writer_view(&first), &n.why) == E_SIGNATURE);
	CHECK(down_take(device, true, epoch, writer_view(&second), &n.why) == E_PARCEL_CHAIN);
	CHECK(down_take(device, false, epoch, writer_view(&second), &n.why) == E_PARCEL_CHAIN);
	CHECK(peer_areas(device) == NULL && peer_form(device, "N") == NULL);
	CHECK_MSG(take_all(device, &count) == E_OK && count == 2, "%s", n.why.thing);
	CHECK(down_take(device, false, epoch, writer_view(&second), &n.why) == E_PARCEL_CHAIN);
	CHECK(peer_form(device, "N") != NULL && area_find(peer_areas(device), "V1") != AREA_NONE);
	writer_free(&first);
	writer_free(&second);
	peer_close(device);
	node_end(&n);
}

/* A certificate is not leave to act: the office's list decides, each time. */
static void
who_may_ask(void)
{
	static const struct {
		const char *name;
		enum role role;
		bool approved, revoked;
		enum err want;
	} rows[] = {
	    {"waits", ROLE_OFFICER, false, false, E_NOT_APPROVED},
	    {"works", ROLE_OFFICER, true, false, E_OK},
	    {"left", ROLE_OFFICER, true, true, E_REVOKED},
	    {"member", ROLE_MEMBER, false, false, E_FORBIDDEN},
	    {"university", ROLE_RESEARCHER, true, false, E_FORBIDDEN},
	};
	const struct identity *officer;
	struct principal_id who;
	struct device d;
	size_t i;
	enum err e;

	REQUIRE(node_begin(&n));
	officer = &n.peer->identities[1];
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		REQUIRE(node_join(&n, &d, rows[i].role, "D1", rows[i].name) == E_OK);
		if (rows[i].approved)
			CHECK(enrol_approve(n.peer, officer, rows[i].name, &n.why) == E_OK);
		if (rows[i].revoked)
			CHECK(enrol_revoke(n.peer, officer, rows[i].name, "gone", &who, &n.why) ==
			      E_OK);
		e = ask_list(&d);
		CHECK_MSG(e == rows[i].want, "%s: %s", rows[i].name, err_name(e));
	}
	memset(&d, 0, sizeof(d));
	CHECK(ask_list(&d) == E_STRANGER);
	node_end(&n);
}

/* An officer who worked at the node's own store and was shut out: neither the passphrase nor the
 * store's copy helps. */
static void
officer_who_left(void)
{
	uint8_t other[64];
	struct identity successor = {.role = ROLE_OFFICER, .area = "P", .name = "successor"};
	struct unlock by = {.name = "successor", .key_file = BYTES(other, sizeof(other))};
	struct principal_id who;
	struct store_key key;
	struct call *c;

	memset(other, 9, sizeof(other));
	REQUIRE(node_begin(&n));
	CHECK(keyring_add(n.path, store_key_of(n.peer->store), &by, NULL, &n.why) == E_OK);
	crypto_random(successor.id.b, ID_BYTES);
	CHECK(enrol_revoke(n.peer, &successor, "officer", "left", &who, &n.why) == E_OK);
	CHECK(keyring_open(n.path, &n.unlock, &key, NULL, &n.why) == E_STORE_KEY);
	crypto_wipe(&key, sizeof(key));
	/* and whoever opens the store otherwise cannot act as that officer */
	REQUIRE(call_new(&c) == E_OK);
	c->secret.kind = SECRET_KEY_FILE;
	c->secret.count = sizeof(other);
	memcpy(c->secret.b, other, sizeof(other));
	CHECK(keyring_remove(n.path, store_key_of(n.peer->store), "successor", &n.why) == E_OK);
	by.name = NULL;
	CHECK(keyring_add(n.path, store_key_of(n.peer->store), &by, NULL, &n.why) == E_OK);
	CHECK(acting_local(c, n.peer) == E_REVOKED);
	call_free(c);
	node_end(&n);
}

CHECK_MAIN(T(who_may_ask), T(officer_who_left), T(beyond_the_own_part), T(invitations),
	   T(words_of_a_bad_node), T(words_that_the_node_did_not_say))
