/*
 * test_hostile_roads: whom a device meets on its way: a relay that is none, or lies; one that
 * answers on the LAN. And what a relay keeps of what it brought to its node.
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "tests/road_world.h"
#include "tools/node/roads/handed.h"

/* ---- a relay that is none, or lies ---- */

enum lie { NONE, OF_OTHERS, REFLECTED, CUT, NO_HINTS, STRANGE_HINTS, TAKES_NOTHING };

static struct {
	uv_loop_t loop;
	uv_async_t stop;
	struct net_server *server;
	struct net_conn *conn;
	struct ec_key own;
	enum lie lie;
	unsigned gives; /* how often it was given something */
	bool giving;
} liar;

static enum err
liar_trust(void *ctx, const struct net_peer *who, struct net_trust *out, char *thing)
{
	(void)ctx, (void)who, (void)thing;
	memset(out, 0, sizeof(*out));
	return E_OK;
}

static void
liar_event(void *ctx, struct net_conn *conn, const struct session_event *ev)
{
	struct session *s = net_conn_session(conn);
	struct programme_id others = w.node->programme.id;
	uint8_t answer[MEETING_PROOF_BYTES + 8 + 2 * ENVELOPE_HINT_BYTES] = {0};
	const struct ec_public *device = &net_conn_peer(conn)->key;
	uint64_t now_ms = net_conn_now_ms(conn);
	size_t n = MEETING_PROOF_BYTES + 8;
	struct meeting_key key;

	(void)ctx;
	if (ev->kind == SESSION_ASK)
		liar.giving = bytes_equal(ev->u.ask.verb, BYTES_LIT(GIVE_VERB));
	if (ev->kind != SESSION_INPUT || ev->u.input.n > 0)
		return;
	if (liar.giving) {
		liar.gives++;
		session_done(s, liar.lie == TAKES_NOTHING ? 75 : 0, now_ms);
		return;
	}
	others.b[0] ^= liar.lie == OF_OTHERS;
	meeting_key_of(&key, &others, &w.node->programme.root);
	meeting_proof(answer, &key, liar.lie == REFLECTED ? NULL : &liar.own.pub, device);
	be64_put(answer + MEETING_PROOF_BYTES, SATCHEL_ASK_BYTES_MAX);
	n += liar.lie == NO_HINTS        ? ENVELOPE_HINT_BYTES - 1
	     : liar.lie == STRANGE_HINTS ? 2 * ENVELOPE_HINT_BYTES
					 : 0;
	CHECK(session_answer(s, STREAM_OUT,
			     BYTES(answer, liar.lie == CUT ? MEETING_PROOF_BYTES + 7 : n),
			     now_ms) == E_OK);
	session_done(s, 0, now_ms);
}

static void
liar_closed(void *ctx, struct net_conn *conn)
{
	(void)ctx, (void)conn;
}

static void
liar_stop(uv_async_t *async)
{
	net_server_stop(liar.server, 500);
	uv_close((uv_handle_t *)async, NULL);
}

static void *
lying(void *arg)
{
	struct net_server_config config = {
	    .loop = &liar.loop, .trust = liar_trust, .event = liar_event, .closed = liar_closed};
	struct principal_id id = {"liar-00000000001"};
	struct writer der;

	(void)arg;
	writer_heap_init(&der, 4096);
	if (crypto_ec_new(&liar.own) != E_OK || cert_make(&liar.own, &id, &der) != E_OK)
		abort();
	config.identity = (struct net_identity){&liar.own, writer_view(&der)};
	uv_loop_init(&liar.loop);
	uv_async_init(&liar.loop, &liar.stop, liar_stop);
	if (net_server_open(&liar.server, &config, "127.0.0.1:0", NULL) != E_OK)
		abort();
	ready(NULL, net_server_address(liar.server));
	uv_run(&liar.loop, UV_RUN_DEFAULT);
	net_server_free(liar.server);
	CHECK(uv_loop_close(&liar.loop) == 0);
	writer_free(&der);
	return NULL;
}

