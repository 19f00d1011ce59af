/*
 * UDP in batches: one call sends the answers of the last batch and receives the next queries.
 *
 *     slab        SLOT_OCTETS for each slot: the query as it came, and the answer in its place
 *     control     CONTROL_WORDS for each slot, see CONTROL_…
 *                 and behind the last slot TOTAL_WORDS
 *     addresses   ADDRESS_OCTETS for each slot: the client's address, 4 or 16 octets in network order
 *
 * All queries of one batch come from one socket, and the sockets take turns. Answers of one batch that go to the same
 * client and have the same length leave as one segmented send (UDP_SEGMENT), so the way through the network stack is
 * paid once for all of them.
 */
#include "addon.h"
#include "socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
  MAX_SLOTS = 256,
  SLOT_OCTETS = 2048,
  ADDRESS_OCTETS = 16,
  CONTROL_WORDS = 4,
  CONTROL_REQUEST_LENGTH = 0,
  CONTROL_ANSWER_LENGTH = 1,
  CONTROL_FAMILY = 2,
  CONTROL_PORT = 3,
  /* Since the batch was made; 32 bits that wrap. */
  TOTAL_WORDS = 2,
  TOTAL_SEND_FAILURES = 0,
  TOTAL_SEGMENTED_SENDS = 1,
  /* In place of the length of a request that is not to be answered. */
  DROPPED_PORT_ZERO = -1,
  DROPPED_TOO_LONG = -2,
  /* Listen addresses of a node, twice: a successor's sockets may overlap with ours. */
  MAX_SOCKETS = 128,
  /* The kernel's own bound (UDP_MAX_SEGMENTS) on segments of one send; and of the octets of one datagram. */
  MAX_SEGMENTS = 64,
  MAX_SEND_OCTETS = 65000,
  /* Twice the slots, so that a search in the table of groups ends soon. */
  GROUP_TABLE = 512,
  RECEIVE_CONTROL_OCTETS = 128,
  SEND_CONTROL_OCTETS = 128,
  /* A full send buffer drains in less; after that the answers are dropped, and clients ask again. */
  SEND_WAIT_MS = 20,
};

typedef struct {
  int fd;
  /* Bound to the wildcard address: answers name the address that was asked as their source. */
  int wildcard;
  int segments;
} UdpSocket;

/* Answers to one client with one length: slots in a chain. */
typedef struct {
  int first;
  int last;
  int count;
} Group;

typedef struct {
  uint8_t *slab;
  int32_t *control;
  uint8_t *addresses;
  int slots;
  int wake;
  UdpSocket sockets[MAX_SOCKETS];
  int socket_count;
  /* Whose turn it is to be read first, and whose queries the batch at hand holds. */
  int turn;
  int current;
  uint32_t *totals;
  struct sockaddr_storage names[MAX_SLOTS];
  struct iovec receive_parts[MAX_SLOTS];
  struct mmsghdr received[MAX_SLOTS];
  _Alignas(16) uint8_t receive_controls[MAX_SLOTS][RECEIVE_CONTROL_OCTETS];
  struct iovec send_parts[MAX_SLOTS];
  struct mmsghdr sends[MAX_SLOTS];
  _Alignas(16) uint8_t send_controls[MAX_SLOTS][SEND_CONTROL_OCTETS];
  Group groups[MAX_SLOTS];
  int16_t group_table[GROUP_TABLE];
  int16_t next_in_group[MAX_SLOTS];
  napi_ref kept[3];
} UdpBatch;

static int32_t *control_of(UdpBatch *batch, int slot) { return batch->control + CONTROL_WORDS * slot; }

/* Sending ------------------------------------------------------------------------------------------------------- */

static int same_client(const struct sockaddr_storage *one, const struct sockaddr_storage *other) {
  if (one->ss_family != other->ss_family) return 0;
  if (one->ss_family == AF_INET) {
    const struct sockaddr_in *a = (const void *)one, *b = (const void *)other;
    return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
  }
  const struct sockaddr_in6 *a = (const void *)one, *b = (const void *)other;
  return a->sin6_port == b->sin6_port && a->sin6_scope_id == b->sin6_scope_id &&
         memcmp(&a->sin6_addr, &b->sin6_addr, sizeof a->sin6_addr) == 0;
}

