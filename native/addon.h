#ifndef MERIDIAN_ADDON_H
#define MERIDIAN_ADDON_H

#define NAPI_VERSION 9
#include <node_api.h>

void add_wake(napi_env env, napi_value exports);
void add_notify(napi_env env, napi_value exports);
void add_priority(napi_env env, napi_value exports);
void add_memory(napi_env env, napi_value exports);
void add_socket(napi_env env, napi_value exports);
void add_udp(napi_env env, napi_value exports);
void add_tcp(napi_env env, napi_value exports);
void add_ping(napi_env env, napi_value exports);

/** Exports one function by name. */
static inline void add_function(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
  napi_set_named_property(env, exports, name, function);
}

/** Throws an Error whose `code` is the name of `error_number`, such as EADDRINUSE, and returns NULL. */
napi_value throw_errno(napi_env env, int error_number, const char *call);

/** Where the elements of a typed array are, and how many there are; NULL and the old length where it is none. */
static inline void *typed_array(napi_env env, napi_value value, size_t *length) {
  void *memory = NULL;
  napi_get_typedarray_info(env, value, NULL, length, &memory, NULL, NULL);
  return memory;
}

#endif
