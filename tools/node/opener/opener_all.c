/* All that waits, opened; and a store of an earlier version, whose derived rows are made anew. */
#include "core/set/shared.h"
#include "tools/node/carry/carry_sets.h"
#include "tools/node/opener/opener_queue.h"

/* What stood there when it began: under steady load there is always more. */
enum err
opener_all_telling(struct peer *p, opener_tell_fn *tell, void *arg, struct why *why)
{
	struct store_txn *txn;
	uint64_t last = 0, opened = 0;
	bool urgent = false;
	size_t done;
	enum err e;

	do {
		if ((e = store_read_begin(p->store, &txn)) != E_OK)
			return why_set(why, e, "%s", p->path);
		if (last == 0)
			e = arrival_last(txn, &last);
		if (e == E_OK)
			e = store_meta_u64(txn, "opened", 0, &opened);
		if (e == E_OK)
			e = queue_urgent(txn, &urgent);
		store_read_end(txn);
		if (e == E_OK && opened >= last && !urgent)
			break;
		if (e == E_OK && tell != NULL)
			tell(arg, opened, last);
		if (e == E_OK)
			e = opener_step(p, OPENING_MAX, &done, why);
	} while (e == E_OK && done > 0);
	return e;
}

enum err
opener_all(struct peer *p, struct why *why)
{
	return opener_all_telling(p, NULL, NULL, why);
}

static enum err
anew_job(struct store_txn *txn, void *arg)
{
	enum err e = shared_forget(txn);

	(void)arg;
	return e == E_OK ? opener_forget(txn) : e;
}

enum err
opener_older(struct peer *p, struct why *why)
{
	struct store_txn *txn;
	bool older;
	enum err e = store_read_begin(p->store, &txn);

	if (e != E_OK)
		return why_set(why, e, "%s", p->path);
	older = store_count(txn, STORE_RECORD) > 0 || store_count(txn, STORE_REVISION) > 0;
	store_read_end(txn);
	if (!older)
		return E_OK;
	carry_sets_drop(p, NULL);
	e = store_write(p->store, anew_job, NULL);
	return e == E_OK ? E_OK : why_set(why, e, "making the rows of %s anew", p->path);
}
