/*
 * meter: what a node that serves counts, and its words for Prometheus (text format 0.0.4) and for a
 * supervisor. Numbers and names of errors only: nothing here says who a peer is, or where.
 */
#ifndef BANYAN_TOOLS_NODE_SERVE_METER_H
#define BANYAN_TOOLS_NODE_SERVE_METER_H

#include <stdatomic.h>

#include "tools/node/peer.h"

enum meter {
#define X(name, text, type, help) METER_##name,
#include "tools/node/serve/meter.def"
#undef X
	METER_COUNT
};

/* Zeroed when the node starts; any thread may add. */
struct meters {
	_Atomic uint64_t count[METER_COUNT];
	_Atomic uint64_t
	    refused[ERR_COUNT]; /* connections and requests, by the error that they were told */
};

static inline void
meter_add(struct meters *m, enum meter which, uint64_t n)
{
	atomic_fetch_add_explicit(&m->count[which], n, memory_order_relaxed);
}

static inline void
meter_refused(struct meters *m, enum err e)
{
	atomic_fetch_add_explicit(&m->refused[e], 1, memory_order_relaxed);
}

/*
 * meter_opening: a turn of so many arrivals took so long; one thread says so. meter_backlog_max:
 * more arrivals than this are ten minutes' work and more at that speed.
 */
void meter_opening(struct meters *, size_t arrivals, uint64_t us);
uint64_t meter_backlog_max(const struct meters *);

/* meter_read: set the gauges from the store as it is. E_STORE_*. */
enum err meter_read(struct meters *, struct peer *, size_t connections);
/* meter_text: all of them for Prometheus, appended to *out. */
void meter_text(const struct meters *, struct writer *out);
/*
 * meter_health: one line of JSON; false: the node does not do its work (its disk failed, or it is
 * ten minutes and more behind with opening), and the line says why.
 */
bool meter_health(const struct meters *, struct writer *out);

#endif
