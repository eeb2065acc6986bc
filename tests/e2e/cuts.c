/*
 * cuts BANYAN STRIDE: twenty records saved by one submit, over a link that is cut after every
 * STRIDEth byte: the next session goes on, at most one parcel is sent again, nothing is there
 * twice, and both sides agree. Then a link that never lives longer than a few hundred bytes, and a
 * budget of a few hundred bytes a session: both get a backlog through.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/parcel/arrival.h"
#include "tests/bench/device.h"
#include "tests/e2e/wire.h"
#include "tools/node/opener/verify.h"

static struct wire *w;
static struct why said; /* of the last sync */

static enum err
try_sync(struct peer *p, uint64_t budget, struct link_result *result)
{
	struct why why = {.e = E_OK};
	char sentence[400];
	enum err e = link_sync(p, budget, result, &why);

	said = why;
	if (e != E_OK && e != E_PEER_GONE && e != E_TLS && e != E_BUDGET && e != E_CONNECT &&
	    e != E_BUDGET_SMALL)
		die("a cut makes this of it: %s", why_sentence(&why, sentence, sizeof(sentence)));
	return e;
}

static uint64_t
head_of(struct peer *p)
{
	struct arrival_head *head = malloc(sizeof(*head));
	struct log_id log = {peer_self(p)->id, peer_self(p)->epoch};
	struct store_txn *txn;
	uint64_t n;

	if (head == NULL || store_read_begin(p->store, &txn) != E_OK)
		die("the device's store");
	n = arrival_head(txn, &log, head) == E_OK ? head->number : 0;
	store_read_end(txn);
	free(head);
	return n;
}

static struct peer *
join(struct stage *s, unsigned n)
{
	struct link_result result;
	char name[20], *line;
	struct peer *p;

	(void)snprintf(name, sizeof(name), "device%u", n);
	line = device_invite(s, name, bench_area(n), w->address);
	p = device_join(s, name, line, &result);
	free(line);
	device_sync(p, &result);
	return p;
}

/* The rows of the node's list for this form. */
static unsigned
listed(struct stage *s)
{
	const char *argv[] = {s->banyan, "list",       s->node,     "case26",
			      "--json",  "--key-file", s->key_file, NULL};
	unsigned lines = 0;
	char *text = run_ok(argv), *c;

	for (c = text; *c != '\0'; c++)
		lines += *c == '\n';
	free(text);
	return lines;
}

static uint64_t
carried(void)
{
	return atomic_load(&w->up) + atomic_load(&w->down);
}

#define COLD_BYTES 388u /* a session more, nothing new */
#define ASK_BYTES 130u  /* what is held is asked and said, and what is there of a parcel */

/*
 * What two sessions carried is what one would have, a session more, and at most one parcel: a cut
 * may have taken it whole, when only its receipt was missing it is not even that.
 */
static unsigned
at_every_byte(struct peer *p, unsigned stride, unsigned count, unsigned each)
{
	struct link_result result;
	uint64_t whole, before = carried(), cut, worst = 0, parcels = 1, largest;
	unsigned records = count;

	device_fill(p, count, each);
	device_sync(p, &result);
	whole = carried() - before;
	for (cut = 1; cut < whole; cut += stride) {
		uint64_t head = head_of(p), both;

		device_fill(p, count, each);
		records += count;
		before = carried();
		atomic_store(&w->cut_after, cut);
		(void)try_sync(p, 0, &result);
		atomic_store(&w->cut_after, 0);
		device_sync(p, &result);
		both = carried() - before;
		if (result.forked)
			die("cut at %llu: a twin is seen", (unsigned long long)cut);
		parcels = head_of(p) - head;
		largest = (whole - COLD_BYTES) / parcels * 5 / 4 + 100;
		if (both > whole + whole / 10 + COLD_BYTES + ASK_BYTES + largest)
			die("cut at %llu of %llu: %llu bytes in the two sessions",
			    (unsigned long long)cut, (unsigned long long)whole,
			    (unsigned long long)both);
		if (both > whole + COLD_BYTES + ASK_BYTES &&
		    both - whole - COLD_BYTES - ASK_BYTES > worst)
			worst = both - whole - COLD_BYTES - ASK_BYTES;
	}
	printf(
	    "ok   %u records in %llu parcels, %llu bytes, cut after every %uth byte: at most %llu bytes again\n",
	    count, (unsigned long long)parcels, (unsigned long long)whole, stride,
	    (unsigned long long)worst);
	return records;
}

/* Every link dies after so many bytes. */
static unsigned
short_links(struct peer *p, uint64_t life)
{
	struct link_result result;
	uint64_t links = atomic_load(&w->links),
		 bytes = atomic_load(&w->up) + atomic_load(&w->down);
	enum err e = E_PEER_GONE;
	int i;

	device_fill(p, 300, 20); /* gathered while the link was thought to be good */
	atomic_store(&w->cut_after, life);
	for (i = 0; i < 400 && e != E_OK; i++)
		e = try_sync(p, 0, &result);
	if (e != E_OK)
		die("links of %llu bytes carry nothing: %llu records wait after %d of them",
		    (unsigned long long)life, (unsigned long long)result.records_waiting, i);
	atomic_store(&w->cut_after, 0);
	printf("ok   300 records over links that die after %llu bytes: %llu links, %llu bytes\n",
	       (unsigned long long)life, (unsigned long long)(atomic_load(&w->links) - links),
	       (unsigned long long)(atomic_load(&w->up) + atomic_load(&w->down) - bytes));
	return 300;
}

