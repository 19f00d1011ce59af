/* Wakes a thread that waits in a batch call of this addon: an eventfd that all batch calls also watch. */
#include "addon.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static napi_value create_wake(napi_env env, napi_callback_info info) {
  (void)info;
  int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return throw_errno(env, errno, "eventfd");
  napi_value result;
  napi_create_int32(env, fd, &result);
  return result;
}

static int32_t first_argument(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t fd = -1;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_int32(env, argument, &fd);
  return fd;
}

static napi_value wake(napi_env env, napi_callback_info info) {
  uint64_t one = 1;
  /* A full counter is a wake that was not seen yet. */
  if (write(first_argument(env, info), &one, sizeof one) < 0 && errno != EAGAIN) return throw_errno(env, errno, "write");
  return NULL;
}

static napi_value close_wake(napi_env env, napi_callback_info info) {
  close(first_argument(env, info));
  return NULL;
}

void add_wake(napi_env env, napi_value exports) {
  add_function(env, exports, "createWake", create_wake);
  add_function(env, exports, "wake", wake);
  add_function(env, exports, "closeWake", close_wake);
}
