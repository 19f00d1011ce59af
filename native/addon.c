/*
 * The addon: sockets and batches for the DNS workers, and nothing that decides. One file per subject adds its
 * functions to the exports; `src/server/native.ts` tells what each does.
 *
 * Plain Node-API, so that one binary serves every Node from 24 on. Every thread of the process gets an instance of
 * its own: no mutable static data.
 */
#include "addon.h"

NAPI_MODULE_INIT() {
  add_wake(env, exports);
  add_socket(env, exports);
  add_udp(env, exports);
  add_tcp(env, exports);
  return exports;
}
