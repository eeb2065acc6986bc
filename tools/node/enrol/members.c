/* The rows of ENROLMENT: who is enrolled here. FORMATS.md "Rows of a peer". */
#include <stdio.h>
#include <strings.h>

#include "core/pack.h"
#include "tools/node/state.h"

/* [1, state, joined, last seen, signed enrolment bin, reason] */
enum err
member_put(struct store_txn *txn, const struct member *m)
{
	struct writer w;
	enum err e;

	writer_heap_init(&w, 16384);
	pack_array(&w, 6);
	pack_u64(&w, 1);
	pack_u64(&w, m->state);
	pack_u64(&w, m->joined_s);
	pack_u64(&w, m->last_seen_s);
	pack_bin(&w, m->signed_enrolment);
	pack_cstr(&w, m->reason);
	if ((e = writer_end(&w)) == E_OK)
		e = store_put(txn, STORE_ENROLMENT, BYTES(m->enrolment.id.b, ID_BYTES),
			      writer_view(&w));
	writer_free(&w);
	return e;
}

/* The programme of a statement is not in its bytes; a row of this store was checked when it was
 * taken. */
enum err
member_read(struct bytes value, struct member *m)
{
	static const struct programme_id none;
	struct reader r;

	memset(m, 0, sizeof(*m));
	reader_begin(&r, value, 1, 6);
	m->state = (enum member_state)reader_u64_max(&r, MEMBER_KNOWN_REVOKED);
	m->joined_s = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	m->last_seen_s = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	m->signed_enrolment = reader_bin(&r);
	state_str(&r, m->reason, sizeof(m->reason));
	if (reader_end(&r) != E_OK)
		return reader_end(&r);
	return enrolment_decode(m->signed_enrolment, &none, &m->enrolment, NULL);
}

enum err
member_get(struct store_txn *txn, const struct principal_id *id, struct member *out)
{
	struct bytes value;
	enum err e = store_get(txn, STORE_ENROLMENT, BYTES(id->b, ID_BYTES), &value);

	return e != E_OK ? e : member_read(value, out);
}

enum err
member_walk(struct store_txn *txn, member_fn *f, void *arg)
{
	struct store_cursor *c;
	struct bytes key, value;
	enum err e, e2;

	if ((e = store_walk(txn, STORE_ENROLMENT, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		struct member m;

		if ((e = member_read(value, &m)) == E_OK && member_is_ours(m.state))
			e = f(arg, &m);
	}
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

struct search {
	const char *name;
	struct principal_id id;
	size_t exact, prefix;
};

static enum err
compare(void *arg, const struct member *m)
{
	struct search *s = arg;
	char hex[2 * ID_BYTES + 1];

	hex_encode(hex, m->enrolment.id.b, ID_BYTES);
	if (strcmp(m->enrolment.name, s->name) == 0) {
		if (s->exact++ == 0)
			s->id = m->enrolment.id;
	} else if (s->exact == 0 && strlen(s->name) >= 8 &&
		   strncasecmp(hex, s->name, strlen(s->name)) == 0) {
		s->prefix++;
		s->id = m->enrolment.id;
	}
	return E_OK;
}

enum err
member_find(struct store_txn *txn, const char *name, struct member *out, struct why *why)
{
	struct search s = {.name = name};
	enum err e = member_walk(txn, compare, &s);

	if (e != E_OK)
		return e;
	if (s.exact != 1 && (s.exact != 0 || s.prefix != 1))
		return why_set(why, E_PRINCIPAL_UNKNOWN, "%s", name);
	return member_get(txn, &s.id, out);
}
