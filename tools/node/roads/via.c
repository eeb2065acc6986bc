#include "tools/node/roads/via.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/crypto/cert.h"
#include "core/letters/meeting.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/roads/stick.h"

/* ---- asking, over a connection ---- */

struct meeting {
	struct peer *peer;
	struct via_result *result;
	struct ec_key own; /* for this meeting only */
	struct principal_id id;
	struct ec_public relay; /* its key of this run */
	struct ec_public known; /* that it is known again by: its satchel's, or, of an earlier
				   version, the same */
	size_t hints;           /* where they begin in its answer */
	struct meeting_key key;
	char proof[2 * MEETING_PROOF_BYTES + 1];
	struct writer input, answer;
	size_t sent;
	bool giving;           /* the second exchange */
	uint64_t room;         /* that the relay has */
	struct handed *handed; /* what it holds of ours */
	uint8_t status;
};

static void
send_input(struct meeting *m, struct session *s, uint64_t now_ms)
{
	while (m->sent <= m->input.n && session_room(s)) {
		size_t left = m->input.n - m->sent,
		       n = left < CHUNK_BYTES_MAX ? left : CHUNK_BYTES_MAX;

		if (session_input(s, BYTES(m->input.p + m->sent, n), now_ms) != E_OK)
			return;
		m->sent += n;
		if (n == 0) {
			m->sent = m->input.n + 1;
			return;
		}
	}
}

static void
begin(void *ctx, struct session *s, uint64_t now_ms)
{
	struct meeting *m = ctx;
	const char *args[1] = {m->proof};

	writer_reset(&m->answer);
	m->sent = 0;
	if (session_ask(s, m->giving ? GIVE_VERB : MEET_VERB, args, m->giving ? 0 : 1, true,
			now_ms) == E_OK)
		send_input(m, s, now_ms);
}

static void
room(void *ctx, struct session *s, uint64_t now_ms)
{
	send_input(ctx, s, now_ms);
}

static void
event(void *ctx, struct session *s, const struct session_event *ev, uint64_t now_ms)
{
	struct meeting *m = ctx;

	(void)now_ms;
	if (ev->kind == SESSION_ANSWER && ev->u.answer.stream == STREAM_OUT) {
		writer_bytes(&m->answer, ev->u.answer.bytes);
		if (writer_end(&m->answer) != E_OK)
			session_eof(s, "an answer without end");
	} else if (ev->kind == SESSION_FINISHED) {
		m->status = ev->u.finished.exit_status;
	}
}

static void
key_found(void *ctx, const struct ec_public *key)
{
	((struct meeting *)ctx)->relay = *key;
}

/* ---- what is said ---- */

#define PIECES_BYTES (256u << 10) /* of attachments, given at once: what a cut costs */
#define ANSWER_HEAD_BYTES (MEETING_PROOF_BYTES + 8u)
#define ASKING_BYTES \
	(2u * ENVELOPE_LEAST_BYTES) /* an envelope with nothing but where this store stands */

/* The relay's proof, how many bytes it has room for, then hints of the answers that it holds. */
static enum err
check_relay(struct meeting *m, struct why *why)
{
	uint8_t want[MEETING_PROOF_BYTES];
	bool has_satchel =
	    m->answer.n >= ANSWER_HEAD_BYTES + MEETING_SATCHEL_BYTES &&
	    (m->answer.n - ANSWER_HEAD_BYTES - MEETING_SATCHEL_BYTES) % ENVELOPE_HINT_BYTES == 0;

	meeting_proof(want, &m->key, &m->relay, &m->own.pub);
	if (m->answer.n < ANSWER_HEAD_BYTES || !crypto_equal(m->answer.p, want, sizeof(want)) ||
	    ((m->answer.n - ANSWER_HEAD_BYTES) % ENVELOPE_HINT_BYTES != 0 && !has_satchel))
		return why_set(why, E_RELAY, "who answers there");
	m->room = be64_get(m->answer.p + MEETING_PROOF_BYTES);
	m->known = m->relay;
	m->hints = ANSWER_HEAD_BYTES;
	if (!has_satchel)
		return E_OK;
	if (!meeting_satchel_holds(m->answer.p + ANSWER_HEAD_BYTES, &m->relay, &m->own.pub))
		return why_set(why, E_RELAY, "who answers there");
	memcpy(m->known.b, m->answer.p + ANSWER_HEAD_BYTES, sizeof(m->known.b));
	m->hints += MEETING_SATCHEL_BYTES;
	return E_OK;
}

