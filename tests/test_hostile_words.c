/*
 * test_hostile_words: what a node's word may not do, though the node signed the parcel: another
 * office's key, a key that nobody vouched for, a notice said aloud or to somebody else, a secret
 * for whom it is not.
 */
#include "tests/device_fixture.h"
#include "tools/node/down/down_item.h"
#include "tools/node/roads/mail_inside.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/outbox/outbox.h"

static struct node n;
static struct peer *device;
static struct unlock unlock;
static char path[PATH_MAX];

static bool
begin(void)
{
	if (!node_begin(&n))
		return false;
	unlock = n.unlock;
	unlock.name = NULL;
	return device_begin(&n, &device, &unlock, path);
}

static void
end(void)
{
	peer_close(device);
	node_end(&n);
}

struct word {
	struct bytes body;
	const struct enrolment *to; /* a notice; NULL: for everyone */
};

static enum err
word_job(struct store_txn *txn, void *arg)
{
	const struct word *w = arg;

	return w->to == NULL ? down_publish(n.peer, txn, w->body)
			     : down_notify(n.peer, txn, w->to, w->body);
}

/* Parcel `number` of a log of the node's, taken by the device. */
static enum err
takes(struct log_id log, bool inbox, uint64_t number)
{
	struct parcel_hash hash;
	struct store_txn *txn;
	struct writer copy;
	struct arrival a;
	uint64_t seq;
	enum err e;

	writer_heap_init(&copy, PARCEL_BYTES_MAX);
	if ((e = store_read_begin(n.peer->store, &txn)) == E_OK) {
		if ((e = arrival_find(txn, &log, number, &seq, &hash)) == E_OK &&
		    (e = arrival_get(txn, seq, &a)) == E_OK)
			writer_bytes(&copy, a.parcel);
		store_read_end(txn);
	}
	if (e == E_OK)
		e = down_take(device, inbox, log.epoch, writer_view(&copy), &n.why);
	writer_free(&copy);
	return e;
}

/* The node says it, as its next word; where the device stands in both logs. */
static bool
said(struct word *w, struct down_cursor cursors[2])
{
	struct store_txn *txn;

	CHECK(store_write(n.peer->store, word_job, w) == E_OK);
	if (store_read_begin(device->store, &txn) != E_OK)
		return false;
	CHECK(down_cursors(device, txn, cursors) == E_OK);
	store_read_end(txn);
	return true;
}

/* Said to everyone, and taken. */
static enum err
hears(struct bytes body)
{
	struct word w = {body, NULL};
	struct down_cursor cursors[2];

	return said(&w, cursors) ? takes(down_broadcast_log(n.peer), false, cursors[0].number + 1)
				 : E_INTERNAL;
}

/* `to` is the device's enrolment, or that of another whose inbox the device is given. */
static enum err
is_told(const struct enrolment *to, struct bytes body)
{
	struct log_id log = down_inbox_log(n.peer, &to->id);
	struct word w = {body, to};
	struct down_cursor cursors[2];

	return said(&w, cursors)
		   ? takes(log, true, cursors[1].epoch == log.epoch ? cursors[1].number + 1 : 1)
		   : E_INTERNAL;
}

static void
hears_all(void)
{
	uint64_t number;

	for (number = 1; takes(down_broadcast_log(n.peer), false, number) == E_OK; number++)
		;
	CHECK(peer_form(device, "N") != NULL);
}

static enum err
hears_office(const char *area, uint32_t key_no, const struct ec_public *seal,
	     const struct ec_key *by)
{
	struct office office = {.programme = n.peer->programme.id,
				.key_no = key_no,
				.seal_pub = *seal,
				.issuer = peer_self(n.peer)->id};
	struct down_item item = {.kind = DOWN_OFFICE};
	struct writer statement, body;
	enum err e;

	snprintf(office.area, sizeof(office.area), "%s", area);
	writer_heap_init(&statement, STATEMENT_BYTES_MAX);
	writer_heap_init(&body, 4096);
	CHECK(office_encode(&office, by, &statement) == E_OK);
	item.content = writer_view(&statement);
	down_item_write(&body, &item);
	e = hears(writer_view(&body));
	writer_free(&statement);
	writer_free(&body);
	return e;
}

static bool
seals_to(uint32_t key_no, const struct ec_public *seal)
{
	return device->home.key_no == key_no &&
	       memcmp(&device->home.seal.pub, seal, sizeof(*seal)) == 0;
}

/* Records are sealed to the office's key: a device changes it for a later one that the node or the
 * root signed, and no other. */
static void
keys_of_an_office(void)
{
	struct ec_key other, next, by_root;
	struct ec_public first;

	REQUIRE(begin());
	hears_all();
	REQUIRE(crypto_ec_new(&other) == E_OK && crypto_ec_new(&next) == E_OK &&
		crypto_ec_new(&by_root) == E_OK);
	first = device->home.seal.pub;
	CHECK(hears_office("D1", 9, &other.pub, &peer_self(n.peer)->sign) == E_OK &&
	      seals_to(1, &first));
	CHECK(hears_office("P", 1, &other.pub, &peer_self(n.peer)->sign) == E_OK &&
	      seals_to(1, &first));
	CHECK(hears_office("P", 2, &next.pub, &peer_self(n.peer)->sign) == E_OK &&
	      seals_to(2, &next.pub));
	CHECK(hears_office("P", 1, &first, &peer_self(n.peer)->sign) == E_OK &&
	      seals_to(2, &next.pub)); /* never back */
	CHECK(hears_office("P", 3, &by_root.pub, &n.root) == E_OK && seals_to(3, &by_root.pub));
	CHECK(hears_office("P", 4, &other.pub, &other) == E_SIGNATURE && seals_to(3, &by_root.pub));
	peer_close(device);
	REQUIRE(peer_open(&device, path, &unlock, &n.why) == E_OK);
	CHECK(seals_to(3, &by_root.pub));
	end();
}

