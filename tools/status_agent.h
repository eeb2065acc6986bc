/* status_agent: what `status` says of the agent of a device: why it waits, when it tries next, what
 * of the day is used. */
#ifndef BANYAN_TOOLS_STATUS_AGENT_H
#define BANYAN_TOOLS_STATUS_AGENT_H

#include "core/bytes.h"
#include "tools/call/call.h"

/* Lines for people; nothing where no agent ever ran. */
void status_agent_text(struct call *, struct writer *);
/* "agent": {"running", "why", "reason", "next_try", "tries_today", "tries_a_day", "bytes_today",
 * "bytes_a_day", "last_failure"}; or null. */
void status_agent_json(struct call *, struct writer *);

#endif