/* be32 count || hints that are waited for here || an empty bundle. *wanted: how many. */
static enum err
write_wanted(struct meeting *m, uint32_t *wanted)
{
	const uint8_t *p = m->answer.p + m->hints, *end = m->answer.p + m->answer.n;
	struct bundle_writer b;
	struct store_txn *txn;
	enum err e;

	*wanted = 0;
	if ((e = store_read_begin(m->peer->store, &txn)) != E_OK)
		return e;
	writer_reset(&m->input);
	writer_be32(&m->input, 0);
	for (; p < end; p += ENVELOPE_HINT_BYTES) {
		struct envelope_hint hint;

		memcpy(hint.b, p, sizeof(hint.b));
		if (*wanted < SATCHEL_ROWS_MAX && mail_awaits(txn, &hint)) {
			writer_mem(&m->input, hint.b, sizeof(hint.b));
			++*wanted;
		}
	}
	store_read_end(txn);
	if ((e = bundle_begin(&b, &m->input, 0, 0)) == E_OK)
		be32_put(m->input.p, *wanted);
	return e;
}

static enum err
answered_job(struct store_txn *txn, void *arg)
{
	struct meeting *m = arg;
	uint8_t relay[16];

	handed_key(&m->known, relay);
	return handed_clear(txn, relay);
}

/* A bundle of answers. */
static enum err
take_answers(struct meeting *m, struct why *why)
{
	struct bundle b;
	enum err e = bundle_read(writer_view(&m->answer), &b, why);

	if (e != E_OK)
		return e;
	m->result->answers += b.whole;
	if ((e = stick_take(m->peer, &b, &m->result->taken, NULL, NULL, why)) == E_OK &&
	    m->result->taken.receipts > 0 &&
	    (e = store_write(m->peer->store, answered_job, m)) != E_OK)
		why_set(why, e, "%s", m->peer->path);
	return e;
}

static enum err
handed_job(struct store_txn *txn, void *arg)
{
	return handed_put(txn, ((struct meeting *)arg)->handed);
}

/* It took them: they need not be given to it again. */
static enum err
note_handed(struct meeting *m, const char *address, struct why *why)
{
	enum err e;

	m->handed->time_s = peer_now_s(m->peer);
	(void)snprintf(m->handed->address, sizeof(m->handed->address), "%s", address);
	e = store_write(m->peer->store, handed_job, m);
	return e == E_OK ? E_OK : why_set(why, e, "%s", m->peer->path);
}

/* No hints || what the office lacks. */
static enum err
write_given(struct meeting *m, struct why *why)
{
	uint64_t room = m->room < SATCHEL_ASK_BYTES_MAX / 2 ? m->room : SATCHEL_ASK_BYTES_MAX / 2;
	struct stick_up up = {.bytes_max = room, .already = m->handed};
	uint8_t relay[16];
	struct packed packed;
	struct store_txn *txn;
	enum err e;

	handed_key(&m->known, relay);
	if ((e = store_read_begin(m->peer->store, &txn)) != E_OK)
		return why_set(why, e, "%s", m->peer->path);
	e = handed_of(txn, relay, peer_self(m->peer)->epoch, peer_now_s(m->peer), m->handed);
	store_read_end(txn);
	if (e != E_OK)
		return why_set(why, e, "%s", m->peer->path);
	writer_reset(&m->input);
	writer_be32(&m->input, 0);
	if ((e = stick_pack_up(m->peer, &up, &m->input, &packed, why)) != E_OK)
		return e;
	m->result->already = packed.already;
	m->result->parcels = packed.parcels;
	m->result->envelopes = packed.parcels > 0 ? packed.envelopes : 0;
	m->result->waiting = packed.waiting;
	return E_OK;
}

static enum err
said(const struct meeting *m, enum err e, struct why *why)
{
	return e == E_OK && m->status != 0 ? why_set(why, E_RELAY_FULL, "or takes nothing more now")
					   : e;
}

/* One more exchange in the same connection. */
static enum err
give(struct meeting *m, struct net_client *client, struct why *why)
{
	m->giving = true;
	return said(m, net_client_again(client, &m->result->counts, why), why);
}

/* First the answers, so that nothing goes that the office has by now. */
static enum err
give_records(struct meeting *m, struct net_client *client, const char *address, struct why *why)
{
	uint32_t wanted;
	enum err e;

	if ((e = check_relay(m, why)) != E_OK)
		return e;
	if ((e = write_wanted(m, &wanted)) != E_OK)
		return why_set(why, e, "%s", m->peer->path);
	if (wanted > 0 &&
	    ((e = give(m, client, why)) != E_OK || (e = take_answers(m, why)) != E_OK))
		return e;
	if ((e = write_given(m, why)) != E_OK)
		return e;
	if (m->result->parcels == 0 && m->result->waiting > 0)
		return why_set(why, E_RELAY_FULL, "%llu parcels wait here",
			       (unsigned long long)m->result->waiting);
	/* what is there of this device already will be answered */
	m->result->asked =
	    m->result->parcels == 0 && m->handed->time_s == 0 && m->room >= ASKING_BYTES;
	if (m->result->parcels == 0 && !m->result->asked)
		return E_OK;
	m->room -= m->input.n < m->room ? m->input.n : m->room;
	return (e = give(m, client, why)) == E_OK ? note_handed(m, address, why) : e;
}

