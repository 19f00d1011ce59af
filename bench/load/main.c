/* Options, the phases of a run, and the report: one line of JSON. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* A socket's default receive buffer (208 KiB) holds about 190 queries; a whole window may stand in one. */
#define DEFAULT_WINDOW 150

static const char usage[] =
    "load --server ADDRESS --port PORT --names FILE [options]\n"
    "  --transport udp|tcp-pipelined|tcp-one|tcp-connect   udp\n"
    "  --sockets N        client sockets or connections                       100\n"
    "  --window N         queries under way over all sockets; paced: per socket 150\n"
    "  --seconds S --warmup S                                                 5, 1\n"
    "  --queries N        end after so many instead\n"
    "  --rate N           so many a second by schedule instead of a closed loop (udp)\n"
    "  --timeout S        then a query is lost                                1\n"
    "  --ecs none|v4|v6|FILE   random client subnets, or inside the prefixes of a file  none\n"
    "  --source-length N  of client subnets                                   24, 56\n"
    "  --zipf N           N subnets, up to 65536, by Zipf's law\n"
    "  --edns N           an OPT record with this payload size                with other options: 1232\n"
    "  --do --cookies     the DO bit; DNS cookies\n"
    "  --segments         one send for queries of one length (UDP GSO)\n"
    "  --sources N        from N loopback addresses, each in a /24 of its own\n"
    "  --cpu N            run on this core\n"
    "  --sleep            paced: wait for what comes instead of spinning, and leave the core to others meanwhile\n"
    "  --real-time        before all that is not (root)\n"
    "  --watch PID,...    report the CPU time of these processes\n"
    "  --first-answer --poll MS   ask until answered, within --seconds\n"
    "  --seed N\n";

static double number_of(const char *text) {
  char *end;
  double number = strtod(text, &end);
  if (end == text || *end != '\0' || number < 0) fail("%s is not a number", text);
  return number;
}

static enum transport transport_of(const char *text) {
  static const char *const names[] = {"udp", "tcp-pipelined", "tcp-one", "tcp-connect"};
  for (int i = 0; i < 4; i++)
    if (strcmp(text, names[i]) == 0) return (enum transport)i;
  fail("%s is no transport", text);
}

static void read_watched(struct options *options, char *text) {
  for (char *pid; (pid = strsep(&text, ",")) != NULL;) {
    if (options->watched_count == MAX_WATCHED) fail("at most %d processes are watched", MAX_WATCHED);
    options->watched[options->watched_count++] = (int)number_of(pid);
  }
}

static void set_server(struct options *options, const char *address, int port) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)&options->server;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&options->server;
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    options->server_length = sizeof *v4;
  } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    options->server_length = sizeof *v6;
  } else fail("%s is no address", address);
}

enum flag {
  F_SERVER, F_PORT, F_NAMES, F_TRANSPORT, F_SOCKETS, F_WINDOW, F_SECONDS, F_WARMUP, F_QUERIES, F_RATE, F_TIMEOUT, F_ECS,
  F_SOURCE_LENGTH, F_ZIPF, F_EDNS, F_DO, F_COOKIES, F_SEGMENTS, F_SOURCES, F_CPU, F_WATCH, F_FIRST, F_POLL, F_SEED, F_SLEEP,
  F_REAL_TIME
};

