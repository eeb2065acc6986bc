/*
 * later WHAT STORE KEYFILE [RECORD]: what a program of a later version would leave in a store, and
 * whether it is still there: says      a node says what nobody knows: a control item of its own
 * affairs, and one to be said on notifies  ... and a notice to each device revises   a device
 * changes RECORD by a revision of a kind that nobody knows letters   a device's bundle (on the
 * standard output) whose envelope holds letters of unknown kinds before its own digests   of each
 * item: its leaf, and the hash of its analytic part as it is here
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/parcel/arrival.h"
#include "core/pack.h"
#include "tools/node/down/down.h"
#include "tools/node/roads/mail.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/records/records.h"

static struct peer *p;
static struct why why;

static enum err
notify_one(void *arg, const struct member *m)
{
	static const uint8_t notice[] = {0x92, 0x1e, 0xa5, 'l', 'a', 't', 'e', 'r'}; /* kind 30 */

	if (m->enrolment.role != ROLE_MEMBER)
		return E_OK;
	return down_notify(p, arg, &m->enrolment, BYTES(notice, sizeof(notice)));
}

static enum err
says_job(struct store_txn *txn, void *arg)
{
	static const uint8_t own[] = {0x92, 0x0e, 0xa3, 'o', 'w', 'n'},
			     on[] = {0x92, 0x63, 0xa7, 's', 'a', 'i', 'd', ' ', 'o', 'n'};
	enum err e;

	if (*(bool *)arg)
		return member_walk(txn, notify_one, txn);
	e = down_publish(p, txn, BYTES(own, sizeof(own)));
	return e == E_OK ? down_publish(p, txn, BYTES(on, sizeof(on))) : e;
}

static enum err
revises(const char *record)
{
	struct outbox_change change = {.form = p->forms->key};
	uint8_t memory[128];
	struct sealer sealer;
	struct own_record own;
	struct store_txn *txn;
	struct writer w;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	if ((e = record_find(txn, record, &change.record, &why)) == E_OK)
		e = own_record_get(txn, &change.record, &own);
	store_read_end(txn);
	if (e != E_OK)
		return e;
	memcpy(change.area, own.area, sizeof(change.area));
	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 1);
	pack_array(&w, 6);
	pack_u64(&w, 77);
	pack_u64(&w, change.form.v);
	pack_u64(&w, 1700000000);
	pack_array(&w, 0);
	pack_cstr(&w, "of a later version");
	pack_u64(&w, 5);
	change.analytic = writer_view(&w);
	sealer_init(&sealer, p, peer_self(p));
	e = outbox_put_all(&sealer, &change, 1, NULL, NULL, &why);
	sealer_wipe(&sealer);
	return e;
}

static enum err
letters(void)
{
	static const uint8_t unknown[] = {0x92, 0x63, 0xa5, 'l', 'a', 't', 'e', 'r'};
	struct store_txn *txn;
	struct arrival a;
	struct writer letter, bundle;
	struct mail mail;
	uint64_t seq, last;
	enum err e;

	mail_init(&mail, p);
	mail_to_office(&mail);
	writer_heap_init(&letter, 1u << 20);
	writer_heap_init(&bundle, 8u << 20);
	if ((e = mail_letter(&mail, BYTES(unknown, sizeof(unknown)))) == E_OK &&
	    (e = store_read_begin(p->store, &txn)) == E_OK) {
		e = arrival_last(txn, &last);
		for (seq = 1; seq <= last && e == E_OK; seq++)
			if ((e = arrival_get(txn, seq, &a)) == E_OK && (a.flags & ARRIVAL_OWN)) {
				writer_reset(&letter);
				if ((e = letter_carried(txn, &p->programme.id, &a, &letter)) ==
					E_OK &&
				    (e = mail_letter(&mail, writer_view(&letter))) == E_OK)
					e = mail_letter(&mail, BYTES(unknown, sizeof(unknown)));
			}
		store_read_end(txn);
	}
	if (e == E_OK && (e = mail_seal(&mail, NULL)) == E_OK &&
	    (e = mail_bundle(&mail, &bundle)) == E_OK)
		e = fwrite(bundle.p, 1, bundle.n, stdout) == bundle.n ? E_OK : E_IO;
	mail_free(&mail);
	writer_free(&letter);
	writer_free(&bundle);
	return e;
}

static void
print_items(const struct arrival *a)
{
	struct parcel_context context = {
	    .programme = p->programme.id, .log = a->log, .previous = a->previous};
	char leaf[2 * HASH_BYTES + 1], hash[2 * HASH_BYTES + 1];
	uint8_t h[HASH_BYTES];
	struct parcel parcel;
	struct arena arena;
	size_t i;

	arena_init(&arena, 64u << 20);
	if (parcel_read(&parcel, a->parcel, &context, &arena, NULL) == E_OK)
		for (i = 0; i < parcel.item_count; i++) {
			if (!parcel.items[i].analytic.present)
				continue;
			crypto_sha256(h, parcel.items[i].analytic.ciphertext);
			hex_encode(leaf, parcel.items[i].leaf, HASH_BYTES);
			hex_encode(hash, h, HASH_BYTES);
			printf("%s %s %s\n",
			       parcel.items[i].enc == NULL       ? "control"
			       : parcel.items[i].to.to_principal ? "notice"
								 : "record",
			       leaf, hash);
		}
	arena_free(&arena);
}

static enum err
digests(void)
{
	struct store_txn *txn;
	struct arrival a;
	uint64_t seq, last = 0;
	enum err e = store_read_begin(p->store, &txn);

	if (e != E_OK || (e = arrival_last(txn, &last)) != E_OK)
		return e;
	for (seq = 1; seq <= last && e == E_OK; seq++) {
		if ((e = arrival_get(txn, seq, &a)) == E_OK)
			print_items(&a);
		store_forget(txn);
	}
	store_read_end(txn);
	return e;
}

int
main(int argc, char **argv)
{
	uint8_t key[4096];
	struct unlock unlock = {.name = NULL};
	enum err e;
	FILE *f;

	if (argc < 4 || (f = fopen(argv[3], "rb")) == NULL)
		return 64;
	unlock.key_file = BYTES(key, fread(key, 1, sizeof(key), f));
	(void)fclose(f);
	if ((e = peer_open(&p, argv[2], &unlock, &why)) == E_OK) {
		bool notices = strcmp(argv[1], "notifies") == 0;

		if (notices || strcmp(argv[1], "says") == 0)
			e = store_write(p->store, says_job, &notices);
		else if (strcmp(argv[1], "revises") == 0)
			e = argc == 5 ? revises(argv[4]) : E_USAGE;
		else if (strcmp(argv[1], "letters") == 0)
			e = letters();
		else
			e = digests();
		peer_close(p);
	}
	if (e != E_OK)
		fprintf(stderr, "later %s: %s (%s)\n", argv[1], err_name(e), why.thing);
	return e == E_OK ? 0 : 1;
}
