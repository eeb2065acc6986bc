#include "tools/node/link/twins.h"

#include <stdio.h>

#include "tools/node/down/down_item.h"
#include "tools/node/state.h"

#define SAID "said nodes" /* META, at nodes */

/* ---- lists ---- */

static enum err
list_write(struct writer *w, const struct twin *list, size_t count)
{
	size_t i;

	pack_array(w, (uint32_t)count);
	for (i = 0; i < count; i++) {
		pack_array(w, 3);
		pack_bin(w, BYTES(list[i].id.b, ID_BYTES));
		pack_bin(w, BYTES(list[i].sign.b, EC_PUBLIC_BYTES));
		pack_cstr(w, list[i].address);
	}
	return writer_end(w);
}

static enum err
list_read(struct reader *r, struct twin list[TWINS_MAX], size_t *count)
{
	uint32_t n = reader_array(r), i;

	*count = 0;
	if (n > TWINS_MAX)
		reader_fail(r, E_LIMIT);
	for (i = 0; i < n && r->e == E_OK; i++) {
		reader_array_of(r, 3);
		reader_bin_fixed(r, list[i].id.b, ID_BYTES);
		reader_bin_fixed(r, list[i].sign.b, EC_PUBLIC_BYTES);
		state_str(r, list[i].address, sizeof(list[i].address));
	}
	if (reader_end(r) == E_OK)
		*count = n;
	return reader_end(r);
}

/* META "other nodes": [1, list] */
static enum err
others_put(struct store_txn *txn, const struct twin *list, size_t count)
{
	struct writer w;
	enum err e;

	writer_heap_init(&w, 8192);
	pack_array(&w, 2);
	pack_u64(&w, 1);
	if ((e = list_write(&w, list, count)) == E_OK)
		e = store_meta_put(txn, "other nodes", writer_view(&w));
	writer_free(&w);
	return e;
}

static enum err
others_get(struct store_txn *txn, struct twin list[TWINS_MAX], size_t *count)
{
	struct bytes value;
	struct reader r;
	enum err e = store_meta_get(txn, "other nodes", &value);

	*count = 0;
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	reader_begin(&r, value, 1, 2);
	return list_read(&r, list, count);
}

/* ---- at nodes ---- */

/* META "said nodes": the list, for the next life. */
enum err
twins_say(struct peer *p, struct store_txn *txn, const struct twin *list, size_t count)
{
	struct down_item item = {.kind = DOWN_ADDRESSES};
	struct writer w, body;
	enum err e;

	writer_heap_init(&w, 8192);
	writer_heap_init(&body, 8192);
	if ((e = list_write(&w, list, count)) == E_OK &&
	    (e = store_meta_put(txn, SAID, writer_view(&w))) == E_OK) {
		item.content = writer_view(&w);
		down_item_write(&body, &item);
		if ((e = writer_end(&body)) == E_OK)
			e = down_publish(p, txn, writer_view(&body));
	}
	writer_free(&w);
	writer_free(&body);
	return e;
}

/* Not of who was shut out since. */
enum err
twins_say_again(struct peer *p, struct store_txn *txn)
{
	struct twin said[TWINS_MAX], list[TWINS_MAX];
	size_t count, n = 0, i;
	struct bytes value;
	struct member m;
	struct reader r;
	enum err e = store_meta_get(txn, SAID, &value);

	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	reader_init(&r, value);
	if ((e = list_read(&r, said, &count)) != E_OK)
		return e;
	for (i = 0; i < count; i++) {
		e = member_get(txn, &said[i].id, &m);
		if (e == E_ABSENT ||
		    (e == E_OK && m.state != MEMBER_REVOKED && m.state != MEMBER_KNOWN_REVOKED))
			list[n++] = said[i];
		else if (e != E_OK)
			return e;
	}
	return n == 0 ? E_OK : twins_say(p, txn, list, n);
}

enum err
twins_take_on(struct peer *p, struct store_txn *txn, struct bytes list)
{
	struct twin heard[TWINS_MAX], say[TWINS_MAX + 1];
	size_t count, n = 0, i;
	struct reader r;
	enum err e;

	reader_init(&r, list);
	e = list_read(&r, heard, &count);
	if (e != E_OK || !p->above.twin)
		return e;
	say[n].id = p->above.node;
	say[n].sign = p->above.sign;
	memcpy(say[n++].address, p->above.address, sizeof(say[0].address));
	for (i = 0; i < count && n < TWINS_MAX; i++)
		if (!ID_EQUAL(&heard[i].id, &peer_self(p)->id) &&
		    !ID_EQUAL(&heard[i].id, &p->above.node))
			say[n++] = heard[i];
	return twins_say(p, txn, say, n);
}

/* ---- at devices ---- */