static enum err
count_one(void *arg, const struct handed *row)
{
	(void)row;
	++*(size_t *)arg;
	return E_OK;
}

static size_t
handed_to(struct peer *p)
{
	struct store_txn *txn;
	size_t n = 0;

	if (store_read_begin(p->store, &txn) != E_OK)
		return SIZE_MAX;
	CHECK(handed_walk(txn, count_one, &n) == E_OK);
	store_read_end(txn);
	return n;
}

/* Who cannot prove that it is of the programme is given nothing; and what was not taken does not
 * count as handed over. */
static void
what_a_device_gives(void)
{
	static const struct {
		enum lie lie;
		enum err e;
		unsigned gives;
		size_t handed;
	} rows[] = {{OF_OTHERS, E_RELAY, 0, 0},
		    {REFLECTED, E_RELAY, 0, 0},
		    {CUT, E_RELAY, 0, 0},
		    {NO_HINTS, E_RELAY, 0, 0},
		    {TAKES_NOTHING, E_RELAY_FULL, 1, 0},
		    {STRANGE_HINTS, E_OK, 1, 1},
		    {NONE, E_OK, 0, 1}}; /* it has it all */
	struct via_result result;
	char id[2 * ID_BYTES + 1];
	struct peer *device;
	pthread_t t;
	size_t i;

	REQUIRE(office_with_record(&w, &device, id));
	t = start(lying);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum err e;

		liar.lie = rows[i].lie;
		liar.gives = 0;
		why = (struct why){.e = E_OK};
		e = via_meet(device, at.address, &result, &why);
		CHECK_MSG(e == rows[i].e && why.e == e, "lie %d: %s", rows[i].lie, err_name(e));
		CHECK_MSG(liar.gives == rows[i].gives, "lie %d: given %u times", rows[i].lie,
			  liar.gives);
		CHECK_MSG(handed_to(device) == rows[i].handed, "lie %d: %zu", rows[i].lie,
			  handed_to(device));
	}
	uv_async_send(&liar.stop);
	pthread_join(t, NULL);
	peer_close(device);
	office_close(&w);
}

/* ---- who answers on the LAN ---- */

static struct {
	int fd;
	bool honest;
} lan;

static void *
answering(void *arg)
{
	uint8_t question[BEACON_BYTES], answer[BEACON_BYTES + 1] = {0};
	struct sockaddr_in from;
	socklen_t n = sizeof(from);
	struct meeting_key key, others;
	struct programme_id other = w.node->programme.id;

	(void)arg;
	other.b[0] ^= 1;
	meeting_key_of(&key, &w.node->programme.id, &w.node->programme.root);
	meeting_key_of(&others, &other, &w.node->programme.root);
	if (recvfrom(lan.fd, question, sizeof(question), 0, (struct sockaddr *)&from, &n) !=
	    BEACON_BYTES)
		return NULL;
	CHECK(sendto(lan.fd, question, BEACON_BYTES, 0, (struct sockaddr *)&from, n) ==
	      BEACON_BYTES); /* what was asked */
	beacon_answer(answer, &others, question, 1111);
	CHECK(sendto(lan.fd, answer, BEACON_BYTES, 0, (struct sockaddr *)&from, n) == BEACON_BYTES);
	beacon_answer(answer, &key, question, 2222);
	CHECK(sendto(lan.fd, answer, BEACON_BYTES - 1, 0, (struct sockaddr *)&from, n) ==
	      BEACON_BYTES - 1);
	CHECK(sendto(lan.fd, answer, BEACON_BYTES + 1, 0, (struct sockaddr *)&from, n) ==
	      BEACON_BYTES + 1);
	question[0] ^= 1; /* another's question */
	beacon_answer(answer, &key, question, 3333);
	CHECK(sendto(lan.fd, answer, BEACON_BYTES, 0, (struct sockaddr *)&from, n) == BEACON_BYTES);
	question[0] ^= 1;
	beacon_answer(answer, &key, question, 4444);
	if (lan.honest) {
		CHECK(sendto(lan.fd, answer, BEACON_BYTES, 0, (struct sockaddr *)&from, n) ==
		      BEACON_BYTES);
		CHECK(sendto(lan.fd, answer, BEACON_BYTES, 0, (struct sockaddr *)&from, n) ==
		      BEACON_BYTES);
	}
	return NULL;
}

