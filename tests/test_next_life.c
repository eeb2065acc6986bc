/*
 * test_next_life: what a node that was put back says again, in its new logs: who had not fetched it
 * in the life before would never hear it. (Keys: found by sim, roads 2100084, 2300645, 1715025,
 * 1716010, 1719003. Orders to erase: test_erased_slices.)
 */
#include "core/store/backup.h"
#include "tests/office.h"
#include "tools/node/carry/carry.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/link/twins.h"

static struct office_world w;
static struct peer *second;

static bool
begin(void)
{
	if (!office_open(&w) || (second = office_join(&w, ROLE_NODE, "D", "second")) == NULL)
		return false;
	return true;
}

static void
end(void)
{
	peer_close(second);
	office_close(&w);
}

static enum err
forget_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return down_forget(txn);
}

/* The first node is put back as it is now; who meets it begins its logs anew, as a session does. */
static bool
next_life(void)
{
	struct unlock unlock = office_unlock("officer");
	char backup[PATH_MAX], path[PATH_MAX];
	struct backup_info info;

	scratch_path(backup, w.dir, "backup");
	scratch_path(path, w.dir, "again");
	CHECK(backup_write(w.node->store, backup, &info, &w.why) == E_OK);
	peer_close(w.node);
	w.node = NULL;
	if (backup_restore(backup, path, &unlock, NULL, &info, &w.why) != E_OK ||
	    peer_open(&w.node, path, &unlock, &w.why) != E_OK)
		return false;
	CHECK(down_republish(w.node, &w.why) == E_OK);
	CHECK(store_write(second->store, forget_job, NULL) == E_OK);
	return true;
}

/* Has the second node the first one's key of that number? */
static bool
has_key(uint32_t key_no)
{
	const struct ec_key *there = office_key_at(second, key_no),
			    *here = office_key_at(w.node, key_no);

	return there != NULL && here != NULL &&
	       memcmp(there->secret, here->secret, EC_SECRET_BYTES) == 0;
}

static void
rotate(void)
{
	CHECK(office_keys_rotate(w.node, NULL, NULL, &w.node->identities[1], &w.why) == E_OK);
}

/* The office had two more keys before the second node came by again. */
static void
keys_of_the_life_before(void)
{
	REQUIRE(begin());
	CHECK(enrol_approve(w.node, &w.node->identities[1], "second", &w.why) == E_OK);
	office_carry(&w, second);
	CHECK(has_key(1));
	rotate();
	rotate();
	REQUIRE(next_life());
	office_carry(&w, second);
	CHECK(second->home.key_no == 3 && has_key(1) && has_key(2) && has_key(3));
	end();
}

/* It was approved, and had heard nothing of that. */
static void
an_approval_of_the_life_before(void)
{
	REQUIRE(begin());
	CHECK(enrol_approve(w.node, &w.node->identities[1], "second", &w.why) == E_OK);
	REQUIRE(next_life());
	office_carry(&w, second);
	CHECK(second->approved && second->home.has_secret && has_key(1));
	end();
}

/* Who was shut out, or was never let in, is given no key. */
static void
no_key_for_who_was_shut_out(void)
{
	struct principal_id revoked;
	int i;

	for (i = 0; i < 2; i++) {
		REQUIRE(begin());
		if (i == 1) {
			CHECK(enrol_approve(w.node, &w.node->identities[1], "second", &w.why) ==
			      E_OK);
			CHECK(enrol_revoke(w.node, &w.node->identities[1], "second", "stolen",
					   &revoked, &w.why) == E_OK);
		}
		REQUIRE(next_life());
		office_carry(&w, second);
		CHECK(!second->home.has_secret && !second->approved);
		end();
	}
}

/* The nodes above seal to the key in force, whoever had the one before. */
static void
a_key_that_the_nodes_above_lack(void)
{
	struct writer bytes;
	struct arrival a;

	REQUIRE(begin());
	rotate();
	REQUIRE(next_life());
	writer_heap_init(&bytes, PARCEL_BYTES_MAX);
	CHECK(office_parcels(w.node, down_above_log(w.node), 1, &bytes, &a) == E_OK);
	writer_free(&bytes);
	end();
}

/* A device that joins in this life finds the second node, unless that was shut out. */
static void
the_address_of_the_second_node(void)
{
	struct principal_id gone;
	struct peer *device;
	size_t shut_out;

	for (shut_out = 0; shut_out < 2; shut_out++) {
		REQUIRE(begin());
		CHECK(enrol_approve_at(w.node, &w.node->identities[1], "second", "127.0.0.1:2",
				       &w.why) == E_OK);
		CHECK(shut_out == 0 || enrol_revoke(w.node, &w.node->identities[1], "second",
						    "stolen", &gone, &w.why) == E_OK);
		REQUIRE(next_life());
		REQUIRE((device = office_join(&w, ROLE_MEMBER, "V1", "one")) != NULL);
		office_carry(&w, device);
		CHECK(twins_count(device) == 1 - shut_out);
		peer_close(device);
		end();
	}
}

