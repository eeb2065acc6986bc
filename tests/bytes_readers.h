/*
 * bytes_readers: what is read of bytes that somebody else wrote, each by the functions that the
 * program reads it with: E_OK only if it would be believed. Where a format has one form only, what
 * was read is written again and must be the same bytes.
 */
#ifndef BANYAN_TESTS_BYTES_READERS_H
#define BANYAN_TESTS_BYTES_READERS_H

#include "core/principals/area.h"
#include "core/record/attach.h"
#include "core/record/attach_word.h"
#include "core/store/backup.h"
#include "core/letters/batch.h"
#include "core/letters/bundle.h"
#include "core/letters/carried.h"
#include "core/crypto/cert.h"
#include "core/record/erasure.h"
#include "core/principals/invite.h"
#include "core/crypto/keyring_inside.h"
#include "core/letters/receipt.h"
#include "core/record/reissue.h"
#include "core/record/retention.h"
#include "core/record/revision.h"
#include "core/record/stanza.h"
#include "core/letters/envelope.h"
#include "sync/frame.h"
#include "sync/message.h"
#include "tests/parcel_golden.h"
#include "tests/scratch.h"
#include "tools/call/call_parts.h"
#include "tools/node/down/down_item.h"

static const struct programme_id the_programme = {"programme-000001"};
static struct ec_key author_key, office_key, other_key, root_key;
static struct programme_id root_programme;
static char scratch_dir[PATH_MAX];
static const char *vector_name; /* of what is read now */

static inline bool
readers_begin(void)
{
	uint8_t one[EC_SECRET_BYTES] = {[EC_SECRET_BYTES - 1] = 1};

	author_key = test_key(KEY_AUTHOR);
	office_key = test_key(KEY_OFFICE);
	other_key = test_key(KEY_OTHER);
	if (crypto_ec_from_secret(&root_key, one) != E_OK)
		return false;
	programme_id_of(&root_programme, &root_key.pub);
	return scratch_make(scratch_dir) != NULL;
}

/* E_OK if a reader that has one form for everything wrote the same again. */
static inline enum err
the_same_again(struct bytes in, struct writer *again)
{
	enum err e =
	    writer_end(again) == E_OK && bytes_equal(writer_view(again), in) ? E_OK : ERR_COUNT;

	writer_free(again);
	return e; /* ERR_COUNT is no error: the test says so */
}

static inline enum err
read_message(struct bytes in)
{
	struct frame_head head;
	struct message m;
	struct writer body, again;
	enum err e = frame_head(in, &head, NULL);

	if (e != E_OK || head.head_bytes == 0 || in.n - head.head_bytes < head.body_bytes)
		return e != E_OK ? e : E_FRAME; /* it waits for more, which does not come */
	in.n = head.head_bytes + head.body_bytes;
	if ((e = message_decode(&m, head.type, BYTES(in.p + head.head_bytes, head.body_bytes),
				NULL)) != E_OK)
		return e;
	writer_heap_init(&body, FRAME_BYTES_MAX);
	writer_heap_init(&again, FRAME_BYTES_MAX);
	if ((e = message_encode(&body, &m, NULL)) == E_OK) {
		frame_put_head(&again, m.type, body.n);
		writer_bytes(&again, writer_view(&body));
	}
	writer_free(&body);
	return e != E_OK ? ERR_COUNT : the_same_again(in, &again);
}

static inline enum err
read_parcel(struct bytes in)
{
	struct parcel p;
	struct arena arena;
	enum err e;

	arena_init(&arena, 1u << 20);
	if ((e = parcel_read(&p, in, &context, &arena, NULL)) == E_OK)
		e = parcel_verify(&p, &author_key.pub);
	arena_free(&arena);
	return e;
}

static inline enum err
read_carried(struct bytes in)
{
	struct carried c;
	struct writer again;
	enum err e = carried_decode(in, &c, NULL);

	if (e != E_OK)
		return e;
	writer_heap_init(&again, CARRIED_BYTES_MAX);
	(void)carried_encode(&c, &again);
	return the_same_again(in, &again);
}

static inline enum err
read_receipt(struct bytes in)
{
	struct receipt r;
	enum err e = receipt_decode(in, &r, NULL);

	return e != E_OK ? e : receipt_verify(in, &the_programme, &other_key.pub);
}

static inline enum err
read_batch(struct bytes in)
{
	struct batch b;
	struct batch_thing thing;
	size_t at = 0;
	enum err e = batch_decode(in, &b, NULL);

	while (e == E_OK && batch_next(&b, &at, &thing))
		;
	return e != E_OK ? e : batch_verify(in, &the_programme, &other_key.pub);
}

