/* How the kernel shares a processor between the threads of this process: sched_setattr(2), for which libc has no name. */
#include "addon.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds are told modulo this, so that V8 has them in a word and allocates nothing. */
#define CLOCK_MODULUS_MS (1 << 30)

/* What threads that the calling one starts must not inherit; from the kernel's sched.h. */
#define FLAG_RESET_ON_FORK 1

/* The first layout of the kernel's struct sched_attr, which every kernel takes. */
struct first_sched_attr {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime_ns;
  uint64_t deadline_ns;
  uint64_t period_ns;
};

static napi_value set_attributes(napi_env env, struct first_sched_attr attributes) {
  attributes.size = sizeof attributes;
  attributes.flags = FLAG_RESET_ON_FORK;
  if (syscall(SYS_sched_setattr, 0, &attributes, 0) < 0) return throw_errno(env, errno, "sched_setattr");
  return NULL;
}

/*
 * Of the calling thread, which becomes an ordinary one and keeps its niceness. Linux takes slices of ordinary threads
 * from 6.12 on; before that it ignores them.
 */
static napi_value set_slice(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  uint32_t nanoseconds = 0;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_uint32(env, argument, &nanoseconds);
  struct first_sched_attr ordinary = {
      .policy = SCHED_OTHER, .nice = getpriority(PRIO_PROCESS, 0), .runtime_ns = nanoseconds};
  return set_attributes(env, ordinary);
}

/* The calling thread runs as soon as it is woken, before every ordinary one; threads alike take turns. */
static napi_value set_real_time(napi_env env, napi_callback_info info) {
  (void)info;
  struct first_sched_attr real_time = {.policy = SCHED_RR, .priority = 1};
  return set_attributes(env, real_time);
}

static napi_value milliseconds(napi_env env, clockid_t clock) {
  struct timespec now;
  napi_value result;
  clock_gettime(clock, &now);
  int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  napi_create_int32(env, (int32_t)(ms % CLOCK_MODULUS_MS), &result);
  return result;
}

static napi_value thread_cpu_ms(napi_env env, napi_callback_info info) {
  (void)info;
  return milliseconds(env, CLOCK_THREAD_CPUTIME_ID);
}

static napi_value monotonic_ms(napi_env env, napi_callback_info info) {
  (void)info;
  return milliseconds(env, CLOCK_MONOTONIC);
}

void add_priority(napi_env env, napi_value exports) {
  add_function(env, exports, "setSlice", set_slice);
  add_function(env, exports, "setRealTime", set_real_time);
  add_function(env, exports, "threadCpuMs", thread_cpu_ms);
  add_function(env, exports, "monotonicMs", monotonic_ms);
}
