/*
 * invite: the one line that an office gives to a newcomer: "banyan1:" and base64url. It pins the
 * node's key and carries a one-time secret; whoever has the line can join once. FORMATS.md section
 * "Invitations".
 */
#ifndef BANYAN_CORE_PRINCIPALS_INVITE_H
#define BANYAN_CORE_PRINCIPALS_INVITE_H

#include "core/principals/principal.h"

#define INVITE_ADDRESS_BYTES_MAX 255u /* a host name, a colon and a port */
#define INVITE_SECRET_BYTES 16u
#define INVITE_LINE_BYTES_MAX 1024u /* with room; the largest is below, which a test shows */

struct invite {
	struct programme_id programme;
	struct principal_id node;
	uint8_t node_key_sha256[SHA256_BYTES]; /* of the node's public signing key, 65 bytes */
	char address[INVITE_ADDRESS_BYTES_MAX + 1];
	uint8_t secret[INVITE_SECRET_BYTES];
	enum role role;
	uint64_t expires_s;
	char name[NAME_BYTES_MAX + 1];
	char area[AREA_CODE_BYTES_MAX + 1];
};

/* invite_encode: append the line, without a line end. E_LIMIT for a field that is empty or too
 * long. */
enum err invite_encode(const struct invite *, struct writer *line);
/*
 * invite_decode: white space around the line is ignored. E_INVITE_FORM says what is wrong: not an
 * invitation, cut, or a digit that was copied wrongly (the checksum). E_VERSION. It does not look
 * at the clock: E_INVITE_EXPIRED is the node's to say. On failure *out is wiped.
 */
enum err invite_decode(const char *line, struct invite *out, struct why *);
void invite_wipe(struct invite *);

#endif
