/* The device's side: taking what its node says. */
#include <stdio.h>
#include <stdlib.h>

#include "core/pack.h"
#include "core/record/retention.h"
#include "core/set/shared.h"
#include "tools/node/down/down_item.h"
#include "tools/node/dictionaries.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/down/down_row.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/enrol/offices.h"
#include "tools/node/opener/opener.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/link/twins.h"
#include "tools/node/enrol/upper.h"

struct take_job {
	struct peer *peer;
	struct above above; /* who says it */
	int which;
	const struct parcel *parcel;
	struct parcel_hash previous; /* of the parcel before it */
	struct bytes bytes;
	struct arena *arena;
	/* what becomes true here once it is durable */
	struct bytes form_bundle, areas;
	uint64_t form_order;
	char form_languages[128], languages_form[128];
	bool approved, has_languages;
	struct form_key dictionary_form;
	struct bytes dictionary; /* newly kept */
	uint64_t codecs;         /* 0: nothing was said */
	struct home home;
	bool has_home, keys_changed;
	unsigned news;      /* DOWN_NEWS_*: what was set aside for want of it is opened */
	struct above upper; /* known: an ABOVE notice came */
};

static enum err
take_office(struct store_txn *txn, struct take_job *job, struct bytes statement)
{
	struct peer *p = job->peer;
	struct ec_public other;
	struct office office;
	bool fresh;
	enum err e;

	if (peer_is_node(p))
		return vouch_office(p, txn, statement, &fresh, NULL) == E_STORE_IO ? E_STORE_IO
										   : E_OK;
	if ((e = office_decode(statement, &p->programme.id, &office, NULL)) != E_OK)
		return e;
	if (strcmp(office.area, p->home.area) != 0 || office.key_no <= p->home.key_no)
		return E_OK;
	if (principal_verify(STATEMENT_OFFICE, statement, &p->programme.id, &p->programme.root) !=
		E_OK &&
	    principal_verify(STATEMENT_OFFICE, statement, &p->programme.id, &p->home.node_sign) !=
		E_OK &&
	    ((e = twins_key(txn, &office.issuer, &other)) != E_OK || /* the office's first node */
	     (e = principal_verify(STATEMENT_OFFICE, statement, &p->programme.id, &other)) != E_OK))
		return e == E_ABSENT ? E_SIGNATURE : e;
	job->home = p->home;
	job->home.key_no = office.key_no;
	job->home.seal.pub = office.seal_pub;
	job->has_home = true;
	return peer_put_home(txn, &job->home);
}

/* The secret of the office that this node shares with the one that invited it. */
static enum err
take_office_key(struct store_txn *txn, struct take_job *job, const struct down_item *item)
{
	struct ec_key key;
	enum err e = crypto_ec_from_secret(&key, item->secret);

	if (e == E_OK && item->key_no < job->peer->home.key_no) {
		struct home old = {.key_no = item->key_no, .seal = key, .has_secret = true};

		e = office_keys_keep(txn, job->peer, &old);
		job->keys_changed = e == E_OK;
		crypto_wipe(&old, sizeof(old));
	} else if (e == E_OK) {
		if (item->key_no > job->peer->home.key_no &&
		    (e = office_keys_keep(txn, job->peer, &job->peer->home)) != E_OK)
			goto done;
		job->keys_changed = true;
		job->home = job->peer->home;
		job->home.key_no = item->key_no;
		job->home.seal = key;
		job->home.has_secret = job->has_home = true;
		e = peer_put_home(txn, &job->home);
	}
done:
	crypto_wipe(&key, sizeof(key));
	return e;
}

/*
 * A form or an area table that this version cannot read must not come into force: the store would
 * not open again, and what was not sent yet would be lost with it. Its parcel is kept.
 */
static enum err
form_reads(struct bytes bundle)
{
	struct form *form;
	enum err e = form_read(&form, bundle, NULL);

	if (e == E_OK)
		form_free(form);
	return e;
}

