/* The node's side: saying things to devices. */
#include "tools/node/down/down.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/store/audit.h"
#include "core/set/shared.h"
#include "tools/node/down/down_item.h"
#include "tools/node/dictionaries.h"
#include "tools/node/down/down_row.h"
#include "tools/node/enrol/enrol.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/enrol/upper.h"
#include "tools/node/link/twins.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/opener/opener.h"

struct log_id
down_broadcast_log(struct peer *p)
{
	return (struct log_id){peer_self(p)->id, peer_self(p)->epoch};
}

/* Worked out, not stored: a restored node has another incarnation and so other logs. */
static struct log_id
derived_log(struct peer *p, const char *label, const struct principal_id *whose)
{
	uint8_t key[32], mac[32], name[ID_BYTES + 8];
	struct log_id log = {.author = peer_self(p)->id};

	store_derive(p->store, label, key, sizeof(key));
	memcpy(name, whose->b, ID_BYTES);
	be64_put(name + ID_BYTES, store_incarnation(p->store));
	crypto_hmac(mac, BYTES(key, sizeof(key)), BYTES(name, sizeof(name)));
	log.epoch = be64_get(mac);
	crypto_wipe(key, sizeof(key));
	return log;
}

struct log_id
down_inbox_log(struct peer *p, const struct principal_id *device)
{
	return derived_log(p, "banyan inbox log 1", device);
}

struct log_id
down_records_log(struct peer *p)
{
	return derived_log(p, "banyan node records 1", &peer_self(p)->id);
}

struct log_id
down_above_log(struct peer *p)
{
	return derived_log(p, "banyan words above 1", &peer_self(p)->id);
}

/* Append one item as a parcel of one of the node's logs. */
static enum err
append(struct peer *p, struct store_txn *txn, struct log_id log, const struct parcel_item *item)
{
	struct parcel_context context = {
	    .programme = p->programme.id, .log = log, .own_area = peer_self(p)->area};
	struct arrival a = {.log = log, .via = peer_self(p)->id, .flags = ARRIVAL_OWN};
	struct arrival_head *head = malloc(sizeof(*head));
	struct parcel_builder *builder = NULL;
	enum arrival_result result;
	struct writer out;
	enum err e;

	if (head == NULL)
		return E_NO_MEMORY;
	writer_heap_init(&out, PARCEL_BYTES_MAX);
	e = arrival_head(txn, &log, head);
	if (e == E_ABSENT)
		e = E_OK; /* number 0, hash zero */
	context.previous = head->hash;
	a.number = head->number + 1;
	if (e == E_OK && (e = parcel_begin(&builder, &context, a.number, 0, NULL)) == E_OK &&
	    (e = parcel_add(builder, item)) == E_OK)
		e = parcel_end(builder, &peer_self(p)->sign, &out, &a.hash);
	parcel_builder_free(builder);
	a.parcel = writer_view(&out);
	if (e == E_OK)
		e = arrival_append(txn, &a, &result);
	writer_free(&out);
	free(head);
	return e;
}

static enum err
say(struct peer *p, struct store_txn *txn, struct log_id log, struct bytes body)
{
	struct parcel_item item;
	struct writer wrapped;
	enum err e;

	memset(&item, 0, sizeof(item));
	item.epoch = log.epoch;
	writer_heap_init(&wrapped, CONTROL_BYTES_MAX);
	if ((e = control_pack(body, &wrapped)) == E_OK) {
		item.analytic.present = true;
		item.analytic.ciphertext = writer_view(&wrapped);
		e = append(p, txn, log, &item);
	}
	writer_free(&wrapped);
	return e;
}

enum err
down_publish(struct peer *p, struct store_txn *txn, struct bytes body)
{
	return say(p, txn, down_broadcast_log(p), body);
}

enum err
down_notify(struct peer *p, struct store_txn *txn, const struct enrolment *device,
	    struct bytes body)
{
	struct run_recipient to = {.to_principal = true, .principal = device->id};
	struct log_id log = down_inbox_log(p, &device->id);
	struct record_id none;
	struct parcel_item item;
	struct writer sealed;
	struct run run;
	enum err e;

	memset(&item, 0, sizeof(item));
	memset(&none, 0, sizeof(none));
	if ((e = run_begin(&run, &p->programme.id, &peer_self(p)->id, log.epoch, &to,
			   &device->seal_pub)) != E_OK)
		return e;
	writer_heap_init(&sealed, SLICE_BYTES_MAX);
	run_record_id(&none, run.enc, 0, 0);
	if ((e = slice_seal(&run, SLICE_NOTICE, 0, &none, body, &sealed)) == E_OK) {
		item.enc = run.enc;
		item.to = to;
		item.epoch = log.epoch;
		item.analytic.present = true;
		item.analytic.ciphertext = writer_view(&sealed);
		e = append(p, txn, log, &item);
	}
	run_wipe(&run);
	writer_free(&sealed);
	return e;
}

/* ---- forms, areas, languages ---- */