enum err
twins_take(struct peer *p, struct store_txn *txn, struct bytes list)
{
	struct twin heard[TWINS_MAX], keep[TWINS_MAX];
	size_t count, n = 0, i;
	struct reader r;
	enum err e;

	reader_init(&r, list);
	e = list_read(&r, heard, &count);
	for (i = 0; i < count && e == E_OK; i++)
		if (!ID_EQUAL(&heard[i].id, &p->home.node))
			keep[n++] = heard[i];
	return e == E_OK ? others_put(txn, keep, n) : e;
}

/* What a device remembers of one node: where it stands in its logs, and what it said. */
static const char *const memories[] = {"sync", "down broadcast", "down inbox",
				       "life", "backups",        "kept"};

enum err
twins_memory_swap(struct store_txn *txn, const struct principal_id *from,
		  const struct principal_id *to)
{
	size_t i;
	enum err e = E_OK;

	for (i = 0; i < sizeof(memories) / sizeof(memories[0]) && e == E_OK; i++) {
		char hex[2 * ID_BYTES + 1], left[80], next[80];
		uint8_t key[STORE_NAME_BYTES];
		struct bytes value;

		hex_encode(hex, from->b, ID_BYTES);
		(void)snprintf(left, sizeof(left), "%s %s", memories[i], hex);
		hex_encode(hex, to->b, ID_BYTES);
		(void)snprintf(next, sizeof(next), "%s %s", memories[i], hex);
		if ((e = store_meta_get(txn, memories[i], &value)) == E_OK)
			e = store_meta_put(txn, left, value);
		if (e != E_OK && e != E_ABSENT)
			break;
		if ((e = store_meta_get(txn, next, &value)) == E_OK) {
			e = store_meta_put(txn, memories[i], value);
		} else if (e == E_ABSENT) {
			store_key_name(store_of(txn), STORE_META, bytes_of_str(memories[i]), key);
			e = store_del(txn, STORE_META, BYTES(key, sizeof(key)));
			e = e == E_ABSENT ? E_OK : e;
		}
	}
	return e;
}

struct switch_job {
	struct peer *peer;
	struct home home; /* out */
};

static enum err
switch_job(struct store_txn *txn, void *arg)
{
	struct switch_job *job = arg;
	struct twin list[TWINS_MAX], was;
	size_t count, i;
	enum err e = others_get(txn, list, &count);

	if (e != E_OK || count == 0)
		return e == E_OK ? E_ABSENT : e;
	job->home = job->peer->home;
	was.id = job->home.node;
	was.sign = job->home.node_sign;
	memcpy(was.address, job->home.address, sizeof(was.address));
	job->home.node = list[0].id;
	job->home.node_sign = list[0].sign;
	memcpy(job->home.address, list[0].address, sizeof(job->home.address));
	for (i = 1; i < count; i++)
		list[i - 1] = list[i];
	list[count - 1] = was;
	if ((e = twins_memory_swap(txn, &was.id, &job->home.node)) != E_OK ||
	    (e = others_put(txn, list, count)) != E_OK)
		return e;
	return peer_put_home(txn, &job->home);
}

enum err
twins_switch(struct peer *p)
{
	struct switch_job job = {.peer = p};
	enum err e = peer_is_node(p) ? E_ABSENT : store_write(p->store, switch_job, &job);

	if (e == E_OK)
		p->home = job.home;
	crypto_wipe(&job, sizeof(job));
	return e;
}

enum err
twins_kept(struct store_txn *txn, uint64_t incarnation, uint64_t epoch, uint64_t *number)
{
	struct bytes value;
	enum err e = store_meta_get(txn, "kept", &value);

	*number = 0;
	if (e == E_OK && value.n == 24 && be64_get(value.p) == incarnation &&
	    be64_get(value.p + 8) == epoch)
		*number = be64_get(value.p + 16);
	return e == E_ABSENT ? E_OK : e;
}

enum err
twins_put_kept(struct store_txn *txn, uint64_t incarnation, uint64_t epoch, uint64_t number)
{
	uint8_t value[24];
	uint64_t was;
	enum err e = twins_kept(txn, incarnation, epoch, &was);

	if (e != E_OK || number <= was || incarnation == 0)
		return e;
	be64_put(value, incarnation);
	be64_put(value + 8, epoch);
	be64_put(value + 16, number);
	return store_meta_put(txn, "kept", BYTES(value, sizeof(value)));
}

enum err
twins_key(struct store_txn *txn, const struct principal_id *id, struct ec_public *out)
{
	struct twin list[TWINS_MAX];
	size_t count, i;
	enum err e = others_get(txn, list, &count);

	for (i = 0; e == E_OK && i < count; i++)
		if (ID_EQUAL(&list[i].id, id)) {
			*out = list[i].sign;
			return E_OK;
		}
	return e == E_OK ? E_ABSENT : e;
}

size_t
twins_count(struct peer *p)
{
	struct twin list[TWINS_MAX];
	struct store_txn *txn;
	size_t count = 0;

	if (peer_is_node(p) || store_read_begin(p->store, &txn) != E_OK)
		return 0;
	(void)others_get(txn, list, &count);
	store_read_end(txn);
	return count;
}
