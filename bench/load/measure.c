/* Clocks, random numbers, the latency histogram, and the CPU time of other processes. */
#define _GNU_SOURCE
#include "load.h"

#include <dirent.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Buckets grow by powers of two, each cut into 128: at most 0.8 % off.
 *
 *   bucket = (exponent - 7) * 128 + 7 leading bits after the first
 */
#define SUB_BITS 7
#define SUB_COUNT (1 << SUB_BITS)
static uint64_t buckets[64 * SUB_COUNT];
static uint64_t bucket_total, bucket_longest;

uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* xorshift64 with a multiplication; the state must not be 0. */
uint64_t random_next(uint64_t *state) {
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * 0x2545f4914f6cdd1du;
}

void histogram_reset(void) {
  memset(buckets, 0, sizeof buckets);
  bucket_total = bucket_longest = 0;
}

static int bucket_of(uint64_t value) {
  if (value < 2 * SUB_COUNT) return (int)value;
  int shift = 63 - __builtin_clzll(value) - SUB_BITS;
  return (shift << SUB_BITS) + (int)(value >> shift);
}

static double value_of(int bucket) {
  if (bucket < 2 * SUB_COUNT) return bucket;
  int shift = (bucket >> SUB_BITS) - 1;
  return (double)((uint64_t)(SUB_COUNT + (bucket & (SUB_COUNT - 1))) << shift);
}

void histogram_add(uint64_t nanoseconds, uint64_t times) {
  buckets[bucket_of(nanoseconds)] += times;
  bucket_total += times;
  if (nanoseconds > bucket_longest) bucket_longest = nanoseconds;
}

/* The time in microseconds below which this share of the answers came. */
double histogram_at(double share) {
  uint64_t wanted = (uint64_t)((double)bucket_total * share), seen = 0;
  for (int bucket = 0; bucket < 64 * SUB_COUNT; bucket++) {
    seen += buckets[bucket];
    if (seen > wanted) return value_of(bucket) / 1000;
  }
  return (double)bucket_longest / 1000;
}

double histogram_max(void) { return (double)bucket_longest / 1000; }

static double thread_seconds(const char *path) {
  FILE *file = fopen(path, "r");
  unsigned long long run = 0;
  if (file == NULL) return 0; /* a thread that has just ended */
  if (fscanf(file, "%llu", &run) != 1) run = 0;
  fclose(file);
  return (double)run / 1e9;
}

double cpu_seconds(const struct options *options) {
  double seconds = 0;
  for (int i = 0; i < options->watched_count; i++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", options->watched[i]);
    DIR *tasks = opendir(path);
    if (tasks == NULL) fail("process %d is gone", options->watched[i]);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
      if (entry->d_name[0] == '.') continue;
      char file[sizeof path + sizeof entry->d_name + 16];
      snprintf(file, sizeof file, "%s/%s/schedstat", path, entry->d_name);
      seconds += thread_seconds(file);
    }
    closedir(tasks);
  }
  return seconds;
}

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) fail("cannot run on core %d", cpu);
}

void run_real_time(void) {
  /* Any priority is above all that is not real time. */
  struct sched_param parameters = {.sched_priority = 10};
  if (sched_setscheduler(0, SCHED_FIFO, &parameters) != 0) fail("real time is for root");
}

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}
