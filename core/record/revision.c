#include "core/record/revision.h"

#include <stdlib.h>

#include "core/crypto/crypto.h"
#include "core/pack.h"

static const char *const state_names[] = {"none", "received", "has_issues", "rejected", "approved"};

#define STATE_COUNT (sizeof(state_names) / sizeof(state_names[0]))

enum extra { EXTRA_LANG = 1, EXTRA_ENTERED_FOR = 2, EXTRA_SUBMIT_KEY = 3 };

const char *
review_state_name(enum review_state state)
{
	return (size_t)state < STATE_COUNT ? state_names[state] : "?";
}

bool
review_state_parse(const char *name, enum review_state *out)
{
	size_t i;

	for (i = 1; i < STATE_COUNT; i++) {
		if (strcmp(name, state_names[i]) == 0) {
			*out = (enum review_state)i;
			return true;
		}
	}
	return false;
}

/* Writing. */

static int
parent_order(const void *a, const void *b)
{
	return memcmp(a, b, ID_BYTES);
}

static void
write_parents(const struct revision_body *r, struct writer *w)
{
	struct revision_id sorted[PARENTS_MAX];
	size_t i;

	memcpy(sorted, r->parents, r->parent_count * sizeof(sorted[0]));
	qsort(sorted, r->parent_count, sizeof(sorted[0]), parent_order);
	pack_array(w, (uint32_t)r->parent_count);
	for (i = 0; i < r->parent_count; i++)
		pack_bin(w, BYTES(sorted[i].b, ID_BYTES));
}

static uint32_t
extra_count(const struct revision_body *r)
{
	return (r->lang.n > 0) + (uint32_t)r->has_entered_for + (uint32_t)r->has_submit_key;
}

static void
write_extras(const struct revision_body *r, struct writer *w)
{
	if (extra_count(r) == 0)
		return;
	pack_map(w, extra_count(r));
	if (r->lang.n > 0) {
		pack_u64(w, EXTRA_LANG);
		pack_str(w, r->lang);
	}
	if (r->has_entered_for) {
		pack_u64(w, EXTRA_ENTERED_FOR);
		pack_bin(w, BYTES(r->entered_for.b, ID_BYTES));
	}
	if (r->has_submit_key) {
		pack_u64(w, EXTRA_SUBMIT_KEY);
		pack_bin(w, BYTES(r->submit_key, sizeof(r->submit_key)));
	}
}

static void
write_body(const struct revision_body *r, struct writer *w)
{
	static const uint32_t own[] = {4, 5, 4, 5};

	pack_array(w, own[r->kind] + (extra_count(r) > 0));
	pack_u64(w, r->kind);
	pack_u64(w, r->form.v);
	pack_u64(w, r->time_s);
	if (r->kind != REVISION_CREATE)
		write_parents(r, w);
	if (r->kind == REVISION_REVIEW)
		pack_u64(w, (uint64_t)r->state);
	else if (r->kind != REVISION_VOID && r->answers.n > 0)
		writer_bytes(w, r->answers);
	else if (r->kind == REVISION_CREATE)
		pack_array(w, 0);
	else if (r->kind == REVISION_AMEND)
		pack_map(w, 0);
	write_extras(r, w);
}

static bool
has_text(const struct revision_body *r)
{
	return r->kind == REVISION_VOID || r->kind == REVISION_REVIEW;
}

static bool
has_identifying(const struct revision_body *r)
{
	return has_text(r) ? r->text.n > 0 : r->identifying.n > 0;
}

enum err
revisions_write(const struct revision_body *bodies, size_t count, struct writer *analytic,
		struct writer *identifying)
{
	bool any = false;
	size_t i;

