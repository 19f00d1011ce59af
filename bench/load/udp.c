/* UDP: a closed loop with a window, so that a server is busy and loses nothing, and an open loop by schedule. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Asked for, so that a wide window's answers fit even when all come to one socket; net.core.rmem_max may grant less. */
#define RECEIVE_BUFFER_OCTETS (4 << 20)
/* How often queries without an answer are looked for, in rounds over all sockets. */
#define ROUNDS_PER_EXPIRY 4096

struct udp_socket {
  int fd;
  struct slots slots;
  struct opt opt;
};

static struct mmsghdr receive_headers[MAX_BATCH], send_headers[MAX_BATCH];
static struct iovec receive_vectors[MAX_BATCH], send_vectors[MAX_BATCH];
static uint8_t responses[MAX_BATCH][MAX_RESPONSE_OCTETS];
static uint8_t queries[MAX_BATCH * MAX_QUERY_OCTETS];
static union {
  struct cmsghdr header;
  char octets[CMSG_SPACE(sizeof(uint16_t))];
} segment_controls[MAX_BATCH];

/* A connected socket; the n-th leaves from the n-th of the loopback addresses that `--sources` asks for. */
int open_socket(const struct options *options, int type, int number) {
  int family = options->server.ss_family, buffer = RECEIVE_BUFFER_OCTETS;
  int fd = socket(family, type | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket %d: %s", number, strerror(errno));
  if (type == SOCK_DGRAM) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  if (options->sources > 0 && family == AF_INET) {
    int one = 1, source = number % options->sources;
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(0x7f010001u + ((uint32_t)source << 8));
    setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0) fail("source %d: %s", source, strerror(errno));
  }
  if (connect(fd, (const struct sockaddr *)&options->server, options->server_length) != 0 && errno != EINPROGRESS)
    fail("connect: %s", strerror(errno));
  return fd;
}

/* The window is shared out evenly; every socket has at least one query under way. */
static struct udp_socket *open_sockets(struct run *run, int window) {
  int each = window / run->options.sockets, more = window % run->options.sockets;
  struct udp_socket *sockets = calloc((size_t)run->options.sockets, sizeof *sockets);
  if (sockets == NULL) fail("not enough memory for the sockets");
  for (int i = 0; i < run->options.sockets; i++) {
    sockets[i].fd = open_socket(&run->options, SOCK_DGRAM, i);
    make_slots(&sockets[i].slots, each == 0 ? 1 : each + (i < more));
    make_opt(run, &sockets[i].opt);
  }
  for (int i = 0; i < MAX_BATCH; i++) {
    receive_vectors[i] = (struct iovec){responses[i], MAX_RESPONSE_OCTETS};
    receive_headers[i].msg_hdr = (struct msghdr){.msg_iov = &receive_vectors[i], .msg_iovlen = 1};
  }
  return sockets;
}

static void receive(struct run *run, struct udp_socket *udp) {
  /* As many as can be there: a second call only to hear that nothing is left would cost as much again. */
  int under_way = udp->slots.count - udp->slots.free_count;
  if (under_way == 0) return;
  int room = under_way < MAX_BATCH ? under_way : MAX_BATCH;
  int count = recvmmsg(udp->fd, receive_headers, (unsigned)room, MSG_DONTWAIT, NULL);
  run->tally.reads++;
  if (count <= 0) {
    run->tally.empty_reads++;
    return;
  }
  uint64_t now = now_ns();
  for (int i = 0; i < count; i++)
    take_answer(run, &udp->slots, &udp->opt, responses[i], (int)receive_headers[i].msg_len, now);
}

/* Makes one message of queries of equal length, which the kernel takes apart (UDP_SEGMENT): cheaper to send. */
static void segment(int message, int length, int octets) {
  struct msghdr *header = &send_headers[message].msg_hdr;
  send_vectors[message].iov_len += (size_t)octets;
  if (send_vectors[message].iov_len == (size_t)length) return;
  header->msg_control = &segment_controls[message];
  header->msg_controllen = sizeof segment_controls[message].octets;
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  control->cmsg_level = SOL_UDP;
  control->cmsg_type = UDP_SEGMENT;
  control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
  uint16_t size = (uint16_t)length;
  memcpy(CMSG_DATA(control), &size, sizeof size);
}

static void start_message(int message, uint8_t *packet, int length) {
  send_vectors[message] = (struct iovec){packet, (size_t)length};
  send_headers[message].msg_hdr = (struct msghdr){.msg_iov = &send_vectors[message], .msg_iovlen = 1};
}

