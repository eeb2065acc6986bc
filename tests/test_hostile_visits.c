/*
 * test_hostile_visits: who meets a relay: a device of the programme, or one that is none, that says
 * what it likes.
 */
#include "tests/road_world.h"

struct said {
	const char *verb;
	struct bytes input;
	bool no_input, no_proof, no_answer;
};

struct visitor {
	struct ec_key own;
	const struct said *now;
	struct writer answer;
	char proof[2 * MEETING_PROOF_BYTES + 1];
	size_t sent;
	uint8_t status;
};

static void
say_on(void *ctx, struct session *s, uint64_t now_ms)
{
	struct visitor *v = ctx;

	while (!v->now->no_input && v->sent <= v->now->input.n) {
		size_t left = v->now->input.n - v->sent,
		       k = left < CHUNK_BYTES_MAX ? left : CHUNK_BYTES_MAX;

		if (session_input(s, BYTES(v->now->input.p + v->sent, k), now_ms) != E_OK)
			return;
		v->sent += k > 0 ? k : 1;
	}
}

static void
say_first(void *ctx, struct session *s, uint64_t now_ms)
{
	struct visitor *v = ctx;
	const char *args[1] = {v->proof};

	writer_reset(&v->answer);
	v->sent = 0;
	CHECK(session_ask(s, v->now->verb, args, v->now->no_proof ? 0 : 1, !v->now->no_input,
			  now_ms) == E_OK);
	say_on(v, s, now_ms);
}

static void
heard(void *ctx, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	struct visitor *v = ctx;

	(void)s;
	(void)now_ms;
	if (ev->kind == SESSION_ANSWER && ev->u.answer.stream == STREAM_OUT)
		writer_bytes(&v->answer, ev->u.answer.bytes);
	else if (ev->kind == SESSION_FINISHED)
		v->status = ev->u.finished.exit_status;
}

/* All in one connection, until one is refused; E_RELAY_FULL: the last one ended with its status.
 * `bent`: the proof. */
static enum err
visit(const struct said *says, size_t count, bool bent, size_t *answered)
{
	struct net_client_config config = {.address = at.address,
					   .any_key = true,
					   .begin = say_first,
					   .event = heard,
					   .room = say_on};
	uint8_t proof[MEETING_PROOF_BYTES];
	struct net_client *client = NULL;
	struct visitor v = {.now = says};
	struct net_counts counts;
	struct meeting_key key;
	struct writer der;
	enum err e;
	size_t i;

	writer_heap_init(&der, 4096);
	writer_heap_init(&v.answer, BUNDLE_BYTES_MAX);
	CHECK(crypto_ec_new(&v.own) == E_OK);
	crypto_random(config.device.b, ID_BYTES);
	meeting_key_of(&key, &w.node->programme.id, &w.node->programme.root);
	meeting_proof(proof, &key, NULL, &v.own.pub);
	proof[31] ^= bent;
	hex_encode(v.proof, proof, sizeof(proof));
	CHECK(cert_make(&v.own, &config.device, &der) == E_OK);
	config.identity = (struct net_identity){&v.own, writer_view(&der)};
	config.ctx = &v;
	why = (struct why){.e = E_OK};
	e = net_client_open(&client, &config, &counts, &why);
	for (i = 1; e == E_OK && i < count; i++) {
		v.now = &says[i];
		e = net_client_again(client, &counts, &why);
	}
	*answered = v.answer.n;
	if (e == E_OK && v.status != 0)
		e = v.status == 75 ? E_RELAY_FULL : E_INTERNAL;
	net_client_close(client);
	writer_free(&v.answer);
	writer_free(&der);
	return e;
}

#define LEAST (ENVELOPE_HEAD_BYTES + ENVELOPE_LEAST_BYTES + AEAD_TAG_BYTES)

/* be32 hints said, so many hints, a bundle of the envelopes: each of the kind that a letter says.
 */
static struct bytes
gives(struct writer *out, uint32_t said, uint32_t hints, const char *kinds)
{
	static uint8_t envelope[LEAST], zeros[ENVELOPE_HINT_BYTES];
	uint32_t count = (uint32_t)strlen(kinds);
	struct bundle_writer b;

	writer_reset(out);
	writer_be32(out, said);
	while (hints-- > 0)
		writer_mem(out, zeros, sizeof(zeros));
	CHECK(bundle_begin(&b, out, count, count * (uint64_t)LEAST) == E_OK);
	for (; *kinds != '\0'; kinds++) {
		crypto_random(envelope, sizeof(envelope));
		envelope[0] = *kinds == 'v' ? 9 : 1;                       /* of a later version */
		envelope[1 + ENVELOPE_HINT_BYTES] = *kinds == 'e' ? 5 : 4; /* none */
		CHECK(bundle_add(&b, BYTES(envelope, sizeof(envelope))) == E_OK);
	}
	return writer_view(out);
}