static enum err
areas_read(struct bytes table)
{
	struct area_table *areas;
	enum err e = area_table_read(&areas, table, NULL);

	if (e == E_OK)
		area_table_free(areas);
	return e;
}

static enum err
take_form(struct store_txn *txn, struct take_job *job, const struct down_item *item)
{
	enum err e = form_reads(item->content);

	if (e != E_OK)
		return e == E_NO_MEMORY ? e : E_OK;
	job->form_bundle = item->content;
	job->news |= DOWN_NEWS_FORM;
	job->form_order = item->order;
	memcpy(job->form_languages, item->languages, sizeof(job->form_languages));
	return down_put_form(txn, form_key_of(item->content), item->order, item->languages,
			     item->content);
}

static enum err
take_areas(struct store_txn *txn, struct take_job *job, const struct down_item *item)
{
	struct bytes now;
	enum err e = areas_read(item->content);

	if (e != E_OK)
		return e == E_NO_MEMORY ? e : E_OK;
	job->areas = item->content;
	e = store_get(txn, STORE_AREA, BYTES_LIT("current"), &now);
	if ((e != E_OK || !bytes_equal(now, item->content)) && (e = shared_forget(txn)) != E_OK)
		return e; /* of a node: what it shares with others is worked out anew */
	return store_put(txn, STORE_AREA, BYTES_LIT("current"), item->content);
}

static enum err
take_languages(struct store_txn *txn, struct take_job *job, const struct down_item *item)
{
	job->has_languages = true;
	memcpy(job->languages_form, item->form, sizeof(job->languages_form));
	memcpy(job->form_languages, item->languages, sizeof(job->form_languages));
	return down_put_languages(txn, job->peer, item->form, item->languages);
}

/* A device obeys the node that it pinned; a node checks whose word it is, and takes it in the
 * exchange as well. */
static enum err
take_erasure(struct store_txn *txn, struct peer *p, struct bytes statement)
{
	bool fresh;
	enum err e;

	if (peer_is_node(p))
		return E_OK;
	e = erasures_note(p, txn, statement, BYTES_NONE, &fresh);
	return e == E_VERSION ? E_OK : e; /* of a later version: its parcel is kept */
}

/* Rules of a later version do not come into force: what they say is for a later version to obey. */
static enum err
take_retention(struct store_txn *txn, struct bytes rules)
{
	struct retention read;

	return retention_read(rules, &read) == E_OK ? store_meta_put(txn, "retention", rules)
						    : E_OK;
}

/* One item. Kinds that are not known here are passed over. */
/* One that is too large, or one too many, is passed over: without it slices are longer, that is
 * all. */
static enum err
take_dictionary(struct store_txn *txn, struct take_job *job, const struct down_item *item)
{
	bool kept;
	enum err e;

	job->dictionary_form.v = item->form_key;
	e = dictionaries_keep(txn, job->dictionary_form, item->content, &kept);
	job->dictionary = kept ? item->content : BYTES_NONE;
	job->news |= kept ? DOWN_NEWS_DICTIONARY : 0;
	return e == E_LIMIT ? E_OK : e;
}

static enum err
take_item(struct store_txn *txn, struct take_job *job, const struct down_item *item)
{
	if (item->kind == DOWN_FORM)
		return take_form(txn, job, item);
	if (item->kind == DOWN_AREAS)
		return take_areas(txn, job, item);
	if (item->kind == DOWN_OFFICE)
		return take_office(txn, job, item->content);
	if (item->kind == DOWN_LANGUAGES)
		return take_languages(txn, job, item);
	if (item->kind == DOWN_CODECS) {
		job->codecs = item->highest;
		return dictionaries_take_codecs(txn, item->highest);
	}
	if (item->kind == DOWN_DICTIONARY)
		return take_dictionary(txn, job, item);
	if (item->kind == DOWN_REVIEW)
		return own_record_review(txn, &item->record, item->state, item->time_s, item->note);
	if (item->kind == DOWN_ADDRESSES)
		return peer_is_node(job->peer)
			   ? job->above.twin ? twins_take_on(job->peer, txn, item->content) : E_OK
			   : twins_take(job->peer, txn, item->content);
	if (item->kind == DOWN_ABOVE && peer_is_node(job->peer) && job->above.twin)
		return upper_take(job->peer, txn, item->content, &job->upper);
	if (item->kind == DOWN_OFFICE_KEY && peer_is_node(job->peer) && job->above.twin)
		return take_office_key(txn, job, item);
	if (item->kind == DOWN_RETENTION)
		return take_retention(txn, item->content);
	if (item->kind == DOWN_ERASURE)
		return take_erasure(txn, job->peer, item->content);
	if (item->kind == DOWN_ENROLMENT) {
		job->approved = true;
		return store_meta_put_u64(txn, "approved", 1);
	}
	return E_OK;
}

