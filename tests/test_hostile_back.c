/*
 * What a relay, or an author, can do with the way back: an office's words for an author, in the
 * envelope that answers it. Changed, swapped, cut, replayed, in another order; asked for many
 * times, by who says that it has nothing, or all, or was shut out. And with pieces of an attachment
 * on their way to the office: dropped, turned round, changed, brought twice.
 */
#include "tests/office.h"
#include "tools/node/attached/attached.h"
#include "tools/node/roads/satchel.h"
#include "tools/node/roads/stick.h"

static struct office_world w;
static struct peer *one, *two;
static const struct principal_id relay = {"relay-0000000001"};

static const char *const five[] = {"girls=2",        "boys=3",   "all=5",
				   "child=Sok Dara", "seen=yes", NULL};

/* A form more in the office's broadcast: `n` question marks make it longer. */
static void
says_more(char letter, unsigned n)
{
	char md[8192], *p = md;

	p += snprintf(p, 400, "| survey | | | |\n| | type | name | label |\n");
	for (; n > 0; n--)
		p += snprintf(p, 100, "| | text | q%u | Question %u of %c%u |\n", n, n, letter,
			      n * 7919);
	(void)snprintf(
	    p, 400, "| settings | | | |\n| | form_id | version | form_title |\n| | M%c | 1 | M |\n",
	    letter);
	office_form(w.node, md, &w.why);
}

static bool
begin(void)
{
	if (!office_open(&w) || (one = office_join(&w, ROLE_MEMBER, "V1", "one")) == NULL ||
	    (two = office_join(&w, ROLE_MEMBER, "V2", "two")) == NULL)
		return false;
	office_carry(&w, one);
	office_carry(&w, two);
	return true;
}

static void
end(void)
{
	peer_close(one);
	peer_close(two);
	office_close(&w);
}

/* Packed by the device for a relay, appended to the mail as it is. */
static void
give(struct peer *p, struct mail *m)
{
	struct stick_up up = {.bytes_max = STICK_BYTES_MAX};
	struct packed packed;
	struct writer out;
	struct bytes envelope;
	struct bundle b;
	size_t at = 0;

	writer_heap_init(&out, BUNDLE_BYTES_MAX);
	CHECK(stick_pack_up(p, &up, &out, &packed, &w.why) == E_OK &&
	      bundle_read(writer_view(&out), &b, &w.why) == E_OK);
	while (bundle_next(&b, &at, &envelope)) {
		writer_be32(&m->envelopes, (uint32_t)envelope.n);
		writer_bytes(&m->envelopes, envelope);
		m->count++;
		m->bytes += envelope.n;
	}
	writer_free(&out);
}

/* The node's answers, as a bundle; how many of the statuses are TAKEN. */
static unsigned
bring(const struct mail *m, uint64_t room, struct writer *answers)
{
	struct writer bundle, answer;
	uint32_t i, count = 0;
	unsigned taken = 0;

	writer_heap_init(&bundle, BUNDLE_BYTES_MAX);
	writer_heap_init(&answer, BUNDLE_BYTES_MAX);
	writer_heap_init(answers, BUNDLE_BYTES_MAX);
	if (mail_bundle(m, &bundle) == E_OK &&
	    satchel_take(w.node, writer_view(&bundle), &relay, room, &answer, &w.why) == E_OK)
		count = be32_get(answer.p);
	CHECK(count == m->count);
	for (i = 0; i < count; i++)
		taken += answer.p[4 + i] == SATCHEL_TAKEN;
	writer_bytes(answers, BYTES(answer.p + 4 + count, answer.n - 4 - count));
	writer_free(&bundle);
	writer_free(&answer);
	return taken;
}

/* One device asks, alone. */
static void
ask(struct peer *p, uint64_t room, struct writer *answers)
{
	struct mail m;

	mail_init(&m, w.node);
	give(p, &m);
	CHECK(bring(&m, room, answers) == m.count);
	mail_free(&m);
}

