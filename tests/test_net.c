/* Real connections over loopback: what they cost, who is let in, what is kept of them. */
#include "sync/net/tls_cache.h"
#include "tests/net_world.h"

static void
handshakes_and_their_price(void)
{
	world_up(1, 0);
	node_start();
	CHECK_MSG(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK, "%s %s", err_name(why.e),
		  why.thing);
	CHECK(d.verified && n.own.number == 1 && !counts.resumed &&
	      ID_EQUAL(&node.last_peer, &device.id));
	printf(
	    "  full handshake %llu B of %llu in all, %llu writes, %llu turns (target <= 1200 B)\n",
	    (unsigned long long)counts.handshake_bytes,
	    (unsigned long long)(counts.bytes_in + counts.bytes_out),
	    (unsigned long long)counts.writes, (unsigned long long)counts.turns);
	CHECK(counts.handshake_bytes <= 1200 && counts.turns <= 3);
	CHECK(saved_n > 0);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK);
	CHECK(d.verified && counts.resumed && node.trusts == 2);
	printf(
	    "  resumed, nothing new: handshake %llu B of %llu in all, %llu writes, %llu turns (targets <= 302, <= 400 B)\n",
	    (unsigned long long)counts.handshake_bytes,
	    (unsigned long long)(counts.bytes_in + counts.bytes_out),
	    (unsigned long long)counts.writes, (unsigned long long)counts.turns);
	/* to the byte: an extension more (a ticket's, a name's, a longer list) costs four and more
	 */
	CHECK(counts.handshake_bytes <= 302 && counts.bytes_in + counts.bytes_out <= 388);
	CHECK(counts.writes == 2 && counts.turns == 2);
	log_add_text(&d.own, "report of three hundred bytes or so", 2);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK);
	CHECK(d.verified && counts.resumed && counts.turns == 2 && n.own.number == 2);
	printf("  resumed, one parcel of 38 B: %llu in all\n",
	       (unsigned long long)(counts.bytes_in + counts.bytes_out));
	node_stop();
	CHECK(node.closed == 3);
}

static void
resumption_is_asked_again_and_survives_refusal(void)
{
	world_up(0, 0);
	node_start();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified);
	node.trust_says = E_REVOKED;
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_REVOKED && counts.resumed);
	CHECK_STR(why.thing, "since Monday");
	CHECK(d.reason == E_REVOKED);
	node.trust_says = E_OK;
	saved[60] ^= 0xff; /* a session that the node does not know, or that does not fit: a full
			      handshake */
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK || why.e == E_TLS);
	saved_n = 7;
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified && !counts.resumed);
	node_stop();
	node_start(); /* a node that forgot */
	CHECK(saved_n > 7);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified && !counts.resumed);
	node_stop();
	node.keeps = true; /* and one whose host remembers */
	saved_n = 0;
	node_start();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified && !counts.resumed);
	node_stop();
	CHECK(node.kept_n > 0);
	node_start();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified && counts.resumed);
	node.kept[40] ^= 0xff; /* kept badly: a full handshake, or none; never a wrong one */
	node_stop();
	node_start();
	d.verified = false;
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK ? d.verified && !counts.resumed
							      : why.e == E_TLS);
	node_stop();
}

/* After so many uses a session is renewed in full: every second time it is refused, so that a link
 * that carries no full handshake goes on. Revoked, it is nobody's. */
static void
used_up(void)
{
	struct tls_cache_host host = {0};
	uint8_t id[TLS_SESSION_ID_BYTES] = {1}, memory[64];
	struct principal_id who = {{2}};
	struct tls_cache *c;
	struct writer w;
	unsigned i;

	REQUIRE(tls_cache_new(&c, &host) == E_OK);
	tls_cache_put(c, id, &who, BYTES_LIT("a session"));
	for (i = 0; i < TLS_RESUMPTIONS_MAX + 4; i++) {
		writer_init(&w, memory, sizeof(memory));
		CHECK_MSG(tls_cache_get(c, id, &w) == (i < TLS_RESUMPTIONS_MAX || i % 2 == 1),
			  "use %u", i + 1);
	}
	id[1] = 1; /* each session has an id of its own */
	tls_cache_put(c, id, &who, BYTES_LIT("a new one"));
	writer_init(&w, memory, sizeof(memory));
	CHECK(tls_cache_get(c, id, &w) && bytes_equal(writer_view(&w), BYTES_LIT("a new one")));
	tls_cache_forget(c, &who);
	CHECK(!tls_cache_get(c, id, &w));
	tls_cache_free(c);
}

