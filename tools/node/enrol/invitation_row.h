/* invitation_row: the rows of INVITATION: what was given out, and who used it. FORMATS.md "Rows of
 * a peer". */
#ifndef BANYAN_TOOLS_NODE_ENROL_INVITATION_ROW_H
#define BANYAN_TOOLS_NODE_ENROL_INVITATION_ROW_H

#include "core/principals/invite.h"
#include "tools/node/peer.h"

#define INVITATION_KEY_BYTES 16u

struct invitation_row {
	enum role role;
	char area[AREA_CODE_BYTES_MAX + 1], name[NAME_BYTES_MAX + 1];
	uint64_t expires_s;
	struct principal_id by, used_by;
	bool used;
};

/* invitation_row_key: the row's key: the start of the secret's hash; who reads the store learns no
 * secret. */
void
invitation_row_key(uint8_t key[INVITATION_KEY_BYTES], const uint8_t secret[INVITE_SECRET_BYTES]);
/* invitation_row_put: in a job. invitation_row_get: E_ABSENT, E_VERSION, E_PACK_*. */
enum err invitation_row_put(struct store_txn *, const uint8_t key[INVITATION_KEY_BYTES],
			    const struct invitation_row *);
enum err invitation_row_get(struct store_txn *, const uint8_t key[INVITATION_KEY_BYTES],
			    struct invitation_row *out);

#endif