static struct mail_taken
take(struct peer *p, struct bytes answers)
{
	struct mail_taken taken = {0};
	struct bundle b;

	CHECK(bundle_read(answers, &b, &w.why) == E_OK &&
	      stick_take(p, &b, &taken, NULL, NULL, &w.why) == E_OK);
	return taken;
}

/* The n-th envelope of a bundle, in one of its own, with one byte changed at `at` if that is not
 * SIZE_MAX. */
static struct bytes
alone(struct bytes answers, unsigned n, size_t change, struct writer *out)
{
	struct bundle_writer bw;
	struct bytes envelope;
	struct bundle b;
	size_t at = 0;

	CHECK(bundle_read(answers, &b, &w.why) == E_OK && b.whole > n);
	do
		(void)bundle_next(&b, &at, &envelope);
	while (n-- > 0);
	writer_heap_init(out, BUNDLE_BYTES_MAX);
	CHECK(bundle_begin(&bw, out, 1, envelope.n) == E_OK);
	if (change != SIZE_MAX)
		((uint8_t *)(uintptr_t)envelope.p)[change % envelope.n] ^= 1;
	CHECK(bundle_add(&bw, envelope) == E_OK);
	if (change != SIZE_MAX)
		((uint8_t *)(uintptr_t)envelope.p)[change % envelope.n] ^= 1;
	return writer_view(out);
}

/* Changed anywhere it brings nothing; as another's it brings nothing; whole it brings all, once. */
static void
answers_changed_and_swapped(void)
{
	struct writer answers, out;
	struct mail_taken t;
	size_t at;
	uint64_t was;

	REQUIRE(begin());
	says_more('a', 3);
	was = office_taken(one, 0);
	ask(one, SATCHEL_ANSWERS_BYTES_MAX, &answers);
	for (at = 1; at < 4000; at += at < 120 ? 7 : 211) {
		t = take(one, alone(writer_view(&answers), 0, at, &out));
		CHECK_MSG(t.downs == 0 && t.receipts == 0, "changed at %zu: taken", at);
		writer_free(&out);
	}
	CHECK(office_taken(one, 0) == was);
	t = take(two, writer_view(&answers));
	CHECK(t.others == 1 && t.receipts == 0 && t.downs == 0);
	for (at = 1; at < answers.n; at += 97) {
		struct bundle b;

		CHECK(bundle_read(BYTES(answers.p, at), &b, &w.why) != E_OK || b.whole == 0);
	}
	t = take(one, writer_view(&answers));
	CHECK(t.downs == 1 && t.receipts == 1 && t.refused == 0 && office_taken(one, 0) == was + 1);
	t = take(one, writer_view(&answers)); /* it is waited for no more */
	CHECK(t.downs == 0 && t.receipts == 0 && t.refused == 0);
	CHECK(office_taken(one, 0) == was + 1);
	writer_free(&answers);
	end();
}

/* Kept back, and handed over in another order: each says all from where the author stood; nothing
 * goes back. */
static void
answers_late(void)
{
	struct writer first, second;
	struct mail_taken t;
	uint64_t was;

	REQUIRE(begin());
	was = office_taken(one, 0);
	says_more('a', 3);
	ask(one, SATCHEL_ANSWERS_BYTES_MAX, &first);
	says_more('b', 3);
	ask(one, SATCHEL_ANSWERS_BYTES_MAX, &second);
	t = take(one, writer_view(&second));
	CHECK(t.downs == 2 && office_taken(one, 0) == was + 2);
	t = take(one, writer_view(&first));
	CHECK(t.downs == 0 && t.duplicates == 1 && t.refused == 0 &&
	      office_taken(one, 0) == was + 2);
	writer_free(&first);
	writer_free(&second);
	end();
}

/* Asked for thirty times in one visit: what is new is said once, and no more than there is room
 * for. */
