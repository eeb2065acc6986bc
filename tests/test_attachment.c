/* Attachments: what a node believes of what it is told. PROTOCOL.md "Attachments". */
#include <stdlib.h>

#include "tests/attachment_file.h"
#include "tests/node_fixture.h"
#include "tests/vector.h"

/* What a device says: from chunk `first`, `count` chunks. */
static void
say(struct writer *w, const struct attached_new *n, uint32_t first, uint32_t count)
{
	uint32_t i;

	writer_reset(w);
	writer_mem(w, n->ref.id.b, ATTACH_ID_BYTES);
	writer_be32(w, first);
	if (first == 0) {
		writer_be32(w, attach_chunks(n->ref.size));
		writer_bytes(w, writer_view(&n->list));
	}
	for (i = first; first != ATTACH_QUERY && i < first + count; i++) {
		size_t bytes = attach_chunk_bytes(n->ref.size, i);

		writer_be32(w, (uint32_t)bytes);
		writer_mem(w, n->sealed.p + (size_t)i * ATTACH_SEALED_BYTES_MAX, bytes);
	}
}

static void
takes(struct node *n, const struct device *d, struct bytes said, bool cut, uint32_t held,
      enum attach_status status)
{
	uint8_t answer[ATTACH_ANSWER_BYTES];
	enum err e = attached_take(n->peer, &d->self.id, said, cut, answer, &n->why);

	CHECK_MSG(e == E_OK && be32_get(answer) == held && answer[4] == status,
		  "%s, %u held, status %u instead of %u, %u", err_name(e),
		  (unsigned)be32_get(answer), answer[4], (unsigned)held, (unsigned)status);
}

/* Of what is wrong nothing is taken; what is right before it is: three chunks of four in the end.
 */
static void
lies(struct node *n, const struct device *d, const struct attached_new *a, struct writer *w)
{
	size_t head = ATTACH_ID_BYTES + 8 + a->list.n;
	uint8_t answer[ATTACH_ANSWER_BYTES];

	say(w, a, ATTACH_QUERY, 0);
	takes(n, d, writer_view(w), false, 0, ATTACH_TAKEN); /* unknown */
	say(w, a, 1, 1);
	takes(n, d, writer_view(w), false, 0, ATTACH_WRONG); /* not from its beginning */
	say(w, a, 0, 1);
	w->p[ATTACH_ID_BYTES + 8] ^= 1;
	takes(n, d, writer_view(w), false, 0, ATTACH_WRONG); /* another list than its name */
	say(w, a, 0, 2);
	w->p[head + 4 + ATTACH_SEALED_BYTES_MAX + 4 + 9] ^= 1;
	takes(n, d, writer_view(w), false, 1,
	      ATTACH_WRONG); /* the first is right, the second is not */
	say(w, a, 0, 2);
	takes(n, d, BYTES(w->p, w->n - 1), true, 1, ATTACH_TAKEN); /* cut: the whole ones count */
	takes(n, d, BYTES(w->p, w->n - 1), false, 1, ATTACH_WRONG);
	CHECK(attached_take(n->peer, &d->self.id, BYTES(w->p, head - 1), true, answer, &n->why) ==
	      E_ATTACHMENT);
	say(w, a, 2, 1);
	takes(n, d, writer_view(w), false, 1, ATTACH_WRONG); /* one is left out */
	say(w, a, 1, 1);
	be32_put(w->p + ATTACH_ID_BYTES + 4, ATTACH_SEALED_BYTES_MAX + 1);
	takes(n, d, writer_view(w), false, 1, ATTACH_WRONG); /* too large */
	say(w, a, 0, 3);
	takes(n, d, writer_view(w), false, 3, ATTACH_TAKEN); /* what is there already is harmless */
}

