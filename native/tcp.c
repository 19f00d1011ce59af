/*
 * TCP in turns: one call writes the answers of the last turn, waits, accepts and reads.
 *
 *     commands   COMMAND_WORDS each: what, connection, offset in the output, octets
 *     output     answers, framed by the caller
 *     events     EVENT_WORDS each: what, connection, and two numbers, see EVENT_…
 *     input      what was read, one piece behind the other
 *     clients    CLIENT_OCTETS for each connection: its client's address, 4 or 16 octets in network order
 *
 * A connection is a small number. It belongs to the caller from EVENT_ACCEPTED to COMMAND_CLOSE; there is at most one
 * piece of each connection in a turn, and none while answers wait for its client.
 *
 * What a connection brings with it is read when it is accepted. It is watched in level mode, so that one read in a turn
 * is enough, and closing takes it out of epoll without a call.
 */
#include "tcp.h"

#include "addon.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  COMMAND_SEND = 1,
  /* Closes now; what waits is lost, and the number is free. */
  COMMAND_CLOSE = 2,
  /* Ends our side once everything is sent; reading goes on. */
  COMMAND_END = 3,
  /* Accepts again, after EVENT_EXHAUSTED. */
  COMMAND_ACCEPT = 4,
  /* Closes now, by a reset: nothing that the client has not taken stays with the kernel. */
  COMMAND_RESET = 5,
  MAX_EVENTS = 256,
  /* Bounds how long the connections that are there wait for those that come. */
  MAX_ACCEPTS = 64,
  MIN_READ_OCTETS = 16 * 1024,
  MAX_READ_OCTETS = 64 * 1024,
  /* Queries that may come with the first segment (RFC 7413) and are not accepted yet. */
  FAST_OPEN_QUEUE = 256,
};

/* In the upper half of what epoll gives back; a connection has its generation there, which is never one of these. */
enum { WATCHED_WAKE = 0, WATCHED_LISTENER = 1, FIRST_GENERATION = 2 };

/* Events ---------------------------------------------------------------------------------------------------------- */

static void tell(TcpLoop *loop, int what, int id, int one, int other) {
  if (loop->event_count == loop->event_capacity) return;
  int32_t *event = loop->events + EVENT_WORDS * loop->event_count++;
  event[0] = what;
  event[1] = id;
  event[2] = one;
  event[3] = other;
}

/* An accepted connection and what it brought are two. */
static int room_for_events(const TcpLoop *loop) { return loop->event_capacity - loop->event_count >= 2; }

/* Connections ----------------------------------------------------------------------------------------------------- */

static void watch(TcpLoop *loop, int id, uint32_t interest) {
  TcpConnection *connection = &loop->connections[id];
  if (connection->watched && connection->interest == interest) return;
  struct epoll_event event = {.events = interest, .data.u64 = (uint64_t)connection->generation << 32 | (uint32_t)id};
  if (epoll_ctl(loop->epoll, connection->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, connection->fd, &event) < 0) {
    tell(loop, EVENT_FAILED, id, errno, 0);
    connection->over = 1;
    return;
  }
  connection->watched = 1;
  connection->interest = interest;
}

static int take_connection(TcpLoop *loop, int fd) {
  int id = loop->free_ids[--loop->free_count];
  uint32_t generation = loop->connections[id].generation + 1;
  if (generation < FIRST_GENERATION) generation = FIRST_GENERATION;
  loop->connections[id] = (TcpConnection){.fd = fd, .generation = generation};
  return id;
}

static void close_connection(TcpLoop *loop, int id) {
  TcpConnection *connection = &loop->connections[id];
  if (connection->fd < 0) return;
  free(connection->rest);
  connection->rest = NULL;
  /* This takes it out of epoll, too. */
  close(connection->fd);
  connection->fd = -1;
  loop->free_ids[loop->free_count++] = id;
}

