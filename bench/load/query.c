/*
 * Queries under way. A query is its question's pre-built packet, a number, and the socket's OPT record with the
 * client subnet written into it.
 *
 *   | number, header, question | OPT: subnet option, cookie option |
 *     copied from the question   copied from the socket, subnet in place
 */
#include "load.h"

#include <stdlib.h>
#include <string.h>

#define OPTION_SUBNET 8 /* RFC 7871 */
#define OPTION_COOKIE 10 /* RFC 7873 */
#define CLIENT_COOKIE_OCTETS 8

void make_slots(struct slots *slots, int count) {
  memset(slots, 0, sizeof *slots);
  slots->count = slots->free_count = count;
  while (1 << slots->bits < count) slots->bits++;
  /* A few bits of every number are left for the generation: a late answer must not pass for another's. */
  if (slots->bits > 12) fail("at most 4096 queries may be under way on a socket");
  slots->list = calloc((size_t)count, sizeof *slots->list);
  slots->free = calloc((size_t)count, sizeof *slots->free);
  if (slots->list == NULL || slots->free == NULL) fail("not enough memory for the queries under way");
  for (int i = 0; i < count; i++) slots->free[i] = (uint16_t)i;
}

static void put16(uint8_t *to, int value) {
  to[0] = (uint8_t)(value >> 8);
  to[1] = (uint8_t)value;
}

static int put_subnet_option(struct run *run, struct opt *opt, int at) {
  int length = subnet_length(run->subnets), octets = (length + 7) / 8;
  put16(opt->octets + at, OPTION_SUBNET);
  put16(opt->octets + at + 2, 4 + octets);
  put16(opt->octets + at + 4, subnet_family(run->subnets));
  opt->octets[at + 6] = (uint8_t)length;
  opt->octets[at + 7] = 0;
  opt->subnet_at = (uint16_t)(at + 8);
  return at + 8 + octets;
}

void make_opt(struct run *run, struct opt *opt) {
  const struct options *options = &run->options;
  memset(opt, 0, sizeof *opt);
  if (!options->edns && !options->dnssec_ok && !options->cookies && run->subnets == NULL) return;
  opt->octets[2] = 41;
  put16(opt->octets + 3, options->payload_size);
  opt->octets[7] = options->dnssec_ok ? 0x80 : 0;
  int at = 11;
  if (run->subnets != NULL) at = put_subnet_option(run, opt, at);
  if (options->cookies) {
    uint64_t cookie = random_next(&run->random);
    put16(opt->octets + at, OPTION_COOKIE);
    put16(opt->octets + at + 2, CLIENT_COOKIE_OCTETS);
    memcpy(opt->octets + at + 4, &cookie, CLIENT_COOKIE_OCTETS);
    at += 4 + CLIENT_COOKIE_OCTETS;
  }
  put16(opt->octets + 9, at - 11);
  opt->length = (uint16_t)at;
}

int take_query(struct run *run, struct slots *slots, struct opt *opt, uint64_t when_ns, uint8_t *packet) {
  int number = slots->free[--slots->free_count];
  struct slot *slot = &slots->list[number];
  slot->question = run->next_question;
  if (++run->next_question == run->questions.count) run->next_question = 0;
  slot->sent_ns = when_ns;
  slot->open = true;
  slot->generation++;
  const struct question *question = &run->questions.list[slot->question];
  int length = question->length;
  memcpy(packet, run->questions.packets + question->packet, (size_t)length);
  put16(packet, slot->generation << slots->bits | number);
  if (opt->length > 0) {
    if (opt->subnet_at != 0) subnet_next(run->subnets, &run->random, opt->octets + opt->subnet_at);
    memcpy(packet + length, opt->octets, opt->length);
    packet[11] = 1;
    length += opt->length;
  }
  return length;
}

void close_slot(struct slots *slots, int slot) {
  slots->list[slot].open = false;
  slots->free[slots->free_count++] = (uint16_t)slot;
}

void untake_query(struct slots *slots, const uint8_t *packet) {
  close_slot(slots, (packet[0] << 8 | packet[1]) & ((1 << slots->bits) - 1));
}

void expire_slots(struct run *run, struct slots *slots, uint64_t now) {
  uint64_t timeout = (uint64_t)(run->options.timeout * 1e9);
  for (int i = 0; i < slots->count; i++) {
    if (!slots->list[i].open || now < slots->list[i].sent_ns + timeout) continue;
    run->tally.lost++;
    close_slot(slots, i);
  }
}
