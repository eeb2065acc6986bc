/* The planted bugs in what officers do: as real_bugs.c. */
#include "tests/sim/real.h"
#include "tools/node/erase/erase_inside.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/outbox/freed.h"
#include "tools/node/outbox/outbox.h"

enum err __real_erasures_take_file(struct peer *, const char *, size_t *, struct why *);
enum err __wrap_erasures_take_file(struct peer *, const char *, size_t *, struct why *);
enum err
__wrap_erasures_take_file(struct peer *p, const char *path, size_t *count, struct why *why)
{
	*count = 0;
	return real_planted(BUG_ORDERS_UNREAD) ? E_OK
					       : __real_erasures_take_file(p, path, count, why);
}

enum err __real_erasures_strip(struct peer *, struct store_txn *, uint64_t);
enum err __wrap_erasures_strip(struct peer *, struct store_txn *, uint64_t);
enum err
__wrap_erasures_strip(struct peer *p, struct store_txn *txn, uint64_t seq)
{
	return real_planted(BUG_LATE_KEPT) ? E_OK : __real_erasures_strip(p, txn, seq);
}

enum err __real_erasing_find_neighbours(struct store_txn *, struct erasing *, struct why *);
enum err __wrap_erasing_find_neighbours(struct store_txn *, struct erasing *, struct why *);
enum err
__wrap_erasing_find_neighbours(struct store_txn *txn, struct erasing *g, struct why *why)
{
	return real_planted(BUG_NEIGHBOURS_GO) ? E_OK : __real_erasing_find_neighbours(txn, g, why);
}

const struct ec_key *__real_office_key_at(const struct peer *, uint32_t);
const struct ec_key *__wrap_office_key_at(const struct peer *, uint32_t);
const struct ec_key *
__wrap_office_key_at(const struct peer *p, uint32_t key_no)
{
	return real_planted(BUG_OLD_KEY_LOST) && key_no < p->home.key_no
		   ? NULL
		   : __real_office_key_at(p, key_no);
}

enum err __real_freed_upto(struct peer *, struct store_txn *, uint64_t *);
enum err __wrap_freed_upto(struct peer *, struct store_txn *, uint64_t *);
enum err
__wrap_freed_upto(struct peer *p, struct store_txn *txn, uint64_t *upto)
{
	uint64_t safe;

	return real_planted(BUG_SHARED_EARLY) ? outbox_marks(p, txn, upto, &safe)
					      : __real_freed_upto(p, txn, upto);
}
