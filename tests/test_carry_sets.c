/* What is shared with another node is kept up to date by who opens what arrives, and check compares
 * it with the parcels. */
#include "tests/node_fixture.h"
#include "tools/node/carry/carry_inside.h"
#include "tools/node/carry/carry_sets.h"
#include "tools/node/opener/opener_queue.h"
#include "tools/node/opener/verify.h"

static struct node n;
static struct device child, here, elsewhere, urgent, liar;
static struct carry *c;

static enum err
rule(void *arg, struct store_txn *txn, const struct arrival *a, bool *out)
{
	return carry_shares(arg, txn, a, out);
}

/* The kept set: up to which arrival it counts, how many, and whether it is what the parcels make;
 * false: none is kept. */
static bool
kept(uint64_t *upto, uint64_t *count, enum err *right)
{
	struct shared_config config = {c->other.id, c->key, rule, c};
	struct shared *s = NULL;
	struct store_txn *txn;
	enum err e;

	if (store_read_begin(n.peer->store, &txn) != E_OK)
		return false;
	if ((e = carry_sets_get(n.peer, txn, &config, &s)) == E_OK) {
		*upto = shared_upto(s);
		*count = shared_sketch(s)->count;
		*right = shared_check(s, txn, NULL);
	}
	store_read_end(txn);
	shared_close(s);
	return e == E_OK;
}

static void
say(struct device *d, unsigned count)
{
	struct revision_body create = {.kind = REVISION_CREATE};
	struct record_id id;

	while (count-- > 0)
		CHECK(node_say(&n, d, NULL, &create, &id) == E_OK);
}

static bool
begin(void)
{
	struct carry_other other = {.road = CARRY_DOWN, .upper = true, .scope = "D1"};

	if (!node_begin(&n) || node_join(&n, &child, ROLE_NODE, "D1", "child") != E_OK ||
	    enrol_approve(n.peer, &n.peer->identities[1], "child", &n.why) != E_OK ||
	    node_join(&n, &here, ROLE_MEMBER, "V1", "here") != E_OK ||
	    node_join(&n, &elsewhere, ROLE_MEMBER, "V2", "elsewhere") != E_OK ||
	    node_join(&n, &urgent, ROLE_MEMBER, "V1", "urgent") != E_OK ||
	    node_join(&n, &liar, ROLE_MEMBER, "V1", "liar") != E_OK)
		return false;
	say(&here, 3);
	other.id = child.self.id;
	other.seal = child.self.seal.pub;
	return carry_open(&c, n.peer, &other, 0, &n.why) == E_OK;
}

static void
end(void)
{
	carry_free(c);
	node_end(&n);
}

static void
what_is_opened_enters_the_set(void)
{
	uint64_t upto = 0, count = 0, last = 0;
	struct store_txn *txn;
	enum err right = E_INTERNAL;

	REQUIRE(begin());
	CHECK(kept(&upto, &count, &right) && count == 3 && right == E_OK);
	CHECK(crypto_ec_new(&liar.self.sign) ==
	      E_OK); /* it signs with a key that nobody knows: set aside, and not shared */
	urgent.urgent = true;
	say(&here, 2 * QUEUE_LONG);
	say(&elsewhere, 40);
	say(&liar, 2);
	say(&urgent, 3);
	CHECK(opener_all(n.peer, &n.why) == E_OK);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(arrival_last(txn, &last) == E_OK);
	store_read_end(txn);
	REQUIRE(kept(&upto, &count, &right));
	CHECK(upto == last && right == E_OK);
	CHECK_MSG(count == 3 + 2 * QUEUE_LONG + 3, "%llu", (unsigned long long)count);
	end();
}

static enum err
forget_job(struct store_txn *txn, void *arg)
{
	(void)arg;
	return shared_forget(txn);
}

static void
a_set_that_was_forgotten_is_kept_no_more(void)
{
	static const char areas[] =
	    "code,parent,level,name\nP,,province,P\nD1,P,district,One\nD2,P,district,Two\n"
	    "V1,D2,village,First\nV2,D1,village,Second\n";
	uint64_t upto, count;
	struct areas_table table;
	struct writer packed;
	struct arena arena;
	enum err right;

	REQUIRE(begin());
	CHECK(store_write(n.peer->store, forget_job, NULL) == E_OK);
	CHECK(!kept(&upto, &count, &right));
	say(&here, 1);
	CHECK(opener_all(n.peer, &n.why) == E_OK && !kept(&upto, &count, &right));
	CHECK(carry_anew(c) == E_OK && kept(&upto, &count, &right) && count == 3 && right == E_OK);

	/* villages that change their district change what is whose */
	arena_init(&arena, 1u << 20);
	writer_heap_init(&packed, 1u << 16);
	REQUIRE(areas_table_parse(BYTES_LIT(areas), &arena, &table, &n.why) == E_OK);
	REQUIRE(areas_table_pack(&table, &packed) == E_OK);
	CHECK(down_add_areas(n.peer, &n.peer->identities[1].id, writer_view(&packed), &n.why) ==
	      E_OK);
	writer_free(&packed);
	arena_free(&arena);
	say(&elsewhere, 5);
	CHECK(opener_all(n.peer, &n.why) == E_OK && !kept(&upto, &count, &right));
	end();
}

static void
told(void *arg, const char *sentence)
{
	*(bool *)arg = strstr(sentence, "shared with child") != NULL || *(bool *)arg;
}

static void
at(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg, (void)what, (void)done, (void)total;
}

/* One cell of the stored sketch becomes another one. */
static enum err
damage_job(struct store_txn *txn, void *arg)
{
	uint8_t key[ID_BYTES + 2], cells[4096];
	struct bytes value;
	enum err e;

	(void)arg;
	memcpy(key, child.self.id.b, ID_BYTES);
	key[ID_BYTES] = 1;
	key[ID_BYTES + 1] = 0;
	if ((e = store_get(txn, STORE_SHARED, BYTES(key, sizeof(key)), &value)) != E_OK ||
	    value.n > sizeof(cells))
		return e == E_OK ? E_INTERNAL : e;
	memcpy(cells, value.p, value.n);
	cells[14 * 3] ^= 1;
	return store_put(txn, STORE_SHARED, BYTES(key, sizeof(key)), BYTES(cells, value.n));
}

static void
check_compares_and_rebuild_mends(void)
{
	struct verified v;
	bool found = false;

	REQUIRE(begin());
	CHECK(verify_store(n.peer, &v, told, at, &found, &n.why) == E_OK && v.bad_sets == 0 &&
	      !found);
	REQUIRE(store_write(n.peer->store, damage_job, NULL) == E_OK);
	CHECK(verify_store(n.peer, &v, told, at, &found, &n.why) == E_OK && v.bad_sets == 1 &&
	      found);
	found = false;
	CHECK(verify_rebuild(n.peer, &n.why) == E_OK);
	CHECK(verify_store(n.peer, &v, told, at, &found, &n.why) == E_OK && v.bad_sets == 0 &&
	      !found);
	end();
}

int
main(int argc, char **argv)
{
	static const struct check_test tests[] = {
	    {"what_is_opened_enters_the_set", what_is_opened_enters_the_set},
	    {"a_set_that_was_forgotten_is_kept_no_more", a_set_that_was_forgotten_is_kept_no_more},
	    {"check_compares_and_rebuild_mends", check_compares_and_rebuild_mends},
	};

	return check_main(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
