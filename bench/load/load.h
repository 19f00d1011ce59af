/*
 * The load generator of the benchmarks. One thread that spins over its sockets, so that a server's answer never pays
 * for waking somebody up, and so that it is ahead of any server on a core of its own. It waits only where it is told
 * to share that core (`--sleep`), and between two tries for a first answer (`first.c`).
 *
 *   names file -> questions (pre-built packets)      subnets -> client subnets, written in place
 *        \                                            /
 *         query.c builds id + question + OPT, answer.c checks what comes back
 *              |                 |                 |
 *            udp.c             tcp.c            first.c
 *      closed loop, paced   three habits    polls until answered
 */
#ifndef MERIDIAN_LOAD_H
#define MERIDIAN_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* A header, a name of 255 octets, type and class, and an OPT record with a subnet and a cookie: below 512. */
#define MAX_QUERY_OCTETS 512
/* Enough for one wakeup's worth; larger batches do not pay any more. */
#define MAX_BATCH 64
#define MAX_RESPONSE_OCTETS 4096
#define MAX_WATCHED 64

enum transport { TRANSPORT_UDP, TRANSPORT_TCP_PIPELINED, TRANSPORT_TCP_ONE, TRANSPORT_TCP_CONNECT };

struct options {
  const char *names, *ecs;
  struct sockaddr_storage server;
  socklen_t server_length;
  enum transport transport;
  int sockets, window, sources, cpu, zipf, source_length, payload_size;
  bool dnssec_ok, cookies, edns, segments, first_answer, sleep, real_time;
  double seconds, warmup, rate, timeout, poll;
  uint64_t queries, seed;
  int watched[MAX_WATCHED], watched_count;
};

/* One line of the names file. */
struct question {
  size_t packet; /* where its header and question start in `questions.packets` */
  uint32_t expected; /* first of its expected rdatas */
  uint16_t expected_count; /* 0: any */
  uint16_t length; /* octets of header and question */
  uint16_t type;
  uint8_t rcode;
};

struct questions {
  struct question *list;
  uint32_t count;
  uint8_t *packets;
  uint8_t (*rdatas)[16];
};

struct subnets;

/* What counts, from the end of the warm-up on. */
struct tally {
  uint64_t sent, answered, lost, unexpected, not_sent, resets, bad_cookies, reads, empty_reads;
  uint64_t wrong_rcode, wrong_question, wrong_form, wrong_rdata, truncated;
  double seconds, cpu_seconds;
};

/* The OPT record that a socket adds to its queries. */
struct opt {
  uint8_t octets[96];
  uint16_t length;
  uint16_t subnet_at; /* 0: none */
  bool cookie_known;
};

/* A query under way. Its number is `generation << slot bits | slot`. */
struct slot {
  uint64_t sent_ns; /* paced: when it was due */
  uint32_t question;
  uint16_t generation;
  bool open;
};

struct slots {
  struct slot *list;
  uint16_t *free;
  int count, free_count, bits;
};

struct run {
  struct options options;
  struct questions questions;
  struct subnets *subnets;
  struct tally tally;
  uint64_t random;
  uint32_t next_question;
  bool told_wrong;
};

/* measure.c */
uint64_t now_ns(void);
uint64_t random_next(uint64_t *state);
void histogram_reset(void);
void histogram_add(uint64_t nanoseconds, uint64_t times);
double histogram_at(double share);
double histogram_max(void);
/* Seconds that all threads of the watched processes have run. */
double cpu_seconds(const struct options *options);
void pin_to(int cpu);
/* Runs before everything that is not real time itself; needs root. */
void run_real_time(void);
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* questions.c */
void read_questions(struct questions *questions, const char *file);

/* subnets.c */
struct subnets *make_subnets(const struct options *options, uint64_t *random);
int subnet_family(const struct subnets *subnets);
int subnet_length(const struct subnets *subnets);
/* Writes the address octets of the next client subnet. */
void subnet_next(struct subnets *subnets, uint64_t *random, uint8_t *octets);

/* query.c */
void make_slots(struct slots *slots, int count);
void make_opt(struct run *run, struct opt *opt);
/* Takes a free slot and writes the next query for it; the number of octets. There must be a free slot. */
int take_query(struct run *run, struct slots *slots, struct opt *opt, uint64_t when_ns, uint8_t *packet);
/* Gives back the slot of a query that could not be sent. */
void untake_query(struct slots *slots, const uint8_t *packet);
void close_slot(struct slots *slots, int slot);
/* Counts and frees what has had no answer for as long as the time-out. */
void expire_slots(struct run *run, struct slots *slots, uint64_t now);

/* answer.c */
/* Checks an answer, counts it and frees its slot. */
void take_answer(struct run *run, struct slots *slots, struct opt *opt, const uint8_t *answer, int length,
                 uint64_t now);

/* udp.c, tcp.c, first.c */
int open_socket(const struct options *options, int type, int number);
void run_closed(struct run *run);
void run_paced(struct run *run);
void run_tcp(struct run *run);
int run_first(struct run *run);

/* The phases that every loop goes through: warm-up, measuring, draining, done. */
struct phases {
  uint64_t start, measure_from, measure_to, drain_to;
  double cpu_before;
  bool measuring, draining;
};
void phases_start(struct run *run, struct phases *phases);
/* Tells whether to go on; sets `draining` when nothing new is to be sent. */
bool phases_step(struct run *run, struct phases *phases, uint64_t now, bool all_answered);

#endif