static const struct option flags[] = {
    {"server", 1, 0, F_SERVER}, {"port", 1, 0, F_PORT}, {"names", 1, 0, F_NAMES},
    {"transport", 1, 0, F_TRANSPORT}, {"sockets", 1, 0, F_SOCKETS}, {"window", 1, 0, F_WINDOW},
    {"seconds", 1, 0, F_SECONDS}, {"warmup", 1, 0, F_WARMUP}, {"queries", 1, 0, F_QUERIES},
    {"rate", 1, 0, F_RATE}, {"timeout", 1, 0, F_TIMEOUT}, {"ecs", 1, 0, F_ECS},
    {"source-length", 1, 0, F_SOURCE_LENGTH}, {"zipf", 1, 0, F_ZIPF}, {"edns", 1, 0, F_EDNS},
    {"do", 0, 0, F_DO}, {"cookies", 0, 0, F_COOKIES}, {"segments", 0, 0, F_SEGMENTS},
    {"sources", 1, 0, F_SOURCES}, {"cpu", 1, 0, F_CPU}, {"watch", 1, 0, F_WATCH},
    {"first-answer", 0, 0, F_FIRST}, {"poll", 1, 0, F_POLL}, {"seed", 1, 0, F_SEED},
    {"sleep", 0, 0, F_SLEEP}, {"real-time", 0, 0, F_REAL_TIME}, {0, 0, 0, 0}};

static void read_options(struct options *options, int argc, char **argv) {
  const char *address = "127.0.0.1";
  int port = 53, flag;
  while ((flag = getopt_long(argc, argv, "", flags, NULL)) >= 0) {
    switch (flag) {
      case F_SERVER: address = optarg; break;
      case F_PORT: port = (int)number_of(optarg); break;
      case F_NAMES: options->names = optarg; break;
      case F_TRANSPORT: options->transport = transport_of(optarg); break;
      case F_SOCKETS: options->sockets = (int)number_of(optarg); break;
      case F_WINDOW: options->window = (int)number_of(optarg); break;
      case F_SECONDS: options->seconds = number_of(optarg); break;
      case F_WARMUP: options->warmup = number_of(optarg); break;
      case F_QUERIES: options->queries = (uint64_t)number_of(optarg); break;
      case F_RATE: options->rate = number_of(optarg); break;
      case F_TIMEOUT: options->timeout = number_of(optarg); break;
      case F_ECS: options->ecs = optarg; break;
      case F_SOURCE_LENGTH: options->source_length = (int)number_of(optarg); break;
      case F_ZIPF: options->zipf = (int)number_of(optarg); break;
      case F_EDNS: options->edns = true; options->payload_size = (int)number_of(optarg); break;
      case F_DO: options->dnssec_ok = true; break;
      case F_COOKIES: options->cookies = true; break;
      case F_SEGMENTS: options->segments = true; break;
      case F_SOURCES: options->sources = (int)number_of(optarg); break;
      case F_CPU: options->cpu = (int)number_of(optarg); break;
      case F_WATCH: read_watched(options, optarg); break;
      case F_FIRST: options->first_answer = true; break;
      case F_POLL: options->poll = number_of(optarg); break;
      case F_SLEEP: options->sleep = true; break;
      case F_REAL_TIME: options->real_time = true; break;
      case F_SEED: options->seed = (uint64_t)number_of(optarg); break;
      default: fputs(usage, stderr); exit(2);
    }
  }
  if (options->names == NULL || optind < argc) fail("see the usage:\n%s", usage);
  if (options->sockets < 1 || options->window < 1) fail("at least one socket and one query under way");
  if (options->rate > 0 && options->transport != TRANSPORT_UDP) fail("--rate is for udp");
  set_server(options, address, port);
}

void phases_start(struct run *run, struct phases *phases) {
  uint64_t now = now_ns();
  double warmup = run->options.queries > 0 ? 0 : run->options.warmup;
  *phases = (struct phases){.start = now, .measure_from = now + (uint64_t)(warmup * 1e9)};
}

static void stop_measuring(struct run *run, struct phases *phases, uint64_t now) {
  run->tally.cpu_seconds = cpu_seconds(&run->options) - phases->cpu_before;
  run->tally.seconds = (double)(now - phases->measure_from) / 1e9;
  phases->measuring = false;
  phases->draining = true;
  /* Later answers only show that nothing was lost. */
  phases->drain_to = now + (uint64_t)(run->options.timeout * 2e9);
}