/* Sends `count` new queries, of which there must be free slots; `due` is when they count as sent. Tells how many. */
static int send_queries(struct run *run, struct udp_socket *udp, int count, const uint64_t *due) {
  int messages = 0, length = 0, last = 0;
  uint8_t *at = queries;
  uint64_t now = due == NULL ? now_ns() : 0;
  static uint8_t *starts[MAX_BATCH];
  static int first_of[MAX_BATCH];
  for (int i = 0; i < count; i++, at += length, last = length) {
    starts[i] = at;
    length = take_query(run, &udp->slots, &udp->opt, due == NULL ? now : due[i], at);
    if (run->options.segments && i > 0 && length == last) {
      segment(messages - 1, length, length);
      continue;
    }
    first_of[messages] = i;
    start_message(messages++, at, length);
  }
  int sent = sendmmsg(udp->fd, send_headers, (unsigned)messages, MSG_DONTWAIT);
  int done = sent < 0 ? 0 : sent < messages ? first_of[sent] : count;
  for (int i = count - 1; i >= done; i--) untake_query(&udp->slots, starts[i]);
  run->tally.sent += (uint64_t)done;
  return done;
}

static bool none_under_way(const struct run *run, const struct udp_socket *sockets) {
  for (int i = 0; i < run->options.sockets; i++)
    if (sockets[i].slots.free_count < sockets[i].slots.count) return false;
  return true;
}

static void expire(struct run *run, struct udp_socket *sockets, uint64_t now) {
  for (int i = 0; i < run->options.sockets; i++) expire_slots(run, &sockets[i].slots, now);
}

void run_closed(struct run *run) {
  struct udp_socket *sockets = open_sockets(run, run->options.window);
  struct phases phases;
  phases_start(run, &phases);
  for (uint64_t round = 0;; round++) {
    for (int i = 0; i < run->options.sockets; i++) {
      struct udp_socket *udp = &sockets[i];
      receive(run, udp);
      int count = udp->slots.free_count < MAX_BATCH ? udp->slots.free_count : MAX_BATCH;
      if (count > 0 && !phases.draining) send_queries(run, udp, count, NULL);
    }
    uint64_t now = now_ns();
    if (round % ROUNDS_PER_EXPIRY == 0 || phases.draining) expire(run, sockets, now);
    if (!phases_step(run, &phases, now, phases.draining && none_under_way(run, sockets))) break;
  }
  for (int i = 0; i < run->options.sockets; i++) close(sockets[i].fd);
}

static uint64_t due_at(const struct run *run, const struct phases *phases, uint64_t number) {
  return phases->start + (uint64_t)((double)number * 1e9 / run->options.rate);
}

/* Sends what is due; the number of the next query. */
static uint64_t send_due(struct run *run, const struct phases *phases, struct udp_socket *sockets, uint64_t next) {
  uint64_t now = now_ns(), due;
  for (int i = 0; i < MAX_BATCH && (due = due_at(run, phases, next)) <= now; i++, next++) {
    struct udp_socket *udp = &sockets[next % (uint64_t)run->options.sockets];
    if (udp->slots.free_count > 0 && send_queries(run, udp, 1, &due) == 1) continue;
    /* No slot or no room in the socket's buffer is a query that was not asked: it counts as lost. */
    run->tally.not_sent++;
    run->tally.lost++;
  }
  return next;
}

/*
 * What a generator that sleeps may add to a time, once when it sends and once when it receives. Waking for each query
 * and each answer would take all of its core; a thread in real time that does is held up by the kernel for 50 ms of
 * every second, so that others are not starved.
 */
#define NAP_NS 50000

static void nap(void) {
  struct timespec left = {.tv_nsec = NAP_NS};
  nanosleep(&left, NULL);
}

/*
 * Query n is due at start + n / rate and goes to socket n modulo the sockets, whatever became of those before it;
 * the time of an answer is counted from when its query was due, so that a generator that fell behind shows.
 */
void run_paced(struct run *run) {
  int count = run->options.sockets;
  struct udp_socket *sockets = open_sockets(run, run->options.window * count);
  struct phases phases;
  phases_start(run, &phases);
  uint64_t next = 0, expired = phases.start;
  for (;;) {
    if (!phases.draining) next = send_due(run, &phases, sockets, next);
    for (int i = 0; i < count; i++) receive(run, &sockets[i]);
    uint64_t now = now_ns();
    if (now - expired > 10000000) {
      expire(run, sockets, now);
      expired = now;
    }
    if (!phases_step(run, &phases, now, phases.draining && none_under_way(run, sockets))) break;
    if (run->options.sleep) nap();
  }
  for (int i = 0; i < count; i++) close(sockets[i].fd);
}
