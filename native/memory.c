/* How the kernel keeps memory of this process: madvise(2). */
#include "addon.h"

#include <stdint.h>
#include <sys/mman.h>

#define HUGE_PAGE_OCTETS ((uintptr_t)2 * 1024 * 1024)

/* Only advice: a kernel without huge pages refuses it, and nothing is the worse for it. */
static napi_value advise_huge_pages(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  void *octets = NULL;
  size_t length = 0;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_typedarray_info(env, argument, NULL, &length, &octets, NULL, NULL);
  /* Whole huge pages alone: what shares one with other memory stays as it is. */
  uintptr_t start = ((uintptr_t)octets + HUGE_PAGE_OCTETS - 1) & ~(HUGE_PAGE_OCTETS - 1);
  uintptr_t end = ((uintptr_t)octets + length) & ~(HUGE_PAGE_OCTETS - 1);
  if (octets != NULL && start < end) madvise((void *)start, end - start, MADV_HUGEPAGE);
  return NULL;
}

void add_memory(napi_env env, napi_value exports) {
  add_function(env, exports, "adviseHugePages", advise_huge_pages);
}
