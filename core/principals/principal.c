#include "core/principals/principal.h"

#include "core/pack.h"
#include "core/crypto/signed.h"

#define STATEMENT_VERSION 1u

static const struct {
	const char *label, *thing;
} kinds[] = {
    [STATEMENT_ENROLMENT] = {"banyan enrolment 1", "an enrolment"},
    [STATEMENT_REVOCATION] = {"banyan revocation 1", "a revocation"},
    [STATEMENT_OFFICE] = {"banyan office 1", "an office's key"},
    [STATEMENT_ERASURE] = {"banyan erasure 1", "an erasure"},
    [STATEMENT_SUCCESSION] = {"banyan succession 1", "a node's succession"},
    [STATEMENT_ATTACH_OFFER] = {"banyan attachment offer 1", "an attachment"},
    [STATEMENT_ATTACH_HELD] = {"banyan attachments held 1", "what is held of attachments"},
};

void
programme_id_of(struct programme_id *out, const struct ec_public *root)
{
	uint8_t hash[SHA256_BYTES];

	crypto_sha256(hash, BYTES(root->b, sizeof(root->b)));
	memcpy(out->b, hash, sizeof(out->b));
}

struct principal_id
principal_root(const struct programme_id *programme)
{
	struct principal_id root;

	memcpy(root.b, programme->b, sizeof(root.b));
	return root;
}

enum err
principal_verify(enum statement kind, struct bytes b, const struct programme_id *programme,
		 const struct ec_public *issuer)
{
	return b.n > STATEMENT_BYTES_MAX ? E_LIMIT
					 : signed_verify(b, kinds[kind].label, programme, issuer);
}

enum err
principal_body(struct bytes b, struct bytes *body)
{
	return b.n > STATEMENT_BYTES_MAX ? E_LIMIT : signed_body(b, body);
}

static void
body_public(struct reader *r, struct ec_public *out)
{
	enum err e = E_OK;

	reader_bin_fixed(r, out->b, sizeof(out->b));
	if (r->e == E_OK && (e = crypto_ec_check(out)) != E_OK)
		reader_fail(r, e);
}

static enum err
enrolment_read(struct bytes body, struct enrolment *out)
{
	struct reader r;
	uint64_t role;

	reader_begin(&r, body, STATEMENT_VERSION, 9);
	reader_bin_fixed(&r, out->id.b, sizeof(out->id.b));
	body_public(&r, &out->sign_pub);
	body_public(&r, &out->seal_pub);
	role = reader_u64(&r);
	if (r.e == E_OK && !role_known(role))
		reader_fail(&r, E_VERSION);
	out->role = r.e == E_OK ? (enum role)role : ROLE_MEMBER;
	reader_text(&r, out->area, sizeof(out->area), false);
	reader_text(&r, out->name, sizeof(out->name), false);
	out->issued_s = reader_u64(&r);
	reader_bin_fixed(&r, out->issuer.b, sizeof(out->issuer.b));
	return reader_end(&r);
}

static void
enrolment_write(const struct enrolment *m, struct writer *w)
{
	pack_array(w, 9);
	pack_u64(w, STATEMENT_VERSION);
	pack_bin(w, BYTES(m->id.b, sizeof(m->id.b)));
	pack_bin(w, BYTES(m->sign_pub.b, sizeof(m->sign_pub.b)));
	pack_bin(w, BYTES(m->seal_pub.b, sizeof(m->seal_pub.b)));
	pack_u64(w, (uint64_t)m->role);
	pack_cstr(w, m->area);
	pack_cstr(w, m->name);
	pack_u64(w, m->issued_s);
	pack_bin(w, BYTES(m->issuer.b, sizeof(m->issuer.b)));
}

