/*
 * cert: the X.509 leaf that TLS wants: a principal's random id, its key, and nothing else that
 * could tell one programme from another. A pure function of id and key; FORMATS.md section
 * "Certificates". Its issuer's signature is a constant: TLS itself proves that the peer has the
 * key, and an enrolment says whose key it is, so a signature here would only cost 63 bytes on each
 * side of each full handshake.
 */
#ifndef BANYAN_CORE_CRYPTO_CERT_H
#define BANYAN_CORE_CRYPTO_CERT_H

#include "core/crypto/crypto.h"
#include "core/id.h"

#define CERT_BYTES 228u

/* cert_make: append the DER, CERT_BYTES. Of the key only the public half is used. E_NO_ROOM. */
enum err cert_make(const struct ec_key *, const struct principal_id *, struct writer *der);
/*
 * cert_read: E_KEY unless the bytes are exactly what cert_make writes for some id and a point on
 * the curve. E_CRYPTO.
 */
enum err cert_read(struct bytes der, struct principal_id *out_id, struct ec_public *out_key);

#endif