	if (count == 0 || count > SLICE_REVISIONS_MAX)
		return E_LIMIT;
	for (i = 0; i < count; i++) {
		if (bodies[i].parent_count > PARENTS_MAX || bodies[i].kind > REVISION_REVIEW)
			return E_LIMIT;
		any |= has_identifying(&bodies[i]);
	}
	pack_array(analytic, (uint32_t)count);
	for (i = 0; i < count; i++)
		write_body(&bodies[i], analytic);
	if (!any)
		return writer_end(analytic);
	pack_array(identifying, (uint32_t)count);
	for (i = 0; i < count; i++) {
		if (!has_identifying(&bodies[i]))
			pack_nil(identifying);
		else if (has_text(&bodies[i]))
			pack_str(identifying, bodies[i].text);
		else
			writer_bytes(identifying, bodies[i].identifying);
	}
	return writer_end(analytic) != E_OK ? writer_end(analytic) : writer_end(identifying);
}

/* Reading. */

static enum err
read_parents(struct reader *r, struct revision_body *out, struct why *why)
{
	uint32_t i, count = reader_array(r);

	if (count > PARENTS_MAX)
		return why_set(why, E_LIMIT, "%u parents of a revision", (unsigned)count);
	for (i = 0; i < count; i++) {
		reader_bin_fixed(r, out->parents[i].b, ID_BYTES);
		if (r->e == E_OK && i > 0 &&
		    parent_order(&out->parents[i - 1], &out->parents[i]) >= 0)
			return why_set(why, E_PARCEL, "parents of a revision out of order");
	}
	out->parent_count = count;
	return E_OK;
}

/* The map of an AMEND's answers, looked through once and kept as it stands. */
static enum err
read_changes(struct reader *r, struct bytes *out, struct why *why)
{
	const uint8_t *start = r->p;
	uint32_t i, count = reader_map(r);
	uint64_t last = 0;

	for (i = 0; i < count && r->e == E_OK; i++) {
		uint64_t key = reader_u64_max(r, UINT32_MAX);

		if (i > 0 && key <= last)
			return why_set(why, r->e != E_OK ? r->e : E_PARCEL,
				       "changed fields out of order");
		last = key;
		reader_skip(r);
	}
	*out = r->e == E_OK ? BYTES(start, (size_t)(r->p - start)) : BYTES_NONE;
	return E_OK;
}

static enum err
read_extras(struct reader *r, struct revision_body *out, struct why *why)
{
	uint32_t i, count = reader_map(r);
	uint64_t last = 0;

	if (r->e == E_OK && count == 0)
		return why_set(why, E_PARCEL, "an empty map of extras");
	for (i = 0; i < count && r->e == E_OK; i++) {
		uint64_t key = reader_u64_max(r, UINT8_MAX);

		if (r->e == E_OK && i > 0 && key <= last)
			return why_set(why, E_PARCEL, "extras out of order");
		last = key;
		if (key == EXTRA_LANG) {
			out->lang = reader_str(r);
		} else if (key == EXTRA_ENTERED_FOR) {
			reader_bin_fixed(r, out->entered_for.b, ID_BYTES);
			out->has_entered_for = true;
		} else if (key == EXTRA_SUBMIT_KEY) {
			reader_bin_fixed(r, out->submit_key, sizeof(out->submit_key));
			out->has_submit_key = true;
		} else {
			reader_skip(r);
		}
	}
	return E_OK;
}

/* What follows the parents, extras included, of a kind that we know. */
static enum err
read_known(struct reader *r, struct revision_body *out, uint32_t count, struct why *why)
{
	static const uint32_t own[] = {4, 5, 4, 5};
	enum err e = E_OK;

	if (count != own[out->kind] && count != own[out->kind] + 1)
		return why_set(why, E_PARCEL, "%u elements in a revision of kind %u",
			       (unsigned)count, (unsigned)out->kind);
	if (out->kind == REVISION_CREATE) {
		if (reader_peek(r) != PACK_ARRAY)
			reader_fail(r, E_PACK_TYPE);
		out->answers = reader_skip(r);
	} else if (out->kind == REVISION_AMEND) {
		e = read_changes(r, &out->answers, why);
	} else if (out->kind == REVISION_REVIEW) {
		uint64_t state = reader_u64_max(r, STATE_COUNT - 1);

		if (state == REVIEW_NONE)
			reader_fail(r, E_PACK_TYPE);
		out->state = (enum review_state)state;
	}
	if (e == E_OK && count > own[out->kind])
		e = read_extras(r, out, why);
	return e;
}