/* Whether two queries were sent to the same address of ours; on a socket of one address they always were. */
static int same_asked(UdpBatch *batch, int one, int other) {
  if (!batch->sockets[batch->current].wildcard) return 1;
  const struct msghdr *a = &batch->received[one].msg_hdr, *b = &batch->received[other].msg_hdr;
  return a->msg_controllen == b->msg_controllen &&
         memcmp(batch->receive_controls[one], batch->receive_controls[other], a->msg_controllen) == 0;
}

static uint32_t client_hash(const struct sockaddr_storage *name, uint32_t length) {
  uint32_t hash;
  if (name->ss_family == AF_INET) {
    const struct sockaddr_in *v4 = (const void *)name;
    hash = v4->sin_addr.s_addr ^ ((uint32_t)v4->sin_port << 16);
  } else {
    const struct sockaddr_in6 *v6 = (const void *)name;
    uint32_t words[4];
    memcpy(words, &v6->sin6_addr, sizeof words);
    hash = words[0] ^ (words[1] * 31) ^ (words[2] * 131) ^ words[3] ^ ((uint32_t)v6->sin6_port << 16);
  }
  hash = (hash ^ length) * 0x9e3779b1u;
  return hash ^ (hash >> 15);
}

/* Joins answers to one client with one length into groups; returns how many groups there are. */
static int group_answers(UdpBatch *batch, int count) {
  int group_count = 0;
  int segments = batch->sockets[batch->current].segments;
  memset(batch->group_table, -1, sizeof batch->group_table);
  for (int slot = 0; slot < count; slot++) {
    uint32_t length = (uint32_t)control_of(batch, slot)[CONTROL_ANSWER_LENGTH];
    if (length == 0 || length > SLOT_OCTETS) continue;
    batch->next_in_group[slot] = -1;
    uint32_t at = client_hash(&batch->names[slot], length) & (GROUP_TABLE - 1);
    int found = -1;
    for (; segments && batch->group_table[at] >= 0; at = (at + 1) & (GROUP_TABLE - 1)) {
      int candidate = batch->group_table[at];
      Group *group = &batch->groups[candidate];
      if ((uint32_t)control_of(batch, group->first)[CONTROL_ANSWER_LENGTH] != length) continue;
      if (!same_client(&batch->names[group->first], &batch->names[slot])) continue;
      if (!same_asked(batch, group->first, slot)) continue;
      found = candidate;
      break;
    }
    if (found >= 0) {
      Group *group = &batch->groups[found];
      if (group->count < MAX_SEGMENTS && (group->count + 1) * length <= MAX_SEND_OCTETS) {
        batch->next_in_group[group->last] = (int16_t)slot;
        group->last = slot;
        group->count++;
        continue;
      }
      /* Full: a new group takes its place in the table. */
    }
    batch->groups[group_count] = (Group){.first = slot, .last = slot, .count = 1};
    if (segments) batch->group_table[at] = (int16_t)group_count;
    group_count++;
  }
  return group_count;
}

/* RFC 3542 section 6.2 and ip(7): the source of the answer is the address that the query was sent to. */
static size_t put_source(UdpBatch *batch, int slot, uint8_t *control, size_t at) {
  struct msghdr *header = &batch->received[slot].msg_hdr;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
    struct cmsghdr *out = (struct cmsghdr *)(control + at);
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      info.ipi_spec_dst = info.ipi_addr;
      info.ipi_ifindex = 0;
      out->cmsg_level = IPPROTO_IP;
      out->cmsg_type = IP_PKTINFO;
      out->cmsg_len = CMSG_LEN(sizeof info);
      memcpy(CMSG_DATA(out), &info, sizeof info);
      return at + CMSG_SPACE(sizeof info);
    }
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      /* Only a link-local address needs its interface; for others routing may choose another way back. */
      if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
      out->cmsg_level = IPPROTO_IPV6;
      out->cmsg_type = IPV6_PKTINFO;
      out->cmsg_len = CMSG_LEN(sizeof info);
      memcpy(CMSG_DATA(out), &info, sizeof info);
      return at + CMSG_SPACE(sizeof info);
    }
  }
  return at;
}

