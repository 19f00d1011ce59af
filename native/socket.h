#ifndef MERIDIAN_SOCKET_H
#define MERIDIAN_SOCKET_H

#include <sys/socket.h>

/**
 * A non-blocking socket of that kind (SOCK_DGRAM, SOCK_STREAM), bound to an address in numbers; an IPv6 socket takes
 * no IPv4. Several sockets may be bound to the same address and port (SO_REUSEPORT). `alone`: fails with EADDRINUSE
 * where another socket, of whatever process, is bound there already. Returns -1 with errno set.
 */
int open_bound_socket(int kind, const char *address, int port, int alone);

int is_wildcard(const struct sockaddr_storage *name);

#endif
