#include "tools/node/dictionaries.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/store/audit.h"
#include "core/pack.h"
#include "tools/node/down/down_item.h"

/* An entry of the peer's list; its bytes follow it. */
struct kept {
	struct dictionary d;
	uint8_t bytes[];
};

/* Rows of BLOB, name of "dictionary N", N from 1: [1, form key, content]. */
static void
row_name(struct store_txn *txn, unsigned n, uint8_t out[STORE_NAME_BYTES])
{
	char text[32];
	int length = snprintf(text, sizeof(text), "dictionary %u", n);

	store_key_name(store_of(txn), STORE_BLOB, BYTES(text, (size_t)length), out);
}

/* Row n; E_ABSENT past the last. */
static enum err
row_get(struct store_txn *txn, unsigned n, struct form_key *form, struct bytes *content)
{
	uint8_t key[STORE_NAME_BYTES];
	struct bytes value;
	struct reader r;
	enum err e;

	row_name(txn, n, key);
	if ((e = store_get(txn, STORE_BLOB, BYTES(key, sizeof(key)), &value)) != E_OK)
		return e;
	reader_begin(&r, value, 1, 3);
	form->v = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	*content = reader_bin(&r);
	return reader_end(&r);
}

enum err
dictionaries_learn(struct peer *p, struct form_key form, struct bytes content)
{
	struct kept *k = malloc(sizeof(*k) + content.n);

	if (k == NULL)
		return E_NO_MEMORY;
	memcpy(k->bytes, content.p, content.n);
	k->d = dictionary_of(form.v, BYTES(k->bytes, content.n));
	pthread_rwlock_wrlock(&p->lock);
	k->d.next = p->dictionaries;
	p->dictionaries = &k->d;
	pthread_rwlock_unlock(&p->lock);
	return E_OK;
}

enum err
dictionaries_load(struct store_txn *txn, struct peer *p)
{
	struct form_key form;
	struct bytes content;
	uint64_t highest;
	unsigned n;
	enum err e;

	if ((e = store_meta_u64(txn, "codecs", 1, &highest)) != E_OK)
		return e;
	p->blocks = highest >= 3;
	for (n = 1; n <= DICTIONARIES_MAX; n++) {
		if ((e = row_get(txn, n, &form, &content)) != E_OK)
			return e == E_ABSENT ? E_OK : e;
		if ((e = dictionaries_learn(p, form, content)) != E_OK)
			return e;
	}
	return E_OK;
}

void
dictionaries_free(struct peer *p)
{
	const struct dictionary *d = p->dictionaries, *next;

	for (; d != NULL; d = next) {
		next = d->next;
		free((void *)(uintptr_t)d); /* its first member */
	}
	p->dictionaries = NULL;
}

const struct dictionary *
dictionaries_known(struct peer *p)
{
	const struct dictionary *d;

	pthread_rwlock_rdlock(&p->lock);
	d = p->dictionaries;
	pthread_rwlock_unlock(&p->lock);
	return d;
}

const struct dictionary *
dictionaries_for(struct peer *p, struct form_key form)
{
	const struct dictionary *d = dictionaries_known(p);

	while (d != NULL && d->form != form.v)
		d = d->next;
	return d;
}

bool
dictionaries_blocks(struct peer *p)
{
	bool blocks;

	pthread_rwlock_rdlock(&p->lock);
	blocks = p->blocks || peer_is_node(p);
	pthread_rwlock_unlock(&p->lock);
	return blocks;
}

enum err
dictionaries_keep(struct store_txn *txn, struct form_key form, struct bytes content, bool *kept)
{
	uint8_t key[STORE_NAME_BYTES];
	struct form_key other;
	struct bytes row;
	struct writer w;
	unsigned n;
	enum err e = E_OK;

	*kept = false;
	if (content.n < DICTIONARY_BYTES_LEAST || content.n > DICTIONARY_BYTES_MAX)
		return E_LIMIT;
	for (n = 1; (e = row_get(txn, n, &other, &row)) == E_OK; n++)
		if (other.v == form.v && bytes_equal(row, content))
			return E_OK;
	if (e != E_ABSENT || n > DICTIONARIES_MAX)
		return e != E_ABSENT ? e : E_LIMIT;
	row_name(txn, n, key);
	writer_heap_init(&w, DICTIONARY_BYTES_MAX + 64u);
	pack_array(&w, 3);
	pack_u64(&w, 1);
	pack_u64(&w, form.v);
	pack_bin(&w, content);
	if ((e = writer_end(&w)) == E_OK)
		e = store_put(txn, STORE_BLOB, BYTES(key, sizeof(key)), writer_view(&w));
	writer_free(&w);
	*kept = e == E_OK;
	return e;
}