static void prepare_send(UdpBatch *batch, int index, const Group *group, struct iovec *parts) {
  struct msghdr *header = &batch->sends[index].msg_hdr;
  size_t length = (size_t)control_of(batch, group->first)[CONTROL_ANSWER_LENGTH];
  int part = 0;
  for (int slot = group->first; slot >= 0 && part < group->count; slot = batch->next_in_group[slot]) {
    parts[part].iov_base = batch->slab + (size_t)SLOT_OCTETS * slot;
    parts[part].iov_len = length;
    part++;
  }
  size_t control_length = 0;
  uint8_t *control = batch->send_controls[index];
  if (batch->sockets[batch->current].wildcard) control_length = put_source(batch, group->first, control, 0);
  if (group->count > 1) {
    struct cmsghdr *segment = (struct cmsghdr *)(control + control_length);
    uint16_t size = (uint16_t)length;
    segment->cmsg_level = SOL_UDP;
    segment->cmsg_type = UDP_SEGMENT;
    segment->cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(segment), &size, sizeof size);
    control_length += CMSG_SPACE(sizeof size);
    batch->totals[TOTAL_SEGMENTED_SENDS]++;
  }
  header->msg_name = &batch->names[group->first];
  header->msg_namelen =
      batch->names[group->first].ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  header->msg_iov = parts;
  header->msg_iovlen = (size_t)part;
  header->msg_control = control_length > 0 ? control : NULL;
  header->msg_controllen = control_length;
  header->msg_flags = 0;
}

/* Sends one group answer by answer, where the way out does not take segments. */
static void send_apart(UdpBatch *batch, struct mmsghdr *message) {
  struct msghdr single = message->msg_hdr;
  struct iovec *parts = single.msg_iov;
  size_t count = single.msg_iovlen;
  size_t segment_space = CMSG_SPACE(sizeof(uint16_t));
  single.msg_controllen -= segment_space;
  if (single.msg_controllen == 0) single.msg_control = NULL;
  single.msg_iovlen = 1;
  for (size_t part = 0; part < count; part++) {
    single.msg_iov = &parts[part];
    if (sendmsg(batch->sockets[batch->current].fd, &single, MSG_DONTWAIT) < 0) batch->totals[TOTAL_SEND_FAILURES]++;
  }
}

static void send_answers(UdpBatch *batch, int count) {
  if (count <= 0 || batch->current < 0) return;
  UdpSocket *socket = &batch->sockets[batch->current];
  int group_count = group_answers(batch, count);
  struct iovec *parts = batch->send_parts;
  for (int group = 0; group < group_count; group++) {
    prepare_send(batch, group, &batch->groups[group], parts);
    parts += batch->groups[group].count;
  }
  int waited = 0;
  for (int at = 0; at < group_count;) {
    int sent = sendmmsg(socket->fd, batch->sends + at, (unsigned)(group_count - at), MSG_DONTWAIT);
    if (sent > 0) {
      at += sent;
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN && !waited) {
      struct pollfd writable = {.fd = socket->fd, .events = POLLOUT};
      poll(&writable, 1, SEND_WAIT_MS);
      waited = 1;
      continue;
    }
    struct mmsghdr *message = batch->sends + at;
    if (sent < 0 && message->msg_hdr.msg_iovlen > 1 && (errno == EIO || errno == EINVAL)) {
      socket->segments = 0;
      send_apart(batch, message);
    } else {
      /* An error that is stuck to the socket (an ICMP message) is told once; the next send is tried all the same. */
      batch->totals[TOTAL_SEND_FAILURES] += (uint32_t)message->msg_hdr.msg_iovlen;
    }
    at++;
  }
}

/* Receiving ----------------------------------------------------------------------------------------------------- */

static void read_client(UdpBatch *batch, int slot) {
  int32_t *control = control_of(batch, slot);
  struct sockaddr_storage *name = &batch->names[slot];
  uint8_t *address = batch->addresses + ADDRESS_OCTETS * slot;
  uint16_t port;
  control[CONTROL_FAMILY] = 4;
  if (name->ss_family == AF_INET) {
    struct sockaddr_in *v4 = (void *)name;
    memcpy(address, &v4->sin_addr, 4);
    port = v4->sin_port;
  } else {
    struct sockaddr_in6 *v6 = (void *)name;
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      memcpy(address, v6->sin6_addr.s6_addr + 12, 4);
    } else {
      control[CONTROL_FAMILY] = 6;
      memcpy(address, &v6->sin6_addr, 16);
    }
    port = v6->sin6_port;
  }
  control[CONTROL_PORT] = ntohs(port);
}

