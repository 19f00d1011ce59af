/*
 * The addon: sockets and batches for the DNS workers, and nothing that decides. One file per subject adds its
 * functions to the exports; `src/server/native.ts` tells what each does.
 *
 * Plain Node-API, so that one binary serves every Node from 24 on. Every thread of the process gets an instance of
 * its own: no mutable static data.
 */
#include "addon.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

/*
 * Tables and maps of tens of megabytes come and go with each generation. Left to itself, glibc raises the size from
 * which memory is mapped, and so given back when it is freed, up to 32 MB; what is smaller then stays in the heaps of
 * threads that have ended, and the process grows by tens of megabytes with every generation.
 */
#define MAPPED_FROM_OCTETS (1024 * 1024)

napi_value throw_errno(napi_env env, int error_number, const char *call) {
  const char *name = strerrorname_np(error_number);
  char message[256];
  snprintf(message, sizeof message, "%s: %s", call, strerror(error_number));
  napi_throw_error(env, name == NULL ? "UNKNOWN" : name, message);
  return NULL;
}

NAPI_MODULE_INIT() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, MAPPED_FROM_OCTETS);
#endif
  add_wake(env, exports);
  add_notify(env, exports);
  add_priority(env, exports);
  add_memory(env, exports);
  add_socket(env, exports);
  add_udp(env, exports);
  add_tcp(env, exports);
  add_ping(env, exports);
  return exports;
}