static void
cuts_and_lies(void)
{
	struct attached_new a;
	struct node n;
	struct device d;
	struct writer w, plain;
	struct store_txn *txn;
	uint8_t answer[ATTACH_ANSWER_BYTES];
	uint64_t count, bad;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &d, ROLE_MEMBER, "V1", "one") == E_OK);
	make(&a);
	writer_heap_init(&w, ATTACH_ASK_BYTES_MAX);
	writer_heap_init(&plain, FILE_BYTES);
	lies(&n, &d, &a, &w);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(attached_open(txn, &a.ref, &plain) == E_ABSENT); /* not whole yet */
	store_read_end(txn);
	say(&w, &a, 3, 1);
	takes(&n, &d, writer_view(&w), false, 4, ATTACH_TAKEN);
	say(&w, &a, ATTACH_QUERY, 0);
	takes(&n, &d, writer_view(&w), false, 4, ATTACH_TAKEN);
	writer_reset(&plain);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(attached_open(txn, &a.ref, &plain) == E_OK);
	CHECK(bytes_equal(writer_view(&plain), BYTES(file, sizeof(file))));
	store_read_end(txn);
	CHECK(attached_check(n.peer, &count, &bad) == E_OK && count == 1 && bad == 0);
	crypto_random(d.self.id.b, ID_BYTES);
	CHECK(attached_take(n.peer, &d.self.id, writer_view(&w), false, answer, &n.why) !=
	      E_OK); /* nobody's */
	writer_free(&w);
	writer_free(&plain);
	attached_free(&a);
	node_end(&n);
}

/* More chunks than the list names, lists longer than any, heads that end early; and a device that
 * was shut out meanwhile. */
static void
beyond_the_list(void)
{
	static const size_t cuts[] = {0, ATTACH_ID_BYTES, ATTACH_ID_BYTES + 3, ATTACH_ID_BYTES + 4,
				      ATTACH_ID_BYTES + 7};
	uint8_t answer[ATTACH_ANSWER_BYTES], chunk[4 + 32] = {0, 0, 0, 32}, hash[SHA256_BYTES];
	struct principal_id who;
	struct attach_id id;
	struct attached_new a;
	struct device d;
	struct writer w;
	struct node n;
	size_t i, count;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &d, ROLE_MEMBER, "V1", "one") == E_OK);
	make(&a);
	count = attach_chunks(a.ref.size);
	writer_heap_init(&w, ATTACH_ASK_BYTES_MAX + ATTACH_LIST_BYTES_MAX);
	say(&w, &a, 0, (uint32_t)count);
	writer_mem(&w, chunk, sizeof(chunk));
	takes(&n, &d, writer_view(&w), false, (uint32_t)count,
	      ATTACH_WRONG); /* the whole of it, and one more */
	say(&w, &a, (uint32_t)count, 0);
	writer_mem(&w, chunk, sizeof(chunk));
	takes(&n, &d, writer_view(&w), false, (uint32_t)count, ATTACH_WRONG);
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		say(&w, &a, 0, 0);
		CHECK(attached_take(n.peer, &d.self.id, BYTES(w.p, cuts[i]), false, answer,
				    &n.why) == E_ATTACHMENT);
	}
	writer_reset(&w); /* with all the hashes that it promises */
	writer_mem(&w, "an attachment's id of 32 bytes..", ATTACH_ID_BYTES);
	writer_be32(&w, 0);
	writer_be32(&w, ATTACH_CHUNKS_MAX + 1);
	memset(writer_space(&w, (ATTACH_CHUNKS_MAX + 1) * SHA256_BYTES), 7,
	       (ATTACH_CHUNKS_MAX + 1) * SHA256_BYTES);
	CHECK(attached_take(n.peer, &d.self.id, writer_view(&w), false, answer, &n.why) ==
	      E_ATTACHMENT);
	/* a chunk that is longer than one may be, under its own hash */
	writer_reset(&w);
	memset(writer_space(&w, ATTACH_SEALED_BYTES_MAX + 1), 7, ATTACH_SEALED_BYTES_MAX + 1);
	crypto_sha256(hash, writer_view(&w));
	CHECK(attach_id_of(BYTES(hash, sizeof(hash)), &id) == E_OK);
	writer_reset(&w);
	writer_mem(&w, id.b, sizeof(id.b));
	writer_be32(&w, 0);
	writer_be32(&w, 1);
	writer_mem(&w, hash, sizeof(hash));
	writer_be32(&w, ATTACH_SEALED_BYTES_MAX + 1);
	memset(writer_space(&w, ATTACH_SEALED_BYTES_MAX + 1), 7, ATTACH_SEALED_BYTES_MAX + 1);
	takes(&n, &d, writer_view(&w), false, 0, ATTACH_WRONG);
	CHECK(enrol_revoke(n.peer, &n.peer->identities[1], "one", "lost", &who, &n.why) == E_OK);
	say(&w, &a, 0, 1);
	CHECK(attached_take(n.peer, &d.self.id, writer_view(&w), false, answer, &n.why) ==
	      E_REVOKED);
	writer_free(&w);
	attached_free(&a);
	node_end(&n);
}