static enum err
above_job(struct store_txn *txn, void *arg)
{
	return peer_put_above(txn, arg);
}

/* Where the node above is: the second node goes there when the first one is gone. */
static void
the_node_above_of_the_life_before(void)
{
	struct above up = {.known = true, .node = {{7}}, .area = "P", .address = "127.0.0.1:3"};

	REQUIRE(begin());
	up.sign = up.seal = w.node->home.node_sign;
	w.node->above = up;
	CHECK(store_write(w.node->store, above_job, &up) == E_OK);
	CHECK(enrol_approve(w.node, &w.node->identities[1], "second", &w.why) == E_OK);
	REQUIRE(next_life());
	office_carry(&w, second);
	CHECK(second->upper.known && strcmp(second->upper.address, up.address) == 0);
	end();
}

struct ordered {
	struct peer *at;
	struct bytes statement;
};

static enum err
order_job(struct store_txn *txn, void *arg)
{
	const struct ordered *o = arg;
	bool fresh;

	return erasures_note(o->at, txn, o->statement, BYTES_NONE, &fresh);
}

static struct carry *
open_to(struct peer *here, struct peer *there, uint64_t life)
{
	struct carry_other other = {
	    .id = peer_self(there)->id, .road = CARRY_TWIN, .upper = here == w.node, .scope = "D"};
	struct carry *c;

	other.seal = here == w.node ? peer_self(there)->seal.pub : w.node->home.seal.pub;
	if (carry_open(&c, here, &other, 0, &w.why) != E_OK)
		return NULL;
	carry_in_life(c, life);
	return c;
}

static unsigned
orders_in(struct carry *c)
{
	struct message m;
	unsigned count = 0;
	enum err e;

	while ((e = carry_next(c, UINT64_MAX, &m)) == E_OK)
		count += m.type == MESSAGE_STATEMENT && m.u.statement.kind == STATEMENT_ERASURE;
	CHECK(e == E_ABSENT);
	return count;
}

/* How many orders the second node says to the first one in that life, until both agree. */
static unsigned
orders_said(uint64_t life)
{
	struct carry *c = open_to(second, w.node, life);
	unsigned count;

	if (c == NULL)
		return 99;
	count = orders_in(c);
	CHECK(carry_agreed(c, life) == E_OK);
	carry_free(c);
	return count;
}

static bool
begin_with_an_order(struct writer *statement)
{
	struct erasure o = {.record = {"record-0000001"}, .parts = ERASURE_ALL, .area = "D"};

	if (!begin() || enrol_approve(w.node, &w.node->identities[1], "second", &w.why) != E_OK)
		return false;
	office_carry(&w, second);
	o.programme = w.node->programme.id;
	o.issuer = peer_self(w.node)->id;
	writer_heap_init(statement, STATEMENT_BYTES_MAX);
	return erasure_encode(&o, &w.node->identities[0].sign, statement) == E_OK;
}

/* One that the first node was put back from before: the second one says it again. (sim, roads
 * 2300645, 3100868) */
static void
an_order_of_the_life_before(void)
{
	struct writer bytes;

	REQUIRE(begin_with_an_order(&bytes));
	REQUIRE(store_write(second->store, order_job,
			    &(struct ordered){second, writer_view(&bytes)}) == E_OK);
	CHECK(orders_said(1) == 1 && orders_said(1) == 0); /* once in each */
	CHECK(orders_said(2) == 1 && orders_said(2) == 0);
	writer_free(&bytes);
	end();
}

/* The first node says its orders to the second one until that says them itself, and again once that
 * is in another life. */
static void
what_the_second_one_said_itself(void)
{
	struct session_item item = {.type = MESSAGE_STATEMENT, .kind = STATEMENT_ERASURE};
	struct writer bytes;
	struct carry *c;
	unsigned life;

	REQUIRE(begin_with_an_order(&bytes));
	item.bytes = writer_view(&bytes);
	REQUIRE(store_write(w.node->store, order_job, &(struct ordered){w.node, item.bytes}) ==
		E_OK);
	for (life = 1; life < 3; life++) {
		REQUIRE((c = open_to(w.node, second, life)) != NULL);
		CHECK(orders_in(c) == 1);
		carry_free(c); /* nothing came back */
		REQUIRE((c = open_to(w.node, second, life)) != NULL);
		CHECK(orders_in(c) == 1);
		CHECK(carry_item(c, &item) == E_OK);
		CHECK(carry_mark(c, life, 0, true, &w.why) == E_OK);
		carry_free(c);
		REQUIRE((c = open_to(w.node, second, life)) != NULL);
		CHECK(orders_in(c) == 0);
		carry_free(c);
	}
	writer_free(&bytes);
	end();
}

CHECK_MAIN(T(an_order_of_the_life_before), T(what_the_second_one_said_itself),
	   T(the_node_above_of_the_life_before), T(a_key_that_the_nodes_above_lack),
	   T(the_address_of_the_second_node), T(keys_of_the_life_before),
	   T(an_approval_of_the_life_before), T(no_key_for_who_was_shut_out))