static enum err
take_body(struct store_txn *txn, struct take_job *job, struct bytes body, bool notice)
{
	struct down_item item;
	enum err e = down_item_read(body, &item);

	if (e == E_OK && down_item_known(item.kind)) /* else it is kept, wherever it stands */
		e = notice == (item.kind >= DOWN_REVIEW) ? take_item(txn, job, &item) : E_PARCEL;
	crypto_wipe(&item, sizeof(item));
	return e;
}

/* What is for everyone. A node says it on, unless its devices have it. */
static enum err
take_control(struct store_txn *txn, struct take_job *job, struct bytes body)
{
	bool node = peer_is_node(job->peer), here = false;
	enum err e = E_OK;

	if (node && (e = down_on_read(job->peer, txn, &body, job->arena, &here)) != E_OK)
		return e;
	if (here || (e = take_body(txn, job, body, false)) != E_OK)
		return e;
	return node ? down_on_say(job->peer, txn, body) : E_OK;
}

static enum err
open_notice(struct take_job *job, const struct parcel_item *item, struct writer *body)
{
	struct peer *p = job->peer;
	struct run run;
	enum err e;

	if (!item->to.to_principal || !ID_EQUAL(&item->to.principal, &peer_self(p)->id))
		return E_ABSENT; /* not for us */
	if ((e = run_open(&run, &p->programme.id, &job->parcel->log.author, item->epoch, &item->to,
			  item->enc, &peer_self(p)->seal)) != E_OK)
		return e;
	e = slice_open(&run, SLICE_NOTICE, item->index, &item->record, item->analytic.ciphertext,
		       body);
	run_wipe(&run);
	return e;
}

static enum err
take_job(struct store_txn *txn, void *arg)
{
	struct take_job *job = arg;
	const struct parcel *parcel = job->parcel;
	struct arrival a = {.log = parcel->log,
			    .number = parcel->number,
			    .hash = parcel->hash,
			    .via = parcel->log.author,
			    .parcel = job->bytes};
	struct down_cursor cursor = {parcel->log.epoch, parcel->number, parcel->hash};
	enum arrival_result result;
	struct parcel_hash before;
	uint64_t seq;
	enum err e;
	size_t i;

	if (parcel->number > 1 &&
	    arrival_find(txn, &a.log, a.number - 1, &seq, &before) == E_ABSENT) {
		a.flags = ARRIVAL_CARRIED; /* what came before it was another node of the office's
					      to take: upper.h */
		a.previous = job->previous;
	}
	if ((e = arrival_append(txn, &a, &result)) != E_OK)
		return e;
	if (peer_is_node(job->peer) && (e = opener_note(txn, &a, false)) != E_OK)
		return e;
	for (i = 0; i < parcel->item_count && e == E_OK; i++) {
		const struct parcel_item *item = &parcel->items[i];
		struct writer body;

		if (!item->analytic.present)
			continue;
		writer_heap_init(&body, CONTROL_PLAIN_BYTES_MAX);
		if (item->enc == NULL)
			e = control_unpack(item->analytic.ciphertext, &body);
		else
			e = open_notice(job, item, &body);
		if (e == E_OK) {
			struct bytes kept = arena_bytes(job->arena, writer_view(&body));

			e = kept.p == NULL      ? E_NO_MEMORY
			    : item->enc == NULL ? take_control(txn, job, kept)
						: take_body(txn, job, kept, true);
		} else if (e == E_ABSENT) {
			e = E_OK;
		}
		writer_free(&body);
	}
	job->news |= job->keys_changed ? DOWN_NEWS_KEY : 0;
	if (e == E_OK && peer_is_node(job->peer))
		e = down_open_again(txn, job->news);
	return e == E_OK ? down_cursor_put(txn, job->which, &cursor) : e;
}