/* A revoked one is cut at once, also in the middle, and told why; and its session is forgotten. */
static void
forgetting(void)
{
	world_up(0, 0);
	node_start();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && !counts.resumed);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && counts.resumed);
	node.forget = true;
	uv_async_send(&node.stop);
	uv_sem_wait(&node.ready);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && !counts.resumed);
	node.forget_inside = true;
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_REVOKED && d.reason == E_REVOKED);
	CHECK_STR(why.thing, "lost on the road");
	node_stop();
}

/* Somebody's browser, if openssl can play it. */
static void
http_is_answered(void)
{
	char command[300], line[200] = "";
	FILE *p;

	if (system("command -v openssl >/dev/null 2>&1") != 0)
		SKIP("no openssl program here");
	world_up(0, 0);
	node_start();
	snprintf(
	    command, sizeof(command),
	    "printf 'GET / HTTP/1.1\r\n\r\n' | timeout 10 openssl s_client -quiet -tls1_2 -alpn http/1.1 "
	    "-connect %s 2>/dev/null",
	    node.address);
	CHECK((p = popen(command, "r")) != NULL);
	CHECK(fgets(line, sizeof(line), p) != NULL);
	CHECK_STR(line, "HTTP/1.1 501 Not Implemented\r\n");
	pclose(p);
	CHECK(node.trusts == 0);
	node_stop();
}

static void
strangers(void)
{
	world_up(1, 2);
	node.stranger = true;
	node_start();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_STRANGER);
	CHECK(n.hellos == 0 && !d.verified);
	CHECK_MSG(go(DO_JOIN, &node.me.key.pub, false, 0) == E_OK, "%s", why.thing);
	CHECK(n.joins == 1 && d.welcomes == 1 && d.verified && d.down[0].number == 2);
	n.refuse_join = true;
	CHECK(go(DO_JOIN, &node.me.key.pub, false, 0) == E_INVITE_USED);
	node_stop();
}

static void
another_key_than_pinned(void)
{
	struct ec_key other;

	world_up(1, 0);
	CHECK(crypto_ec_new(&other) == E_OK);
	node_start();
	CHECK(go(DO_SYNC, &other.pub, false, 0) == E_NODE_KEY);
	CHECK(node.trusts == 0 && n.hellos == 0);
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_OK && d.verified);
	CHECK(go(DO_SYNC, &other.pub, false, 0) ==
	      E_NODE_KEY); /* resumed: found out afterwards, nothing sent */
	CHECK(n.hellos == 1);
	node_stop();
	CHECK(go(DO_SYNC, &node.me.key.pub, false, 0) == E_CONNECT); /* nobody there */
	CHECK(strstr(why.thing, node.address) != NULL);
}

static void
local_socket(void)
{
	int again;

	for (again = 0; again < 2; again++) {
		struct stat st;

		world_up(0, 0);
		node.local_only = again == 1;
		if (again == 1) { /* a dead socket is in the way */
			struct sockaddr_un name = {.sun_family = AF_UNIX};
			int fd = socket(AF_UNIX, SOCK_STREAM, 0);

			snprintf(name.sun_path, sizeof(name.sun_path), "%.100s", node.path);
			CHECK(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
			close(fd);
		}
		node_start();
		CHECK(stat(node.path, &st) == 0 && (st.st_mode & 0777) == 0600);
		CHECK_MSG(go(DO_ASK, NULL, true, 0) == E_OK, "%s", why.thing);
		CHECK_STR(d.answer, "hello world");
		CHECK(d.exit_status == 65);
		CHECK(go(DO_ECHO, NULL, true, 3000000) == E_OK);
		CHECK_MSG(answer_bytes == 3000000, "%zu", answer_bytes);
		CHECK(go(DO_SYNC, NULL, true, 0) == E_PROTOCOL); /* not by this road */
		node_stop();
		CHECK(stat(node.path, &st) != 0);
		CHECK(go(DO_ASK, NULL, true, 0) == E_CONNECT);
	}
}

static void
asking_over_tls(void)
{
	world_up(0, 0);
	node_start();
	CHECK(go(DO_ECHO, &node.me.key.pub, false, 2000000) == E_OK);
	CHECK_MSG(answer_bytes == 2000000, "%zu", answer_bytes);
	node_stop();
}

CHECK_MAIN(T(handshakes_and_their_price), T(resumption_is_asked_again_and_survives_refusal),
	   T(used_up), T(forgetting), T(http_is_answered), T(strangers), T(another_key_than_pinned),
	   T(local_socket), T(asking_over_tls))
