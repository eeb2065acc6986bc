#include "tools/node/serve/meter.h"

#include <inttypes.h>

#include "core/parcel/arrival.h"
#include "tools/node/opener/opener.h"
#include "tools/node/serve/serve_inside.h"

static const struct {
	const char *name, *type, *help;
} rows[METER_COUNT] = {
#define X(name, text, type, help) [METER_##name] = {text, type, help},
#include "tools/node/serve/meter.def"
#undef X
};

static uint64_t
of(const struct meters *m, enum meter which)
{
	return atomic_load_explicit(&m->count[which], memory_order_relaxed);
}

static void
set(struct meters *m, enum meter which, uint64_t value)
{
	atomic_store_explicit(&m->count[which], value, memory_order_relaxed);
}

void
meter_opening(struct meters *m, size_t arrivals, uint64_t us)
{
	uint64_t before = of(m, METER_OPENING_US), each;

	if (arrivals == 0)
		return;
	each = us / arrivals;
	if (before > 0)
		each = (7 * before + each) / 8;
	set(m, METER_OPENING_US, each == 0 ? 1 : each);
}

uint64_t
meter_backlog_max(const struct meters *m)
{
	uint64_t each = of(m, METER_OPENING_US), max;

	if (each == 0)
		return SERVE_BACKLOG_MAX;
	max = SERVE_BACKLOG_S * 1000000u / each;
	return max < SERVE_BACKLOG_MIN ? SERVE_BACKLOG_MIN : max;
}

enum err
meter_read(struct meters *m, struct peer *p, size_t connections)
{
	struct store_stat stat;
	struct store_txn *txn;
	uint64_t last = 0, backlog = 0;
	enum err e;

	store_stat(p->store, &stat);
	set(m, METER_OPEN, connections);
	set(m, METER_COMMITS, stat.commits);
	set(m, METER_JOBS, stat.jobs);
	set(m, METER_STORE_BYTES, stat.used_bytes);
	set(m, METER_DISK_FREE, stat.disk_free_bytes);
	set(m, METER_REFUSES, stat.refuses_writes);
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	if ((e = arrival_last(txn, &last)) == E_OK && (e = opener_backlog(txn, &backlog)) == E_OK) {
		set(m, METER_ARRIVALS, last);
		set(m, METER_BACKLOG, backlog);
		set(m, METER_SET_ASIDE, store_count(txn, STORE_QUARANTINE));
		set(m, METER_RECORDS, store_count(txn, STORE_RECORD_NUMBER));
	}
	store_read_end(txn);
	return e;
}

void
meter_text(const struct meters *m, struct writer *out)
{
	size_t i;

	for (i = 0; i < METER_COUNT; i++) {
		writer_printf(out, "# HELP banyan_%s %s\n# TYPE banyan_%s %s\n", rows[i].name,
			      rows[i].help, rows[i].name, rows[i].type);
		writer_printf(out, "banyan_%s %" PRIu64 "\n", rows[i].name, of(m, (enum meter)i));
	}
	writer_printf(
	    out,
	    "# HELP banyan_refused_total Connections and requests that were refused, by error.\n"
	    "# TYPE banyan_refused_total counter\n");
	for (i = 0; i < ERR_COUNT; i++) {
		uint64_t n = atomic_load_explicit(&m->refused[i], memory_order_relaxed);

		if (n > 0)
			writer_printf(out, "banyan_refused_total{error=\"%s\"} %" PRIu64 "\n",
				      err_name((enum err)i), n);
	}
}

bool
meter_health(const struct meters *m, struct writer *out)
{
	bool disk = of(m, METER_REFUSES) != 0, behind = of(m, METER_BACKLOG) > meter_backlog_max(m);

	writer_printf(out,
		      "{\"status\":\"%s\",\"backlog\":%" PRIu64 ",\"connections\":%" PRIu64 "}\n",
		      disk     ? "the disk failed: see to it and start the node again"
		      : behind ? "behind with opening"
			       : "ok",
		      of(m, METER_BACKLOG), of(m, METER_OPEN));
	return !disk && !behind;
}
