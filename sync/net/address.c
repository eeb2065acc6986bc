#include "sync/net/address.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err
address_split(const char *address, char host[ADDRESS_HOST_BYTES], char port[8], struct why *why)
{
	const char *colon = strrchr(address, ':'), *begin = address, *end = colon;

	if (colon != NULL && address[0] == '[') {
		begin++;
		end = colon - 1;
		if (end < begin || *end != ']')
			colon = NULL;
	} else if (colon != NULL && memchr(address, ':', (size_t)(colon - address)) != NULL) {
		colon = NULL; /* IPv6 without its brackets */
	}
	if (colon == NULL || end == begin || (size_t)(end - begin) >= ADDRESS_HOST_BYTES ||
	    colon[1] == '\0' || strlen(colon + 1) > 5 ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) || atoi(colon + 1) > 65535)
		return why_set(why, E_USAGE, "\"%s\" is not HOST:PORT", address);
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	memcpy(port, colon + 1, strlen(colon + 1) + 1);
	return E_OK;
}

bool
address_is_number(const char *host)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	return uv_ip4_addr(host, 0, &v4) == 0 || uv_ip6_addr(host, 0, &v6) == 0;
}

void
address_print(const struct sockaddr *sa, char *out, size_t out_bytes)
{
	char host[64] = "?";

	uv_ip_name(sa, host, sizeof(host));
	if (sa->sa_family == AF_INET6)
		snprintf(out, out_bytes, "[%s]:%u", host,
			 ntohs(((const struct sockaddr_in6 *)(const void *)sa)->sin6_port));
	else
		snprintf(out, out_bytes, "%s:%u", host,
			 ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port));
}

enum err
address_unix(const char *path, char out[108], int *fd, struct why *why)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];

	*fd = -1;
	if (strlen(path) < 108) {
		memcpy(out, path, strlen(path) + 1);
		return E_OK;
	}
	if (slash == NULL || slash == path || (size_t)(slash - path) >= sizeof(folder) ||
	    strlen(slash) > 64)
		return why_set(why, E_IO, "%s: the path is too long", path);
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	if ((*fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return why_set(why, E_IO, "%s", folder);
	snprintf(out, 108, "/proc/self/fd/%d%s", *fd, slash);
	return E_OK;
}
