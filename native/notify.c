/* Tells the system's service manager about this process: one datagram to a unix socket (sd_notify(3)). */
#include "addon.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Far more than we have to say; one is for the zero at its end. Longer text is cut. */
enum { MAX_MESSAGE_OCTETS = 4096 };

static napi_value notify(napi_env env, napi_callback_info info) {
  size_t count = 2, path_length = 0, text_length = 0;
  napi_value arguments[2];
  char text[MAX_MESSAGE_OCTETS];
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_string_utf8(env, arguments[0], name.sun_path, sizeof name.sun_path, &path_length);
  napi_get_value_string_utf8(env, arguments[1], text, sizeof text, &text_length);
  /* A path that begins with @ is a name in the abstract namespace, which begins with a zero octet (unix(7)). */
  if (name.sun_path[0] == '@') name.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, errno, "socket");
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_length);
  ssize_t sent = sendto(fd, text, text_length, MSG_NOSIGNAL, (struct sockaddr *)&name, length);
  int error_number = errno;
  close(fd);
  return sent < 0 ? throw_errno(env, error_number, "sendto") : NULL;
}

void add_notify(napi_env env, napi_value exports) { add_function(env, exports, "notify", notify); }
