/* The calls of `tcp.c` from TypeScript; `src/server/native-tcp.ts` tells what each does. */
#include "addon.h"
#include "socket.h"
#include "tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

enum { KEPT = 5 };

typedef struct {
  TcpLoop loop;
  /* The arrays must live as long as the loop, which points into them. */
  napi_ref kept[KEPT];
} LoopOfThread;

static void free_loop(napi_env env, void *memory, void *hint) {
  (void)hint;
  LoopOfThread *thread = memory;
  /* A thread that ended by itself must not leave clients waiting. */
  tcp_stop(&thread->loop);
  for (int i = 0; i < KEPT; i++) napi_delete_reference(env, thread->kept[i]);
  free(thread->loop.connections);
  free(thread->loop.free_ids);
  free(thread);
}

static int allocate(TcpLoop *loop) {
  size_t capacity = (size_t)loop->capacity;
  loop->connections = calloc(capacity, sizeof *loop->connections);
  loop->free_ids = calloc(capacity, sizeof *loop->free_ids);
  return loop->connections != NULL && loop->free_ids != NULL;
}

/* createTcpLoop(capacity, wake, input, output, commands, events, clients) */
static napi_value create_tcp_loop(napi_env env, napi_callback_info info) {
  napi_value arguments[7];
  size_t count = 7, command_words = 0, event_words = 0, client_octets = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  LoopOfThread *thread = calloc(1, sizeof *thread);
  if (thread == NULL) return throw_errno(env, ENOMEM, "calloc");
  TcpLoop *loop = &thread->loop;
  napi_get_value_int32(env, arguments[0], &loop->capacity);
  napi_get_value_int32(env, arguments[1], &loop->wake);
  loop->input = typed_array(env, arguments[2], &loop->input_length);
  loop->output = typed_array(env, arguments[3], &loop->output_length);
  loop->commands = typed_array(env, arguments[4], &command_words);
  loop->events = typed_array(env, arguments[5], &event_words);
  loop->clients = typed_array(env, arguments[6], &client_octets);
  size_t capacity = loop->capacity < 1 ? 0 : (size_t)loop->capacity;
  if (capacity == 0 || command_words < capacity * COMMAND_WORDS || event_words < capacity * EVENT_WORDS ||
      client_octets < capacity * CLIENT_OCTETS) {
    free(thread);
    return throw_errno(env, EINVAL, "createTcpLoop");
  }
  loop->command_capacity = (int)(command_words / COMMAND_WORDS);
  loop->event_capacity = (int)(event_words / EVENT_WORDS);
  loop->epoll = -1;
  for (int i = 0; i < KEPT; i++) napi_create_reference(env, arguments[2 + i], 1, &thread->kept[i]);
  napi_value result;
  int error = 0;
  if (!allocate(loop)) {
    loop->capacity = 0;
    error = ENOMEM;
  } else if (tcp_start(loop) < 0) error = errno;
  if (error != 0) {
    free_loop(env, thread, NULL);
    return throw_errno(env, error, "epoll");
  }
  napi_create_external(env, thread, free_loop, NULL, &result);
  return result;
}

/* The loop, then up to four integers. */
static TcpLoop *read_arguments(napi_env env, napi_callback_info info, size_t count, int32_t *integers) {
  napi_value arguments[5];
  LoopOfThread *thread = NULL;
  /* The call overwrites it with how many were given, which may be more. */
  size_t given = count;
  napi_get_cb_info(env, info, &given, arguments, NULL, NULL);
  napi_get_value_external(env, arguments[0], (void **)&thread);
  for (size_t i = 1; i < count; i++) napi_get_value_int32(env, arguments[i], &integers[i - 1]);
  return &thread->loop;
}

static napi_value integer(napi_env env, int32_t value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

static napi_value exchange_tcp(napi_env env, napi_callback_info info) {
  int32_t integers[2] = {0, 0};
  TcpLoop *loop = read_arguments(env, info, 3, integers);
  return integer(env, tcp_turn(loop, integers[0], integers[1]));
}

static napi_value send_tcp(napi_env env, napi_callback_info info) {
  int32_t integers[3] = {-1, 0, 0};
  TcpLoop *loop = read_arguments(env, info, 4, integers);
  return integer(env, tcp_send_now(loop, integers[0], integers[1], integers[2]));
}

static napi_value add_tcp_listener(napi_env env, napi_callback_info info) {
  int32_t integers[4] = {-1, 0, 0, 0};
  TcpLoop *loop = read_arguments(env, info, 5, integers);
  if (tcp_add_listener(loop, integers[0], integers[1], integers[2], integers[3]) < 0)
    return throw_errno(env, errno, "listen");
  return NULL;
}

static napi_value remove_tcp_listener(napi_env env, napi_callback_info info) {
  int32_t integers[1] = {-1};
  TcpLoop *loop = read_arguments(env, info, 2, integers);
  tcp_remove_listener(loop, integers[0]);
  return NULL;
}

/* openTcp(address, port, alone): a bound socket that does not listen yet. */
static napi_value open_tcp(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3, length = 0;
  char address[INET6_ADDRSTRLEN];
  int32_t port = 0, alone = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_string_utf8(env, arguments[0], address, sizeof address, &length);
  napi_get_value_int32(env, arguments[1], &port);
  napi_get_value_int32(env, arguments[2], &alone);
  int fd = open_bound_socket(SOCK_STREAM, address, port, alone);
  if (fd < 0) return throw_errno(env, errno, "bind");
  return integer(env, fd);
}

void add_tcp(napi_env env, napi_value exports) {
  add_function(env, exports, "openTcp", open_tcp);
  add_function(env, exports, "createTcpLoop", create_tcp_loop);
  add_function(env, exports, "addTcpListener", add_tcp_listener);
  add_function(env, exports, "removeTcpListener", remove_tcp_listener);
  add_function(env, exports, "exchangeTcp", exchange_tcp);
  add_function(env, exports, "sendTcp", send_tcp);
}
