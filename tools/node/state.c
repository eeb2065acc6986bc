/* The META rows that make a store a peer: FORMATS.md, "Rows of a peer". */
#include "tools/node/peer.h"

#include "core/crypto/crypto.h"
#include "core/pack.h"

#include "tools/node/state.h"

void
state_str(struct reader *r, char *out, size_t out_bytes)
{
	struct bytes s = reader_str(r);

	if (s.n >= out_bytes ||
	    (s.n > 0 && memchr(s.p, 0, s.n) != NULL)) { /* a zero would cut it short unseen */
		reader_fail(r, E_PACK_TYPE);
		s = BYTES_NONE;
	}
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

static void
key_pack(struct writer *w, const struct ec_key *k)
{
	pack_bin(w, BYTES(k->secret, EC_SECRET_BYTES));
	pack_bin(w, BYTES(k->pub.b, EC_PUBLIC_BYTES));
}

static void
key_read(struct reader *r, struct ec_key *k)
{
	reader_bin_fixed(r, k->secret, EC_SECRET_BYTES);
	reader_bin_fixed(r, k->pub.b, EC_PUBLIC_BYTES);
}

/* identities = [1, [[id, role, area, name, sign secret, sign public, seal secret, seal public,
 * epoch, incarnation] ...]] */
enum err
peer_put_identities(struct store_txn *txn, const struct peer *p)
{
	struct writer w;
	enum err e;
	size_t i;

	writer_heap_init(&w, 1u << 20);
	pack_array(&w, 2);
	pack_u64(&w, 1);
	pack_array(&w, (uint32_t)p->identity_count);
	for (i = 0; i < p->identity_count; i++) {
		const struct identity *d = &p->identities[i];

		pack_array(&w, 10);
		pack_bin(&w, BYTES(d->id.b, ID_BYTES));
		pack_u64(&w, d->role);
		pack_cstr(&w, d->area);
		pack_cstr(&w, d->name);
		key_pack(&w, &d->sign);
		key_pack(&w, &d->seal);
		pack_u64(&w, d->epoch);
		pack_u64(&w, d->incarnation);
	}
	e = writer_end(&w);
	if (e == E_OK)
		e = store_meta_put(txn, "identities", writer_view(&w));
	writer_free(&w);
	return e;
}

enum err
state_read_identities(struct store_txn *txn, struct peer *p)
{
	struct bytes value;
	struct reader r;
	uint32_t i, count;
	enum err e = store_meta_get(txn, "identities", &value);

	if (e != E_OK)
		return e;
	reader_begin(&r, value, 1, 2);
	count = reader_array(&r);
	if (count == 0 || count > IDENTITIES_MAX)
		reader_fail(&r, E_STORE_DAMAGED);
	for (i = 0; i < count && r.e == E_OK; i++) {
		struct identity *d = &p->identities[i];

		reader_array_of(&r, 10);
		reader_bin_fixed(&r, d->id.b, ID_BYTES);
		d->role = (enum role)reader_u64_max(&r, 255);
		state_str(&r, d->area, sizeof(d->area));
		state_str(&r, d->name, sizeof(d->name));
		key_read(&r, &d->sign);
		key_read(&r, &d->seal);
		d->epoch = reader_u64(&r);
		d->incarnation = reader_u64(&r);
	}
	p->identity_count = count;
	return reader_end(&r);
}

/* home = [1, area, key_no, seal secret, seal public, has_secret, node id, node sign public,
 * address] */
enum err
peer_put_home(struct store_txn *txn, const struct home *h)
{
	uint8_t memory[1024];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 9);
	pack_u64(&w, 1);
	pack_cstr(&w, h->area);
	pack_u64(&w, h->key_no);
	key_pack(&w, &h->seal);
	pack_bool(&w, h->has_secret);
	pack_bin(&w, BYTES(h->node.b, ID_BYTES));
	pack_bin(&w, BYTES(h->node_sign.b, EC_PUBLIC_BYTES));
	pack_cstr(&w, h->address);
	if ((e = writer_end(&w)) == E_OK)
		e = store_meta_put(txn, "home", writer_view(&w));
	crypto_wipe(memory, sizeof(memory));
	return e;
}

