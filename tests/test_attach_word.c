/* Attachments that go by a stick: what is signed about them, to the byte, and who gains nothing by
 * saying it. */
#include "core/record/attach_word.h"

#include "core/pack.h"
#include "tests/keys.h"
#include "tests/node_fixture.h"
#include "tests/vector.h"
#include "tools/node/attached/attached.h"
#include "tools/node/roads/mail.h"

static const struct programme_id programme = {"programme-000001"};

static struct attach_held
a_word(void)
{
	struct attach_held h = {.by = {"node-00000000001"},
				.to = {"author-000000001"},
				.incarnation = 7,
				.time_s = 1700000000,
				.count = 2};

	memset(h.rows[0].id.b, 1, ATTACH_ID_BYTES);
	h.rows[0].chunks = 19;
	memset(h.rows[1].id.b, 2, ATTACH_ID_BYTES);
	h.rows[1].status = ATTACH_UNWANTED;
	return h;
}

/* Every byte of it counts. */
static void
signed_whole(enum statement kind, struct bytes b, const struct ec_key *key)
{
	uint8_t bent[STATEMENT_BYTES_MAX];
	size_t i;

	CHECK(principal_verify(kind, b, &programme, &key->pub) == E_OK);
	CHECK(principal_verify(STATEMENT_ENROLMENT, b, &programme, &key->pub) == E_SIGNATURE);
	for (i = 0; i < b.n; i++) {
		memcpy(bent, b.p, b.n);
		bent[i] ^= 1;
		CHECK(principal_verify(kind, BYTES(bent, b.n), &programme, &key->pub) != E_OK);
	}
}

static void
golden(void)
{
	struct ec_key author = test_key(KEY_AUTHOR);
	struct attach_offer o = {.author = {"author-000000001"}}, o2;
	struct attach_held h = a_word(), h2;
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct writer w;
	size_t n;

	memset(o.id.b, 1, ATTACH_ID_BYTES);
	writer_init(&w, memory, sizeof(memory));
	REQUIRE(attach_offer_encode(&o, &programme, &author, &w) == E_OK);
	CHECK(vector_holds("attachment_offer",
			   "author-000000001's word of 32 times 01, secret 32 times 11",
			   writer_view(&w)));
	CHECK(attach_offer_decode(writer_view(&w), &o2) == E_OK && memcmp(&o, &o2, sizeof(o)) == 0);
	CHECK(attach_held_decode(writer_view(&w), &h2) != E_OK);
	signed_whole(STATEMENT_ATTACH_OFFER, writer_view(&w), &author);
	for (n = 0; n < w.n; n++)
		CHECK(attach_offer_decode(BYTES(w.p, n), &o2) != E_OK);

	writer_reset(&w);
	REQUIRE(attach_held_encode(&h, &programme, &author, &w) == E_OK);
	CHECK(vector_holds(
	    "attachment_held",
	    "19 chunks of 32 times 01, and 32 times 02 is not wanted; secret 32 times 11",
	    writer_view(&w)));
	CHECK(attach_held_decode(writer_view(&w), &h2) == E_OK && h2.count == 2 &&
	      h2.rows[0].chunks == 19 && h2.rows[1].status == ATTACH_UNWANTED &&
	      h2.incarnation == 7);
	signed_whole(STATEMENT_ATTACH_HELD, writer_view(&w), &author);
	for (n = 0; n < w.n; n++)
		CHECK(attach_held_decode(BYTES(w.p, n), &h2) != E_OK);
	h.count = ATTACH_HELD_MAX;
	for (n = 0; n < h.count; n++)
		h.rows[n] = (struct attach_held_row){.chunks = ATTACH_CHUNKS_MAX, .status = 1};
	writer_reset(&w);
	CHECK(attach_held_encode(&h, &programme, &author, &w) == E_OK &&
	      w.n <= STATEMENT_BYTES_MAX);
	h.count++;
	CHECK(attach_held_encode(&h, &programme, &author, &w) == E_LIMIT);
}

/* ---- letters, at a node ---- */

struct said {
	struct attached_new file;
	struct writer chunks, offer;
};