static uint64_t answered_in_time;

bool phases_step(struct run *run, struct phases *phases, uint64_t now, bool all_answered) {
  if (phases->draining) return !all_answered && now < phases->drain_to;
  if (!phases->measuring) {
    if (now < phases->measure_from) return true;
    memset(&run->tally, 0, sizeof run->tally);
    histogram_reset();
    phases->cpu_before = cpu_seconds(&run->options);
    phases->measure_from = now_ns();
    phases->measure_to = phases->measure_from + (uint64_t)(run->options.seconds * 1e9);
    phases->measuring = true;
    return true;
  }
  bool enough = run->options.queries > 0 && run->tally.answered + run->tally.lost >= run->options.queries;
  if (enough || now >= phases->measure_to) {
    answered_in_time = run->tally.answered;
    stop_measuring(run, phases, now);
  }
  return true;
}

static void report(const struct run *run) {
  const struct tally *tally = &run->tally;
  /* What came for a query that was given up is late, and counted there. */
  uint64_t strays = tally->unexpected > tally->lost ? tally->unexpected - tally->lost : 0;
  uint64_t wrong = tally->wrong_rcode + tally->wrong_question + tally->wrong_form + tally->wrong_rdata +
                   tally->truncated + strays;
  printf("{\"queries\":%llu,\"seconds\":%.6f,\"perSecond\":%.1f,\"cpuSeconds\":%.6f,",
         (unsigned long long)answered_in_time, tally->seconds,
         tally->seconds > 0 ? (double)answered_in_time / tally->seconds : 0, tally->cpu_seconds);
  printf("\"p50Us\":%.2f,\"p99Us\":%.2f,\"p999Us\":%.2f,\"maxUs\":%.2f,", histogram_at(0.5), histogram_at(0.99),
         histogram_at(0.999), histogram_max());
  printf("\"emptyReads\":%.4f,", tally->reads > 0 ? (double)tally->empty_reads / (double)tally->reads : 0);
  printf("\"sent\":%llu,\"lost\":%llu,\"notSent\":%llu,\"resets\":%llu,\"badCookies\":%llu,\"wrong\":%llu,",
         (unsigned long long)tally->sent, (unsigned long long)tally->lost, (unsigned long long)tally->not_sent,
         (unsigned long long)tally->resets, (unsigned long long)tally->bad_cookies, (unsigned long long)wrong);
  printf("\"wrongBy\":{\"rcode\":%llu,\"question\":%llu,\"form\":%llu,\"rdata\":%llu,\"truncated\":%llu,"
         "\"number\":%llu}}\n",
         (unsigned long long)tally->wrong_rcode, (unsigned long long)tally->wrong_question,
         (unsigned long long)tally->wrong_form, (unsigned long long)tally->wrong_rdata,
         (unsigned long long)tally->truncated, (unsigned long long)strays);
}

int main(int argc, char **argv) {
  static struct run run;
  run.options = (struct options){.ecs = "none", .transport = TRANSPORT_UDP, .sockets = 100, .window = DEFAULT_WINDOW,
                                 .seconds = 5, .warmup = 1, .timeout = 1, .poll = 2, .cpu = -1,
                                 .payload_size = 1232, .seed = 1};
  read_options(&run.options, argc, argv);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (run.options.cpu >= 0) pin_to(run.options.cpu);
  if (run.options.real_time) run_real_time();
  run.random = 0x9e3779b97f4a7c15u ^ run.options.seed;
  for (int i = 0; i < 16; i++) random_next(&run.random);
  read_questions(&run.questions, run.options.names);
  run.subnets = make_subnets(&run.options, &run.random);
  if (run.options.first_answer) return run_first(&run);
  if (run.options.transport != TRANSPORT_UDP) run_tcp(&run);
  else if (run.options.rate > 0) run_paced(&run);
  else run_closed(&run);
  report(&run);
  return 0;
}
