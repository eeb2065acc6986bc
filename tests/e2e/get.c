/*
 * get HOST:PORT LINE: say LINE and an empty line, as HTTP does, and print all of the answer. A
 * machine that tests need not have a browser. "" for LINE says nothing and waits for the other end
 * to hang up. Exit 1: no connection.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *to;
	char host[64], say[9000], got[4096];
	const char *port;
	ssize_t n;
	int fd;

	if (argc != 3 || strlen(argv[1]) >= sizeof(host) || (port = strrchr(argv[1], ':')) == NULL)
		return 64;
	(void)snprintf(host, sizeof(host), "%.*s", (int)(port - argv[1]), argv[1]);
	(void)snprintf(say, sizeof(say), "%s\r\nHost: here\r\n\r\n", argv[2]);
	if (getaddrinfo(host, port + 1, &hints, &to) != 0 ||
	    (fd = socket(to->ai_family, SOCK_STREAM, 0)) < 0 ||
	    connect(fd, to->ai_addr, to->ai_addrlen) != 0)
		return 1;
	freeaddrinfo(to);
	if (argv[2][0] != '\0' && send(fd, say, strlen(say), MSG_NOSIGNAL) < 0)
		return 1;
	while ((n = recv(fd, got, sizeof(got), 0)) > 0)
		(void)fwrite(got, 1, (size_t)n, stdout);
	(void)close(fd);
	return 0;
}