static void reset_connection(TcpLoop *loop, int id) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(loop->connections[id].fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close_connection(loop, id);
}

/* Sending --------------------------------------------------------------------------------------------------------- */

static int keep_rest(TcpConnection *connection, const uint8_t *octets, size_t length) {
  size_t left = connection->rest_length - connection->rest_at;
  uint8_t *rest = malloc(left + length);
  if (rest == NULL) return -1;
  if (left > 0) memcpy(rest, connection->rest + connection->rest_at, left);
  memcpy(rest + left, octets, length);
  free(connection->rest);
  connection->rest = rest;
  connection->rest_at = 0;
  connection->rest_length = left + length;
  return 0;
}

/* 0: the kernel took all; 1: the rest is kept and follows when it can; -1: the connection is lost. */
static int send_octets(TcpLoop *loop, int id, const uint8_t *octets, size_t length) {
  TcpConnection *connection = &loop->connections[id];
  ssize_t sent = 0;
  if (connection->rest == NULL) {
    do sent = send(connection->fd, octets, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)length) return 0;
    if (sent < 0) {
      if (errno != EAGAIN && errno != ENOBUFS) return -1;
      sent = 0;
    }
  }
  if (keep_rest(connection, octets + sent, length - (size_t)sent) < 0) return -1;
  watch(loop, id, EPOLLOUT);
  return 1;
}

/* An answer that does not lie within the output is a bug of the caller; no other memory leaves. */
static int send_output(TcpLoop *loop, int id, int32_t start, int32_t length) {
  if (start < 0 || length < 0 || (size_t)start + (size_t)length > loop->output_length) {
    errno = EINVAL;
    return -1;
  }
  return send_octets(loop, id, loop->output + start, (size_t)length);
}

static void send_rest(TcpLoop *loop, int id) {
  TcpConnection *connection = &loop->connections[id];
  size_t length = connection->rest_length - connection->rest_at;
  ssize_t sent = send(connection->fd, connection->rest + connection->rest_at, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) {
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return;
    connection->over = 1;
    tell(loop, EVENT_FAILED, id, errno, 0);
    return;
  }
  connection->rest_at += (size_t)sent;
  if (connection->rest_at < connection->rest_length) return;
  free(connection->rest);
  connection->rest = NULL;
  connection->rest_at = connection->rest_length = 0;
  if (connection->ending) shutdown(connection->fd, SHUT_WR);
  watch(loop, id, EPOLLIN);
  tell(loop, EVENT_DRAINED, id, 0, 0);
}

static void end_connection(TcpConnection *connection) {
  connection->ending = 1;
  if (connection->rest == NULL) shutdown(connection->fd, SHUT_WR);
}

/* Accepting and reading ------------------------------------------------------------------------------------------- */

/* A full input leaves everything to the next turn. */
static void read_connection(TcpLoop *loop, int id) {
  TcpConnection *connection = &loop->connections[id];
  size_t room = loop->input_length - loop->input_used;
  if (room < MIN_READ_OCTETS || !room_for_events(loop)) return;
  if (room > MAX_READ_OCTETS) room = MAX_READ_OCTETS;
  ssize_t length;
  do length = recv(connection->fd, loop->input + loop->input_used, room, MSG_DONTWAIT);
  while (length < 0 && errno == EINTR);
  if (length > 0) {
    tell(loop, EVENT_RECEIVED, id, (int)loop->input_used, (int)length);
    loop->input_used += (size_t)length;
    return;
  }
  if (length < 0 && errno == EAGAIN) return;
  connection->over = 1;
  tell(loop, length == 0 ? EVENT_ENDED : EVENT_FAILED, id, length == 0 ? 0 : errno, 0);
}

static void watch_listeners(TcpLoop *loop, uint32_t interest) {
  for (int i = 0; i < loop->listener_count; i++) {
    int fd = loop->listeners[i].fd;
    struct epoll_event event = {.events = interest, .data.u64 = (uint64_t)WATCHED_LISTENER << 32 | (uint32_t)fd};
    epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event);
  }
}

