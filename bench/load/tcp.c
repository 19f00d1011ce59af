/*
 * TCP (RFC 1035 section 4.2.2: two octets of length before each message), in three habits: many queries in flight
 * on each connection, one in flight, and a connection for each query.
 */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUT_OCTETS (MAX_BATCH * MAX_QUERY_OCTETS)
#define IN_OCTETS (1 << 17)
#define ROUNDS_PER_EXPIRY 4096

struct tcp_connection {
  int fd;
  struct slots slots;
  struct opt opt;
  int out_from, out_to, in_to;
  uint8_t *out, *in;
};

/* Counts up over all connections ever opened, so that addresses and with them free ports last. */
static int opened;

static void reconnect(struct run *run, struct tcp_connection *tcp) {
  if (tcp->fd >= 0) close(tcp->fd);
  int one = 1;
  tcp->fd = open_socket(&run->options, SOCK_STREAM, opened++);
  setsockopt(tcp->fd, SOL_TCP, TCP_NODELAY, &one, sizeof one);
  tcp->out_from = tcp->out_to = tcp->in_to = 0;
}

/* What was under way on a connection that ended is lost. */
static void lose_connection(struct run *run, struct tcp_connection *tcp) {
  run->tally.resets++;
  for (int i = 0; i < tcp->slots.count; i++) {
    if (!tcp->slots.list[i].open) continue;
    run->tally.lost++;
    close_slot(&tcp->slots, i);
  }
  reconnect(run, tcp);
}

static void fill_out(struct run *run, struct tcp_connection *tcp, uint64_t now) {
  int count = tcp->slots.free_count < MAX_BATCH ? tcp->slots.free_count : MAX_BATCH;
  tcp->out_from = tcp->out_to = 0;
  for (int i = 0; i < count; i++) {
    uint8_t *frame = tcp->out + tcp->out_to;
    int length = take_query(run, &tcp->slots, &tcp->opt, now, frame + 2);
    frame[0] = (uint8_t)(length >> 8);
    frame[1] = (uint8_t)length;
    tcp->out_to += length + 2;
  }
  run->tally.sent += (uint64_t)count;
}

static void write_out(struct run *run, struct tcp_connection *tcp) {
  ssize_t count = send(tcp->fd, tcp->out + tcp->out_from, (size_t)(tcp->out_to - tcp->out_from), MSG_NOSIGNAL);
  if (count > 0) tcp->out_from += (int)count;
  else if (count < 0 && errno != EAGAIN && errno != ENOTCONN && errno != EINPROGRESS) lose_connection(run, tcp);
}

/* Takes the whole frames that have come; the number of them, or -1 when the connection has ended. */
static int read_in(struct run *run, struct tcp_connection *tcp) {
  ssize_t count = recv(tcp->fd, tcp->in + tcp->in_to, (size_t)(IN_OCTETS - tcp->in_to), 0);
  run->tally.reads++;
  if (count <= 0) run->tally.empty_reads++;
  if (count < 0) return errno == EAGAIN || errno == ENOTCONN ? 0 : -1;
  if (count == 0) return -1;
  uint64_t now = now_ns();
  tcp->in_to += (int)count;
  int at = 0, frames = 0;
  while (at + 2 <= tcp->in_to) {
    int length = tcp->in[at] << 8 | tcp->in[at + 1];
    if (at + 2 + length > tcp->in_to) break;
    take_answer(run, &tcp->slots, &tcp->opt, tcp->in + at + 2, length, now);
    at += 2 + length;
    frames++;
  }
  if (at > 0 && at < tcp->in_to) memmove(tcp->in, tcp->in + at, (size_t)(tcp->in_to - at));
  tcp->in_to -= at;
  return frames;
}

static void step(struct run *run, struct tcp_connection *tcp, bool draining) {
  bool idle = tcp->slots.free_count == tcp->slots.count;
  if (!idle) {
    int frames = read_in(run, tcp);
    if (frames < 0) lose_connection(run, tcp);
    else if (frames > 0 && run->options.transport == TRANSPORT_TCP_CONNECT) reconnect(run, tcp);
  }
  if (tcp->out_from == tcp->out_to && tcp->slots.free_count > 0 && !draining) fill_out(run, tcp, now_ns());
  if (tcp->out_from < tcp->out_to) write_out(run, tcp);
}

static bool none_under_way(const struct run *run, const struct tcp_connection *connections) {
  for (int i = 0; i < run->options.sockets; i++)
    if (connections[i].slots.free_count < connections[i].slots.count) return false;
  return true;
}

static struct tcp_connection *open_connections(struct run *run) {
  int per_connection = run->options.window / run->options.sockets;
  if (run->options.transport != TRANSPORT_TCP_PIPELINED || per_connection < 1) per_connection = 1;
  struct tcp_connection *connections = calloc((size_t)run->options.sockets, sizeof *connections);
  if (connections == NULL) fail("not enough memory for the connections");
  for (int i = 0; i < run->options.sockets; i++) {
    struct tcp_connection *tcp = &connections[i];
    tcp->fd = -1;
    tcp->out = malloc(OUT_OCTETS);
    tcp->in = malloc(IN_OCTETS);
    if (tcp->out == NULL || tcp->in == NULL) fail("not enough memory for the connections");
    make_slots(&tcp->slots, per_connection);
    make_opt(run, &tcp->opt);
    reconnect(run, tcp);
  }
  return connections;
}

void run_tcp(struct run *run) {
  struct tcp_connection *connections = open_connections(run);
  struct phases phases;
  phases_start(run, &phases);
  for (uint64_t round = 0;; round++) {
    for (int i = 0; i < run->options.sockets; i++) step(run, &connections[i], phases.draining);
    uint64_t now = now_ns();
    if (round % ROUNDS_PER_EXPIRY == 0 || phases.draining)
      for (int i = 0; i < run->options.sockets; i++) expire_slots(run, &connections[i].slots, now);
    if (!phases_step(run, &phases, now, phases.draining && none_under_way(run, connections))) break;
  }
  for (int i = 0; i < run->options.sockets; i++) close(connections[i].fd);
}