struct say_job {
	struct peer *peer;
	const struct principal_id *actor;
	struct bytes content; /* bundle or table */
	const char *verb, *object, *languages;
	struct form_key key;
	uint64_t order;
	uint32_t now_s;
};

static enum err
say_item(struct peer *p, struct store_txn *txn, struct log_id log, const struct down_item *item)
{
	struct writer w;
	enum err e;

	writer_heap_init(&w, CONTROL_PLAIN_BYTES_MAX);
	down_item_write(&w, item);
	if ((e = writer_end(&w)) == E_OK)
		e = say(p, txn, log, writer_view(&w));
	writer_free(&w);
	return e;
}

static enum err
publish_form(struct peer *p, struct store_txn *txn, uint64_t order, const char *languages,
	     struct bytes bundle)
{
	struct down_item item = {.kind = DOWN_FORM, .order = order, .content = bundle};

	snprintf(item.languages, sizeof(item.languages), "%s", languages);
	return say_item(p, txn, down_broadcast_log(p), &item);
}

static enum err
form_job(struct store_txn *txn, void *arg)
{
	struct say_job *job = arg;
	enum err e;

	if ((e = store_meta_u64(txn, "form order", 0, &job->order)) != E_OK ||
	    (e = store_meta_put_u64(txn, "form order", ++job->order)) != E_OK ||
	    (e = down_put_form(txn, job->key, job->order, "", job->content)) != E_OK ||
	    (e = publish_form(job->peer, txn, job->order, "", job->content)) != E_OK)
		return e;
	return audit_append(txn, job->now_s, job->actor, "form add", job->object, "");
}

enum err
down_add_form(struct peer *p, const struct principal_id *actor, struct bytes bundle, bool *already,
	      struct why *why)
{
	struct say_job job = {.peer = p, .actor = actor, .content = bundle, .now_s = peer_now_s(p)};
	struct form_entry *f;
	struct form *form;
	char object[200];
	enum err e;

	*already = false;
	if ((e = form_read(&form, bundle, why)) != E_OK)
		return e;
	job.key = form_key(form);
	job.object = object;
	snprintf(object, sizeof(object), "%.120s %.60s", form_id(form), form_version(form));
	if (peer_form_by_key(p, job.key) != NULL) {
		form_free(form);
		*already = true;
		return down_open_again_now(p, DOWN_NEWS_FORM, why);
	}
	for (f = p->forms; f != NULL; f = f->next)
		if (strcmp(form_id(f->form), form_id(form)) == 0 &&
		    strcmp(form_version(f->form), form_version(form)) == 0) {
			form_free(form);
			return why_set(why, E_FORM_VERSION, "%s", object);
		}
	form_free(form);
	if ((e = store_write(p->store, form_job, &job)) != E_OK)
		return why_set(why, e, "%s", p->path);
	if ((e = peer_learn_form(p, bundle, job.order, "", why)) != E_OK)
		return e;
	return down_open_again_now(p, DOWN_NEWS_FORM, why); /* now that the opener knows it */
}

static enum err
say_bin(struct peer *p, struct store_txn *txn, struct log_id log, enum down_kind kind,
	struct bytes content)
{
	struct down_item item = {.kind = kind, .content = content};

	return say_item(p, txn, log, &item);
}

static enum err
publish_bin(struct peer *p, struct store_txn *txn, enum down_kind kind, struct bytes content)
{
	return say_bin(p, txn, down_broadcast_log(p), kind, content);
}

enum err
down_say_above(struct peer *p, struct store_txn *txn, enum down_kind kind, struct bytes statement)
{
	return say_bin(p, txn, down_above_log(p), kind, statement);
}

enum err
down_publish_statement(struct peer *p, struct store_txn *txn, enum down_kind kind,
		       struct bytes statement)
{
	return publish_bin(p, txn, kind, statement);
}

static enum err
areas_job(struct store_txn *txn, void *arg)
{
	struct say_job *job = arg;
	enum err e;

	if ((e = store_put(txn, STORE_AREA, BYTES_LIT("current"), job->content)) != E_OK ||
	    (e = shared_forget(txn)) != E_OK || /* what is whose may be another now */
	    (e = publish_bin(job->peer, txn, DOWN_AREAS, job->content)) != E_OK)
		return e;
	return audit_append(txn, job->now_s, job->actor, "areas add", "", "");
}

enum err
down_add_areas(struct peer *p, const struct principal_id *actor, struct bytes table,
	       struct why *why)
{
	struct say_job job = {.peer = p, .actor = actor, .content = table, .now_s = peer_now_s(p)};
	struct area_table *read;
	enum err e;

	if ((e = area_table_read(&read, table, why)) != E_OK)
		return e;
	area_table_free(read);
	if ((e = store_write(p->store, areas_job, &job)) != E_OK)
		return why_set(why, e, "%s", p->path);
	return peer_learn_areas(p, table, why);
}

