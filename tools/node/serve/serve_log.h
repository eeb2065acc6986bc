/*
 * serve_log: the log of a node that serves, on the standard error: plain sentences for warnings and
 * errors, or, asked for JSON, every event as an object a line:
 * {"time","level","event","peer","error","n","bytes","message"}.
 */
#ifndef BANYAN_TOOLS_NODE_SERVE_SERVE_LOG_H
#define BANYAN_TOOLS_NODE_SERVE_SERVE_LOG_H

#include "core/err.h"
#include "core/id.h"

enum serve_log_event {
#define X(name, level, sentence) LOG_##name,
#include "tools/node/serve/serve_log.def"
#undef X
	LOG_COUNT
};

struct serve_log {
	bool json;
};

/* What an event is about; what does not concern it is left 0. */
struct serve_log_about {
	const struct principal_id *peer;
	enum err error;
	uint64_t n, bytes;
};

/* serve_log: any thread; one write a line. */
void serve_log(const struct serve_log *, enum serve_log_event, const struct serve_log_about *);

#endif
