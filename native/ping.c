/*
 * Sockets for ICMP echo. The kernel's ping socket (SOCK_DGRAM, IPPROTO_ICMP) is one that libuv takes for a UDP socket,
 * so Node's `dgram` waits for it, sends and receives. A raw socket is not; see `make_raw_ping`.
 */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 3, ECHO_REPLY = 0, IDENTIFIER_OFFSET = 4 };

typedef struct {
  int32_t values[MAX_ARGUMENTS];
} Integers;

static Integers integers_of(napi_env env, napi_callback_info info) {
  size_t count = MAX_ARGUMENTS;
  napi_value arguments[MAX_ARGUMENTS];
  Integers given = {{-1, -1, -1}};
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  for (size_t at = 0; at < count && at < MAX_ARGUMENTS; at++) {
    napi_get_value_int32(env, arguments[at], &given.values[at]);
  }
  return given;
}

static napi_value descriptor_or_error(napi_env env, int fd, const char *call) {
  if (fd < 0) return throw_errno(env, errno, call);
  napi_value result;
  napi_create_int32(env, fd, &result);
  return result;
}

static int open_socket(int family, int type, int protocol) {
  return socket(family == 6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int protocol_of(int family) { return family == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP; }

/* ICMP errors of every kind come as errors of the socket, also those that TCP would ride out. */
static int tell_errors(int fd, int family) {
  int on = 1;
  return family == 6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on)
                     : setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
}

static int close_failed(int fd) {
  int error_number = errno;
  close(fd);
  errno = error_number;
  return -1;
}

/* openPing(family): the kernel chooses the identifier, writes checksums, and delivers replies to that identifier. */
static napi_value open_ping(napi_env env, napi_callback_info info) {
  int family = integers_of(env, info).values[0];
  int fd = open_socket(family, SOCK_DGRAM, protocol_of(family));
  if (fd >= 0 && tell_errors(fd, family) < 0) fd = close_failed(fd);
  return descriptor_or_error(env, fd, "socket");
}

/* openPlainDatagram(family): a UDP socket of no use but to be replaced by `makeRawPing`. */
static napi_value open_plain_datagram(napi_env env, napi_callback_info info) {
  int family = integers_of(env, info).values[0];
  return descriptor_or_error(env, open_socket(family, SOCK_DGRAM, 0), "socket");
}

/* Lets in echo replies only, and of those only the ones with our identifier: a raw socket sees all of the machine's. */
static int admit_replies(int fd, int family, uint16_t identifier) {
  struct sock_filter steps_v4[] = {
      /* The IP header comes first; X becomes its length. */
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, IDENTIFIER_OFFSET),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, identifier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_filter steps_v6[] = {
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, IDENTIFIER_OFFSET),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, identifier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_fprog program_v4 = {sizeof steps_v4 / sizeof steps_v4[0], steps_v4};
  struct sock_fprog program_v6 = {sizeof steps_v6 / sizeof steps_v6[0], steps_v6};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, family == 6 ? &program_v6 : &program_v4, sizeof program_v4) < 0)
    return -1;
  if (family == 6) {
    struct icmp6_filter types;
    ICMP6_FILTER_SETBLOCKALL(&types);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &types);
    return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &types, sizeof types);
  }
  struct icmp_filter types = {.data = ~(1u << ECHO_REPLY)};
  return setsockopt(fd, IPPROTO_RAW, ICMP_FILTER, &types, sizeof types);
}

/*
 * makeRawPing(descriptor, family, identifier): puts a raw ICMP socket in the place of another, under its number.
 * libuv refuses to be given a raw socket, but would read and write it as it does any datagram socket; it first looks at
 * what is behind the number in the next turn of its loop.
 */
static napi_value make_raw_ping(napi_env env, napi_callback_info info) {
  Integers given = integers_of(env, info);
  int family = given.values[1];
  int fd = open_socket(family, SOCK_RAW, protocol_of(family));
  if (fd < 0) return throw_errno(env, errno, "socket");
  int made = tell_errors(fd, family);
  if (made == 0) made = admit_replies(fd, family, (uint16_t)given.values[2]);
  if (made == 0) made = dup3(fd, given.values[0], O_CLOEXEC);
  int error_number = errno;
  close(fd);
  return made < 0 ? throw_errno(env, error_number, "setsockopt") : NULL;
}

void add_ping(napi_env env, napi_value exports) {
  add_function(env, exports, "openPing", open_ping);
  add_function(env, exports, "openPlainDatagram", open_plain_datagram);
  add_function(env, exports, "makeRawPing", make_raw_ping);
}