static enum err
put_job(struct store_txn *txn, void *arg)
{
	return attached_put(txn, arg);
}

/* The row as it is stored, and what it may not be. */
static void
row(void)
{
	struct attached a = {.state = ATTACH_HELD,
			     .held = 2,
			     .epoch = 3,
			     .number = 4,
			     .incarnation = 5},
			again;
	uint8_t list[2 * SHA256_BYTES], key[ATTACH_ID_BYTES + 4] = {0};
	struct store_txn *txn;
	struct bytes value;
	struct node n;

	memset(list, 9, sizeof(list));
	memset(a.author.b, 1, ID_BYTES);
	a.list = BYTES(list, sizeof(list));
	REQUIRE(attach_id_of(a.list, &a.id) == E_OK);
	memcpy(key, a.id.b, ATTACH_ID_BYTES);
	REQUIRE(node_begin(&n));
	REQUIRE(store_write(n.peer->store, put_job, &a) == E_OK);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(store_get(txn, STORE_ATTACHMENT, BYTES(key, sizeof(key)), &value) == E_OK);
	CHECK(vector_holds(
	    "row_attachment",
	    "author 01.., held: 2 chunks, epoch 3, number 4, incarnation 5, list 09..", value));
	CHECK(attached_get(txn, &a.id, &again) == E_OK && again.state == ATTACH_HELD &&
	      again.held == 2 && again.epoch == 3 && again.number == 4 && again.incarnation == 5 &&
	      bytes_equal(again.list, a.list));
	store_read_end(txn);
	node_end(&n);
}

/* One device cannot fill the node's disk. */
static void
quota(void)
{
	uint64_t each = ATTACH_CHUNKS_MAX * (uint64_t)ATTACH_SEALED_BYTES_MAX, i,
		 fit = ATTACH_DEVICE_BYTES_MAX / each;
	struct attached_new a = {.ref = {.size = ATTACH_BYTES_MAX}};
	struct store_txn *txn;
	struct bytes value;
	struct node n;
	struct device d;
	struct writer w;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &d, ROLE_MEMBER, "V1", "one") == E_OK);
	writer_heap_init(&w, ATTACH_ASK_BYTES_MAX);
	for (i = 0; i <= fit; i++) {
		writer_heap_init(&a.list, ATTACH_LIST_BYTES_MAX);
		crypto_random(writer_space(&a.list, ATTACH_LIST_BYTES_MAX), ATTACH_LIST_BYTES_MAX);
		REQUIRE(attach_id_of(writer_view(&a.list), &a.ref.id) == E_OK);
		say(&w, &a, 0, 0);
		takes(&n, &d, writer_view(&w), false, 0, i < fit ? ATTACH_TAKEN : ATTACH_FULL);
		writer_free(&a.list);
	}
	REQUIRE(store_read_begin(n.peer->store, &txn) ==
		E_OK); /* what was refused takes nothing of the share */
	CHECK(store_get(txn, STORE_ATTACHMENT, BYTES(d.self.id.b, ID_BYTES), &value) == E_OK);
	CHECK(value.n == 8 && be64_get(value.p) == fit * each);
	store_read_end(txn);
	writer_free(&w);
	node_end(&n);
}

