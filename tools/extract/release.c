#include "tools/extract/release.h"

#include <stdio.h>

#include "core/store/audit.h"
#include "core/limits.h"
#include "core/pack.h"
#include "tools/extract/calendar.h"

#define RELEASE_FORMAT 1u
#define RELEASE_ROW_BYTES_MAX (1u << 20)

void
release_write(struct writer *w, const struct release *r)
{
	pack_array(w, 14);
	pack_u64(w, RELEASE_FORMAT);
	pack_bin(w, BYTES(r->id, ID_BYTES));
	pack_u64(w, r->time_s);
	pack_bin(w, BYTES(r->actor.b, ID_BYTES));
	pack_cstr(w, r->audience);
	pack_str(w, r->form);
	pack_str(w, r->query);
	pack_i64(w, r->from_day);
	pack_i64(w, r->to_day);
	pack_u64(w, r->rows);
	pack_u64(w, r->published);
	pack_u64(w, r->pieces);
	pack_bin(w, BYTES(r->sha256, SHA256_BYTES));
	pack_bin(w, r->manifest);
}

enum err
release_read(struct bytes key, struct bytes value, struct release *out)
{
	struct reader r;
	int64_t from, to;

	memset(out, 0, sizeof(*out));
	if (key.n != 8)
		return E_STORE_DAMAGED;
	out->number = be64_get(key.p);
	reader_init(&r, value);
	reader_array_of(&r, 14);
	if (reader_u64(&r) != RELEASE_FORMAT && r.e == E_OK)
		return E_VERSION;
	reader_bin_fixed(&r, out->id, ID_BYTES);
	out->time_s = reader_u64(&r);
	reader_bin_fixed(&r, out->actor.b, ID_BYTES);
	reader_text(&r, out->audience, sizeof(out->audience), false);
	out->form = reader_str(&r);
	out->query = reader_str(&r);
	from = reader_i64(&r);
	to = reader_i64(&r);
	out->rows = reader_u64(&r);
	out->published = reader_u64(&r);
	out->pieces = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	reader_bin_fixed(&r, out->sha256, SHA256_BYTES);
	out->manifest = reader_bin(&r);
	if (r.e == E_OK && (from < INT32_MIN || from > to || to > INT32_MAX))
		return E_STORE_DAMAGED;
	out->from_day = (int32_t)from;
	out->to_day = (int32_t)to;
	return reader_end(&r);
}

