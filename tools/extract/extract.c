#include "tools/extract/extract.h"

#include <stdio.h>
#include <time.h>

#include "core/parcel/arrival.h"
#include "tools/extract/scan.h"

#define MANIFEST_BYTES_MAX (256u << 10)

/* One table is made at a time: each may take the memory of EXTRACT_CELLS_MAX, and two that are
 * asked at once may overlap. */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

void
extract_audience(const struct enrolment *who, char out[RELEASE_AUDIENCE_BYTES])
{
	char hex[2 * ID_BYTES + 1];

	hex_encode(hex, who->id.b, ID_BYTES);
	if (who->role == ROLE_RESEARCHER)
		(void)snprintf(out, RELEASE_AUDIENCE_BYTES, "researcher %s", hex);
	else
		(void)snprintf(out, RELEASE_AUDIENCE_BYTES, "office");
}

/* SHA-256 over the hashes of all parcels here, in the order they came: what this table is a
 * function of. */
static enum err
digest_parcels(struct store_txn *txn, uint8_t out[SHA256_BYTES])
{
	struct crypto_hash h;
	uint64_t last, seq;
	enum err e = arrival_last(txn, &last);

	crypto_hash_begin(&h);
	for (seq = 1; e == E_OK && seq <= last; seq++) {
		struct arrival a;

		if ((e = arrival_get(txn, seq, &a)) == E_OK)
			crypto_hash_add(&h, BYTES(a.hash.b, HASH_BYTES));
		store_forget(txn);
	}
	crypto_hash_end(&h, out);
	return e;
}

/* SHA-256 over "code,parent code,level\n" of each area, in the table's order. */
static void
digest_areas(const struct area_table *areas, uint8_t out[SHA256_BYTES])
{
	struct crypto_hash h;
	uint32_t i;

	crypto_hash_begin(&h);
	for (i = 0; i < area_count(areas); i++) {
		const struct area *a = area_at(areas, i);

		crypto_hash_add(&h, bytes_of_str(a->code));
		crypto_hash_add(&h, BYTES_LIT(","));
		if (a->parent != AREA_NONE)
			crypto_hash_add(&h, bytes_of_str(area_at(areas, a->parent)->code));
		crypto_hash_add(&h, BYTES_LIT(","));
		crypto_hash_add(&h, bytes_of_str(a->level));
		crypto_hash_add(&h, BYTES_LIT("\n"));
	}
	crypto_hash_end(&h, out);
}

static double
now_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One snapshot: what was released before, else the counts. *cube stays NULL when the archive
 * answers. */
static enum err
count(struct query *q, struct peer *p, const char *audience, struct extracted *out,
      struct cube **cube, struct manifest_facts *facts, struct why *why)
{
	struct cube_dimension dimensions[EXTRACT_DIMENSIONS_MAX];
	double began = now_seconds();
	struct store_txn *txn;
	int32_t first, last;
	size_t d;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	e = release_find(txn, audience, form_id(q->form->form), q->text, q->from_day, q->to_day,
			 &out->release, why);
	if (e == E_OK) {
		out->repeated = true;
		writer_bytes(&out->manifest, out->release.manifest);
		e = writer_end(&out->manifest);
		goto done;
	}
	if (e != E_ABSENT)
		goto done;
	e = E_OK;
	if (query_needs_span(q) && ((e = scan_span(q, p, txn, &first, &last)) != E_OK ||
				    (e = query_span(q, first, last, why)) != E_OK))
		goto done;
	for (d = 0; d < q->dimension_count; d++)
		dimensions[d] = q->dimensions[d].cube;
	if ((e = cube_new(cube, dimensions, q->dimension_count, q->has_sum, why)) == E_OK &&
	    (e = scan_fill(q, p, txn, *cube, &out->records)) == E_OK) {
		out->scan_seconds = now_seconds() - began;
		e = digest_parcels(txn, facts->parcels_sha256);
	}
done:
	store_read_end(txn);
	return e;
}

static enum err
publish(struct query *q, struct peer *p, const struct enrolment *who, const char *audience,
	const struct cube *cube, struct manifest_facts *facts, struct extracted *out,
	struct why *why)
{
	struct release_writer w;
	enum err e;

	release_begin(&w, p->store);
	w.r.time_s = peer_now_s(p);
	w.r.actor = who->id;
	memcpy(w.r.audience, audience, sizeof(w.r.audience));
	w.r.form = bytes_of_str(form_id(q->form->form));
	w.r.query = bytes_of_str(q->text);
	w.r.from_day = q->from_day;
	w.r.to_day = q->to_day;
	digest_areas(q->areas, facts->areas_sha256);
	if ((e = table_write(q, cube, &w, why)) == E_OK &&
	    (e = manifest_write(q, p, &w.r, facts, &out->manifest)) == E_OK) {
		w.r.manifest = writer_view(&out->manifest);
		e = release_commit(&w, why);
	}
	if (e != E_OK) {
		release_drop(&w);
		return e;
	}
	release_done(&w);
	out->release = w.r;
	return E_OK;
}

enum err
extract_run(struct peer *p, const struct enrolment *who, const struct query_asked *asked,
	    struct extracted *out, struct why *why)
{
	char audience[RELEASE_AUDIENCE_BYTES] = "";
	struct manifest_facts facts;
	struct cube *cube = NULL;
	struct query q;
	enum err e;

	memset(out, 0, sizeof(*out));
	writer_heap_init(&out->manifest, MANIFEST_BYTES_MAX);
	extract_audience(who, audience);
	pthread_mutex_lock(&making);
	if ((e = query_read(&q, p, asked, why)) == E_OK &&
	    (e = count(&q, p, audience, out, &cube, &facts, why)) == E_OK && !out->repeated) {
		cube_close(cube, q.k);
		e = publish(&q, p, who, audience, cube, &facts, out, why);
	}
	out->k = q.k;
	out->release.form = out->release.query = out->release.manifest = BYTES_NONE;
	cube_free(cube);
	query_free(&q);
	pthread_mutex_unlock(&making);
	return e;
}

void
extracted_free(struct extracted *x)
{
	writer_free(&x->manifest);
}