struct refusing {
	struct bytes plain;
	struct principal_id by;
	struct record_id record;
	struct attach_id id;
};

static enum err
refuse_job(struct store_txn *txn, void *arg)
{
	struct refusing *g = arg;

	return attached_refuse(txn, g->plain, &g->by);
}

static enum err
link_job(struct store_txn *txn, void *arg)
{
	struct refusing *g = arg;
	enum err e = attached_link(txn, &g->record, &g->id);

	return e == E_OK ? attached_link(txn, &g->record, &g->id) : e;
}

static enum err
forget_job(struct store_txn *txn, void *arg)
{
	return attached_forget(txn, &((struct refusing *)arg)->record);
}

/* What a void or erased record named is not taken again; a text of somebody else that names it
 * takes nothing away. */
static void
unwanted(void)
{
	struct refusing g = {.record = {{7}}};
	uint8_t key[1 + ID_BYTES] = {'r', 7};
	struct attached_new a;
	struct store_txn *txn;
	struct attached got;
	struct bytes value;
	struct writer w, text;
	struct device d;
	struct node n;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &d, ROLE_MEMBER, "V1", "one") == E_OK);
	writer_heap_init(&w, ATTACH_ASK_BYTES_MAX);
	writer_heap_init(&text, 1024);
	make(&a);
	writer_str(&text, "attachment:1:zz and ");
	attach_ref_write(&a.ref, &text);
	g.plain = writer_view(&text);
	g.id = a.ref.id;
	say(&w, &a, 0, 4);
	takes(&n, &d, writer_view(&w), false, 4, ATTACH_TAKEN);
	memset(g.by.b, 9, ID_BYTES);
	REQUIRE(store_write(n.peer->store, refuse_job, &g) == E_OK);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(attached_get(txn, &a.ref.id, &got) == E_OK && got.state == ATTACH_THEIRS &&
	      got.held == 4);
	g.by = got.author;
	store_read_end(txn);
	REQUIRE(store_write(n.peer->store, refuse_job, &g) == E_OK);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(attached_get(txn, &a.ref.id, &got) == E_OK && got.state == ATTACH_GONE);
	CHECK(attached_chunk(txn, &a.ref.id, 0, &value) == E_ABSENT);
	CHECK(store_get(txn, STORE_ATTACHMENT, BYTES(g.by.b, ID_BYTES), &value) == E_OK &&
	      be64_get(value.p) == 0);
	store_read_end(txn);
	takes(&n, &d, writer_view(&w), false, 0, ATTACH_UNWANTED);
	REQUIRE(store_write(n.peer->store, link_job, &g) == E_OK);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	REQUIRE(store_get(txn, STORE_ATTACHMENT, BYTES(key, sizeof(key)), &value) == E_OK);
	CHECK(value.n == 2 * ATTACH_ID_BYTES && memcmp(value.p, g.id.b, ATTACH_ID_BYTES) == 0);
	store_read_end(txn);
	CHECK(store_write(n.peer->store, forget_job, &g) == E_OK);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(store_get(txn, STORE_ATTACHMENT, BYTES(key, sizeof(key)), &value) == E_ABSENT);
	CHECK(attached_get(txn, &a.ref.id, &got) == E_ABSENT);
	store_read_end(txn);
	attached_free(&a);
	writer_free(&w);
	writer_free(&text);
	node_end(&n);
}

CHECK_MAIN(T(cuts_and_lies), T(beyond_the_list), T(row), T(quota), T(unwanted))
