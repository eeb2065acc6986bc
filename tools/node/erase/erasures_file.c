/* The orders beside the store, STORE.orders: what a restore of an older backup must obey. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/erasure.h"
#include "core/file.h"
#include "tools/node/erase/erasures_inside.h"

#define ORDERS_BYTES_MAX (64u << 20) /* two hundred thousand of them */

static void
path_beside(const struct peer *p, char *out, size_t bytes)
{
	size_t n = strlen(p->path);

	while (n > 1 && p->path[n - 1] == '/')
		n--;
	(void)snprintf(out, bytes, "%.*s.orders", (int)n, p->path);
}

struct keep_all {
	struct peer *peer;
	struct writer out;
};

static enum err
put_one(struct keep_all *g, struct bytes statement)
{
	writer_be32(&g->out, (uint32_t)statement.n);
	writer_bytes(&g->out, statement);
	return writer_end(&g->out);
}

static enum err
keep_row(void *arg, const struct erasure_row *row)
{
	return put_one(arg, row->statement);
}

static enum err
read_beside(const char *path, struct writer *out)
{
	uint8_t piece[4096];
	size_t n;
	FILE *f = fopen(path, "rb");

	if (f == NULL) /* one that is there and cannot be read is not one without orders */
		return errno == ENOENT ? E_ABSENT : E_IO;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		writer_mem(out, piece, n);
	n = (size_t)ferror(f);
	(void)fclose(f);
	return n != 0 ? E_IO : writer_end(out);
}

/* What the file says and no row here does stays in it: orders of another life of this store. */
static enum err
keep_others(struct keep_all *g, struct store_txn *txn, struct bytes had)
{
	size_t at = 0;
	enum err e = E_OK;

	while (e == E_OK && had.n - at >= 4) {
		size_t n = be32_get(had.p + at);
		struct bytes statement = BYTES(had.p + at + 4, n);
		struct erasure_row row;
		struct erasure o;

		if (n > had.n - at - 4)
			break;
		if (erasure_decode(statement, &g->peer->programme.id, &o, NULL) != E_OK ||
		    erasures_get(g->peer, txn, &o.record, &row) != E_OK)
			e = put_one(g, statement);
		at += 4 + n;
	}
	return e;
}

static enum err
write_beside(const char *path, struct bytes b)
{
	const char *slash = strrchr(path, '/');
	char dir[600] = ".";

	if (slash != NULL)
		(void)snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path),
			       path);
	return file_replace(dir, slash == NULL ? path : slash + 1, b, NULL);
}

enum err
erasures_keep_all_beside(struct peer *p, struct why *why)
{
	struct keep_all g = {.peer = p};
	struct writer had;
	struct store_txn *txn;
	char path[600];
	enum err e;

	path_beside(p, path, sizeof(path));
	writer_heap_init(&g.out, ORDERS_BYTES_MAX);
	writer_heap_init(&had, ORDERS_BYTES_MAX);
	if ((e = read_beside(path, &had)) == E_ABSENT)
		e = E_OK;
	if (e == E_OK && (e = store_read_begin(p->store, &txn)) == E_OK) {
		if ((e = keep_others(&g, txn, writer_view(&had))) == E_OK)
			e = erasures_walk(p, txn, keep_row, &g);
		store_read_end(txn);
	}
	if (e == E_OK && g.out.n > 0 && !bytes_equal(writer_view(&g.out), writer_view(&had)))
		e = write_beside(path, writer_view(&g.out));
	writer_free(&g.out);
	writer_free(&had);
	return e == E_OK ? E_OK : why_set(why, e, "%s", path);
}

struct take_file {
	struct peer *peer;
	struct bytes bytes;
	size_t count;
	struct why *why;
};

/* Of an office that this store knew only after its backup: nobody here can tell whether it holds,
 * and it is said again. */
static bool
is_nobodys(struct peer *p, struct store_txn *txn, struct bytes statement)
{
	struct erasure o;
	struct member m;

	return erasure_decode(statement, &p->programme.id, &o, NULL) == E_OK &&
	       !ID_EQUAL(&o.issuer, &peer_self(p)->id) &&
	       member_get(txn, &o.issuer, &m) == E_ABSENT;
}

static enum err
take_file_job(struct store_txn *txn, void *arg)
{
	struct take_file *job = arg;
	size_t at = 0;
	enum err e = E_OK;

	job->count = 0;
	while (e == E_OK && job->bytes.n - at >= 4) {
		size_t n = be32_get(job->bytes.p + at);
		bool fresh = false;

		if (n > job->bytes.n - at - 4)
			break; /* cut while it was written: that order was not in force yet */
		if (!is_nobodys(job->peer, txn, BYTES(job->bytes.p + at + 4, n)))
			e = erasures_take(job->peer, txn, BYTES(job->bytes.p + at + 4, n), &fresh,
					  job->why);
		job->count += fresh;
		at += 4 + n;
	}
	return e;
}

enum err
erasures_take_file(struct peer *p, const char *path, size_t *count, struct why *why)
{
	struct take_file job = {.peer = p, .why = why};
	char beside[600];
	struct writer w;
	enum err e;

	*count = 0;
	path_beside(p, beside, sizeof(beside));
	writer_heap_init(&w, ORDERS_BYTES_MAX);
	if ((e = read_beside(path == NULL ? beside : path, &w)) == E_ABSENT) {
		writer_free(&w);
		return path == NULL ? E_OK : why_set(why, E_FILE_ABSENT, "%s", path);
	}
	job.bytes = writer_view(&w);
	if (e == E_OK)
		e = store_write(p->store, take_file_job, &job);
	*count = job.count;
	writer_free(&w);
	return e == E_OK ? E_OK
			 : why_set(why, why != NULL && why->e != E_OK ? why->e : e,
				   "the orders in %s", path == NULL ? beside : path);
}
