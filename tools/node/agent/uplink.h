/*
 * uplink: does this machine have a way to an address, and did that change? The kernel is asked
 * (Linux: netlink); nothing is sent. The one door to linux/netlink.h.
 */
#ifndef BANYAN_TOOLS_NODE_AGENT_UPLINK_H
#define BANYAN_TOOLS_NODE_AGENT_UPLINK_H

#include <stdbool.h>
#include <sys/socket.h>

/* By which of its own addresses this machine would speak; family AF_UNSPEC: by none. */
struct uplink {
	struct sockaddr_storage from;
};

/*
 * uplink_find: the way to "HOST:PORT". For a host that is a name, which to look up would cost
 * bytes: the way to anywhere. True if there is one.
 */
bool uplink_find(struct uplink *out, const char *address);
bool uplink_same(const struct uplink *, const struct uplink *);

/* uplink_watch: a file that becomes readable when links, addresses or routes change; -1: this
 * machine cannot tell. */
int uplink_watch(void);
/* uplink_drain: take what it says; what it was is found out with uplink_find. */
void uplink_drain(int fd);

#endif
