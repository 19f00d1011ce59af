/*
 * The names file: one question a line, asked in the order of the file, over and over.
 *
 *   NAME TYPE [EXPECTED]     EXPECTED: addresses with commas between them, one of which must be answered;
 *                            rcode=N for another code than 0; left out when any answer of code 0 will do
 */
#include "load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_OCTETS 12
#define MAX_LABEL_OCTETS 63
#define MAX_NAME_OCTETS 255

struct growing {
  size_t used, room;
};

/* Makes room for `more` elements of `size` octets. */
static void *grow(void *list, struct growing *growing, size_t more, size_t size) {
  if (growing->used + more <= growing->room) return list;
  growing->room = (growing->used + more) * 2;
  list = realloc(list, growing->room * size);
  if (list == NULL) fail("not enough memory for the questions");
  return list;
}

static int put_name(uint8_t *to, const char *text, int line) {
  int at = 0;
  while (*text != '\0') {
    const char *dot = strchr(text, '.');
    size_t length = dot == NULL ? strlen(text) : (size_t)(dot - text);
    if (length == 0 && text[1] == '\0') break;
    if (length == 0 || length > MAX_LABEL_OCTETS || at + (int)length + 2 > MAX_NAME_OCTETS)
      fail("line %d of the names: not a name", line);
    to[at++] = (uint8_t)length;
    memcpy(to + at, text, length);
    at += (int)length;
    text += length + (dot != NULL);
  }
  to[at++] = 0;
  return at;
}

static uint16_t type_of(const char *text, int line) {
  static const struct {
    const char *name;
    uint16_t type;
  } known[] = {{"A", 1}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"SRV", 33}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp(text, known[i].name) == 0) return known[i].type;
  fail("line %d of the names: type %s is not known here", line, text);
}

/* The header and the question, with number 0; the number of octets. */
static int put_question(uint8_t *to, const char *name, uint16_t type, int line) {
  memset(to, 0, HEADER_OCTETS);
  to[5] = 1;
  int length = HEADER_OCTETS + put_name(to + HEADER_OCTETS, name, line);
  const uint8_t end[4] = {(uint8_t)(type >> 8), (uint8_t)type, 0, 1};
  memcpy(to + length, end, sizeof end);
  return length + (int)sizeof end;
}

static void read_expected(struct questions *questions, struct growing *rdatas, struct question *question,
                          char *text, int line) {
  question->expected = (uint32_t)rdatas->used;
  if (text == NULL) return;
  if (strncmp(text, "rcode=", 6) == 0) {
    question->rcode = (uint8_t)atoi(text + 6);
    return;
  }
  char *rest = text;
  for (char *address; (address = strsep(&rest, ",")) != NULL; rdatas->used++, question->expected_count++) {
    questions->rdatas = grow(questions->rdatas, rdatas, 1, sizeof *questions->rdatas);
    if (inet_pton(question->type == 28 ? AF_INET6 : AF_INET, address, questions->rdatas[rdatas->used]) != 1)
      fail("line %d of the names: %s is no address for its type", line, address);
  }
}

void read_questions(struct questions *questions, const char *name) {
  FILE *file = fopen(name, "r");
  if (file == NULL) fail("%s cannot be read", name);
  struct growing list = {0, 0}, packets = {0, 0}, rdatas = {0, 0};
  char *text = NULL;
  size_t room = 0;
  for (int line = 1; getline(&text, &room, file) >= 0; line++) {
    char *rest = NULL, *owner = strtok_r(text, " \t\n", &rest), *type = strtok_r(NULL, " \t\n", &rest);
    if (owner == NULL || owner[0] == '#') continue;
    if (type == NULL) fail("line %d of the names: NAME TYPE [EXPECTED] is wanted", line);
    questions->list = grow(questions->list, &list, 1, sizeof *questions->list);
    questions->packets = grow(questions->packets, &packets, MAX_QUERY_OCTETS, 1);
    struct question *question = &questions->list[list.used++];
    memset(question, 0, sizeof *question);
    question->type = type_of(type, line);
    question->packet = packets.used;
    question->length = (uint16_t)put_question(questions->packets + packets.used, owner, question->type, line);
    packets.used += question->length;
    read_expected(questions, &rdatas, question, strtok_r(NULL, " \t\n", &rest), line);
  }
  free(text);
  fclose(file);
  questions->count = (uint32_t)list.used;
  if (questions->count == 0) fail("%s has no question", name);
}
