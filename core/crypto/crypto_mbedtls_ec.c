/*
 * crypto over mbedTLS 2.28: the curve P-256. Safe from any thread: the one object that is
 * shared is the curve's group. It is loaded once, with its table of multiples of G
 * already computed (2.28 keeps that table in the group at the first use), and only read
 * from then on; a group a call costs 0.6 ms more for each signature.
 */
#include "core/crypto/crypto.h"

#include <mbedtls/bignum.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/fault.h"

static int
blind(void *unused, unsigned char *out, size_t count)
{
	(void)unused;
	crypto_random(out, count);
	return 0;
}

static mbedtls_ecp_group p256;
static int p256_status;
static pthread_once_t p256_once = PTHREAD_ONCE_INIT;

static void
p256_load(void)
{
	mbedtls_ecp_point q;
	mbedtls_mpi two;

	mbedtls_ecp_point_init(&q);
	mbedtls_mpi_init(&two);
	mbedtls_ecp_group_init(&p256);
	if ((p256_status = mbedtls_ecp_group_load(&p256, MBEDTLS_ECP_DP_SECP256R1)) == 0 &&
	    (p256_status = mbedtls_mpi_lset(&two, 2)) == 0)
		p256_status = mbedtls_ecp_mul(&p256, &q, &two, &p256.G, blind, NULL);
	mbedtls_mpi_free(&two);
	mbedtls_ecp_point_free(&q);
}

static mbedtls_ecp_group *
group(void)
{
	if (pthread_once(&p256_once, p256_load) != 0 || p256_status != 0)
		return NULL;
	return &p256;
}

static enum err
status_err(int status)
{
	switch (status) {
	case 0:
		return E_OK;
	case MBEDTLS_ERR_ECP_INVALID_KEY:
	case MBEDTLS_ERR_ECP_BAD_INPUT_DATA:
	case MBEDTLS_ERR_ECP_FEATURE_UNAVAILABLE:
		return E_KEY;
	case MBEDTLS_ERR_ECP_VERIFY_FAILED:
		return E_SIGNATURE;
	case MBEDTLS_ERR_ECP_ALLOC_FAILED:
	case MBEDTLS_ERR_MPI_ALLOC_FAILED:
		return E_NO_MEMORY;
	default:
		return E_CRYPTO;
	}
}

/* The curve's group, a scalar and a point for one call. */
struct ec_work {
	mbedtls_ecp_group *g;
	mbedtls_mpi d, r, s;
	mbedtls_ecp_point q, out;
};

static enum err
work_init(struct ec_work *w)
{
	w->g = fault_point() ? NULL : group();
	mbedtls_mpi_init(&w->d);
	mbedtls_mpi_init(&w->r);
	mbedtls_mpi_init(&w->s);
	mbedtls_ecp_point_init(&w->q);
	mbedtls_ecp_point_init(&w->out);
	return w->g == NULL ? E_CRYPTO : E_OK;
}

static void
work_fini(struct ec_work *w)
{
	mbedtls_mpi_free(&w->d); /* wipes */
	mbedtls_mpi_free(&w->r);
	mbedtls_mpi_free(&w->s);
	mbedtls_ecp_point_free(&w->q);
	mbedtls_ecp_point_free(&w->out);
}

static enum err
read_secret(struct ec_work *w, const uint8_t secret[EC_SECRET_BYTES])
{
	int status = mbedtls_mpi_read_binary(&w->d, secret, EC_SECRET_BYTES);

	return status_err(status != 0 ? status : mbedtls_ecp_check_privkey(w->g, &w->d));
}

static enum err
read_public(struct ec_work *w, const struct ec_public *pub)
{
	int status;

	if (pub->b[0] != 4)
		return E_KEY;
	status = mbedtls_ecp_point_read_binary(w->g, &w->q, pub->b, sizeof(pub->b));
	return status_err(status != 0 ? status : mbedtls_ecp_check_pubkey(w->g, &w->q));
}

static enum err
write_public(struct ec_work *w, struct ec_public *pub)
{
	size_t n = 0;
	int status = mbedtls_ecp_point_write_binary(w->g, &w->out, MBEDTLS_ECP_PF_UNCOMPRESSED, &n,
						    pub->b, sizeof(pub->b));

	return status != 0 || n != sizeof(pub->b) ? E_CRYPTO : E_OK;
}

