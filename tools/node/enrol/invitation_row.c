#include "tools/node/enrol/invitation_row.h"

#include "core/crypto/crypto.h"
#include "core/pack.h"
#include "tools/node/state.h"

void
invitation_row_key(uint8_t key[INVITATION_KEY_BYTES], const uint8_t secret[INVITE_SECRET_BYTES])
{
	uint8_t hash[SHA256_BYTES];

	crypto_sha256(hash, BYTES(secret, INVITE_SECRET_BYTES));
	memcpy(key, hash, INVITATION_KEY_BYTES);
}

/* [1, role, area, name, expires, invited by, used by bin | nil] */
enum err
invitation_row_put(struct store_txn *txn, const uint8_t key[INVITATION_KEY_BYTES],
		   const struct invitation_row *row)
{
	uint8_t memory[512];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 7);
	pack_u64(&w, 1);
	pack_u64(&w, row->role);
	pack_cstr(&w, row->area);
	pack_cstr(&w, row->name);
	pack_u64(&w, row->expires_s);
	pack_bin(&w, BYTES(row->by.b, ID_BYTES));
	if (row->used)
		pack_bin(&w, BYTES(row->used_by.b, ID_BYTES));
	else
		pack_nil(&w);
	if ((e = writer_end(&w)) != E_OK)
		return e;
	return store_put(txn, STORE_INVITATION, BYTES(key, INVITATION_KEY_BYTES), writer_view(&w));
}

enum err
invitation_row_get(struct store_txn *txn, const uint8_t key[INVITATION_KEY_BYTES],
		   struct invitation_row *row)
{
	struct bytes value;
	struct reader r;
	enum err e = store_get(txn, STORE_INVITATION, BYTES(key, INVITATION_KEY_BYTES), &value);

	if (e != E_OK)
		return e;
	memset(row, 0, sizeof(*row));
	reader_begin(&r, value, 1, 7);
	row->role = (enum role)reader_u64_max(&r, 255);
	state_str(&r, row->area, sizeof(row->area));
	state_str(&r, row->name, sizeof(row->name));
	row->expires_s = reader_u64(&r);
	reader_bin_fixed(&r, row->by.b, ID_BYTES);
	if (!reader_nil(&r)) {
		row->used = true;
		reader_bin_fixed(&r, row->used_by.b, ID_BYTES);
	}
	return reader_end(&r);
}