static enum err
read_body(struct reader *r, struct revision_body *out, struct why *why)
{
	uint32_t i, count = reader_array(r);
	enum err e = E_OK;

	*out = (struct revision_body){.kind = (uint8_t)reader_u64_max(r, UINT8_MAX)};
	out->form.v = (uint32_t)reader_u64_max(r, UINT32_MAX);
	out->time_s = (uint32_t)reader_u64_max(r, UINT32_MAX);
	if (r->e != E_OK)
		return E_OK; /* the caller asks the reader */
	if (count < 4)
		return why_set(why, E_PARCEL, "%u elements in a revision", (unsigned)count);
	if (out->kind != REVISION_CREATE)
		e = read_parents(r, out, why);
	if (e == E_OK && out->kind <= REVISION_REVIEW)
		return read_known(r, out, count, why);
	for (i = 4; e == E_OK && i < count; i++)
		reader_skip(r);
	return e;
}

static enum err
read_identifying(struct bytes payload, struct revision_body *bodies, size_t count, struct why *why)
{
	struct reader r;
	size_t i;
	enum err e = E_OK;

	if (payload.n == 0)
		return E_OK;
	reader_init(&r, payload);
	if (reader_array(&r) != count && r.e == E_OK)
		return why_set(why, E_PARCEL, "identifying answers not aligned with the revisions");
	for (i = 0; i < count && e == E_OK && r.e == E_OK; i++) {
		if (reader_nil(&r))
			continue;
		if (has_text(&bodies[i])) {
			bodies[i].text = reader_str(&r);
		} else if (bodies[i].kind == REVISION_AMEND) {
			e = read_changes(&r, &bodies[i].identifying, why);
		} else {
			if (bodies[i].kind == REVISION_CREATE && reader_peek(&r) != PACK_ARRAY)
				reader_fail(&r, E_PACK_TYPE);
			bodies[i].identifying = reader_skip(&r);
		}
	}
	if (e == E_OK && (e = reader_end(&r)) != E_OK)
		why_set(why, e, "identifying answers of a slice");
	return e;
}

enum err
revisions_read(struct bytes analytic, struct bytes identifying, struct revision_body *out,
	       size_t max, size_t *count, struct why *why)
{
	struct reader r;
	uint32_t i, n;
	enum err e = E_OK;

	*count = 0;
	reader_init(&r, analytic);
	n = reader_array(&r);
	if (n > max || n > SLICE_REVISIONS_MAX)
		return why_set(why, E_LIMIT, "%u revisions in a slice", (unsigned)n);
	for (i = 0; i < n && e == E_OK && r.e == E_OK; i++) {
		e = read_body(&r, &out[i], why);
		if (e == E_OK && r.e == E_OK && n > 1 && out[i].kind != REVISION_CREATE)
			e = why_set(why, E_PARCEL,
				    "several revisions in a slice that begins no record");
	}
	if (e == E_OK && (e = reader_end(&r)) != E_OK)
		why_set(why, e, "revisions of a slice");
	if (e == E_OK && n == 0)
		e = why_set(why, E_PARCEL, "a slice without revisions");
	if (e == E_OK)
		e = read_identifying(identifying, out, n, why);
	if (e == E_OK)
		*count = n;
	return e;
}

void
revision_id_of(struct revision_id *out, const uint8_t leaf[HASH_BYTES], uint16_t j)
{
	uint8_t hash[SHA256_BYTES], tail[2] = {(uint8_t)(j >> 8), (uint8_t)j};
	struct bytes parts[] = {BYTES_LIT("banyan revision 1"), BYTES(leaf, HASH_BYTES),
				BYTES(tail, 2)};

	crypto_sha256_parts(hash, parts, 3);
	memcpy(out->b, hash, ID_BYTES);
}
