#include "tools/node/link/pace.h"

enum err
pace_get(struct store_txn *txn, uint64_t *bytes)
{
	enum err e = store_meta_u64(txn, "link", PACE_BYTES_MAX, bytes);

	if (e == E_OK && (*bytes < PACE_BYTES_MIN || *bytes > PACE_BYTES_MAX))
		*bytes = PACE_BYTES_MAX;
	return e;
}

uint64_t
pace_next(uint64_t bytes, bool cut, uint64_t up_bytes)
{
	if (!cut)
		return bytes < PACE_BYTES_MAX / 2 ? bytes * 2 : PACE_BYTES_MAX;
	if (up_bytes < bytes)
		bytes = up_bytes;
	return bytes / 2 > PACE_BYTES_MIN ? bytes / 2 : PACE_BYTES_MIN;
}

enum err
pace_put(struct store_txn *txn, uint64_t bytes)
{
	return store_meta_put_u64(txn, "link", bytes);
}

uint32_t
pace_record(uint64_t bytes)
{
	return bytes >= PACE_BYTES_MAX ? 0 : bytes / 4 > 256 ? (uint32_t)(bytes / 4) : 256u;
}

enum err
pace_put_clean(struct store_txn *txn, uint64_t epoch, uint64_t number)
{
	uint8_t value[16];

	be64_put(value, epoch);
	be64_put(value + 8, number);
	return store_meta_put(txn, "clean", BYTES(value, sizeof(value)));
}

enum err
pace_clean(struct store_txn *txn, uint64_t epoch, uint64_t number, bool *clean)
{
	struct bytes value;
	enum err e = store_meta_get(txn, "clean", &value);

	*clean = e == E_OK && value.n == 16 && be64_get(value.p) == epoch &&
		 be64_get(value.p + 8) == number;
	return e == E_ABSENT ? E_OK : e;
}
