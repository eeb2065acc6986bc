/*
 * device_fixture: a member's own store beside the node of node_fixture.h, and the node's words as a
 * sync brings them. What the node answers to its JOIN can be bent before the device sees it.
 */
#ifndef BANYAN_TESTS_DEVICE_FIXTURE_H
#define BANYAN_TESTS_DEVICE_FIXTURE_H

#include "tests/node_fixture.h"

/* The node's broadcast parcel `number`, as a sync brings it. E_ABSENT: there are no more. */
static inline enum err
device_hears(struct node *n, uint64_t number, struct writer *copy)
{
	struct log_id log = down_broadcast_log(n->peer);
	struct parcel_hash hash;
	struct store_txn *txn;
	struct arrival a;
	uint64_t seq;
	enum err e;

	writer_heap_init(copy, PARCEL_BYTES_MAX);
	if ((e = store_read_begin(n->peer->store, &txn)) != E_OK)
		return e;
	if ((e = arrival_find(txn, &log, number, &seq, &hash)) == E_OK &&
	    (e = arrival_get(txn, seq, &a)) == E_OK)
		writer_bytes(copy, a.parcel);
	store_read_end(txn);
	return e;
}

/* A store that asked to join, and what the node answered; the views are into the arena. */
struct device_joins {
	struct peer *device;
	struct invite invite;
	struct message_welcome welcome;
	struct arena arena;
	char path[PATH_MAX];
};

static inline bool
device_asks(struct node *n, enum role role, const char *area, const struct unlock *unlock,
	    struct device_joins *j)
{
	struct invitation v = {
	    .role = role, .area = area, .name = "d", .address = "127.0.0.1:1", .days = 1};
	struct message_join join = {0};
	struct writer line;
	bool good;

	memset(j, 0, sizeof(*j));
	writer_heap_init(&line, 4096);
	arena_init(&j->arena, 1u << 20);
	good = enrol_invite(n->peer, &n->peer->identities[1], &v, &line, &n->why) == E_OK &&
	       invite_decode(writer_cstr(&line), &j->invite, &n->why) == E_OK &&
	       enrol_prepare(&j->device, scratch_path(j->path, n->dir, "device"), unlock,
			     &j->invite, &n->why) == E_OK;
	if (good) {
		join.principal = peer_self(j->device)->id;
		join.seal_public = peer_self(j->device)->seal.pub;
		memcpy(join.secret, j->invite.secret, sizeof(join.secret));
		good = enrol_join(n->peer, &join, &peer_self(j->device)->sign.pub, &j->welcome,
				  &j->arena, &n->why) == E_OK;
	}
	writer_free(&line);
	return good;
}

/* A member's store that has joined and heard nothing yet. */
static inline bool
device_begin(struct node *n, struct peer **device, const struct unlock *unlock, char path[PATH_MAX])
{
	struct device_joins j;
	bool good = device_asks(n, ROLE_MEMBER, "V1", unlock, &j) &&
		    enrol_welcomed(j.device, &j.invite, &peer_self(n->peer)->sign.pub, &j.welcome,
				   &n->why) == E_OK;

	*device = j.device;
	memcpy(path, j.path, sizeof(j.path));
	arena_free(&j.arena);
	return good;
}

#endif
