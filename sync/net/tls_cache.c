#include "sync/net/tls_cache.h"

#include <stdlib.h>

#include "core/crypto/crypto.h"
#include "core/fault.h"
#include "core/limits.h"

/* Ids are ours and random, so their first bytes choose a set; the oldest of a set gives way. */
#define WAYS 4u
#define SETS (TLS_SESSIONS_MAX / WAYS)

struct entry {
	uint8_t id[TLS_SESSION_ID_BYTES];
	struct principal_id principal;
	uint64_t put_at; /* 0: empty */
	uint32_t used_count;
	uint16_t n;
	uint8_t session[TLS_SESSION_BYTES_MAX];
};

struct tls_cache {
	struct tls_cache_host host;
	uint64_t puts;
	struct entry *sets[SETS]; /* WAYS entries, made when first needed */
};

enum err
tls_cache_new(struct tls_cache **out, const struct tls_cache_host *host)
{
	if ((*out = fault_malloc(sizeof(**out))) == NULL)
		return E_NO_MEMORY;
	memset(*out, 0, sizeof(**out));
	(*out)->host = *host;
	return E_OK;
}

void
tls_cache_free(struct tls_cache *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < SETS; i++) {
		if (c->sets[i] != NULL)
			crypto_wipe(c->sets[i], WAYS * sizeof(struct entry));
		free(c->sets[i]);
	}
	free(c);
}

static struct entry **
set_of(struct tls_cache *c, const uint8_t *id)
{
	return &c->sets[be32_get(id) % SETS];
}

static void
keep(struct tls_cache *c, const uint8_t *id, const struct principal_id *principal,
     struct bytes session)
{
	struct entry **set = set_of(c, id), *e;
	size_t i;

	if (session.n > TLS_SESSION_BYTES_MAX ||
	    (*set == NULL && (*set = calloc(WAYS, sizeof(**set))) == NULL))
		return; /* without it the next handshake is a full one */
	e = &(*set)[0];
	for (i = 1; i < WAYS; i++)
		if ((*set)[i].put_at < e->put_at)
			e = &(*set)[i];
	memcpy(e->id, id, sizeof(e->id));
	e->principal = *principal;
	e->put_at = ++c->puts;
	e->used_count = 0;
	e->n = (uint16_t)session.n;
	memcpy(e->session, session.p, session.n);
}

void
tls_cache_put(struct tls_cache *c, const uint8_t id[TLS_SESSION_ID_BYTES],
	      const struct principal_id *principal, struct bytes session)
{
	keep(c, id, principal, session);
	if (c->host.put != NULL)
		c->host.put(c->host.ctx, BYTES(id, TLS_SESSION_ID_BYTES), session);
}

bool
tls_cache_get(struct tls_cache *c, const uint8_t id[TLS_SESSION_ID_BYTES], struct writer *out)
{
	struct entry *set = *set_of(c, id);
	static const struct principal_id nobody;
	uint32_t used;
	size_t i;

	for (i = 0; set != NULL && i < WAYS; i++) {
		if (set[i].put_at == 0 || !crypto_equal(set[i].id, id, TLS_SESSION_ID_BYTES))
			continue;
		if (set[i].n == 0)
			return false;
		used = set[i].used_count++;
		if (used >= TLS_RESUMPTIONS_MAX && (used - TLS_RESUMPTIONS_MAX) % 2 == 0)
			return false;
		writer_mem(out, set[i].session, set[i].n);
		return writer_end(out) == E_OK;
	}
	if (c->host.get == NULL ||
	    !c->host.get(c->host.ctx, BYTES(id, TLS_SESSION_ID_BYTES), out) ||
	    writer_end(out) != E_OK)
		return false;
	/* Kept from an earlier run. Whose it is the certificate inside says; here it is nobody's to
	 * drop. */
	keep(c, id, &nobody, writer_view(out));
	return true;
}

void
tls_cache_forget(struct tls_cache *c, const struct principal_id *principal)
{
	size_t i, k;

	for (i = 0; i < SETS; i++) {
		struct entry *set = c->sets[i];

		for (k = 0; set != NULL && k < WAYS; k++) {
			if (set[k].put_at == 0 || !ID_EQUAL(&set[k].principal, principal))
				continue;
			crypto_wipe(set[k].session, sizeof(set[k].session));
			set[k].n =
			    0; /* the id stays, so that the host's copy is not taken up again */
		}
	}
}