/*
 * Behind all records, a little at a time and noted each time, so that after a cut it goes on there;
 * of what room is left half at most: others' records need it more. Each time where this store
 * stands goes first: its answer says how far the office is.
 */
static enum err
give_attachments(struct meeting *m, struct net_client *client, const char *address, struct why *why)
{
	struct stick_up up = {.attached = true, .already = m->handed};
	uint64_t left = m->room / 2;
	struct packed packed;
	enum err e;

	for (;;) {
		up.bytes_max = left < PIECES_BYTES ? left : PIECES_BYTES;
		writer_reset(&m->input);
		writer_be32(&m->input, 0);
		if ((e = stick_pack_up(m->peer, &up, &m->input, &packed, why)) != E_OK ||
		    packed.pieces == 0)
			return e;
		if ((e = give(m, client, why)) != E_OK)
			return e == E_RELAY_FULL ? E_OK : e; /* the records are there: these wait */
		m->result->parcels += packed.parcels;
		m->result->envelopes += packed.envelopes;
		m->result->pieces += packed.pieces;
		left -= m->input.n < left ? m->input.n : left;
		if ((e = note_handed(m, address, why)) != E_OK)
			return e;
	}
}

static enum err
talk(struct meeting *m, struct net_client *client, const char *address, struct why *why)
{
	enum err e = give_records(m, client, address, why);

	return e == E_OK ? give_attachments(m, client, address, why) : e;
}

static enum err
meet(struct meeting *m, const char *address, struct why *why)
{
	struct net_client_config config = {.address = address,
					   .identity = {.key = &m->own},
					   .any_key = true,
					   .device = m->id,
					   .ctx = m,
					   .begin = begin,
					   .event = event,
					   .room = room,
					   .node_key_found = key_found};
	struct net_client *client = NULL;
	struct writer der;
	enum err e;

	writer_heap_init(&der, 4096);
	if ((e = cert_make(&m->own, &m->id, &der)) != E_OK)
		return why_set(why, e, "certificate");
	config.identity.certificate = writer_view(&der);
	e = said(m, net_client_open(&client, &config, &m->result->counts, why), why);
	if (e == E_OK)
		e = talk(m, client, address, why);
	net_client_close(client);
	writer_free(&der);
	return e;
}

enum err
via_meet(struct peer *p, const char *address, struct via_result *result, struct why *why)
{
	struct meeting m = {.peer = p, .result = result};
	uint8_t proof[MEETING_PROOF_BYTES];
	enum err e;

	memset(result, 0, sizeof(*result));
	/* Nobody who watches, and not the relay either, shall know this device again. */
	crypto_random(m.id.b, sizeof(m.id.b));
	if ((e = crypto_ec_new(&m.own)) != E_OK)
		return why_set(why, e, "a key for the meeting");
	meeting_key_of(&m.key, &p->programme.id, &p->programme.root);
	meeting_proof(proof, &m.key, NULL, &m.own.pub);
	hex_encode(m.proof, proof, sizeof(proof));
	if ((m.handed = calloc(1, sizeof(*m.handed))) == NULL)
		return why_set(why, E_NO_MEMORY, "the meeting");
	writer_heap_init(&m.input, BUNDLE_BYTES_MAX);
	writer_u8(&m.input, MEET_SATCHEL);
	writer_heap_init(&m.answer, BUNDLE_BYTES_MAX);
	e = meet(&m, address, why);
	free(m.handed);
	writer_free(&m.input);
	writer_free(&m.answer);
	crypto_wipe(&m, sizeof(m));
	return e;
}

enum err
via_go(struct peer *p, const char *road, char address[64], struct via_result *result,
       struct why *why)
{
	bool lan = strncmp(road, "lan", 3) == 0 && (road[3] == '\0' || road[3] == ':');
	enum err e = E_OK;

	(void)snprintf(address, 64, "%s", road);
	pthread_mutex_lock(&p->syncing);
	if (lan)
		e = via_discover(p, road[3] == ':' ? road + 4 : DISCOVER_THERE, address, why);
	if (e == E_OK)
		e = via_meet(p, lan ? address : road, result, why);
	if (e == E_OK && result->taken.downs > 0)
		(void)erasures_settle(p, NULL); /* what is not done stays due */
	pthread_mutex_unlock(&p->syncing);
	return e;
}
