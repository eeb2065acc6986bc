/* notify: systemd's notify protocol: a datagram to the socket that NOTIFY_SOCKET names; without
 * one, nothing. */
#ifndef BANYAN_TOOLS_NOTIFY_H
#define BANYAN_TOOLS_NOTIFY_H

/* notify: such as "READY=1". */
void notify(const char *state);

#endif
