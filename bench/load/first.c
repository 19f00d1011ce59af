/* Asks every few milliseconds until there is a right answer, and tells when that was on the monotonic clock. */
#define _GNU_SOURCE
#include "load.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

int run_first(struct run *run) {
  struct slots slots;
  struct opt opt;
  uint8_t packet[MAX_QUERY_OCTETS], answer[MAX_RESPONSE_OCTETS];
  uint64_t step = (uint64_t)(run->options.poll * 1e6), next = now_ns();
  uint64_t end = next + (uint64_t)(run->options.seconds * 1e9);
  int fd = open_socket(&run->options, SOCK_DGRAM, 0);
  make_slots(&slots, 1);
  make_opt(run, &opt);
  run->told_wrong = true; /* SERVFAIL and REFUSED of a server that is not ready are no news */
  while (now_ns() < end) {
    if (slots.free_count == 0) close_slot(&slots, 0);
    int length = take_query(run, &slots, &opt, now_ns(), packet);
    next += step;
    /* Nobody listens yet: the refusal comes with the next call. */
    if (send(fd, packet, (size_t)length, 0) < 0 && send(fd, packet, (size_t)length, 0) < 0) continue;
    for (uint64_t now; (now = now_ns()) < next;) {
      struct timespec left = {.tv_nsec = (long)(next - now)};
      struct pollfd polled = {.fd = fd, .events = POLLIN};
      if (ppoll(&polled, 1, &left, NULL) <= 0) break;
      ssize_t count = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
      if (count <= 0) continue;
      struct tally before = run->tally;
      take_answer(run, &slots, &opt, answer, (int)count, now_ns());
      const struct tally *tally = &run->tally;
      bool right = tally->answered > before.answered && tally->wrong_form == before.wrong_form &&
                   tally->wrong_question == before.wrong_question && tally->wrong_rcode == before.wrong_rcode &&
                   tally->wrong_rdata == before.wrong_rdata && tally->truncated == before.truncated;
      if (!right) continue;
      printf("{\"answeredAtNs\":%llu}\n", (unsigned long long)now_ns());
      close(fd);
      return 0;
    }
  }
  fail("no right answer within %.1f s", run->options.seconds);
}
