/*
 * principal: who is who, in statements that an issuer signed: an enrolment (name, role, area,
 * keys), a revocation, an office's sealing key. They travel inside the system, never in a
 * certificate. FORMATS.md section "Principals". Whether the issuer may say so is asked of rules.h
 * and the store.
 *
 * A statement's bytes are [body, signature bin64], canonical; the programme is not sent but signed.
 * _decode copies, checks the form and every limit, and not the signature; look up the issuer's key
 * and then principal_verify the same bytes.
 */
#ifndef BANYAN_CORE_PRINCIPALS_PRINCIPAL_H
#define BANYAN_CORE_PRINCIPALS_PRINCIPAL_H

#include "core/crypto/crypto.h"
#include "core/id.h"
#include "core/limits.h"
#include "core/principals/role.h"

/* The largest encoded statement: a revocation with EPOCHS_MAX logs. */
#define STATEMENT_BYTES_MAX 2048u

struct enrolment {
	struct programme_id programme;
	struct principal_id id;
	struct ec_public sign_pub, seal_pub;
	enum role role;
	char area[AREA_CODE_BYTES_MAX + 1];
	char name[NAME_BYTES_MAX + 1];
	uint64_t issued_s;
	struct principal_id issuer;
};

/* The last parcel that counts in one log of the revoked; number 0: none does. */
struct revoked_log {
	uint64_t epoch, number;
	struct parcel_hash hash;
};

struct revocation {
	struct programme_id programme;
	struct principal_id principal;
	char reason[REASON_BYTES_MAX + 1];
	uint64_t time_s;
	struct principal_id issuer;
	size_t count;
	struct revoked_log logs[EPOCHS_MAX]; /* by rising epoch */
};

struct office {
	struct programme_id programme;
	char area[AREA_CODE_BYTES_MAX + 1];
	uint32_t key_no; /* from 1; a new key is the next number */
	struct ec_public seal_pub;
	uint64_t issued_s;
	struct principal_id issuer;
};

#define SUCCESSION_NODES_MAX \
	16u /* each replaced node of one office, by the time that it has had so many */

/* A node in the place of dead ones: the root's word. */
struct succession {
	struct programme_id programme;
	struct principal_id id; /* the successor, its keys, its office */
	struct ec_public sign_pub, seal_pub;
	char area[AREA_CODE_BYTES_MAX + 1];
	uint64_t number; /* of two statements about one office the higher one counts */
	struct principal_id issuer;
	size_t count;
	struct principal_id nodes[SUCCESSION_NODES_MAX]; /* that it follows */
};

/* programme_id_of: SHA-256 of the root's public key, first 16 bytes. */
void programme_id_of(struct programme_id *out, const struct ec_public *root);
/*
 * principal_root: the programme's root as a principal: the same 16 bytes as the programme's id. It
 * issues the first node's enrolment and office.
 */
struct principal_id principal_root(const struct programme_id *);

/*
 * _encode: append the signed statement. E_LIMIT for a field that is empty, too long or not plain
 * text (a revocation's reason may be empty), logs out of order or too many; E_KEY for a bad public
 * or signing key.
 */
enum err
enrolment_encode(const struct enrolment *, const struct ec_key *issuer, struct writer *out);
enum err
revocation_encode(const struct revocation *, const struct ec_key *issuer, struct writer *out);
enum err office_encode(const struct office *, const struct ec_key *issuer, struct writer *out);
enum err
succession_encode(const struct succession *, const struct ec_key *issuer, struct writer *out);
/*
 * _decode: E_PACK_*, E_VERSION (a newer form, or a role that this version does not know), E_KEY (a
 * public key that is no point). `why` may be NULL.
 */
enum err
enrolment_decode(struct bytes, const struct programme_id *, struct enrolment *out, struct why *);
enum err
revocation_decode(struct bytes, const struct programme_id *, struct revocation *out, struct why *);
enum err office_decode(struct bytes, const struct programme_id *, struct office *out, struct why *);

enum err
succession_decode(struct bytes, const struct programme_id *, struct succession *out, struct why *);

/* principal_verify: was this statement of this kind signed with the key? E_SIGNATURE, E_KEY,
 * E_PACK_*. */
enum statement {
	STATEMENT_ENROLMENT = 0,
	STATEMENT_REVOCATION = 1,
	STATEMENT_OFFICE = 2,
	STATEMENT_SUCCESSION = 4,
	STATEMENT_ERASURE = 5,
	STATEMENT_ATTACH_OFFER = 8,
	STATEMENT_ATTACH_HELD = 9
};
enum err principal_verify(enum statement, struct bytes, const struct programme_id *,
			  const struct ec_public *issuer);
/*
 * For kinds of statement that have a module of their own (erasure.h). principal_sign: append [body,
 * signature]. principal_body: the body as it stands in a statement, unverified; a view. E_PACK_*,
 * E_LIMIT.
 */
enum err principal_sign(enum statement, const struct programme_id *, struct bytes body,
			const struct ec_key *issuer, struct writer *out);
enum err principal_body(struct bytes statement, struct bytes *body);

#endif