static enum err
languages_job(struct store_txn *txn, void *arg)
{
	struct say_job *job = arg;
	struct down_item item = {.kind = DOWN_LANGUAGES};
	enum err e;

	snprintf(item.form, sizeof(item.form), "%s", job->object);
	snprintf(item.languages, sizeof(item.languages), "%s", job->languages);
	if ((e = down_put_languages(txn, job->peer, job->object, job->languages)) != E_OK ||
	    (e = say_item(job->peer, txn, down_broadcast_log(job->peer), &item)) != E_OK)
		return e;
	return audit_append(txn, job->now_s, job->actor, "form accept-language", job->object,
			    job->languages);
}

enum err
down_accept_language(struct peer *p, const struct principal_id *actor, const char *id,
		     const char *codes, struct why *why)
{
	struct say_job job = {
	    .peer = p, .actor = actor, .object = id, .languages = codes, .now_s = peer_now_s(p)};
	enum err e;

	if (peer_form(p, id) == NULL)
		return why_set(why, E_FORM_UNKNOWN, "%s", id);
	if ((e = store_write(p->store, languages_job, &job)) != E_OK)
		return why_set(why, e, "%s", p->path);
	return peer_learn_languages(p, id, codes);
}

static enum err
retention_job(struct store_txn *txn, void *arg)
{
	struct say_job *job = arg;
	enum err e;

	if ((e = store_meta_put(txn, "retention", job->content)) != E_OK ||
	    (e = publish_bin(job->peer, txn, DOWN_RETENTION, job->content)) != E_OK)
		return e;
	return audit_append(txn, job->now_s, job->actor, "retention", job->object, "");
}

enum err
down_set_retention(struct peer *p, const struct principal_id *actor, struct bytes rules,
		   const char *what, struct why *why)
{
	struct say_job job = {
	    .peer = p, .actor = actor, .content = rules, .object = what, .now_s = peer_now_s(p)};
	enum err e = store_write(p->store, retention_job, &job);

	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}

/* ---- after a restore ---- */

struct saying_orders {
	struct peer *peer;
	struct store_txn *txn;
};

static enum err
say_order(void *arg, const struct erasure_row *row)
{
	struct saying_orders *s = arg;

	return publish_bin(s->peer, s->txn, DOWN_ERASURE, row->statement);
}

/*
 * Who slept through a change of the office's key seals to an old one still, and another node of the
 * office opens nothing that is sealed to the new one; who was let in waits, until this is said; and
 * nobody finds an address that nobody names.
 */
static enum err
republish_office(struct peer *p, struct store_txn *txn)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct bytes office = BYTES_NONE;
	enum err e = E_OK;

	if (p->home.key_no > 1 &&
	    (e = store_get(txn, STORE_OFFICE, BYTES_LIT("own"), &office)) == E_OK &&
	    office.n <= sizeof(memory)) {
		memcpy(memory, office.p, office.n); /* what is put moves what was got */
		office.p = memory;
		if ((e = publish_bin(p, txn, DOWN_OFFICE, office)) == E_OK)
			e = down_say_above(p, txn, DOWN_OFFICE, office);
	}
	if ((e != E_OK && e != E_ABSENT) || (e = enrol_say_approved(txn, p)) != E_OK ||
	    (e = office_keys_give_all(txn, p)) != E_OK || (e = upper_tell_job(txn, p)) != E_OK)
		return e;
	return twins_say_again(p, txn);
}

static enum err
republish_job(struct store_txn *txn, void *arg)
{
	struct saying_orders orders = {arg, txn};
	struct peer *p = arg;
	struct store_cursor *c;
	struct bytes key, value;
	enum err e, e2;

	e = store_get(txn, STORE_AREA, BYTES_LIT("current"), &value);
	if (e == E_OK)
		e = publish_bin(p, txn, DOWN_AREAS, value);
	if (e != E_OK && e != E_ABSENT)
		return e;
	if ((e = republish_office(p, txn)) != E_OK)
		return e;
	if ((e = store_meta_get(txn, "retention", &value)) == E_OK)
		e = publish_bin(p, txn, DOWN_RETENTION, value);
	if (e != E_OK && e != E_ABSENT)
		return e;
	if ((e = store_walk(txn, STORE_FORM, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		struct form_row row;

		if ((e = down_read_form(value, &row)) == E_OK)
			e = publish_form(p, txn, row.order, row.languages, row.bundle);
	}
	e2 = store_walk_end(c);
	/* and who had not heard of an order to erase in the life before would never hear of it */
	if (e == E_OK && (e = e2) == E_OK && (e = dictionaries_say_all(p, txn)) == E_OK &&
	    (e = erasures_walk(p, txn, say_order, &orders)) == E_OK)
		e = store_meta_put_u64(txn, "broadcast incarnation", store_incarnation(p->store));
	return e;
}

enum err
down_republish(struct peer *p, struct why *why)
{
	struct store_txn *txn;
	uint64_t said = 0;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return why_set(why, e, "%s", p->path);
	e = store_meta_u64(txn, "broadcast incarnation", 0, &said);
	store_read_end(txn);
	if (e != E_OK || (e = dictionaries_say_codecs(p, why)) != E_OK ||
	    said == store_incarnation(p->store))
		return e;
	e = store_write(p->store, republish_job, p);
	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}