/* Without descriptors or memory a listener stays readable, and would turn the loop without end. */
static void stop_accepting(TcpLoop *loop, int error) {
  watch_listeners(loop, 0);
  tell(loop, EVENT_EXHAUSTED, -1, error, 0);
}

/* Tells of the connection, and writes its client's address down. */
static void introduce(TcpLoop *loop, int id, const struct sockaddr_storage *name) {
  uint8_t *client = loop->clients + CLIENT_OCTETS * id;
  if (name->ss_family == AF_INET) {
    const struct sockaddr_in *v4 = (const void *)name;
    memcpy(client, &v4->sin_addr, 4);
    tell(loop, EVENT_ACCEPTED, id, 4, ntohs(v4->sin_port));
    return;
  }
  const struct sockaddr_in6 *v6 = (const void *)name;
  int mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
  if (mapped) memcpy(client, v6->sin6_addr.s6_addr + 12, 4);
  else memcpy(client, &v6->sin6_addr, 16);
  tell(loop, EVENT_ACCEPTED, id, mapped ? 4 : 6, ntohs(v6->sin6_port));
}

/*
 * The quota follows the load: as many as the last look found, twice as many where it found all it asked for. So a quiet
 * listener is not asked a second time for the connection that is not there.
 */
static void accept_from(TcpLoop *loop, TcpListener *listener) {
  int accepted = 0;
  for (int tries = 0; tries < listener->quota && loop->free_count > 0 && room_for_events(loop); tries++) {
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    int fd = accept4(listener->fd, (struct sockaddr *)&name, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        stop_accepting(loop, errno);
        break;
      }
      if (errno == EAGAIN) break;
      /* Anything else is an error of the connection that was to be accepted (accept(2)); the next may be sound. */
      continue;
    }
    accepted++;
    int id = take_connection(loop, fd);
    introduce(loop, id, &name);
    read_connection(loop, id);
    if (!loop->connections[id].over) watch(loop, id, EPOLLIN);
  }
  if (accepted < listener->quota) listener->quota = accepted > 1 ? accepted : 1;
  else if (listener->quota < MAX_ACCEPTS) listener->quota *= 2;
}

/* A turn ---------------------------------------------------------------------------------------------------------- */

static void carry_out(TcpLoop *loop, int count) {
  for (int i = 0; i < count; i++) {
    const int32_t *command = loop->commands + COMMAND_WORDS * i;
    int id = command[1];
    if (command[0] == COMMAND_ACCEPT) {
      watch_listeners(loop, EPOLLIN);
      continue;
    }
    if (id < 0 || id >= loop->capacity || loop->connections[id].fd < 0) continue;
    if (command[0] == COMMAND_CLOSE) close_connection(loop, id);
    else if (command[0] == COMMAND_RESET) reset_connection(loop, id);
    else if (command[0] == COMMAND_END) end_connection(&loop->connections[id]);
    else if (command[0] == COMMAND_SEND) {
      int outcome = send_output(loop, id, command[2], command[3]);
      if (outcome > 0) tell(loop, EVENT_BLOCKED, id, 0, 0);
      else if (outcome < 0) {
        loop->connections[id].over = 1;
        tell(loop, EVENT_FAILED, id, errno, 0);
      }
    }
  }
}

static void serve_connection(TcpLoop *loop, const struct epoll_event *event) {
  int id = (int)(uint32_t)event->data.u64;
  TcpConnection *connection = &loop->connections[id];
  if (connection->fd < 0 || connection->generation != (uint32_t)(event->data.u64 >> 32)) return;
  if (connection->over || !room_for_events(loop)) return;
  if (connection->rest == NULL) read_connection(loop, id);
  else if (event->events & EPOLLERR) {
    connection->over = 1;
    tell(loop, EVENT_FAILED, id, ECONNRESET, 0);
  } else send_rest(loop, id);
}