enum err
dictionaries_take_codecs(struct store_txn *txn, uint64_t highest)
{
	return store_meta_put_u64(txn, "codecs", highest);
}

void
dictionaries_learn_codecs(struct peer *p, uint64_t highest)
{
	pthread_rwlock_wrlock(&p->lock);
	p->blocks = highest >= 3;
	pthread_rwlock_unlock(&p->lock);
}

/* ---- at a node ---- */

static enum err
publish(struct peer *p, struct store_txn *txn, struct form_key form, struct bytes content)
{
	const struct down_item item = {
	    .kind = DOWN_DICTIONARY, .form_key = form.v, .content = content};
	struct writer w;
	enum err e;

	writer_heap_init(&w, DICTIONARY_BYTES_MAX + 64u);
	down_item_write(&w, &item);
	if ((e = writer_end(&w)) == E_OK)
		e = down_publish(p, txn, writer_view(&w));
	writer_free(&w);
	return e;
}

struct add_job {
	struct peer *peer;
	const struct principal_id *actor;
	struct form_key form;
	struct bytes content;
	char object[128], detail[32];
	uint32_t now_s;
	bool kept;
};

static enum err
add_job(struct store_txn *txn, void *arg)
{
	struct add_job *job = arg;
	enum err e;

	if ((e = dictionaries_keep(txn, job->form, job->content, &job->kept)) != E_OK || !job->kept)
		return e;
	if ((e = publish(job->peer, txn, job->form, job->content)) != E_OK)
		return e;
	return audit_append(txn, job->now_s, job->actor, "form train", job->object, job->detail);
}

enum err
dictionaries_add(struct peer *p, const struct principal_id *actor, const struct form_entry *form,
		 struct bytes content, bool *already, struct why *why)
{
	struct add_job job = {.peer = p,
			      .actor = actor,
			      .form = form->key,
			      .content = content,
			      .now_s = peer_now_s(p)};
	enum err e;

	(void)snprintf(job.object, sizeof(job.object), "%.80s %.40s", form_id(form->form),
		       form_version(form->form));
	(void)snprintf(job.detail, sizeof(job.detail), "%zu bytes", content.n);
	if ((e = dictionaries_say_codecs(p, why)) != E_OK)
		return e;
	if ((e = store_write(p->store, add_job, &job)) != E_OK)
		return why_set(why, e, "the dictionary of %s", form_id(form->form));
	*already = !job.kept;
	return job.kept ? dictionaries_learn(p, form->key, content) : E_OK;
}

enum err
dictionaries_say_all(struct peer *p, struct store_txn *txn)
{
	struct form_key form;
	struct bytes content;
	unsigned n;
	enum err e;

	for (n = 1; n <= DICTIONARIES_MAX; n++) {
		if ((e = row_get(txn, n, &form, &content)) != E_OK)
			return e == E_ABSENT ? E_OK : e;
		if ((e = publish(p, txn, form, content)) != E_OK)
			return e;
	}
	return E_OK;
}

static enum err
codecs_job(struct store_txn *txn, void *arg)
{
	struct peer *p = arg;
	const struct down_item item = {.kind = DOWN_CODECS, .highest = 3};
	uint8_t memory[16];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	down_item_write(&w, &item);
	if ((e = writer_end(&w)) != E_OK || (e = down_publish(p, txn, writer_view(&w))) != E_OK)
		return e;
	return store_meta_put_u64(txn, "codecs incarnation", store_incarnation(p->store));
}

enum err
dictionaries_say_codecs(struct peer *p, struct why *why)
{
	struct store_txn *txn;
	uint64_t said = 0;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) == E_OK) {
		e = store_meta_u64(txn, "codecs incarnation", 0, &said);
		store_read_end(txn);
	}
	if (e == E_OK && said != store_incarnation(p->store))
		e = store_write(p->store, codecs_job, p);
	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}
