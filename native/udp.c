/* The calls of `udp.h` from TypeScript; `src/server/native-udp.ts` tells what each does. */
#include "udp.h"

#include "addon.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT = 3 };

typedef struct {
  UdpBatch batch;
  /* The arrays must live as long as the batch, which points into them. */
  napi_ref kept[KEPT];
} BatchOfThread;

static napi_value exchange_udp(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3;
  BatchOfThread *thread = NULL;
  int32_t answers = 0, timeout_ms = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_external(env, arguments[0], (void **)&thread);
  UdpBatch *batch = &thread->batch;
  napi_get_value_int32(env, arguments[1], &answers);
  napi_get_value_int32(env, arguments[2], &timeout_ms);
  if (answers > 0) udp_send(batch, answers);
  int received = timeout_ms < 0 ? 0 : udp_receive(batch, timeout_ms);
  napi_value result;
  napi_create_int32(env, received, &result);
  return result;
}

static void free_batch(napi_env env, void *memory, void *hint) {
  (void)hint;
  BatchOfThread *thread = memory;
  UdpBatch *batch = &thread->batch;
  /* The thread's own copies. */
  for (int i = 0; i < batch->socket_count; i++) close(batch->sockets[i].fd);
  for (int i = 0; i < KEPT; i++) napi_delete_reference(env, thread->kept[i]);
  free(thread);
}

static napi_value create_udp_batch(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t count = 4, slab_length = 0, control_length = 0, address_length = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  BatchOfThread *thread = calloc(1, sizeof *thread);
  if (thread == NULL) return throw_errno(env, ENOMEM, "calloc");
  UdpBatch *batch = &thread->batch;
  batch->slab = typed_array(env, arguments[0], &slab_length);
  batch->control = typed_array(env, arguments[1], &control_length);
  batch->addresses = typed_array(env, arguments[2], &address_length);
  batch->slots = (int)(slab_length / SLOT_OCTETS);
  if (batch->slots < 1 || batch->slots > MAX_SLOTS ||
      control_length < (size_t)(CONTROL_WORDS * batch->slots + TOTAL_WORDS) ||
      address_length < (size_t)(ADDRESS_OCTETS * batch->slots)) {
    free(thread);
    return throw_errno(env, EINVAL, "createUdpBatch");
  }
  napi_get_value_int32(env, arguments[3], &batch->wake);
  batch->current = -1;
  batch->totals = (uint32_t *)batch->control + CONTROL_WORDS * batch->slots;
  for (int slot = 0; slot < batch->slots; slot++) {
    batch->receive_parts[slot] = (struct iovec){batch->slab + (size_t)SLOT_OCTETS * slot, SLOT_OCTETS};
    batch->received[slot].msg_hdr.msg_iov = &batch->receive_parts[slot];
    batch->received[slot].msg_hdr.msg_iovlen = 1;
    batch->received[slot].msg_hdr.msg_name = &batch->names[slot];
  }
  for (int i = 0; i < KEPT; i++) napi_create_reference(env, arguments[i], 1, &thread->kept[i]);
  napi_value result;
  napi_create_external(env, thread, free_batch, NULL, &result);
  return result;
}

static UdpBatch *batch_and_descriptor(napi_env env, napi_callback_info info, int *fd) {
  napi_value arguments[2];
  size_t count = 2;
  BatchOfThread *thread = NULL;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_external(env, arguments[0], (void **)&thread);
  napi_get_value_int32(env, arguments[1], fd);
  return &thread->batch;
}

static napi_value add_udp_socket(napi_env env, napi_callback_info info) {
  int fd = -1;
  UdpBatch *batch = batch_and_descriptor(env, info, &fd);
  if (udp_add(batch, fd) < 0) return throw_errno(env, errno, "addUdpSocket");
  return NULL;
}

static napi_value remove_udp_socket(napi_env env, napi_callback_info info) {
  int fd = -1;
  UdpBatch *batch = batch_and_descriptor(env, info, &fd);
  if (udp_remove(batch, fd) < 0) return throw_errno(env, errno, "removeUdpSocket");
  return NULL;
}

/* More than net.core.rmem_max or wmem_max needs a privilege; without it the kernel grants what it may. */
static void set_buffer(int fd, int forced, int granted, int octets) {
  if (setsockopt(fd, SOL_SOCKET, forced, &octets, sizeof octets) < 0)
    setsockopt(fd, SOL_SOCKET, granted, &octets, sizeof octets);
}

static void tune(int fd, int receive_octets, int send_octets) {
  int on = 1, v4 = IP_PMTUDISC_OMIT, v6 = IPV6_PMTUDISC_OMIT;
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, receive_octets);
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, send_octets);
  /* A forged ICMP message must not make us fragment: path MTU discovery is left out, and answers fit 1,280 octets. */
  setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4);
  setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);
  /* Also of a socket that is bound already: those that come after it may join it. */
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
}

static napi_value open_udp(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  size_t count = 5;
  char address[INET6_ADDRSTRLEN];
  int32_t port = 0, receive_octets = 0, send_octets = 0, alone = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_string_utf8(env, arguments[0], address, sizeof address, NULL);
  napi_get_value_int32(env, arguments[1], &port);
  napi_get_value_int32(env, arguments[2], &receive_octets);
  napi_get_value_int32(env, arguments[3], &send_octets);
  napi_get_value_int32(env, arguments[4], &alone);
  int fd = open_bound_socket(SOCK_DGRAM, address, port, alone);
  if (fd < 0) return throw_errno(env, errno, "bind");
  tune(fd, receive_octets, send_octets);
  napi_value result;
  napi_create_int32(env, fd, &result);
  return result;
}

static napi_value tune_udp(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3;
  int32_t fd = -1, receive_octets = 0, send_octets = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_int32(env, arguments[0], &fd);
  napi_get_value_int32(env, arguments[1], &receive_octets);
  napi_get_value_int32(env, arguments[2], &send_octets);
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &length) < 0) return throw_errno(env, errno, "getsockname");
  /* A socket that a service manager passes blocks. */
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  tune(fd, receive_octets, send_octets);
  return NULL;
}

void add_udp(napi_env env, napi_value exports) {
  add_function(env, exports, "openUdp", open_udp);
  add_function(env, exports, "tuneUdp", tune_udp);
  add_function(env, exports, "createUdpBatch", create_udp_batch);
  add_function(env, exports, "addUdpSocket", add_udp_socket);
  add_function(env, exports, "removeUdpSocket", remove_udp_socket);
  add_function(env, exports, "exchangeUdp", exchange_udp);
}
