#include "tools/lib/banyan.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/node/outbox/finish.h"
#include "tools/node/link/link.h"

struct banyan {
	struct peer *peer;
	char message[600];
};

static int
told(struct banyan *b, enum err e, const struct why *why)
{
	struct why plain = {.e = e};

	b->message[0] = '\0';
	if (e != E_OK)
		(void)why_sentence(why->e == e ? why : &plain, b->message, sizeof(b->message));
	return err_exit_status(e);
}

static int
open_with(struct banyan **out, const char *store, const struct unlock *unlock)
{
	struct banyan *b = calloc(1, sizeof(*b));
	struct why why = {.e = E_OK};
	enum err e;

	*out = b;
	if (b == NULL)
		return err_exit_status(E_NO_MEMORY);
	e = peer_open(&b->peer, store, unlock, &why);
	return told(b, e, &why);
}

int
banyan_open(struct banyan **out, const char *store, const char *passphrase, size_t passphrase_bytes)
{
	struct unlock unlock = {.passphrase = BYTES(passphrase, passphrase_bytes)};

	return open_with(out, store, &unlock);
}

int
banyan_open_key(struct banyan **out, const char *store, const void *key, size_t key_bytes)
{
	struct unlock unlock = {.key_file = BYTES(key, key_bytes)};

	return open_with(out, store, &unlock);
}

void
banyan_close(struct banyan *b)
{
	if (b == NULL)
		return;
	peer_close(b->peer);
	free(b);
}

const char *
banyan_message(const struct banyan *b)
{
	return b->message;
}

/* The answers checked by the form, as merge units in the arena. */
static enum err
check(const struct finishing *f, const char *json, size_t json_bytes, struct arena *arena,
      struct finished *out, struct why *why)
{
	struct answer_env env = finish_env(f, 0);
	struct answer_fault fault = {.e = E_OK};
	struct field_value *values;
	struct answers *answers;
	size_t faults = 0, count = 0;
	enum err e;

	if ((e = answers_new(&answers, f->form->form, &env, why)) != E_OK)
		return e;
	if ((e = answers_set_json(answers, json, json_bytes, &fault, 1, &faults)) == E_OK)
		e = answers_check(answers, &fault, 1, &faults);
	if (e != E_OK && faults > 0)
		e = why_set(why, E_ANSWERS_FORMAT, "%s: %s", fault.ref, fault.message);
	if (e == E_OK && (e = answers_values(answers, arena, &values, &count)) == E_OK)
		*out = (struct finished){.form = f->form,
					 .area = f->area,
					 .values = values,
					 .value_count = count,
					 .time_s = peer_now_s(f->peer),
					 .urgent = finish_urgent(f->form->form, values, count)};
	answers_free(answers);
	return e;
}

int
banyan_submit(struct banyan *b, const char *form, const char *area, const char *json,
	      size_t json_bytes, char record[BANYAN_RECORD_BYTES])
{
	struct why why = {.e = E_OK};
	struct finishing f;
	struct finished one;
	struct arena arena;
	enum err e;

	record[0] = '\0';
	if (b->peer == NULL)
		return told(b, E_STORE_ABSENT, &why);
	arena_init(&arena, 4u << 20);
	if ((e = finish_begin(&f, b->peer, peer_self(b->peer), form, area, &why)) == E_OK) {
		if ((e = check(&f, json, json_bytes, &arena, &one, &why)) == E_OK &&
		    (e = finish_records(&f, &one, 1, &why)) == E_OK)
			hex_encode(record, one.id.b, ID_BYTES);
		finish_end(&f);
	}
	arena_free(&arena);
	return told(b, e, &why);
}

int
banyan_sync(struct banyan *b, struct banyan_synced *out)
{
	struct why why = {.e = E_OK};
	struct link_result r = {0};
	enum err e = b->peer == NULL ? E_STORE_ABSENT : link_sync(b->peer, 0, &r, &why);

	*out = (struct banyan_synced){r.records_sent,     r.records_waiting, r.parcels_received,
				      r.counts.bytes_out, r.counts.bytes_in, r.verified};
	return told(b, e, &why);
}
