/*
 * The addon: sockets and batches for the DNS workers, and nothing that decides. One file per subject adds its
 * functions to the exports; `src/server/native.ts` tells what each does.
 *
 * Plain Node-API, so that one binary serves every Node from 24 on. Every thread of the process gets an instance of
 * its own: no mutable static data.
 */
#include "addon.h"

#include <malloc.h>

/*
 * Tables and maps of tens of megabytes come and go with each generation. Left to itself, glibc raises the size from
 * which memory is mapped, and so given back when it is freed, up to 32 MB; what is smaller then stays in the heaps of
 * threads that have ended, and the process grows by tens of megabytes with every generation.
 */
#define MAPPED_FROM_OCTETS (1024 * 1024)

NAPI_MODULE_INIT() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, MAPPED_FROM_OCTETS);
#endif
  add_wake(env, exports);
  add_notify(env, exports);
  add_socket(env, exports);
  add_udp(env, exports);
  add_tcp(env, exports);
  return exports;
}