static void take_event(TcpLoop *loop, const struct epoll_event *event) {
  uint32_t watched = (uint32_t)(event->data.u64 >> 32);
  if (watched == WATCHED_WAKE) {
    uint64_t ignored;
    if (read(loop->wake, &ignored, sizeof ignored) < 0) { /* Another call has taken it. */ }
  } else if (watched == WATCHED_LISTENER) {
    for (int i = 0; i < loop->listener_count; i++)
      if (loop->listeners[i].fd == (int)(uint32_t)event->data.u64) accept_from(loop, &loop->listeners[i]);
  } else {
    serve_connection(loop, event);
  }
}

int tcp_turn(TcpLoop *loop, int command_count, int timeout_ms) {
  struct epoll_event ready[MAX_EVENTS];
  loop->event_count = 0;
  loop->input_used = 0;
  carry_out(loop, command_count < loop->command_capacity ? command_count : loop->command_capacity);
  if (timeout_ms < 0) return loop->event_count;
  int count = epoll_wait(loop->epoll, ready, MAX_EVENTS, loop->event_count > 0 ? 0 : timeout_ms);
  for (int i = 0; i < count; i++) take_event(loop, &ready[i]);
  return loop->event_count;
}

/* What is set up and taken down ------------------------------------------------------------------------------------ */

int tcp_send_now(TcpLoop *loop, int id, int32_t start, int32_t length) {
  if (id < 0 || id >= loop->capacity || loop->connections[id].fd < 0) return -1;
  return send_output(loop, id, start, length);
}

int tcp_start(TcpLoop *loop) {
  /* First of all: `tcp_stop` closes whatever a connection names, and a zero is the standard input. */
  for (int id = 0; id < loop->capacity; id++) {
    loop->connections[id].fd = -1;
    loop->free_ids[loop->capacity - 1 - id] = id;
  }
  loop->free_count = loop->capacity;
  loop->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (loop->epoll < 0) return -1;
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)WATCHED_WAKE << 32};
  return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event);
}

int tcp_add_listener(TcpLoop *loop, int fd, int backlog, int defer_seconds, int unsent_ms) {
  int on = 1, queue = FAST_OPEN_QUEUE;
  if (loop->listener_count == MAX_LISTENERS) {
    errno = ENOSPC;
    return -1;
  }
  /* Accepted sockets inherit it: an answer must not wait for the acknowledgement of the one before. */
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  /* A connection comes up with its first query, or, without one, after this time. */
  setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer_seconds, sizeof defer_seconds);
  /* Works where net.ipv4.tcp_fastopen allows it. A query that is played again does no harm. */
  setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue);
  /* Also bounds what the kernel keeps for a client that has vanished (RFC 5482). */
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unsent_ms, sizeof unsent_ms);
  if (listen(fd, backlog) < 0) return -1;
  /* A socket that a service manager passes blocks, and it shares it with others who accept, too. */
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)WATCHED_LISTENER << 32 | (uint32_t)fd};
  if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) return -1;
  loop->listeners[loop->listener_count++] = (TcpListener){.fd = fd, .quota = 1};
  return 0;
}

void tcp_remove_listener(TcpLoop *loop, int fd) {
  for (int i = 0; i < loop->listener_count; i++) {
    if (loop->listeners[i].fd != fd) continue;
    /* Others may hold the same socket, and then closing would not take it out. */
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
    close(fd);
    loop->listeners[i] = loop->listeners[--loop->listener_count];
    return;
  }
}

void tcp_stop(TcpLoop *loop) {
  for (int id = 0; id < loop->capacity; id++) close_connection(loop, id);
  while (loop->listener_count > 0) tcp_remove_listener(loop, loop->listeners[0].fd);
  if (loop->epoll >= 0) close(loop->epoll);
  loop->epoll = -1;
}