static inline enum err
read_enrolment(struct bytes in)
{
	static struct enrolment m;
	enum err e = enrolment_decode(in, &root_programme, &m, NULL);

	return e != E_OK
		   ? e
		   : principal_verify(STATEMENT_ENROLMENT, in, &root_programme, &root_key.pub);
}

static inline enum err
read_revocation(struct bytes in)
{
	static struct revocation m;
	enum err e = revocation_decode(in, &root_programme, &m, NULL);

	return e != E_OK
		   ? e
		   : principal_verify(STATEMENT_REVOCATION, in, &root_programme, &root_key.pub);
}

static inline enum err
read_office(struct bytes in)
{
	struct office m;
	enum err e = office_decode(in, &root_programme, &m, NULL);

	return e != E_OK ? e
			 : principal_verify(STATEMENT_OFFICE, in, &root_programme, &root_key.pub);
}

static inline enum err
read_succession(struct bytes in)
{
	static struct succession m;
	enum err e = succession_decode(in, &root_programme, &m, NULL);

	return e != E_OK
		   ? e
		   : principal_verify(STATEMENT_SUCCESSION, in, &root_programme, &root_key.pub);
}

static inline enum err
read_erasure(struct bytes in)
{
	static const struct programme_id programme = {"programme-00001"};
	struct erasure m;
	enum err e = erasure_decode(in, &programme, &m, NULL);

	return e != E_OK ? e : principal_verify(STATEMENT_ERASURE, in, &programme, &root_key.pub);
}

static inline enum err
read_offer(struct bytes in)
{
	struct attach_offer m;
	enum err e = attach_offer_decode(in, &m);

	return e != E_OK
		   ? e
		   : principal_verify(STATEMENT_ATTACH_OFFER, in, &the_programme, &author_key.pub);
}

static inline enum err
read_held(struct bytes in)
{
	static struct attach_held m;
	enum err e = attach_held_decode(in, &m);

	return e != E_OK
		   ? e
		   : principal_verify(STATEMENT_ATTACH_HELD, in, &the_programme, &author_key.pub);
}

static inline enum err
read_list(struct bytes in)
{
	uint8_t room[64];
	struct bytes want = vector_read("attachment_id", room, sizeof(room));
	struct attach_id id;
	enum err e = attach_id_of(in, &id);

	return e != E_OK ? e
	       : want.n == ATTACH_ID_BYTES && memcmp(id.b, want.p, ATTACH_ID_BYTES) == 0
		   ? E_OK
		   : E_ATTACHMENT;
}

static inline enum err
read_reference(struct bytes in)
{
	struct attach_ref ref, again;
	struct writer w;

	if (!attach_ref_read(in, &ref))
		return E_ATTACHMENT;
	writer_heap_init(&w, 4096);
	attach_ref_write(&ref, &w);
	if (writer_end(&w) != E_OK || !attach_ref_read(writer_view(&w), &again) ||
	    memcmp(&ref, &again, sizeof(ref)) != 0) {
		writer_free(&w);
		return ERR_COUNT;
	}
	writer_free(&w);
	return E_OK;
}

static inline enum err
read_chunk(struct bytes in)
{
	uint8_t room[512];
	struct attach_ref ref;
	struct writer plain;
	enum err e;

	if (!attach_ref_read(vector_read("attachment_reference", room, sizeof(room)), &ref))
		return ERR_COUNT;
	writer_heap_init(&plain, 4096);
	e = attach_open(&ref, 0, in, &plain);
	e = e != E_OK && plain.n > 0 ? ERR_COUNT : e;
	writer_free(&plain);
	return e;
}

static inline enum err
read_bundle(struct bytes in)
{
	struct bundle b;
	struct bytes envelope;
	size_t at = 0, count = 0;
	enum err e = bundle_read(in, &b, NULL);

	if (e != E_OK)
		return e;
	while (bundle_next(&b, &at, &envelope)) {
		if (envelope.p < in.p || envelope.p + envelope.n > in.p + in.n)
			return ERR_COUNT;
		count++;
	}
	return count < b.count ? E_BUNDLE : E_OK; /* cut short: what is whole before it is good */
}

static inline enum err
read_envelope(struct bytes in)
{
	static const struct envelope_to to = {.area = "SM0901", .key_no = 7};
	struct envelope_hint hint;
	struct writer body;
	enum err e;

	writer_heap_init(&body, ENVELOPE_BODY_BYTES_MAX);
	e = envelope_open(&the_programme, &to, &office_key, false, in, &body, &hint);
	e = e != E_OK && body.n > 0 ? ERR_COUNT : e;
	writer_free(&body);
	return e;
}