static enum err
revocation_read(struct bytes body, struct revocation *out)
{
	struct reader r;
	size_t i;

	reader_begin(&r, body, STATEMENT_VERSION, 6);
	reader_bin_fixed(&r, out->principal.b, sizeof(out->principal.b));
	reader_text(&r, out->reason, sizeof(out->reason), true);
	out->time_s = reader_u64(&r);
	reader_bin_fixed(&r, out->issuer.b, sizeof(out->issuer.b));
	out->count = reader_array(&r);
	if (out->count > EPOCHS_MAX) {
		out->count = 0;
		reader_fail(&r, E_LIMIT);
	}
	for (i = 0; i < out->count; i++) {
		struct revoked_log *log = &out->logs[i];

		reader_array_of(&r, 3);
		log->epoch = reader_u64(&r);
		log->number = reader_u64(&r);
		reader_bin_fixed(&r, log->hash.b, sizeof(log->hash.b));
		if (i > 0 && log->epoch <= out->logs[i - 1].epoch)
			reader_fail(&r, E_PACK_TYPE);
	}
	return reader_end(&r);
}

static void
revocation_write(const struct revocation *m, struct writer *w)
{
	size_t i;

	pack_array(w, 6);
	pack_u64(w, STATEMENT_VERSION);
	pack_bin(w, BYTES(m->principal.b, sizeof(m->principal.b)));
	pack_cstr(w, m->reason);
	pack_u64(w, m->time_s);
	pack_bin(w, BYTES(m->issuer.b, sizeof(m->issuer.b)));
	pack_array(w, (uint32_t)m->count);
	for (i = 0; i < m->count; i++) {
		pack_array(w, 3);
		pack_u64(w, m->logs[i].epoch);
		pack_u64(w, m->logs[i].number);
		pack_bin(w, BYTES(m->logs[i].hash.b, sizeof(m->logs[i].hash.b)));
	}
}

static enum err
office_read(struct bytes body, struct office *out)
{
	struct reader r;

	reader_begin(&r, body, STATEMENT_VERSION, 6);
	reader_text(&r, out->area, sizeof(out->area), false);
	out->key_no = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	if (out->key_no == 0)
		reader_fail(&r, E_PACK_TYPE);
	body_public(&r, &out->seal_pub);
	out->issued_s = reader_u64(&r);
	reader_bin_fixed(&r, out->issuer.b, sizeof(out->issuer.b));
	return reader_end(&r);
}

static void
office_write(const struct office *m, struct writer *w)
{
	pack_array(w, 6);
	pack_u64(w, STATEMENT_VERSION);
	pack_cstr(w, m->area);
	pack_u64(w, m->key_no);
	pack_bin(w, BYTES(m->seal_pub.b, sizeof(m->seal_pub.b)));
	pack_u64(w, m->issued_s);
	pack_bin(w, BYTES(m->issuer.b, sizeof(m->issuer.b)));
}

static enum err
succession_read(struct bytes body, struct succession *out)
{
	struct reader r;
	uint32_t i, n;

	reader_begin(&r, body, STATEMENT_VERSION, 8);
	reader_bin_fixed(&r, out->id.b, sizeof(out->id.b));
	body_public(&r, &out->sign_pub);
	body_public(&r, &out->seal_pub);
	reader_text(&r, out->area, sizeof(out->area), false);
	out->number = reader_u64(&r);
	reader_bin_fixed(&r, out->issuer.b, sizeof(out->issuer.b));
	n = reader_array(&r);
	if (n == 0 || n > SUCCESSION_NODES_MAX)
		reader_fail(&r, E_PACK_TYPE);
	for (i = 0; i < n && r.e == E_OK; i++)
		reader_bin_fixed(&r, out->nodes[i].b, sizeof(out->nodes[i].b));
	out->count = r.e == E_OK ? n : 0;
	return reader_end(&r);
}

static void
succession_write(const struct succession *m, struct writer *w)
{
	size_t i;

	pack_array(w, 8);
	pack_u64(w, STATEMENT_VERSION);
	pack_bin(w, BYTES(m->id.b, sizeof(m->id.b)));
	pack_bin(w, BYTES(m->sign_pub.b, sizeof(m->sign_pub.b)));
	pack_bin(w, BYTES(m->seal_pub.b, sizeof(m->seal_pub.b)));
	pack_cstr(w, m->area);
	pack_u64(w, m->number);
	pack_bin(w, BYTES(m->issuer.b, sizeof(m->issuer.b)));
	pack_array(w, (uint32_t)m->count);
	for (i = 0; i < m->count; i++)
		pack_bin(w, BYTES(m->nodes[i].b, sizeof(m->nodes[i].b)));
}