/* Returns how many queries were there. */
static int receive_from(UdpBatch *batch, int index) {
  UdpSocket *socket = &batch->sockets[index];
  for (int slot = 0; slot < batch->slots; slot++) {
    struct msghdr *header = &batch->received[slot].msg_hdr;
    header->msg_namelen = sizeof(struct sockaddr_storage);
    if (socket->wildcard) {
      header->msg_control = batch->receive_controls[slot];
      header->msg_controllen = RECEIVE_CONTROL_OCTETS;
    } else {
      header->msg_control = NULL;
      header->msg_controllen = 0;
    }
  }
  int count = recvmmsg(socket->fd, batch->received, (unsigned)batch->slots, MSG_DONTWAIT, NULL);
  if (count <= 0) return 0;
  batch->current = index;
  for (int slot = 0; slot < count; slot++) {
    int32_t *control = control_of(batch, slot);
    read_client(batch, slot);
    control[CONTROL_ANSWER_LENGTH] = 0;
    if (control[CONTROL_PORT] == 0) control[CONTROL_REQUEST_LENGTH] = DROPPED_PORT_ZERO;
    else if (batch->received[slot].msg_hdr.msg_flags & MSG_TRUNC) control[CONTROL_REQUEST_LENGTH] = DROPPED_TOO_LONG;
    else control[CONTROL_REQUEST_LENGTH] = (int32_t)batch->received[slot].msg_len;
  }
  return count;
}

static int receive_any(UdpBatch *batch) {
  for (int tried = 0; tried < batch->socket_count; tried++) {
    int index = batch->turn;
    batch->turn = batch->turn + 1 < batch->socket_count ? batch->turn + 1 : 0;
    int count = receive_from(batch, index);
    if (count > 0) return count;
  }
  return 0;
}

static int wait_and_receive(UdpBatch *batch, int timeout_ms) {
  int count = receive_any(batch);
  if (count > 0 || timeout_ms == 0) return count;
  struct pollfd watched[MAX_SOCKETS + 1];
  for (int i = 0; i < batch->socket_count; i++)
    watched[i] = (struct pollfd){.fd = batch->sockets[i].fd, .events = POLLIN};
  watched[batch->socket_count] = (struct pollfd){.fd = batch->wake, .events = POLLIN};
  if (poll(watched, (nfds_t)batch->socket_count + 1, timeout_ms) <= 0) return 0;
  if (watched[batch->socket_count].revents) {
    uint64_t ignored;
    if (read(batch->wake, &ignored, sizeof ignored) < 0) { /* Another call has taken it. */ }
  }
  return receive_any(batch);
}

/* Calls --------------------------------------------------------------------------------------------------------- */

static napi_value exchange_udp(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3;
  UdpBatch *batch = NULL;
  int32_t answers = 0, timeout_ms = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_external(env, arguments[0], (void **)&batch);
  napi_get_value_int32(env, arguments[1], &answers);
  napi_get_value_int32(env, arguments[2], &timeout_ms);
  send_answers(batch, answers);
  int received = timeout_ms < 0 ? 0 : wait_and_receive(batch, timeout_ms);
  napi_value result;
  napi_create_int32(env, received, &result);
  return result;
}

static void free_batch(napi_env env, void *memory, void *hint) {
  (void)hint;
  UdpBatch *batch = memory;
  /* A thread that ended by itself must not leave sockets behind, to which the kernel would go on giving packets. */
  for (int i = 0; i < batch->socket_count; i++) close(batch->sockets[i].fd);
  for (int i = 0; i < 3; i++) napi_delete_reference(env, batch->kept[i]);
  free(batch);
}

static void *typed_array(napi_env env, napi_value value, size_t *length) {
  void *memory = NULL;
  napi_get_typedarray_info(env, value, NULL, length, &memory, NULL, NULL);
  return memory;
}