static void
asked_many_times(void)
{
	struct writer once, answers;
	struct mail m;
	unsigned i;

	REQUIRE(begin());
	says_more('a', 60);
	says_more('b', 60);
	ask(one, SATCHEL_ANSWERS_BYTES_MAX, &once);
	mail_init(&m, w.node);
	for (i = 0; i < 30; i++)
		give(one, &m);
	give(two, &m);
	CHECK(bring(&m, SATCHEL_ANSWERS_BYTES_MAX, &answers) == 31);
	CHECK_MSG(answers.n < 2 * once.n + 30 * 1300, "%zu bytes, once %zu", answers.n, once.n);
	CHECK(take(two, writer_view(&answers)).downs ==
	      2); /* the neighbour is not the poorer for it */
	writer_free(&answers);
	CHECK(bring(&m, 0, &answers) == 31);
	CHECK_MSG(answers.n <= 31 * 1200 + BUNDLE_HEAD_BYTES, "%zu bytes without room", answers.n);
	CHECK(take(one, writer_view(&answers)).receipts >= 1 &&
	      office_taken(two, 0) > office_taken(one, 0));
	writer_free(&answers);
	mail_free(&m);
	ask(one, UINT64_MAX, &answers);
	CHECK(answers.n < SATCHEL_ASK_BYTES_MAX && take(one, writer_view(&answers)).downs == 2);
	writer_free(&answers);
	writer_free(&once);
	end();
}

/* A word that has no room is not said by halves: the next ones wait behind it, and all come when
 * there is. */
static void
a_little_room(void)
{
	struct writer answers;
	uint64_t was;

	REQUIRE(begin());
	was = office_taken(one, 0);
	says_more('a', 60);
	says_more('b', 1);
	ask(one, 4096 + 700, &answers);
	CHECK(take(one, writer_view(&answers)).downs == 0 && office_taken(one, 0) == was);
	writer_free(&answers);
	ask(one, 4096 + 3000, &answers);
	CHECK(take(one, writer_view(&answers)).downs >= 1 && office_taken(one, 0) > was);
	writer_free(&answers);
	ask(one, SATCHEL_ANSWERS_BYTES_MAX, &answers);
	(void)take(one, writer_view(&answers));
	CHECK(office_taken(one, 0) == was + 2);
	writer_free(&answers);
	end();
}

/* Who was shut out is told nothing, by whatever envelope: also one that it made before. */
static void
who_was_shut_out(void)
{
	struct principal_id who;
	struct writer answers;
	struct bundle b;
	struct mail m;
	char hex[2 * ID_BYTES + 1];

	REQUIRE(begin());
	office_finish(one, peer_self(one), "V1", five, false, hex);
	mail_init(&m, w.node);
	give(one, &m);
	says_more('a', 3);
	CHECK(enrol_revoke(w.node, &w.node->identities[1], "one", "seized", &who, &w.why) == E_OK);
	(void)bring(&m, SATCHEL_ANSWERS_BYTES_MAX, &answers);
	CHECK(bundle_read(writer_view(&answers), &b, &w.why) == E_OK && b.whole == 0);
	mail_free(&m);
	writer_free(&answers);
	end();
}

/* ---- pieces of an attachment, on their way up ---- */

#define CHUNKS 10u /* in pieces of three */

static enum err
keep_job(struct store_txn *txn, void *arg)
{
	return attached_keep(txn, arg, &peer_self(one)->id, false);
}

/* The device's bundle, and in `at` where each of its envelopes begins: where it stands, then the
 * pieces. */
static bool
pack_pieces(struct attached_new *file, struct writer *out, struct bytes *envelopes, size_t most)
{
	static uint8_t plain[(CHUNKS - 1) * ATTACH_CHUNK_BYTES + 100];
	struct stick_up up = {.attached = true, .bytes_max = STICK_BYTES_MAX};
	struct packed packed;
	struct bundle b;
	size_t at = 0, n = 0;

	writer_heap_init(out, BUNDLE_BYTES_MAX);
	if (attached_seal(file, "page.jpg", BYTES(plain, sizeof(plain))) != E_OK ||
	    store_write(one->store, keep_job, file) != E_OK ||
	    stick_pack_up(one, &up, out, &packed, &w.why) != E_OK || packed.pieces != 4 ||
	    bundle_read(writer_view(out), &b, &w.why) != E_OK)
		return false;
	while (n < most && bundle_next(&b, &at, &envelopes[n]))
		n++;
	return n == most;
}

