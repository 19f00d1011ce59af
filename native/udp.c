#include "addon.h"

void add_udp(napi_env env, napi_value exports) {
  (void)env;
  (void)exports;
}