#define MEET \
	{ \
		.verb = MEET_VERB \
	}

static void
who_has_no_proof(void)
{
	static const struct said bare[] = {{.verb = GIVE_VERB},
					   {.verb = MEET_VERB, .no_proof = true},
					   {.verb = "carry"},
					   {.verb = MEET_VERB, .no_input = true}};
	struct said later[2] = {MEET, {.verb = GIVE_VERB, .no_input = true}}, meet = MEET;
	struct peer *relay;
	size_t i, answered;
	enum err e;
	pthread_t t;

	REQUIRE(office_open(&w) && (relay = office_join(&w, ROLE_MEMBER, "V2", "relay")) != NULL);
	t = begin(relay, false, SATCHEL_BYTES_MAX);
	for (i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
		e = visit(&bare[i], 1, false, &answered);
		CHECK_MSG(e == E_STRANGER && answered == 0, "%s: %s, %zu bytes", bare[i].verb,
			  err_name(e), answered);
	}
	CHECK(visit(&meet, 1, true, &answered) == E_STRANGER && answered == 0);
	CHECK(visit(&meet, 1, false, &answered) == E_OK && answered == MEETING_PROOF_BYTES + 8);
	CHECK(visit(later, 2, false, &answered) == E_STRANGER && answered == 0);
	later[1] = (struct said){.verb = "carry"}; /* who met once is nobody to another verb */
	CHECK(visit(later, 2, false, &answered) == E_STRANGER && answered == 0);
	end(t);
	peer_close(relay);
	office_close(&w);
}

/* Counts and lengths that are not so, what is no envelope, more than there is room for. */
static void
what_a_visitor_gives(void)
{
	static const struct {
		const char *what, *kinds;
		uint32_t said, hints;
		size_t cut; /* so many bytes of it only */
		enum err e;
		uint64_t kept;
	} rows[] = {{"nothing", "", 0, 0, 1, E_FRAME, 0},
		    {"three bytes", "", 0, 0, 4, E_FRAME, 0},
		    {"more hints than there are", "", 4, 1, 0, E_FRAME, 0},
		    {"more hints than may be", "", SATCHEL_ROWS_MAX + 1, SATCHEL_ROWS_MAX + 1, 0,
		     E_FRAME, 0},
		    {"the most hints", "g", SATCHEL_ROWS_MAX, SATCHEL_ROWS_MAX, 0, E_OK, 1},
		    {"no bundle", "g", 1, 0, 0, E_PROTOCOL, 0}, /* its head is taken for a hint */
		    {"half a head", "g", 0, 0, 16, E_PROTOCOL, 0},
		    {"none among good ones", "gevg", 0, 0, 0, E_OK, 2},
		    {"nothing that is one", "ev", 0, 0, 0, E_RELAY_FULL, 0},
		    {"more than goes in", "ggggg", 0, 0, 0, E_OK, 3},
		    {"one more yet", "g", 0, 0, 0, E_OK, 1}};
	static char many[7600];
	struct said says[2] = {MEET, {.verb = GIVE_VERB}};
	struct peer *relay;
	struct writer out;
	uint64_t had = 0;
	size_t i, answered;
	enum err e;
	pthread_t t;

	REQUIRE(office_open(&w) && (relay = office_join(&w, ROLE_MEMBER, "V2", "relay")) != NULL);
	t = begin(relay, false, 10 * LEAST);
	writer_heap_init(&out, 20u << 20);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		says[1].input = gives(&out, rows[i].said, rows[i].hints, rows[i].kinds);
		if (rows[i].cut > 0)
			says[1].input.n = rows[i].cut - 1;
		e = visit(says, 2, false, &answered);
		CHECK_MSG(e == rows[i].e, "%s: %s %s", rows[i].what, err_name(e), why.thing);
		had += rows[i].kept;
		CHECK_MSG(carries(relay) == had, "%s: %llu", rows[i].what,
			  (unsigned long long)carries(relay));
	}
	/* a bundle that is whole, and more than one meeting brings */
	memset(many, 'g', sizeof(many) - 1);
	says[1].input = gives(&out, 0, 0, many);
	CHECK(says[1].input.n >
	      SATCHEL_ASK_BYTES_MAX + 4u + SATCHEL_ROWS_MAX * ENVELOPE_HINT_BYTES);
	e = visit(says, 2, false, &answered);
	CHECK_MSG(e == E_PROTOCOL && carries(relay) == had, "%s, %llu", err_name(e),
		  (unsigned long long)carries(relay));
	many[7400] = '\0';
	says[1].input = gives(&out, 0, 0, many);
	CHECK(visit(says, 2, false, &answered) == E_OK && carries(relay) > had);
	end(t);
	writer_free(&out);
	peer_close(relay);
	office_close(&w);
}

CHECK_MAIN(T(who_has_no_proof), T(what_a_visitor_gives))
