/* What UDP and TCP sockets have in common. */
#include "socket.h"

#include "addon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

static int parse_address(const char *address, int port, struct sockaddr_storage *name, socklen_t *length) {
  memset(name, 0, sizeof *name);
  struct sockaddr_in *v4 = (void *)name;
  struct sockaddr_in6 *v6 = (void *)name;
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    *length = sizeof *v4;
    return 1;
  }
  if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    *length = sizeof *v6;
    return 1;
  }
  return 0;
}

static int bind_one(int kind, const struct sockaddr_storage *name, socklen_t length, int share) {
  int on = 1;
  int fd = socket(name->ss_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (name->ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  /* Connections of the server before that wait for their end (TIME_WAIT) must not keep it from its port. */
  if (kind == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (share) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bind(fd, (const struct sockaddr *)name, length) < 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

int open_bound_socket(int kind, const char *address, int port, int alone) {
  struct sockaddr_storage name;
  socklen_t length;
  if (!parse_address(address, port, &name, &length)) {
    errno = EINVAL;
    return -1;
  }
  if (alone && port != 0) {
    /* A socket that does not share finds every other one, also those that share. */
    int fd = bind_one(kind, &name, length, 0);
    if (fd < 0) return -1;
    /* Two listeners may be bound side by side with SO_REUSEADDR as long as neither listens. */
    if (kind == SOCK_STREAM && listen(fd, 1) < 0) {
      int error = errno;
      close(fd);
      errno = error;
      return -1;
    }
    close(fd);
  }
  return bind_one(kind, &name, length, 1);
}

int is_wildcard(const struct sockaddr_storage *name) {
  if (name->ss_family == AF_INET) return ((const struct sockaddr_in *)name)->sin_addr.s_addr == INADDR_ANY;
  return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)name)->sin6_addr);
}

static void read_integers(napi_env env, napi_callback_info info, size_t count, int32_t *integers) {
  napi_value arguments[4];
  /* The call overwrites it with how many were given, which may be more. */
  size_t given = count;
  napi_get_cb_info(env, info, &given, arguments, NULL, NULL);
  for (size_t i = 0; i < count; i++) napi_get_value_int32(env, arguments[i], &integers[i]);
}

static napi_value socket_port(napi_env env, napi_callback_info info) {
  int32_t fd = -1;
  read_integers(env, info, 1, &fd);
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &length) < 0) return throw_errno(env, errno, "getsockname");
  napi_value result;
  /* The port stands at the same place for both families. */
  napi_create_int32(env, ntohs(((struct sockaddr_in *)&name)->sin_port), &result);
  return result;
}

static napi_value close_socket(napi_env env, napi_callback_info info) {
  int32_t fd = -1;
  read_integers(env, info, 1, &fd);
  if (close(fd) < 0) return throw_errno(env, errno, "close");
  return NULL;
}

static napi_value duplicate_socket(napi_env env, napi_callback_info info) {
  int32_t fd = -1;
  read_integers(env, info, 1, &fd);
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return throw_errno(env, errno, "fcntl");
  napi_value result;
  napi_create_int32(env, copy, &result);
  return result;
}

/*
 * claimTraffic(descriptor, first, count): of all sockets bound to this address and port, in the order in which they
 * were bound, only `count` from `first` on get what arrives from now on, by the hash of its sender.
 */
static napi_value claim_traffic(napi_env env, napi_callback_info info) {
  int32_t integers[3] = {-1, 0, 1};
  read_integers(env, info, 3, integers);
  /*
   * The packet's own hash is missing on some ways (loopback), so the sender's address and port are mixed. Offsets are
   * from the network header: of IPv4 without options, or of IPv6 without extension headers. Where those are there, other
   * words are mixed, which does no harm: a fragment's sender is the same either way.
   */
  enum { VERSION = 0, V4_SOURCE = 12, V4_PORTS = 20, V6_SOURCE = 20, V6_PORTS = 40 };
#define NETWORK(offset) ((uint32_t)(SKF_NET_OFF + (offset)))
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NETWORK(VERSION)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x60, 4, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NETWORK(V4_SOURCE)),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NETWORK(V4_PORTS)),
      BPF_JUMP(BPF_JMP | BPF_JA, 3, 0, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NETWORK(V6_SOURCE)),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NETWORK(V6_PORTS)),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1u),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)integers[2]),
      BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, (uint32_t)integers[1]),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
#undef NETWORK
  struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
  if (setsockopt(integers[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) < 0)
    return throw_errno(env, errno, "SO_ATTACH_REUSEPORT_CBPF");
  return NULL;
}

static napi_value release_claim(napi_env env, napi_callback_info info) {
  int32_t fd = -1, ignored = 0;
  read_integers(env, info, 1, &fd);
  if (setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &ignored, sizeof ignored) < 0)
    return throw_errno(env, errno, "SO_DETACH_REUSEPORT_BPF");
  return NULL;
}

void add_socket(napi_env env, napi_value exports) {
  add_function(env, exports, "socketPort", socket_port);
  add_function(env, exports, "closeSocket", close_socket);
  add_function(env, exports, "duplicateSocket", duplicate_socket);
  add_function(env, exports, "claimTraffic", claim_traffic);
  add_function(env, exports, "releaseClaim", release_claim);
}