enum err
principal_sign(enum statement kind, const struct programme_id *programme, struct bytes body,
	       const struct ec_key *issuer, struct writer *out)
{
	return signed_put(out, kinds[kind].label, programme, body, issuer);
}

/* What cannot be read back must not be written: a caller's field was out of its limits.
 */
static enum err
written_err(enum err e)
{
	return e == E_OK || e == E_KEY || e == E_CRYPTO || e == E_NO_MEMORY ? e : E_LIMIT;
}

enum err
enrolment_encode(const struct enrolment *m, const struct ec_key *issuer, struct writer *out)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct enrolment check;
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	enrolment_write(m, &w);
	if ((e = written_err(enrolment_read(writer_view(&w), &check))) != E_OK)
		return e;
	return principal_sign(STATEMENT_ENROLMENT, &m->programme, writer_view(&w), issuer, out);
}

enum err
revocation_encode(const struct revocation *m, const struct ec_key *issuer, struct writer *out)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct revocation check;
	struct writer w;
	enum err e;

	if (m->count > EPOCHS_MAX)
		return E_LIMIT;
	writer_init(&w, memory, sizeof(memory));
	revocation_write(m, &w);
	if ((e = written_err(revocation_read(writer_view(&w), &check))) != E_OK)
		return e;
	return principal_sign(STATEMENT_REVOCATION, &m->programme, writer_view(&w), issuer, out);
}

enum err
office_encode(const struct office *m, const struct ec_key *issuer, struct writer *out)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct office check;
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	office_write(m, &w);
	if ((e = written_err(office_read(writer_view(&w), &check))) != E_OK)
		return e;
	return principal_sign(STATEMENT_OFFICE, &m->programme, writer_view(&w), issuer, out);
}

enum err
succession_encode(const struct succession *m, const struct ec_key *issuer, struct writer *out)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct succession check;
	struct writer w;
	enum err e;

	if (m->count > SUCCESSION_NODES_MAX)
		return E_LIMIT;
	writer_init(&w, memory, sizeof(memory));
	succession_write(m, &w);
	if ((e = written_err(succession_read(writer_view(&w), &check))) != E_OK)
		return e;
	return principal_sign(STATEMENT_SUCCESSION, &m->programme, writer_view(&w), issuer, out);
}

/* The decoders' common end: on failure nothing half-read is left in *out. */
static enum err
decoded(enum err e, enum statement kind, void *out, size_t out_bytes, struct why *why)
{
	if (e == E_OK)
		return E_OK;
	memset(out, 0, out_bytes);
	return why_set(why, e, "%s", kinds[kind].thing);
}

enum err
enrolment_decode(struct bytes b, const struct programme_id *programme, struct enrolment *out,
		 struct why *why)
{
	struct bytes body;
	enum err e = principal_body(b, &body);

	if (e == E_OK)
		e = enrolment_read(body, out);
	out->programme = *programme;
	return decoded(e, STATEMENT_ENROLMENT, out, sizeof(*out), why);
}

enum err
revocation_decode(struct bytes b, const struct programme_id *programme, struct revocation *out,
		  struct why *why)
{
	struct bytes body;
	enum err e = principal_body(b, &body);

	if (e == E_OK)
		e = revocation_read(body, out);
	out->programme = *programme;
	return decoded(e, STATEMENT_REVOCATION, out, sizeof(*out), why);
}

enum err
office_decode(struct bytes b, const struct programme_id *programme, struct office *out,
	      struct why *why)
{
	struct bytes body;
	enum err e = principal_body(b, &body);

	if (e == E_OK)
		e = office_read(body, out);
	out->programme = *programme;
	return decoded(e, STATEMENT_OFFICE, out, sizeof(*out), why);
}

enum err
succession_decode(struct bytes b, const struct programme_id *programme, struct succession *out,
		  struct why *why)
{
	struct bytes body;
	enum err e = principal_body(b, &body);

	if (e == E_OK)
		e = succession_read(body, out);
	out->programme = *programme;
	return decoded(e, STATEMENT_SUCCESSION, out, sizeof(*out), why);
}