/* So many bytes a session and no more. */
static unsigned
budgets(struct peer *p, uint64_t budget)
{
	struct link_result result = {0};
	enum err e = E_BUDGET;
	int i;

	device_fill(p, 100, 5);
	for (i = 0; i < 200 && e != E_OK; i++) {
		uint64_t before = atomic_load(&w->up) + atomic_load(&w->down), took,
			 waits = result.records_waiting;

		e = try_sync(p, budget, &result);
		took = atomic_load(&w->up) + atomic_load(&w->down) - before;
		if (took > budget)
			die("%llu bytes of %llu", (unsigned long long)took,
			    (unsigned long long)budget);
		if (e != E_OK && e != E_BUDGET)
			die("a budget of %llu ends as %s: %s", (unsigned long long)budget,
			    err_name(e), said.thing);
		if (i > 0 && e != E_OK && result.counts.resumed && result.records_waiting >= waits)
			die("a budget of %llu carries nothing", (unsigned long long)budget);
	}
	if (e != E_OK)
		die("a budget of %llu never ends", (unsigned long long)budget);
	printf("ok   100 records at %llu bytes a session: %d sessions\n",
	       (unsigned long long)budget, i);
	if (try_sync(p, 0, &result) != E_OK)
		die("and then no sync");
	device_fill(p, 1, 1);
	if ((e = try_sync(p, 450, &result)) != E_BUDGET_SMALL && e != E_BUDGET)
		die("a budget too small for one parcel ends as %s", err_name(e));
	device_sync(p, &result);
	return 101;
}

static void
fault(void *arg, const char *sentence)
{
	(void)arg;
	printf("%s\n", sentence);
}

static void
no_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	(void)what;
	(void)done;
	(void)total;
}

/* Bytes that the handset keeps of its parcels 1 to `head`. */
static uint64_t
kept_bytes(struct peer *p, uint64_t head)
{
	struct log_id log = {peer_self(p)->id, peer_self(p)->epoch};
	struct parcel_hash hash;
	struct store_txn *txn;
	struct arrival a;
	uint64_t n, seq, bytes = 0;

	if (store_read_begin(p->store, &txn) != E_OK)
		die("the device's store");
	for (n = 1; n <= head; n++) {
		if (arrival_find(txn, &log, n, &seq, &hash) != E_OK ||
		    arrival_get(txn, seq, &a) != E_OK)
			die("parcel %llu has no place any more", (unsigned long long)n);
		bytes += a.parcel.n;
	}
	store_read_end(txn);
	return bytes;
}

static void
backup(struct stage *s, const char *name)
{
	char file[300];
	const char *argv[] = {s->banyan, "backup",     s->node,     "-o",
			      file,      "--key-file", s->key_file, NULL};

	(void)snprintf(file, sizeof(file), "%s/%s", s->dir, name);
	free(run_ok(argv));
}

/* What is in two backups need not be kept: the handset's store gives up the bytes, and goes on. */
static unsigned
safe_is_freed(struct stage *s, struct peer *p)
{
	struct link_result result;
	struct verified whole;
	struct why why;
	uint64_t before, head = head_of(p);

	before = kept_bytes(p, head);
	backup(s, "backup1");
	device_sync(p, &result);
	if (kept_bytes(p, head) != before)
		die("parcels that are in one backup only are given up");
	device_fill(p, 3, 1);
	device_sync(p, &result);
	backup(s, "backup2");
	device_sync(p, &result);
	if (kept_bytes(p, head) != 0)
		die("%llu bytes of parcels that are in two backups are kept",
		    (unsigned long long)kept_bytes(p, head));
	if (verify_store(p, &whole, fault, no_progress, NULL, &why) != E_OK ||
	    whole.bad_parcels > 0)
		die("check takes what was given up for damage");
	device_fill(p, 3, 1);
	device_sync(p, &result);
	printf("ok   %llu parcels are safe, and freed\n", (unsigned long long)head);
	return 6;
}

int
main(int argc, char **argv)
{
	static struct stage stage;
	unsigned records = 0, seen = 0, stride;
	struct peer *p;
	double until;

	if (argc < 3 || (stride = (unsigned)strtoul(argv[2], NULL, 10)) == 0)
		die("usage: %s BANYAN STRIDE", argv[0]);
	bench_stage(&stage, argv[1]);
	w = wire_start(stage.address);
	p = join(&stage, 1);
	records += at_every_byte(p, stride, 20, 20);
	records += short_links(p, 900);
	records += budgets(p, 1200);
	records += at_every_byte(p, stride * 8, 60, 5);
	records += safe_is_freed(&stage, p);
	peer_close(p);
	for (until = now_s() + 60; now_s() < until && (seen = listed(&stage)) != records;)
		;
	if (seen != records)
		die("%u records were finished, the office lists %u", records, seen);
	printf("ok   %u records, each there once\n", seen);
	wire_stop(w);
	stage_end(&stage);
	return 0;
}