/* What is for one device is no word to everyone, and the reverse; another's notice does nothing,
 * nor what is none. */
static void
notices_out_of_place(void)
{
	struct enrolment own, other = {.role = ROLE_MEMBER};
	struct down_item item = {.kind = DOWN_ENROLMENT, .content = BYTES_LIT("an enrolment")};
	struct device neighbour;
	struct store_txn *txn;
	struct member m;
	struct writer body;

	REQUIRE(begin());
	hears_all();
	REQUIRE(node_join(&n, &neighbour, ROLE_MEMBER, "V1", "neighbour") == E_OK);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(member_get(txn, &peer_self(device)->id, &m) == E_OK);
	own = m.enrolment;
	CHECK(member_get(txn, &neighbour.self.id, &m) == E_OK);
	other = m.enrolment;
	store_read_end(txn);
	device->approved = false;
	writer_heap_init(&body, 4096);
	down_item_write(&body, &item);
	CHECK(hears(writer_view(&body)) == E_PARCEL &&
	      !device->approved); /* "you are let in", to everyone */
	CHECK(is_told(&other, writer_view(&body)) == E_OK &&
	      !device->approved); /* sealed to another, it says nothing here */
	writer_reset(&body);
	item = (struct down_item){.kind = DOWN_OFFICE_KEY, .key_no = 7};
	memset(item.secret, 0x11, sizeof(item.secret));
	down_item_write(&body, &item);
	CHECK(is_told(&own, writer_view(&body)) ==
	      E_OK); /* the office's secret is for a twin, and for no device */
	CHECK(device->home.key_no == 1 && !device->home.has_secret &&
	      office_key_at(device, 7) == NULL);
	writer_reset(&body);
	item = (struct down_item){.kind = DOWN_CODECS, .highest = 3};
	down_item_write(&body, &item);
	CHECK(is_told(&own, writer_view(&body)) == E_PARCEL);
	writer_free(&body);
	end();
}

/* A review of a record that this device never wrote makes none; that it was let in, it hears. */
static void
notices_in_their_place(void)
{
	struct enrolment own;
	struct down_item item = {.kind = DOWN_REVIEW,
				 .record = {"record-000000001"},
				 .state = REVIEW_REJECTED,
				 .time_s = 5};
	struct own_record o;
	struct store_txn *txn;
	struct member m;
	struct writer body;

	REQUIRE(begin());
	hears_all();
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(member_get(txn, &peer_self(device)->id, &m) == E_OK);
	own = m.enrolment;
	store_read_end(txn);
	writer_heap_init(&body, 4096);
	down_item_write(&body, &item);
	CHECK(is_told(&own, writer_view(&body)) == E_OK);
	REQUIRE(store_read_begin(device->store, &txn) == E_OK);
	CHECK(own_record_get(txn, &item.record, &o) == E_ABSENT);
	store_read_end(txn);
	device->approved = false;
	writer_reset(&body);
	item = (struct down_item){.kind = DOWN_ENROLMENT, .content = BYTES_LIT("an enrolment")};
	down_item_write(&body, &item);
	CHECK(is_told(&own, writer_view(&body)) == E_OK && device->approved);
	writer_free(&body);
	end();
}

/* On a stick the node's words count if its receipt beside them names their logs: those of an
 * earlier life are none. */
static void
words_of_another_life(void)
{
	struct log_id log;
	struct receipt said = {.log_count = 2};
	struct mail_taken taken = {0};
	struct parcel_hash hash;
	struct store_txn *txn;
	struct writer copy;
	struct arrival a;
	uint64_t seq;

	REQUIRE(begin());
	log = down_broadcast_log(n.peer);
	writer_heap_init(&copy, PARCEL_BYTES_MAX);
	REQUIRE(store_read_begin(n.peer->store, &txn) == E_OK);
	CHECK(arrival_find(txn, &log, 1, &seq, &hash) == E_OK && arrival_get(txn, seq, &a) == E_OK);
	writer_bytes(&copy, a.parcel);
	store_read_end(txn);
	said.logs[0] = log.epoch + 1;
	said.logs[1] = log.epoch;
	CHECK(mail_down(device, &said, 0, log.epoch, writer_view(&copy), &taken, &n.why) ==
	      E_RECEIPT);
	said.logs[0] = log.epoch;
	said.log_count = 0;
	CHECK(mail_down(device, &said, 0, log.epoch, writer_view(&copy), &taken, &n.why) ==
	      E_RECEIPT);
	CHECK(taken.downs == 0 && peer_areas(device) == NULL);
	said.log_count = 2;
	CHECK(mail_down(device, &said, 0, log.epoch, writer_view(&copy), &taken, &n.why) == E_OK &&
	      taken.downs == 1);
	CHECK(mail_down(device, &said, 0, log.epoch, writer_view(&copy), &taken, &n.why) == E_OK &&
	      taken.duplicates == 1);
	CHECK(peer_areas(device) != NULL);
	writer_free(&copy);
	end();
}

CHECK_MAIN(T(keys_of_an_office), T(notices_out_of_place), T(notices_in_their_place),
	   T(words_of_another_life))
