/*
 * Client subnets (RFC 7871): random ones over the address space, random ones inside the prefixes of a file, or as many
 * of either as `--zipf` says with the popularity of Zipf's law.
 */
#include "load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Draws are looked up in a table: one costs a random number whatever the number of subnets, which cannot be more. */
#define ZIPF_DRAWS (1 << 16)

struct prefix {
  uint8_t octets[16];
  uint8_t length;
};

struct subnets {
  enum { SUBNETS_V4, SUBNETS_V6, SUBNETS_LIST } kind;
  int family; /* of RFC 7871: 1 or 2 */
  int length; /* source prefix length */
  struct prefix *list;
  uint32_t list_count;
  uint8_t (*drawn)[16]; /* for Zipf's law: the subnet of each draw */
};

int subnet_family(const struct subnets *subnets) { return subnets->family; }
int subnet_length(const struct subnets *subnets) { return subnets->length; }

/* Not globally routable: RFC 6890 and multicast, as far as they fill whole /16s. */
static bool is_special(uint32_t address) {
  uint32_t first = address >> 24, second = (address >> 16) & 255;
  return first == 0 || first == 10 || first == 127 || first >= 224 || (first == 100 && (second & 192) == 64) ||
         (first == 169 && second == 254) || (first == 172 && (second & 240) == 16) ||
         (first == 192 && (second == 0 || second == 168)) || (first == 198 && (second & 254) == 18);
}

static void draw_v4(uint64_t *random, uint8_t *octets) {
  uint32_t address;
  do address = (uint32_t)(random_next(random) >> 32);
  while (is_special(address));
  for (int i = 0; i < 4; i++) octets[i] = (uint8_t)(address >> (24 - 8 * i));
}

/* Inside the blocks that the five registries give out of. */
static void draw_v6(uint64_t *random, uint8_t *octets) {
  static const uint8_t blocks[][2] = {{0x24, 0x00}, {0x26, 0x00}, {0x28, 0x00}, {0x2a, 0x00}, {0x2c, 0x00}};
  uint64_t draw = random_next(random), low = random_next(random);
  const uint8_t *block = blocks[draw % 5];
  octets[0] = block[0];
  octets[1] = block[1] | (uint8_t)((draw >> 40) & 15);
  memcpy(octets + 2, &low, sizeof low);
}

/* The prefix with random octets behind it. */
static void draw_inside(const struct prefix *prefix, uint64_t *random, uint8_t *octets) {
  uint64_t draws[2] = {random_next(random), random_next(random)};
  const uint8_t *fresh = (const uint8_t *)draws;
  int whole = prefix->length / 8;
  memcpy(octets, fresh, 16);
  memcpy(octets, prefix->octets, (size_t)whole);
  if (prefix->length % 8 != 0) {
    uint8_t mask = (uint8_t)(0xff << (8 - prefix->length % 8));
    octets[whole] = (prefix->octets[whole] & mask) | (fresh[whole] & (uint8_t)~mask);
  }
}

static void draw(struct subnets *subnets, uint64_t *random, uint8_t *octets) {
  if (subnets->kind == SUBNETS_V4) draw_v4(random, octets);
  else if (subnets->kind == SUBNETS_V6) draw_v6(random, octets);
  else draw_inside(&subnets->list[(random_next(random) >> 32) % subnets->list_count], random, octets);
  /* Bits behind the source prefix must be 0 (RFC 7871 section 6). */
  if (subnets->length % 8 != 0) octets[subnets->length / 8] &= (uint8_t)(0xff << (8 - subnets->length % 8));
}

void subnet_next(struct subnets *subnets, uint64_t *random, uint8_t *octets) {
  uint8_t address[16];
  size_t count = (size_t)(subnets->length + 7) / 8;
  if (subnets->drawn != NULL) {
    memcpy(octets, subnets->drawn[random_next(random) >> 48], count);
    return;
  }
  draw(subnets, random, address);
  memcpy(octets, address, count);
}

static void read_prefixes(struct subnets *subnets, const char *name) {
  FILE *file = fopen(name, "r");
  if (file == NULL) fail("%s is neither none, v4, v6 nor a file of prefixes", name);
  char text[128];
  uint32_t room = 0;
  while (fgets(text, sizeof text, file) != NULL) {
    char *rest = text, *address = strsep(&rest, "/");
    if (rest == NULL) continue;
    if (subnets->list_count == room) {
      room = room == 0 ? 1024 : room * 2;
      subnets->list = realloc(subnets->list, room * sizeof *subnets->list);
      if (subnets->list == NULL) fail("not enough memory for the prefixes");
    }
    struct prefix *prefix = &subnets->list[subnets->list_count++];
    memset(prefix, 0, sizeof *prefix);
    int family = strchr(address, ':') == NULL ? 1 : 2;
    if (subnets->family != 0 && subnets->family != family) fail("%s has prefixes of two families", name);
    subnets->family = family;
    prefix->length = (uint8_t)atoi(rest);
    if (inet_pton(family == 1 ? AF_INET : AF_INET6, address, prefix->octets) != 1)
      fail("%s: %s is no address", name, address);
  }
  fclose(file);
  if (subnets->list_count == 0) fail("%s has no prefix", name);
}

/* Gives the n-th most popular subnet a share of the draws in proportion to 1/n. */
static void draw_by_zipf(struct subnets *subnets, int count, uint64_t *random) {
  if (count > ZIPF_DRAWS) fail("--zipf: at most %d subnets", ZIPF_DRAWS);
  double sum = 0, reached = 0;
  uint8_t (*drawn)[16] = calloc(ZIPF_DRAWS, sizeof *drawn);
  if (drawn == NULL) fail("not enough memory for the subnets");
  for (int i = 1; i <= count; i++) sum += 1.0 / i;
  int at = 0;
  for (int i = 1; i <= count && at < ZIPF_DRAWS; i++) {
    uint8_t octets[16];
    draw(subnets, random, octets);
    reached += 1.0 / i / sum;
    /* Each is drawn at least once as long as there is room for it. */
    int to = (int)(reached * ZIPF_DRAWS);
    do memcpy(drawn[at++], octets, sizeof octets);
    while (at < to && at < ZIPF_DRAWS);
  }
  while (at < ZIPF_DRAWS) memcpy(drawn[at++], drawn[0], sizeof drawn[0]);
  subnets->drawn = drawn;
}

struct subnets *make_subnets(const struct options *options, uint64_t *random) {
  if (strcmp(options->ecs, "none") == 0) return NULL;
  struct subnets *subnets = calloc(1, sizeof *subnets);
  if (subnets == NULL) fail("not enough memory for the subnets");
  subnets->kind = strcmp(options->ecs, "v4") == 0   ? SUBNETS_V4
                  : strcmp(options->ecs, "v6") == 0 ? SUBNETS_V6
                                                    : SUBNETS_LIST;
  if (subnets->kind == SUBNETS_LIST) read_prefixes(subnets, options->ecs);
  else subnets->family = subnets->kind == SUBNETS_V4 ? 1 : 2;
  subnets->length = options->source_length != 0 ? options->source_length : subnets->family == 1 ? 24 : 56;
  if (subnets->length < 1 || subnets->length > (subnets->family == 1 ? 32 : 128)) fail("no such source length");
  if (options->zipf > 0) draw_by_zipf(subnets, options->zipf, random);
  return subnets;
}
