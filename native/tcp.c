#include "addon.h"

void add_tcp(napi_env env, napi_value exports) {
  (void)env;
  (void)exports;
}
