#ifndef MERIDIAN_TCP_H
#define MERIDIAN_TCP_H

#include <stddef.h>
#include <stdint.h>

enum {
  CLIENT_OCTETS = 16,
  COMMAND_WORDS = 4,
  EVENT_WORDS = 4,
  /* Two numbers: the family of the address in `clients`, 4 or 6; the client's port. */
  EVENT_ACCEPTED = 1,
  /* Two: offset in the input, octets. */
  EVENT_RECEIVED = 2,
  /* The client has ended its side. Nothing more is read. */
  EVENT_ENDED = 3,
  /* One: the system's error. Only closing is left. */
  EVENT_FAILED = 4,
  /* The client does not take its answers; nothing is read until EVENT_DRAINED. */
  EVENT_BLOCKED = 5,
  EVENT_DRAINED = 6,
  /* One: the system's error. No descriptors or no memory for another connection; accepting has stopped. */
  EVENT_EXHAUSTED = 7,
  /* At least MAX_LISTEN_ADDRESSES of `src/settings/listen-addresses.ts`. */
  MAX_LISTENERS = 64,
};

typedef struct {
  int fd;
  uint32_t generation;
  /* What epoll watches for, once it watches. */
  uint32_t interest;
  uint8_t watched;
  /* Our side ends when `rest` is sent. */
  uint8_t ending;
  /* Ended by the client, or lost. */
  uint8_t over;
  /* Octets that the kernel did not take; NULL for none. */
  uint8_t *rest;
  size_t rest_at;
  size_t rest_length;
} TcpConnection;

typedef struct {
  int fd;
  /* Connections to accept in the next turn. */
  int quota;
} TcpListener;

typedef struct {
  int epoll;
  int wake;
  TcpListener listeners[MAX_LISTENERS];
  int listener_count;
  int capacity;
  TcpConnection *connections;
  int *free_ids;
  int free_count;
  uint8_t *input;
  size_t input_length;
  size_t input_used;
  const uint8_t *output;
  size_t output_length;
  const int32_t *commands;
  int command_capacity;
  int32_t *events;
  int event_capacity;
  int event_count;
  uint8_t *clients;
} TcpLoop;

/* Each returns -1 with errno set where it fails. */
int tcp_start(TcpLoop *loop);
int tcp_add_listener(TcpLoop *loop, int fd, int backlog, int defer_seconds, int unsent_ms);
void tcp_remove_listener(TcpLoop *loop, int fd);
/** Carries out the first commands, waits for up to that time (not at all below 0), returns how many events there are. */
int tcp_turn(TcpLoop *loop, int command_count, int timeout_ms);
/** So many octets from there in the output. 0: all taken; 1: blocked, see EVENT_BLOCKED; -1: the connection is lost. */
int tcp_send_now(TcpLoop *loop, int id, int32_t start, int32_t length);
void tcp_stop(TcpLoop *loop);

#endif
