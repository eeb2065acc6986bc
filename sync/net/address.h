/* address: "HOST:PORT", "[IPv6]:PORT"; unix socket paths of any length. */
#ifndef BANYAN_SYNC_NET_ADDRESS_H
#define BANYAN_SYNC_NET_ADDRESS_H

#include <stdbool.h>

#include <uv.h>

#include "core/err.h"

#define ADDRESS_HOST_BYTES 256u

/* address_split: E_USAGE for what is none. port is digits. */
enum err
address_split(const char *address, char host[ADDRESS_HOST_BYTES], char port[8], struct why *);
/* address_is_number: a host that needs no looking up. */
bool address_is_number(const char *host);
/* address_print: "127.0.0.1:80" or "[::1]:80". */
void address_print(const struct sockaddr *, char *out, size_t out_bytes);
/*
 * address_unix: a path that fits a socket's name: `path`, or, when that is too long, one through
 * /proc/self/fd, which holds while *fd (else -1) is open; the caller closes it. E_IO.
 */
enum err address_unix(const char *path, char out[108], int *fd, struct why *);

#endif
