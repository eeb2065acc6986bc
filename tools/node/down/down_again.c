/* What came before the word that it needs, and was set aside for that, is opened once the word is
 * here. FORMATS.md "Opening". */
#include "tools/node/down/down_row.h"
#include "tools/node/opener/opener.h"

enum err
down_open_again(struct store_txn *txn, unsigned news)
{
	static const enum err lacked[] = {E_FORM_UNKNOWN, E_DICTIONARY,
					  E_SEAL}; /* by DOWN_NEWS_* */
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < sizeof(lacked) / sizeof(lacked[0]) && e == E_OK; i++)
		if (news & 1u << i)
			e = opener_again(txn, lacked[i]);
	return e;
}

static enum err
again_job(struct store_txn *txn, void *arg)
{
	return down_open_again(txn, *(const unsigned *)arg);
}

enum err
down_open_again_now(struct peer *p, unsigned news, struct why *why)
{
	enum err e = news == 0 ? E_OK : store_write(p->store, again_job, &news);

	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}