static inline enum err
read_stanza(struct bytes in)
{
	static const uint8_t leaf[HASH_BYTES] = {7};
	uint8_t key[AEAD_KEY_BYTES];
	struct stanza s;
	enum err e = stanza_decode(in, &s, NULL);

	return e != E_OK ? e
			 : stanza_unwrap(&s, &the_programme, leaf, SLICE_ANALYTIC, &other_key, key);
}

static inline enum err
read_item(struct bytes in)
{
	struct down_item item;
	struct writer again;
	enum err e = down_item_read(in, &item);

	if (e != E_OK || !down_item_known(item.kind))
		return e == E_OK ? E_ABSENT : e; /* of another version: passed over */
	writer_heap_init(&again, 2 * in.n + 1024);
	down_item_write(&again, &item);
	return the_same_again(in, &again);
}

static inline enum err
read_areas(struct bytes in)
{
	struct area_table *areas = NULL;
	enum err e = area_table_read(&areas, in, NULL);

	area_table_free(areas);
	return e;
}

static inline enum err
read_retention(struct bytes in)
{
	struct retention m;
	struct writer again;
	enum err e = retention_read(in, &m);

	if (e != E_OK)
		return e;
	writer_heap_init(&again, 4096);
	(void)retention_write(&m, &again);
	return the_same_again(in, &again);
}

static inline enum err
read_reissue(struct bytes in)
{
	struct reissue m;

	return reissue_read(in, &m);
}

static inline enum err
read_revision(struct bytes in)
{
	struct revision_body bodies[SLICE_REVISIONS_MAX];
	size_t count = 0;
	enum err e = revisions_read(in, BYTES_NONE, bodies, SLICE_REVISIONS_MAX, &count, NULL);

	return e != E_OK && count != 0 ? ERR_COUNT : e;
}

/* The identifying part, beside its analytic one, which is well. */
static inline enum err
read_identifying(struct bytes in)
{
	uint8_t room[512];
	char beside[96];
	struct revision_body bodies[SLICE_REVISIONS_MAX];
	size_t count = 0;
	enum err e;

	snprintf(beside, sizeof(beside), "%.*s",
		 (int)(strlen(vector_name) - strlen("_identifying")), vector_name);
	e = revisions_read(vector_read(beside, room, sizeof(room)), in, bodies, SLICE_REVISIONS_MAX,
			   &count, NULL);
	return e != E_OK && count != 0 ? ERR_COUNT : e;
}

static inline enum err
read_invitation(struct bytes in)
{
	char line[INVITE_LINE_BYTES_MAX + 64];
	struct invite invite;

	if (in.n >= sizeof(line))
		return E_INVITE_FORM;
	memcpy(line, in.p, in.n);
	line[in.n] = '\0';
	return strlen(line) == in.n ? invite_decode(line, &invite, NULL) : E_INVITE_FORM;
}

static inline enum err
read_certificate(struct bytes in)
{
	struct principal_id id;
	struct ec_public key;

	return cert_read(in, &id, &key);
}

static inline enum err
unheard(void *ctx, uint8_t stream, struct bytes piece)
{
	(void)ctx;
	(void)stream;
	(void)piece;
	return E_OK;
}

/* A command that is asked over TLS, and through the socket, where more is allowed. */
static inline enum err
read_call(struct bytes in)
{
	struct call_asker asker = {.answer = unheard, .remote = true};
	struct call *c = NULL;
	enum err e;

	(void)call_asked_new(&c, in, &asker, NULL);
	call_free(c);
	c = NULL;
	asker.remote = false;
	e = call_asked_new(&c, in, &asker, NULL);
	call_free(c);
	return e;
}

static inline enum err
read_slots(struct bytes in)
{
	static struct slots slots;
	struct writer again;
	enum err e = slots_decode(in, &slots);

	if (e != E_OK)
		return e;
	writer_heap_init(&again, KEYRING_FILE_BYTES_MAX);
	(void)slots_encode(&slots, &again);
	return the_same_again(in, &again);
}

static inline enum err
read_backup(struct bytes in)
{
	struct unlock how = {.passphrase = BYTES_LIT("golden passphrase")};
	struct backup_info info;
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%.3000s/backup", scratch_dir);
	if ((f = fopen(path, "wb")) == NULL || fwrite(in.p, 1, in.n, f) != in.n || fclose(f) != 0)
		return ERR_COUNT;
	return backup_check(path, &how, &info, NULL);
}

#endif
