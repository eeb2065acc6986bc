/*
 * meeting: how two devices of one programme know each other without a name: who joined has the
 * programme's root public key, which is never shown to others; a key derived from it proves that,
 * in one TLS connection between throw-away keys, and finds a relay on a LAN with packets that look
 * random. It proves membership of some time, not standing: nothing is trusted because of it.
 * PROTOCOL.md "Meeting a relay".
 */
#ifndef BANYAN_CORE_LETTERS_MEETING_H
#define BANYAN_CORE_LETTERS_MEETING_H

#include "core/crypto/crypto.h"
#include "core/id.h"

#define MEETING_PROOF_BYTES 32u
#define BEACON_BYTES 40u /* both ways: nonce (12), 12 sealed bytes, tag (16) */

struct meeting_key {
	uint8_t b[32];
};

/* meeting_key_of: HMAC-SHA256(key "banyan meeting 1" || programme, root public key). A secret: wipe
 * it. */
void
meeting_key_of(struct meeting_key *, const struct programme_id *, const struct ec_public *root);
/* The device's proof: over its own TLS key. The relay's: over its TLS key and the device's. */
void meeting_proof(uint8_t out[MEETING_PROOF_BYTES], const struct meeting_key *,
		   const struct ec_public *relay, const struct ec_public *device);

/*
 * meeting_satchel: who carries a satchel says so in this connection: its public key || signature.
 * It tells a device that this is the satchel of an earlier meeting, after the relay was started
 * anew. meeting_satchel_holds: false: it is somebody else's word.
 */
#define MEETING_SATCHEL_BYTES (EC_PUBLIC_BYTES + SIGNATURE_BYTES)
enum err meeting_satchel(uint8_t out[MEETING_SATCHEL_BYTES], const struct ec_key *satchel,
			 const struct ec_public *relay, const struct ec_public *device);
bool meeting_satchel_holds(const uint8_t said[MEETING_SATCHEL_BYTES], const struct ec_public *relay,
			   const struct ec_public *device);

/* beacon_ask: is a relay of this programme here? beacon_asked: false: not a question of this
 * programme. */
void beacon_ask(uint8_t out[BEACON_BYTES], const struct meeting_key *);
bool beacon_asked(const uint8_t packet[BEACON_BYTES], const struct meeting_key *);
/* beacon_answer: to one question: yes, at this port. beacon_answered: false: not an answer to that
 * question. */
void beacon_answer(uint8_t out[BEACON_BYTES], const struct meeting_key *,
		   const uint8_t question[BEACON_BYTES], uint16_t port);
bool beacon_answered(const uint8_t packet[BEACON_BYTES], const struct meeting_key *,
		     const uint8_t question[BEACON_BYTES], uint16_t *port);

#endif