enum err
crypto_ec_from_secret(struct ec_key *out, const uint8_t secret[EC_SECRET_BYTES])
{
	struct ec_work w;
	struct ec_key key;
	enum err e = work_init(&w);

	memcpy(key.secret, secret, sizeof(key.secret));
	if (e == E_OK)
		e = read_secret(&w, secret);
	if (e == E_OK)
		e = status_err(mbedtls_ecp_mul(w.g, &w.out, &w.d, &w.g->G, blind, NULL));
	if (e == E_OK)
		e = write_public(&w, &key.pub);
	if (e == E_OK)
		*out = key;
	else
		crypto_wipe(out, sizeof(*out));
	crypto_wipe(&key, sizeof(key));
	work_fini(&w);
	return e;
}

enum err
crypto_ec_new(struct ec_key *out)
{
	uint8_t secret[EC_SECRET_BYTES];
	enum err e;

	do { /* a draw outside [1, n-1] happens once in 2^32 */
		crypto_random(secret, sizeof(secret));
		e = crypto_ec_from_secret(out, secret);
	} while (e == E_KEY);
	crypto_wipe(secret, sizeof(secret));
	return e;
}

enum err
crypto_ec_check(const struct ec_public *pub)
{
	struct ec_work w;
	enum err e = work_init(&w);

	if (e == E_OK)
		e = read_public(&w, pub);
	work_fini(&w);
	return e;
}

enum err
crypto_ec_agree(uint8_t out[32], const struct ec_key *key, const struct ec_public *peer)
{
	struct ec_work w;
	enum err e = work_init(&w);

	if (e == E_OK)
		e = read_secret(&w, key->secret);
	if (e == E_OK)
		e = read_public(&w, peer);
	if (e == E_OK)
		e = status_err(mbedtls_ecp_mul(w.g, &w.out, &w.d, &w.q, blind, NULL));
	if (e == E_OK)
		e = status_err(mbedtls_mpi_write_binary(&w.out.X, out, 32));
	if (e != E_OK)
		crypto_wipe(out, 32);
	work_fini(&w);
	return e;
}

enum err
crypto_sign(uint8_t sig[SIGNATURE_BYTES], const struct ec_key *key, struct bytes message)
{
	struct ec_work w;
	uint8_t hash[SHA256_BYTES];
	enum err e = work_init(&w);

	crypto_sha256(hash, message);
	if (e == E_OK)
		e = read_secret(&w, key->secret);
	if (e == E_OK)
		e = status_err(mbedtls_ecdsa_sign_det_ext(w.g, &w.r, &w.s, &w.d, hash, sizeof(hash),
							  MBEDTLS_MD_SHA256, blind, NULL));
	if (e == E_OK)
		e = status_err(mbedtls_mpi_write_binary(&w.r, sig, 32));
	if (e == E_OK)
		e = status_err(mbedtls_mpi_write_binary(&w.s, sig + 32, 32));
	if (e != E_OK)
		crypto_wipe(sig, SIGNATURE_BYTES);
	work_fini(&w);
	return e;
}

enum err
crypto_verify(const uint8_t sig[SIGNATURE_BYTES], const struct ec_public *pub, struct bytes message)
{
	struct ec_work w;
	uint8_t hash[SHA256_BYTES];
	enum err e = work_init(&w);

	crypto_sha256(hash, message);
	if (e == E_OK)
		e = read_public(&w, pub);
	if (e == E_OK)
		e = status_err(mbedtls_mpi_read_binary(&w.r, sig, 32));
	if (e == E_OK)
		e = status_err(mbedtls_mpi_read_binary(&w.s, sig + 32, 32));
	if (e == E_OK) {
		e = status_err(mbedtls_ecdsa_verify(w.g, hash, sizeof(hash), &w.q, &w.r, &w.s));
		if (e == E_KEY) /* the key was checked: what else is out of range is the
				   signature */
			e = E_SIGNATURE;
	}
	work_fini(&w);
	return e;
}

/*
 * The curve's group with the key in the place of G: the library keeps a table of multiples of what
 * it takes for G, and so it does here for the key.
 */
struct ec_prepared {
	mbedtls_ecp_group g;
};

/* The library's own G is constant memory, which stays with the library: a point of ours is put in
 * its place. */
