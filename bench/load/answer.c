/* Checks answers: number, form, question, code, and the rdata that the names file expects. */
#include "load.h"

#include <stdio.h>
#include <string.h>

#define HEADER_OCTETS 12
#define TYPE_OPT 41
#define OPTION_COOKIE 10
#define RCODE_BADCOOKIE 23
/* RFC 7873 section 4: a client cookie of 8 octets and a server cookie of 8 to 32. */
#define MOST_COOKIE_OCTETS 40

static int get16(const uint8_t *from) { return from[0] << 8 | from[1]; }

struct record {
  int type, class, ttl_high, rdata, length, next;
};

/* Reads the record at `at`; false where the answer ends before it does. */
static bool read_record(const uint8_t *answer, int length, int at, struct record *record) {
  while (at < length && answer[at] != 0 && answer[at] < 0xc0) at += answer[at] + 1;
  if (at >= length) return false;
  at += answer[at] == 0 ? 1 : 2;
  if (at + 10 > length) return false;
  record->type = get16(answer + at);
  record->class = get16(answer + at + 2);
  record->ttl_high = answer[at + 4];
  record->length = get16(answer + at + 8);
  record->rdata = at + 10;
  record->next = record->rdata + record->length;
  return record->next <= length;
}

static bool is_expected(const struct run *run, const struct question *question, const uint8_t *rdata, int length) {
  size_t octets = question->type == 28 ? 16 : 4;
  if ((size_t)length != octets) return false;
  for (int i = 0; i < question->expected_count; i++)
    if (memcmp(run->questions.rdatas[question->expected + (uint32_t)i], rdata, octets) == 0) return true;
  return false;
}

/* Whether the answer section has records of the type that was asked for, and only expected ones. */
static bool has_expected(const struct run *run, const struct question *question, const uint8_t *answer, int length) {
  struct record record = {.next = question->length};
  bool found = false;
  for (int left = get16(answer + 6); left > 0; left--) {
    if (!read_record(answer, length, record.next, &record)) return false;
    if (record.type != question->type) continue;
    if (!is_expected(run, question, answer + record.rdata, record.length)) return false;
    found = true;
  }
  return found;
}

static bool find_opt(const struct question *question, const uint8_t *answer, int length, struct record *opt) {
  opt->next = question->length;
  for (int left = get16(answer + 6) + get16(answer + 8) + get16(answer + 10); left > 0; left--) {
    if (!read_record(answer, length, opt->next, opt)) return false;
    if (opt->type == TYPE_OPT) return true;
  }
  return false;
}

/* Takes the whole cookie of an answer into the OPT record that the socket sends; it comes last there. */
static void learn_cookie(const struct question *question, struct opt *opt, const uint8_t *answer, int length) {
  struct record record;
  if (!find_opt(question, answer, length, &record)) return;
  int end = record.rdata + record.length, at = record.rdata;
  while (at + 4 <= end && get16(answer + at) != OPTION_COOKIE) at += 4 + get16(answer + at + 2);
  if (at + 4 > end) return;
  int octets = get16(answer + at + 2);
  if (octets <= 8 || octets > MOST_COOKIE_OCTETS || at + 4 + octets > end) return;
  /* Until a server cookie is known, the option is the last one and holds the client's 8 octets. */
  int option = opt->length - 12;
  memcpy(opt->octets + option + 2, answer + at + 2, 2);
  memcpy(opt->octets + option + 4, answer + at + 4, (size_t)octets);
  opt->length = (uint16_t)(option + 4 + octets);
  opt->octets[9] = (uint8_t)((opt->length - 11) >> 8);
  opt->octets[10] = (uint8_t)(opt->length - 11);
  opt->cookie_known = true;
}

static void tell_wrong(struct run *run, const char *why, const uint8_t *answer, int length) {
  if (run->told_wrong) return;
  run->told_wrong = true;
  fprintf(stderr, "load: the first wrong answer (%s): ", why);
  for (int i = 0; i < length; i++) fprintf(stderr, "%02x", answer[i]);
  fputc('\n', stderr);
}

/* Says what is wrong and counts it; NULL where nothing is. */
static const char *judge(struct run *run, const struct question *question, const uint8_t *answer, int length) {
  struct tally *tally = &run->tally;
  const uint8_t *asked = run->questions.packets + question->packet;
  if (length < question->length || get16(answer + 4) != 1) {
    /* Servers may leave the question out of an error. */
    tally->wrong_form++;
    return "form";
  }
  if (memcmp(answer + HEADER_OCTETS, asked + HEADER_OCTETS, question->length - HEADER_OCTETS) != 0) {
    tally->wrong_question++;
    return "question";
  }
  if ((answer[3] & 15) != question->rcode) {
    tally->wrong_rcode++;
    return "rcode";
  }
  if ((answer[2] & 2) != 0) {
    tally->truncated++;
    return "truncated";
  }
  if (question->expected_count > 0 && !has_expected(run, question, answer, length)) {
    tally->wrong_rdata++;
    return "rdata";
  }
  return NULL;
}

static bool is_bad_cookie(const struct question *question, const uint8_t *answer, int length) {
  struct record opt;
  if ((answer[3] & 15) != (RCODE_BADCOOKIE & 15)) return false;
  return find_opt(question, answer, length, &opt) && opt.ttl_high == RCODE_BADCOOKIE >> 4;
}

void take_answer(struct run *run, struct slots *slots, struct opt *opt, const uint8_t *answer, int length,
                 uint64_t now) {
  if (length < HEADER_OCTETS || (answer[2] & 0x80) == 0) {
    run->tally.wrong_form++;
    tell_wrong(run, "form", answer, length);
    return;
  }
  int number = get16(answer), mask = (1 << slots->bits) - 1, at = number & mask;
  struct slot *slot = at < slots->count ? &slots->list[at] : NULL;
  if (slot == NULL || !slot->open || ((slot->generation << slots->bits | at) & 0xffff) != number) {
    run->tally.unexpected++;
    return;
  }
  const struct question *question = &run->questions.list[slot->question];
  close_slot(slots, at);
  if (run->options.cookies) {
    if (!opt->cookie_known) learn_cookie(question, opt, answer, length);
    /* Those that left before the cookie was known are refused, each of them. */
    if (is_bad_cookie(question, answer, length)) {
      run->tally.bad_cookies++;
      return;
    }
  }
  run->tally.answered++;
  histogram_add(now > slot->sent_ns ? now - slot->sent_ns : 0, 1);
  const char *wrong = judge(run, question, answer, length);
  if (wrong != NULL) tell_wrong(run, wrong, answer, length);
}