static void
who_answers(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(here);
	char where[64], address[64];
	pthread_t t;
	int i;

	REQUIRE(office_open(&w));
	lan.fd = socket(AF_INET, SOCK_DGRAM, 0);
	REQUIRE(bind(lan.fd, (struct sockaddr *)&here, sizeof(here)) == 0 &&
		getsockname(lan.fd, (struct sockaddr *)&here, &n) == 0);
	snprintf(where, sizeof(where), "127.0.0.1:%u", (unsigned)ntohs(here.sin_port));
	for (i = 0; i < 2; i++) {
		lan.honest = i == 1;
		REQUIRE(pthread_create(&t, NULL, answering, NULL) == 0);
		why = (struct why){.e = E_OK};
		CHECK(via_discover(w.node, where, address, &why) == (i == 1 ? E_OK : E_CONNECT) &&
		      why.e == (i == 1 ? E_OK : E_CONNECT));
		CHECK_STR(address, i == 1 ? "127.0.0.1:4444" : "");
		pthread_join(t, NULL);
		while (recv(lan.fd, address, sizeof(address), MSG_DONTWAIT) > 0)
			;
	}
	CHECK(via_discover(w.node, "[::1]:7448", address, &why) == E_USAGE &&
	      via_discover(w.node, "7448", address, &why) != E_OK);
	close(lan.fd);
	office_close(&w);
}

/* ---- what a relay keeps of what it brought ---- */

/* An envelope that names the office for `area`, with a letter that is none. */
static bool
put_letter(struct mail *m, struct peer *relay, const char *area)
{
	char own[sizeof(relay->home.area)];
	bool good;

	memcpy(own, relay->home.area, sizeof(own));
	snprintf(relay->home.area, sizeof(relay->home.area), "%s", area);
	mail_to_office(m);
	good =
	    mail_letter(m, BYTES_LIT("\x92\x01\xc4\x03xyz")) == E_OK && mail_seal(m, NULL) == E_OK;
	memcpy(relay->home.area, own, sizeof(own));
	return good;
}

static enum err
keep_job(struct store_txn *txn, void *arg)
{
	const struct writer *envelopes = arg;
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < envelopes->n && e == E_OK; i += 4 + be32_get(envelopes->p + i))
		e = satchel_put(txn, SATCHEL_UP,
				BYTES(envelopes->p + i + 4, be32_get(envelopes->p + i)), 1000,
				SIZE_MAX);
	return e;
}

static void
what_a_relay_keeps(void)
{
	struct satchel_limits limits = SATCHEL_LIMITS_DEFAULT;
	struct peer *relay;
	uint64_t brought;
	struct mail m;
	pthread_t t;

	REQUIRE(office_open(&w) && (relay = office_join(&w, ROLE_MEMBER, "V2", "relay")) != NULL);
	mail_init(&m, relay);
	REQUIRE(put_letter(&m, relay, "D") && put_letter(&m, relay, "X") &&
		put_letter(&m, relay, "D") && m.count == 3);
	REQUIRE(store_write(relay->store, keep_job, &m.envelopes) == E_OK && carries(relay) == 3);
	t = begin(w.node, true, 0);
	snprintf(relay->home.address, sizeof(relay->home.address), "%s", at.address);
	why = (struct why){.e = E_OK};
	/* refused ones go; one for another office waits until somebody comes by there */
	CHECK_MSG(via_upload(relay, &limits, &brought, &why) == E_OK && brought == 0, "%s %s",
		  err_name(why.e), why.thing);
	CHECK(carries(relay) == 1);
	CHECK(via_upload(relay, &limits, &brought, &why) == E_OK && carries(relay) == 1);
	end(t);
	mail_free(&m);
	peer_close(relay);
	office_close(&w);
}

CHECK_MAIN(T(what_a_device_gives), T(who_answers), T(what_a_relay_keeps))
