/* The way in of `udp.h`: sockets, waiting, and what a packet says of its sender. */
#include "udp.h"

#include "socket.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
  /*
   * A batch of more queries than this for each socket: while it was answered more have likely come, so the sockets are
   * read at once. Else they are asked first, all in one call.
   */
  BUSY_QUERIES = 2,
  /* A power of two: how seldom the kernel is asked for its count of lost queries under load. */
  EXCHANGES_PER_COUNT = 1024,
};

static void read_client(UdpBatch *batch, int slot) {
  int32_t *control = udp_control_of(batch, slot);
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
    int32_t *control = udp_control_of(batch, slot);
    read_client(batch, slot);
    control[CONTROL_ANSWER_LENGTH] = 0;
    if (control[CONTROL_PORT] == 0) control[CONTROL_REQUEST_LENGTH] = DROPPED_PORT_ZERO;
    else if (batch->received[slot].msg_hdr.msg_flags & MSG_TRUNC) control[CONTROL_REQUEST_LENGTH] = DROPPED_TOO_LONG;
    else control[CONTROL_REQUEST_LENGTH] = (int32_t)batch->received[slot].msg_len;
  }
  return count;
}

/* The kernel counts for each socket, and goes on when the worker is another. */
static uint32_t overflows_of(int fd) {
  uint32_t figures[SK_MEMINFO_VARS] = {0};
  socklen_t length = sizeof figures;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &length) < 0) return 0;
  return figures[SK_MEMINFO_DROPS];
}

static void count_overflows(UdpBatch *batch) {
  for (int i = 0; i < batch->socket_count; i++) {
    UdpSocket *socket = &batch->sockets[i];
    uint32_t overflows = overflows_of(socket->fd);
    batch->totals[TOTAL_QUEUE_OVERFLOWS] += overflows - socket->overflows;
    socket->overflows = overflows;
  }
}

static int next_turn(UdpBatch *batch) {
  int index = batch->turn;
  batch->turn = index + 1 < batch->socket_count ? index + 1 : 0;
  return index;
}

static int receive_any(UdpBatch *batch) {
  for (int tried = 0; tried < batch->socket_count; tried++) {
    int count = receive_from(batch, next_turn(batch));
    if (count > 0) return count;
  }
  return 0;
}

static int wait_and_receive(UdpBatch *batch, int timeout_ms) {
  struct pollfd watched[MAX_SOCKETS + 1];
  int socket_count = batch->socket_count;
  for (int i = 0; i < socket_count; i++)
    watched[i] = (struct pollfd){.fd = batch->sockets[i].fd, .events = POLLIN};
  struct pollfd *wake = &watched[socket_count];
  *wake = (struct pollfd){.fd = batch->wake, .events = POLLIN};
  int ready = poll(watched, (nfds_t)socket_count + 1, timeout_ms);
  if (ready <= 0) {
    count_overflows(batch);
    return 0;
  }
  if (wake->revents) {
    uint64_t ignored;
    if (read(batch->wake, &ignored, sizeof ignored) < 0) { /* Another call has taken it. */ }
  }
  for (int tried = 0; tried < socket_count; tried++) {
    int index = next_turn(batch);
    if (watched[index].revents == 0) continue;
    int count = receive_from(batch, index);
    if (count > 0) return count;
  }
  return 0;
}

int udp_receive(UdpBatch *batch, int timeout_ms) {
  if ((++batch->exchanges & (EXCHANGES_PER_COUNT - 1)) == 0) count_overflows(batch);
  int count = 0;
  int busy = batch->last_count > BUSY_QUERIES * batch->socket_count;
  if (busy || timeout_ms == 0) count = receive_any(batch);
  if (count == 0 && timeout_ms > 0) count = wait_and_receive(batch, timeout_ms);
  batch->last_count = count;
  return count;
}

int udp_add(UdpBatch *batch, int fd) {
  int on = 1;
  if (batch->socket_count == MAX_SOCKETS) {
    errno = EMFILE;
    return -1;
  }
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &length) < 0) return -1;
  int wildcard = is_wildcard(&name);
  if (wildcard && name.ss_family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    /* An address that is routed to this machine without standing on an interface is answered from, too. */
    setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
  } else if (wildcard) {
    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  }
  batch->sockets[batch->socket_count++] = (UdpSocket){
      .fd = fd,
      .wildcard = wildcard,
      .longest_segment = LONGEST_SEGMENT_OCTETS,
      .overflows = overflows_of(fd),
  };
  return 0;
}

int udp_remove(UdpBatch *batch, int fd) {
  for (int i = 0; i < batch->socket_count; i++) {
    if (batch->sockets[i].fd != fd) continue;
    batch->socket_count--;
    memmove(batch->sockets + i, batch->sockets + i + 1, sizeof(UdpSocket) * (size_t)(batch->socket_count - i));
    batch->turn = 0;
    batch->current = -1;
    close(fd);
    return 0;
  }
  errno = EBADF;
  return -1;
}