static void
said_begin(struct said *s, const struct node *n, const struct principal_id *author,
	   const struct ec_key *key)
{
	static uint8_t page[2 * ATTACH_CHUNK_BYTES];
	struct attach_offer o = {.author = *author};

	REQUIRE(attached_seal(&s->file, "page.jpg", BYTES(page, sizeof(page))) == E_OK);
	o.id = s->file.ref.id;
	writer_heap_init(&s->chunks, 1u << 20);
	writer_be32(&s->chunks, ATTACH_SEALED_BYTES_MAX);
	writer_mem(&s->chunks, s->file.sealed.p, ATTACH_SEALED_BYTES_MAX);
	writer_be32(&s->chunks, ATTACH_SEALED_BYTES_MAX);
	writer_mem(&s->chunks, s->file.sealed.p + ATTACH_SEALED_BYTES_MAX, ATTACH_SEALED_BYTES_MAX);
	writer_heap_init(&s->offer, 1024);
	REQUIRE(attach_offer_encode(&o, &n->peer->programme.id, key, &s->offer) == E_OK);
}

static void
said_end(struct said *s)
{
	attached_free(&s->file);
	writer_free(&s->chunks);
	writer_free(&s->offer);
}

/* Seal letter 4 to the node's office, and let it take the envelope. */
static struct mail_taken
bring(struct node *n, const struct said *s, uint32_t first, struct bytes list)
{
	static const struct principal_id nobody;
	struct mail_taken taken = {0};
	struct writer letter;
	struct mail m;

	mail_init(&m, n->peer);
	mail_to_office(&m);
	writer_heap_init(&letter, 1u << 20);
	pack_array(&letter, 5);
	pack_u64(&letter, 4);
	pack_bin(&letter, writer_view(&s->offer));
	pack_bin(&letter, list);
	pack_u64(&letter, first);
	pack_bin(&letter, writer_view(&s->chunks));
	CHECK(mail_letter(&m, writer_view(&letter)) == E_OK && mail_seal(&m, NULL) == E_OK &&
	      m.count == 1);
	CHECK(mail_take(n->peer, BYTES(m.envelopes.p + 4, m.envelopes.n - 4), &nobody, &taken, NULL,
			NULL) == E_OK);
	mail_free(&m);
	writer_free(&letter);
	return taken;
}

static enum err
revoke_job(struct store_txn *txn, void *arg)
{
	struct member m;
	enum err e = member_get(txn, arg, &m);

	m.state = MEMBER_REVOKED;
	return e == E_OK ? member_put(txn, &m) : e;
}

/* Only its author, by its own key, while it may; nothing forged, foreign or out of its place is
 * kept. */
static void
whose(void)
{
	struct ec_key stranger = test_key(KEY_OTHER);
	struct mail_taken t;
	struct device one, two;
	struct said s;
	struct node n;

	REQUIRE(node_begin(&n));
	REQUIRE(node_join(&n, &one, ROLE_MEMBER, "V1", "one") == E_OK);
	REQUIRE(node_join(&n, &two, ROLE_MEMBER, "V1", "two") == E_OK);
	said_begin(&s, &n, &one.self.id, &stranger);
	t = bring(&n, &s, 0, writer_view(&s.file.list));
	CHECK(t.refused == 1 && t.why.e == E_SIGNATURE && t.pieces == 0);
	said_end(&s);
	said_begin(&s, &n, &one.self.id, &two.self.sign); /* another's name */
	t = bring(&n, &s, 0, writer_view(&s.file.list));
	CHECK(t.refused == 1 && t.why.e == E_SIGNATURE);
	said_end(&s);
	said_begin(&s, &n, &(struct principal_id){"nobody-000000001"}, &stranger);
	t = bring(&n, &s, 0, writer_view(&s.file.list));
	CHECK(t.refused == 1 && t.why.e == E_STRANGER);
	said_end(&s);
	said_begin(&s, &n, &one.self.id, &one.self.sign);
	t = bring(&n, &s, 1, BYTES_NONE); /* behind nothing */
	CHECK(t.refused == 1 && t.why.e == E_ATTACHMENT && t.attachments == 0);
	t = bring(&n, &s, 0, BYTES(s.file.list.p, SHA256_BYTES)); /* another list */
	CHECK(t.refused == 1 && t.attachments == 0);
	t = bring(&n, &s, 0, writer_view(&s.file.list));
	CHECK(t.refused == 0 && t.pieces == 1 && t.attachments == 1);
	t = bring(&n, &s, 0, writer_view(&s.file.list)); /* once more */
	CHECK(t.refused == 0 && t.attachments == 0);
	said_end(&s);
	REQUIRE(store_write(n.peer->store, revoke_job, &one.self.id) == E_OK);
	said_begin(&s, &n, &one.self.id, &one.self.sign);
	t = bring(&n, &s, 0, writer_view(&s.file.list));
	CHECK(t.refused == 1 && t.why.e == E_REVOKED && t.attachments == 0);
	said_end(&s);
	node_end(&n);
}

static const struct check_test tests[] = {
    {"golden", golden},
    {"whose", whose},
};

int
main(int argc, char **argv)
{
	return check_main(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