static enum err
prepare(struct ec_prepared *k, const mbedtls_ecp_point *key)
{
	mbedtls_ecp_point multiple;
	mbedtls_mpi two;
	int status = mbedtls_ecp_group_load(&k->g, MBEDTLS_ECP_DP_SECP256R1);

	mbedtls_ecp_point_init(&k->g.G);
	mbedtls_ecp_point_init(&multiple);
	mbedtls_mpi_init(&two);
	if (status == 0 && (status = mbedtls_ecp_copy(&k->g.G, key)) == 0 &&
	    (status = mbedtls_mpi_lset(&two, 2)) == 0)
		status = mbedtls_ecp_mul(&k->g, &multiple, &two, &k->g.G, blind, NULL);
	mbedtls_mpi_free(&two);
	mbedtls_ecp_point_free(&multiple);
	return status_err(status);
}

enum err
crypto_ec_prepare(struct ec_prepared **out, const struct ec_public *pub)
{
	struct ec_prepared *k = malloc(sizeof(*k));
	struct ec_work w;
	enum err e = work_init(&w);

	*out = NULL;
	if (k == NULL)
		e = E_NO_MEMORY;
	else
		mbedtls_ecp_group_init(&k->g);
	if (e == E_OK)
		e = read_public(&w, pub);
	if (e == E_OK)
		e = prepare(k, &w.q);
	work_fini(&w);
	if (e == E_OK)
		*out = k;
	else
		crypto_ec_prepared_free(k);
	return e;
}

void
crypto_ec_prepared_free(struct ec_prepared *k)
{
	if (k == NULL)
		return;
	mbedtls_ecp_point_free(&k->g.G);
	mbedtls_ecp_group_free(&k->g);
	free(k);
}

/* FIPS 186-4, 6.4.2: u1 = e/s, u2 = r/s, both mod n; x of u1 G + u2 Q must be r. */
static enum err
verify_prepared(struct ec_work *w, const struct ec_prepared *k, const uint8_t hash[SHA256_BYTES])
{
	mbedtls_ecp_group *n = w->g, *q = (mbedtls_ecp_group *)(uintptr_t)&k
					      ->g; /* its table is there: not written */
	mbedtls_mpi one, u2;
	int status;

	mbedtls_mpi_init(&one);
	mbedtls_mpi_init(&u2);
	if ((status = mbedtls_mpi_lset(&one, 1)) != 0 ||
	    (status = mbedtls_mpi_inv_mod(&w->s, &w->s, &n->N)) != 0 ||
	    (status = mbedtls_mpi_read_binary(&w->d, hash, SHA256_BYTES)) != 0 ||
	    (status = mbedtls_mpi_mul_mpi(&w->d, &w->d, &w->s)) != 0 ||
	    (status = mbedtls_mpi_mod_mpi(&w->d, &w->d, &n->N)) != 0 ||
	    (status = mbedtls_mpi_mul_mpi(&u2, &w->r, &w->s)) != 0 ||
	    (status = mbedtls_mpi_mod_mpi(&u2, &u2, &n->N)) != 0 ||
	    (status = mbedtls_ecp_mul(n, &w->out, &w->d, &n->G, blind, NULL)) != 0 ||
	    (status = mbedtls_ecp_mul(q, &w->q, &u2, &q->G, blind, NULL)) != 0 ||
	    (status = mbedtls_ecp_muladd(n, &w->out, &one, &w->out, &one, &w->q)) != 0)
		goto done;
	status = MBEDTLS_ERR_ECP_VERIFY_FAILED;
	if (!mbedtls_ecp_is_zero(&w->out) &&
	    mbedtls_mpi_mod_mpi(&w->out.X, &w->out.X, &n->N) == 0 &&
	    mbedtls_mpi_cmp_mpi(&w->out.X, &w->r) == 0)
		status = 0;
done:
	mbedtls_mpi_free(&u2);
	mbedtls_mpi_free(&one);
	return status_err(status);
}

enum err
crypto_verify_prepared(const uint8_t sig[SIGNATURE_BYTES], const struct ec_prepared *k,
		       struct bytes message)
{
	struct ec_work w;
	uint8_t hash[SHA256_BYTES];
	enum err e = work_init(&w);

	crypto_sha256(hash, message);
	if (e == E_OK)
		e = status_err(mbedtls_mpi_read_binary(&w.r, sig, 32));
	if (e == E_OK)
		e = status_err(mbedtls_mpi_read_binary(&w.s, sig + 32, 32));
	/* both from 1 to n - 1, as a secret key is */
	if (e == E_OK && (mbedtls_ecp_check_privkey(w.g, &w.r) != 0 ||
			  mbedtls_ecp_check_privkey(w.g, &w.s) != 0))
		e = E_SIGNATURE;
	if (e == E_OK && (e = verify_prepared(&w, k, hash)) == E_KEY)
		e = E_SIGNATURE;
	work_fini(&w);
	return e;
}