enum err
state_read_home(struct store_txn *txn, struct home *h)
{
	struct bytes value;
	struct reader r;
	enum err e = store_meta_get(txn, "home", &value);

	if (e != E_OK)
		return e;
	reader_begin(&r, value, 1, 9);
	state_str(&r, h->area, sizeof(h->area));
	h->key_no = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	key_read(&r, &h->seal);
	h->has_secret = reader_bool(&r);
	reader_bin_fixed(&r, h->node.b, ID_BYTES);
	reader_bin_fixed(&r, h->node_sign.b, EC_PUBLIC_BYTES);
	state_str(&r, h->address, sizeof(h->address));
	return reader_end(&r);
}

/* above = [1, node id, sign public, seal public, area, address, twin] */
void
state_above_write(struct writer *w, const struct above *a)
{
	pack_array(w, 7);
	pack_u64(w, 1);
	pack_bin(w, BYTES(a->node.b, ID_BYTES));
	pack_bin(w, BYTES(a->sign.b, EC_PUBLIC_BYTES));
	pack_bin(w, BYTES(a->seal.b, EC_PUBLIC_BYTES));
	pack_cstr(w, a->area);
	pack_cstr(w, a->address);
	pack_bool(w, a->twin);
}

void
state_above_read(struct reader *r, struct above *a)
{
	memset(a, 0, sizeof(*a));
	reader_array_of(r, 7);
	if (reader_u64(r) != 1)
		reader_fail(r, E_VERSION);
	reader_bin_fixed(r, a->node.b, ID_BYTES);
	reader_bin_fixed(r, a->sign.b, EC_PUBLIC_BYTES);
	reader_bin_fixed(r, a->seal.b, EC_PUBLIC_BYTES);
	state_str(r, a->area, sizeof(a->area));
	state_str(r, a->address, sizeof(a->address));
	a->twin = reader_bool(r);
	a->known = true;
}

static enum err
put_above(struct store_txn *txn, const char *name, const struct above *a)
{
	uint8_t memory[1024];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	state_above_write(&w, a);
	if ((e = writer_end(&w)) != E_OK)
		return e;
	return store_meta_put(txn, name, writer_view(&w));
}

enum err
peer_put_above(struct store_txn *txn, const struct above *a)
{
	return put_above(txn, "above", a);
}

enum err
peer_put_upper(struct store_txn *txn, const struct above *a)
{
	return put_above(txn, "upper", a);
}

enum err
state_read_above(struct store_txn *txn, const char *name, struct above *a)
{
	struct bytes value;
	struct reader r;
	enum err e = store_meta_get(txn, name, &value);

	memset(a, 0, sizeof(*a));
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	reader_init(&r, value);
	state_above_read(&r, a);
	return reader_end(&r);
}

/* programme = [1, id, root public, name, k] */
enum err
peer_put_programme(struct store_txn *txn, const struct programme *g)
{
	uint8_t memory[512];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 5);
	pack_u64(&w, 1);
	pack_bin(&w, BYTES(g->id.b, ID_BYTES));
	pack_bin(&w, BYTES(g->root.b, EC_PUBLIC_BYTES));
	pack_cstr(&w, g->name);
	pack_u64(&w, g->k);
	if ((e = writer_end(&w)) != E_OK)
		return e;
	return store_meta_put(txn, "programme", writer_view(&w));
}

enum err
state_read_programme(struct store_txn *txn, struct programme *g)
{
	struct bytes value;
	struct reader r;
	enum err e = store_meta_get(txn, "programme", &value);

	if (e != E_OK)
		return e;
	reader_begin(&r, value, 1, 5);
	reader_bin_fixed(&r, g->id.b, ID_BYTES);
	reader_bin_fixed(&r, g->root.b, EC_PUBLIC_BYTES);
	state_str(&r, g->name, sizeof(g->name));
	g->k = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	return reader_end(&r);
}