/* Envelopes by their digits, as a relay brings them; the statuses, and how many chunks the office
 * has then. */
static const char *
brings(const struct bytes *envelopes, const char *which, const struct attach_id *id,
       struct writer *answers)
{
	static char said[64];
	struct writer bundle, answer;
	struct attached a = {.held = 0};
	struct store_txn *txn;
	uint32_t i, count = 0;
	struct mail m;

	mail_init(&m, w.node);
	writer_heap_init(&bundle, BUNDLE_BYTES_MAX);
	writer_heap_init(&answer, BUNDLE_BYTES_MAX);
	writer_reset(answers);
	for (; *which != '\0'; which++) {
		struct bytes e = envelopes[*which - '0'];

		writer_be32(&m.envelopes, (uint32_t)e.n);
		writer_bytes(&m.envelopes, e);
		m.count++;
		m.bytes += e.n;
	}
	if (mail_bundle(&m, &bundle) == E_OK &&
	    satchel_take(w.node, writer_view(&bundle), &relay, SATCHEL_ANSWERS_BYTES_MAX, &answer,
			 &w.why) == E_OK)
		count = be32_get(answer.p);
	for (i = 0; i < count && i < 16; i++)
		said[i] = (char)('0' + answer.p[4 + i]);
	writer_bytes(answers, BYTES(answer.p + 4 + count, answer.n - 4 - count));
	if (store_read_begin(w.node->store, &txn) == E_OK) {
		(void)attached_get(txn, id, &a);
		store_read_end(txn);
	}
	(void)snprintf(said + i, 20, " %u", a.held);
	mail_free(&m);
	writer_free(&bundle);
	writer_free(&answer);
	return said;
}

static void
pieces_that_a_relay_turns_round(void)
{
	struct bytes e[6]; /* where the device stands, four pieces, and one of them changed */
	struct attached_new file;
	struct writer out, answers, changed;
	struct mail_taken t;

	REQUIRE(begin() && pack_pieces(&file, &out, e, 5));
	writer_heap_init(&answers, BUNDLE_BYTES_MAX);
	writer_heap_init(&changed, BUNDLE_BYTES_MAX);
	writer_bytes(&changed, e[1]);
	changed.p[e[1].n / 2] ^= 1;
	e[5] = writer_view(&changed);
	CHECK_STR(brings(e, "32", &file.ref.id, &answers),
		  "33 0"); /* nothing without the list, in the first */
	CHECK_STR(brings(e, "5", &file.ref.id, &answers), "3 0");
	CHECK_STR(brings(e, "132", &file.ref.id, &answers),
		  "131 6"); /* what is out of its place is not kept */
	CHECK_STR(brings(e, "1122", &file.ref.id, &answers), "1111 6");
	t = take(two, writer_view(&answers));
	CHECK(t.envelopes == 0);
	CHECK_STR(brings(e, "340", &file.ref.id, &answers), "111 10");
	t = take(one,
		 writer_view(&answers)); /* the word that goes back covers what came beside it */
	CHECK(t.attachments == 1 && t.receipts == 1 && t.refused == 0);
	CHECK_STR(brings(e, "4321", &file.ref.id, &answers), "1111 10");
	attached_free(&file);
	writer_free(&out);
	writer_free(&changed);
	writer_free(&answers);
	end();
}

CHECK_MAIN(T(answers_changed_and_swapped), T(answers_late), T(asked_many_times), T(a_little_room),
	   T(who_was_shut_out), T(pieces_that_a_relay_turns_round))
