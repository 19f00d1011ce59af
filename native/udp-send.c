/* The way out of `udp.h`: answers in groups, and what the kernel does not take. */
#include "udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
  /* The kernel's own bound (UDP_MAX_SEGMENTS) on segments of one send; and of the octets of one datagram. */
  MAX_SEGMENTS = 64,
  MAX_SEND_OCTETS = 65000,
  /* A full send buffer drains in less; after that the answers are dropped, and clients ask again. */
  SEND_WAIT_MS = 20,
};

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
  uint32_t longest = batch->sockets[batch->current].longest_segment;
  memset(batch->group_table, -1, sizeof batch->group_table);
  for (int slot = 0; slot < count; slot++) {
    uint32_t length = (uint32_t)udp_control_of(batch, slot)[CONTROL_ANSWER_LENGTH];
    if (length == 0 || length > SLOT_OCTETS) continue;
    batch->next_in_group[slot] = -1;
    int segments = length <= longest;
    uint32_t at = client_hash(&batch->names[slot], length) & (GROUP_TABLE - 1);
    int found = -1;
    for (; segments && batch->group_table[at] >= 0; at = (at + 1) & (GROUP_TABLE - 1)) {
      int candidate = batch->group_table[at];
      Group *group = &batch->groups[candidate];
      if ((uint32_t)udp_control_of(batch, group->first)[CONTROL_ANSWER_LENGTH] != length) continue;
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
      /* `ipi_spec_dst` is the address that was asked already. */
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
  size_t length = (size_t)udp_control_of(batch, group->first)[CONTROL_ANSWER_LENGTH];
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

/*
 * What the socket shall not try again. A datagram that is too long for the link is fragmented, a segment is not: the
 * kernel says EMSGSIZE, and older ones EINVAL, where the MTU (of IPv4 as low as 68 octets) is less than the segment and
 * its headers. Shorter answers go on in groups. EIO says that the way out takes no segments at all. Nothing is raised
 * again: the answers then leave one by one, which costs time and loses none.
 */
static void learn_limit(UdpSocket *socket, size_t length, int error) {
  if (error == EMSGSIZE || error == EINVAL) socket->longest_segment = (uint32_t)length - 1;
  else if (error == EIO) socket->longest_segment = 0;
}

/* Sends one group answer by answer, where the way out does not take segments, or not of this length. */
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

void udp_send(UdpBatch *batch, int count) {
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
    int was_full = errno == EAGAIN || errno == ENOBUFS;
    if (sent < 0 && message->msg_hdr.msg_iovlen > 1 && !was_full) {
      learn_limit(socket, message->msg_hdr.msg_iov->iov_len, errno);
      send_apart(batch, message);
    } else {
      /* An error that is stuck to the socket (an ICMP message) is told once; the next send is tried all the same. */
      batch->totals[TOTAL_SEND_FAILURES] += (uint32_t)message->msg_hdr.msg_iovlen;
    }
    at++;
  }
}