static napi_value create_udp_batch(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t count = 4, slab_length = 0, control_length = 0, address_length = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  UdpBatch *batch = aligned_alloc(64, (sizeof *batch + 63) & ~(size_t)63);
  if (batch == NULL) return throw_errno(env, ENOMEM, "aligned_alloc");
  memset(batch, 0, sizeof *batch);
  batch->slab = typed_array(env, arguments[0], &slab_length);
  batch->control = typed_array(env, arguments[1], &control_length);
  batch->addresses = typed_array(env, arguments[2], &address_length);
  batch->slots = (int)(slab_length / SLOT_OCTETS);
  if (batch->slots < 1 || batch->slots > MAX_SLOTS || control_length < (size_t)(CONTROL_WORDS * batch->slots + TOTAL_WORDS) ||
      address_length < (size_t)(ADDRESS_OCTETS * batch->slots)) {
    free(batch);
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
  for (int i = 0; i < 3; i++) napi_create_reference(env, arguments[i], 1, &batch->kept[i]);
  napi_value result;
  napi_create_external(env, batch, free_batch, NULL, &result);
  return result;
}

static UdpBatch *batch_and_descriptor(napi_env env, napi_callback_info info, int *fd) {
  napi_value arguments[2];
  size_t count = 2;
  UdpBatch *batch = NULL;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_external(env, arguments[0], (void **)&batch);
  napi_get_value_int32(env, arguments[1], fd);
  return batch;
}

static napi_value add_udp_socket(napi_env env, napi_callback_info info) {
  int fd = -1, on = 1;
  UdpBatch *batch = batch_and_descriptor(env, info, &fd);
  if (batch->socket_count == MAX_SOCKETS) return throw_errno(env, EMFILE, "addUdpSocket");
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &length) < 0) return throw_errno(env, errno, "getsockname");
  int wildcard = is_wildcard(&name);
  if (wildcard && name.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  if (wildcard) setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  batch->sockets[batch->socket_count++] = (UdpSocket){.fd = fd, .wildcard = wildcard, .segments = 1};
  return NULL;
}

static napi_value remove_udp_socket(napi_env env, napi_callback_info info) {
  int fd = -1;
  UdpBatch *batch = batch_and_descriptor(env, info, &fd);
  for (int i = 0; i < batch->socket_count; i++) {
    if (batch->sockets[i].fd != fd) continue;
    batch->socket_count--;
    memmove(batch->sockets + i, batch->sockets + i + 1, sizeof(UdpSocket) * (size_t)(batch->socket_count - i));
    batch->turn = 0;
    batch->current = -1;
    close(fd);
    return NULL;
  }
  return throw_errno(env, EBADF, "removeUdpSocket");
}

static napi_value open_udp(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t count = 4;
  char address[INET6_ADDRSTRLEN + 1];
  int32_t port = 0, receive_buffer = 0, alone = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_string_utf8(env, arguments[0], address, sizeof address, NULL);
  napi_get_value_int32(env, arguments[1], &port);
  napi_get_value_int32(env, arguments[2], &receive_buffer);
  napi_get_value_int32(env, arguments[3], &alone);
  int fd = open_bound_socket(SOCK_DGRAM, address, port, alone);
  if (fd < 0) return throw_errno(env, errno, "bind");
  /* More than net.core.rmem_max needs a privilege; without it the kernel grants what it may. */
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) < 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  /* A forged ICMP message must not make us fragment: path MTU discovery is left out, and answers fit 1,280 octets. */
  int v4 = IP_PMTUDISC_OMIT, v6 = IPV6_PMTUDISC_OMIT;
  setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4);
  if (strchr(address, ':') != NULL) setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);
  napi_value result;
  napi_create_int32(env, fd, &result);
  return result;
}

void add_udp(napi_env env, napi_value exports) {
  add_function(env, exports, "openUdp", open_udp);
  add_function(env, exports, "createUdpBatch", create_udp_batch);
  add_function(env, exports, "addUdpSocket", add_udp_socket);
  add_function(env, exports, "removeUdpSocket", remove_udp_socket);
  add_function(env, exports, "exchangeUdp", exchange_udp);
}