enum err
release_find(struct store_txn *txn, const char *audience, const char *form, const char *query,
	     int32_t from_day, int32_t to_day, struct release *out, struct why *why)
{
	struct store_cursor *c;
	struct bytes key, value;
	char day[CALENDAR_DAY_BYTES];
	uint64_t stands = 0;
	enum err e, e2;

	if ((e = store_walk(txn, STORE_RELEASE, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	e = E_ABSENT;
	while (e == E_ABSENT && store_next(c, &key, &value)) {
		struct release r;

		if ((e2 = release_read(key, value, &r)) != E_OK) {
			e = e2;
			break;
		}
		if (strcmp(r.audience, audience) != 0 || !bytes_equal(r.form, bytes_of_str(form)) ||
		    r.from_day > to_day || from_day > r.to_day)
			continue;
		stands = r.number;
		calendar_write(day, (int32_t)(r.time_s / 86400u));
		e = bytes_equal(r.query, bytes_of_str(query))
			? E_OK
			: why_set(why, E_OVERLAP, "release %llu of %s: %.*s",
				  (unsigned long long)r.number, day,
				  (int)(r.query.n < 120 ? r.query.n : 120),
				  (const char *)r.query.p);
	}
	e2 = store_walk_end(c);
	if (e2 != E_OK)
		return e2;
	if (e == E_OK) { /* again, into memory that outlives the walk */
		struct store_seq seq = store_seq_of(stands);

		if ((e = store_get(txn, STORE_RELEASE, BYTES(seq.b, sizeof(seq.b)), &value)) ==
		    E_OK)
			e = release_read(BYTES(seq.b, sizeof(seq.b)), value, out);
	}
	return e;
}

/* ---- pieces ---- */

static void
piece_key(const struct store *s, const uint8_t id[ID_BYTES], uint32_t index,
	  uint8_t out[STORE_NAME_BYTES])
{
	char hex[2 * ID_BYTES + 1], name[80];

	hex_encode(hex, id, ID_BYTES);
	(void)snprintf(name, sizeof(name), "release %s table %u", hex, (unsigned)index);
	store_key_name(s, STORE_BLOB, bytes_of_str(name), out);
}

enum err
release_piece(struct store_txn *txn, const uint8_t id[ID_BYTES], uint32_t index, struct bytes *out)
{
	uint8_t key[STORE_NAME_BYTES];

	piece_key(store_of(txn), id, index, key);
	return store_get(txn, STORE_BLOB, BYTES(key, sizeof(key)), out);
}

void
release_begin(struct release_writer *w, struct store *s)
{
	memset(w, 0, sizeof(*w));
	w->store = s;
	crypto_random(w->r.id, ID_BYTES);
	writer_heap_init(&w->piece, RELEASE_PIECE_BYTES);
	crypto_hash_begin(&w->hash);
}

static enum err
piece_job(struct store_txn *txn, void *arg)
{
	struct release_writer *w = arg;
	uint8_t key[STORE_NAME_BYTES];

	piece_key(w->store, w->r.id, w->r.pieces, key);
	return store_put(txn, STORE_BLOB, BYTES(key, sizeof(key)), writer_view(&w->piece));
}

static enum err
put_piece(struct release_writer *w)
{
	enum err e;

	if (w->piece.n == 0)
		return E_OK;
	if ((e = store_write(w->store, piece_job, w)) == E_OK) {
		w->r.pieces++;
		writer_reset(&w->piece);
	}
	return e;
}

enum err
release_text(struct release_writer *w, struct bytes text, struct why *why)
{
	enum err e = E_OK;

	crypto_hash_add(&w->hash, text);
	if ((w->bytes += text.n) > EXTRACT_TABLE_BYTES_MAX)
		return why_set(why, E_LIMIT,
			       "a table.csv of more than %u MiB (ask for fewer dimensions)",
			       EXTRACT_TABLE_BYTES_MAX >> 20);
	while (text.n > 0 && e == E_OK) {
		size_t left = RELEASE_PIECE_BYTES - w->piece.n,
		       part = text.n < left ? text.n : left;

		writer_bytes(&w->piece, BYTES(text.p, part));
		text.p += part;
		text.n -= part;
		if ((e = writer_end(&w->piece)) == E_OK && w->piece.n == RELEASE_PIECE_BYTES)
			e = put_piece(w);
	}
	return e;
}

enum err
release_close_table(struct release_writer *w, struct why *why)
{
	(void)why;
	crypto_hash_end(&w->hash, w->r.sha256);
	return put_piece(w);
}

/* ---- the row ---- */

struct commit {
	struct release_writer *w;
	struct why *why;
};

static enum err
commit_job(struct store_txn *txn, void *arg)
{
	struct commit *c = arg;
	struct release *r = &c->w->r, other;
	char form[256], query[4096], detail[AUDIT_TEXT_BYTES_MAX];
	struct store_seq seq;
	struct writer w;
	uint64_t last;
	enum err e;

	(void)snprintf(form, sizeof(form), "%.*s", (int)r->form.n, (const char *)r->form.p);
	(void)snprintf(query, sizeof(query), "%.*s", (int)r->query.n, (const char *)r->query.p);
	e = release_find(txn, r->audience, form, query, r->from_day, r->to_day, &other, c->why);
	if (e == E_OK) /* two asked the same at once: the second shall ask again, and get the first
			  one's answer */
		return why_set(c->why, E_STORE_QUEUE, "the same query is being answered");
	if (e != E_ABSENT)
		return e;
	if ((e = store_last_seq(txn, STORE_RELEASE, &last)) != E_OK)
		return e;
	r->number = last + 1;
	seq = store_seq_of(r->number);
	writer_heap_init(&w, RELEASE_ROW_BYTES_MAX);
	release_write(&w, r);
	if ((e = writer_end(&w)) == E_OK)
		e = store_put(txn, STORE_RELEASE, BYTES(seq.b, sizeof(seq.b)), writer_view(&w));
	writer_free(&w);
	(void)snprintf(detail, sizeof(detail), "release %llu for %s: %.900s",
		       (unsigned long long)r->number, r->audience, query);
	if (e == E_OK)
		e = audit_append(txn, r->time_s, &r->actor, "release", form, detail);
	return e;
}

enum err
release_commit(struct release_writer *w, struct why *why)
{
	struct commit c = {w, why};

	return store_write(w->store, commit_job, &c);
}

static enum err
drop_job(struct store_txn *txn, void *arg)
{
	struct release_writer *w = arg;
	uint8_t key[STORE_NAME_BYTES];
	uint32_t i;
	enum err e;

	for (i = 0; i < w->r.pieces; i++) {
		piece_key(w->store, w->r.id, i, key);
		if ((e = store_del(txn, STORE_BLOB, BYTES(key, sizeof(key)))) != E_OK &&
		    e != E_ABSENT)
			return e;
	}
	return E_OK;
}

void
release_drop(struct release_writer *w)
{
	if (w->r.pieces > 0)
		(void)store_write(w->store, drop_job, w); /* what stays is only room on the disk */
	release_done(w);
}

void
release_done(struct release_writer *w)
{
	writer_free(&w->piece);
}