/* Chain and signature, against what is held and the pinned node. */
static enum err
check(struct peer *p, struct take_job *job, struct parcel *parcel, uint64_t epoch, struct why *why)
{
	struct parcel_context context = {.programme = p->programme.id,
					 .log = {job->above.node, epoch},
					 .own_area = job->above.area};
	struct down_cursor cursors[2], *at = &cursors[job->which];
	struct store_txn *txn;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return why_set(why, e, "%s", p->path);
	e = down_cursors(p, txn, cursors);
	store_read_end(txn);
	if (e != E_OK)
		return why_set(why, e, "%s", p->path);
	if (at->epoch == epoch)
		context.previous = at->hash;
	else
		at->number = 0;
	job->previous = context.previous;
	if ((e = parcel_read(parcel, job->bytes, &context, job->arena, why)) != E_OK)
		return e;
	if (parcel->number != at->number + 1)
		return why_set(why, E_PARCEL_CHAIN, "the node's number %llu",
			       (unsigned long long)parcel->number);
	if ((e = parcel_verify(parcel, &job->above.sign)) != E_OK)
		return why_set(why, e, "a parcel of the node");
	return E_OK;
}

enum err
down_take_from(struct peer *p, const struct above *from, bool inbox, uint64_t epoch,
	       struct bytes bytes, struct why *why)
{
	struct take_job job = {.peer = p, .above = *from, .which = inbox ? 1 : 0, .bytes = bytes};
	struct parcel parcel;
	struct arena arena;
	enum err e;

	arena_init(&arena, 3u * CONTROL_PLAIN_BYTES_MAX);
	job.arena = &arena;
	job.parcel = &parcel;
	if ((e = check(p, &job, &parcel, epoch, why)) != E_OK ||
	    (e = down_fill(p, &parcel, &arena)) != E_OK)
		goto done;
	if ((e = store_write(p->store, take_job, &job)) != E_OK) {
		why_set(why, e, "what the node sent");
		goto done;
	}
	if (job.has_home)
		p->home = job.home;
	if (job.upper.known)
		p->upper = job.upper;
	if (job.keys_changed && (e = office_keys_reload(p)) != E_OK) {
		why_set(why, e, "%s", p->path);
		goto done;
	}
	if (job.approved)
		p->approved = true;
	if (job.has_languages)
		e = peer_learn_languages(p, job.languages_form, job.form_languages);
	if (job.codecs != 0)
		dictionaries_learn_codecs(p, job.codecs);
	if (job.dictionary.n > 0)
		e = dictionaries_learn(p, job.dictionary_form, job.dictionary);
	if (e == E_OK && job.areas.n > 0)
		e = peer_learn_areas(p, job.areas, why);
	if (e == E_OK && job.form_bundle.n > 0)
		e = peer_learn_form(p, job.form_bundle, job.form_order, job.form_languages, why);
	if (e == E_OK && peer_is_node(p)) /* the opener may have been at work in between */
		e = down_open_again_now(p, job.news, why);
done:
	arena_free(&arena);
	return e;
}

enum err
down_take(struct peer *p, bool inbox, uint64_t epoch, struct bytes bytes, struct why *why)
{
	struct above from;
	enum err e = peer_above(p, &from);

	return e == E_OK ? down_take_from(p, &from, inbox, epoch, bytes, why)
			 : why_set(why, e, "what a node sent");
}
