/*
 * Does change show in answers? 50,000 queries a second by schedule: first at rest, then while a zone of 100,000
 * RRsets is replaced every second (new file, SIGHUP) and 100 verdicts flip each second: real probes of real HTTP
 * endpoints, which answer 200 and 503 in turn. At rest the same probes run and find 200.
 *
 * Who runs where. The server has core 0 alone: query, control and compile threads share it. The generator has core 1
 * in real time and sleeps between queries (root; otherwise it spins at ordinary priority), so that its clock is never
 * late; what it leaves is for the endpoints and this program. `--place shared` lets the server use both cores.
 *
 * Options: --seconds S (20), --rate N (50,000), --rrsets N (100,000), --flips N (100), --writes N (0: overrides by the
 * API a second beside), --place pinned|shared, --quick.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { meridianProgram } from './compare/servers/meridian.ts';
import { cacheDirectory } from './ground/cache.ts';
import { freePort } from './ground/free-port.ts';
import { dataCenters } from './ground/geography.ts';
import { type LoadReport, runLoad } from './ground/load.ts';
import { machineLine } from './ground/machine.ts';
import { cpuSeconds, type ServerProcess, startServer, untilAtRest } from './ground/processes.ts';
import { temporaryDirectory } from './ground/temporary.ts';
import { STEERED, writeLines } from './ground/zones.ts';
import { type Replaced, replaceZone, type Written, writeOverrides } from './steady/changes.ts';
import { endpointAddresses, probedSteering, startFlippingEndpoints } from './steady/flipping-endpoints.ts';
import { worstStallMs } from './steady/main-thread.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    rate: { type: 'string', default: '50000' },
    rrsets: { type: 'string', default: '100000' },
    flips: { type: 'string', default: '100' },
    writes: { type: 'string', default: '0' },
    place: { type: 'string', default: 'pinned' },
    quick: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds ?? (values.quick ? 4 : 20));
const rate = Number(values.rate);
const rrsets = Number(values.rrsets);
const flipsPerSecond = Number(values.flips);
const writesPerSecond = Number(values.writes);
const pinned = values.place === 'pinned';
const isRoot = process.getuid?.() === 0;

const ZONE = 'example.net';
const P99_AT_MOST = 2;
/** Few enough that each wake-up finds some answers, as behind a handful of busy resolvers. */
const SOCKETS = 16;

/** What a hundred probes a second may take of a core while the server is at rest. */
const PROBES_SHARE = 0.25;

/** Two versions of the zone, alike in nothing but the names; `version` tells which one is served. */
const versions = ['203.0.113', '198.51.100'] as const;

function* zoneOf(network: string): Generator<string> {
  yield '$TTL 300';
  yield '@ IN SOA ns1 hostmaster 1 7200 900 1209600 300';
  yield '@ IN NS ns1';
  yield 'ns1 IN A 203.0.113.53';
  yield `version IN A ${network}.1`;
  for (let i = 0; i < rrsets - 4; i++) yield `host-${i} IN A ${network}.${i & 255}`;
}

/** A static name of the big zone, in either version, and the steered name, in turn. */
async function writeQuestions(): Promise<string> {
  const path = join(cacheDirectory(), 'questions-steady');
  const steered = `${STEERED} A ${endpointAddresses(flipsPerSecond).join(',')}`;
  const lines = Array.from({ length: rrsets - 4 }, (_, at) => {
    // A step that shares no factor with most counts walks the names in no order that memory likes.
    const i = (at * 7919) % (rrsets - 4);
    return `host-${i}.${ZONE} A ${versions.map((network) => `${network}.${i & 255}`).join(',')}`;
  });
  await writeLines(
    path,
    lines.flatMap((line) => [line, steered]),
  );
  return path;
}

function paced(server: ServerProcess, names: string): Promise<LoadReport> {
  return runLoad({
    port: server.port,
    names,
    rate,
    seconds,
    warmup: 2,
    sockets: SOCKETS,
    ecs: 'v4',
    cpu: 1,
    watch: server.pids(),
    flags: isRoot ? ['sleep', 'real-time'] : [],
  });
}

// Nothing of this program runs on the server's core; what it starts says for itself where it runs.
if (pinned) spawnSync('taskset', ['-acp', '1', String(process.pid)]);
const directory = temporaryDirectory('steady');
const config = join(directory, 'config');
const endpoints = await startFlippingEndpoints();
mkdirSync(config);
for (const network of versions) await writeLines(join(directory, `${network}.zone`), zoneOf(network));
await writeLines(join(config, `${ZONE}.zone`), zoneOf(versions[0]));
writeFileSync(
  join(config, 'example.org.zone'),
  '$TTL 300\n@ IN SOA ns1 hostmaster 1 7200 900 1209600 300\n@ IN NS ns1\nns1 IN A 203.0.113.53\n',
);
writeFileSync(join(config, 'meridian.yaml'), probedSteering(dataCenters(9), flipsPerSecond, endpoints.port));
const names = await writeQuestions();
const [port, apiPort] = [await freePort(), await freePort()];
const api = `127.0.0.1:${apiPort}`;
const log = join(directory, 'log');
const where = ['--dns', `127.0.0.1:${port}`, '--api', api, '--data', join(directory, 'data')];
const server = await startServer(
  {
    command: process.execPath,
    args: [meridianProgram, 'serve', '--config', config, ...where],
    env: { MERIDIAN_DNS_WORKERS: '1', MERIDIAN_LOG_LEVEL: 'info' },
  },
  { port, core: pinned ? 0 : undefined, name: `version.${ZONE}`, log },
);

interface Measured {
  readonly load: LoadReport;
  readonly seconds: number;
  readonly flips: number;
  readonly serverCpu: number;
  readonly worstStallMs: number;
}

/** Verdict changes so far, as the server itself tells them. */
function flipsTold(): number {
  return readFileSync(log, 'utf8').split('"msg":"verdict changed"').length - 1;
}

async function measure(): Promise<Measured> {
  await worstStallMs(`http://${api}`);
  const [started, flipsBefore, cpuBefore] = [performance.now(), flipsTold(), cpuSeconds(server.pids())];
  const load = await paced(server, names);
  const spent = (performance.now() - started) / 1000;
  return {
    load,
    seconds: spent,
    flips: flipsTold() - flipsBefore,
    serverCpu: (cpuSeconds(server.pids()) - cpuBefore) / spent,
    worstStallMs: await worstStallMs(`http://${api}`),
  };
}

const replaced: Replaced = { liveAfterMs: [] };
const written: Written = { tookMs: [], refused: new Map() };
try {
  await untilAtRest(server, PROBES_SHARE);
  const atRest = await measure();
  const stop = new AbortController();
  endpoints.flip();
  const changing = [
    replaceZone(server, { zone: ZONE, versions, ready: directory, config }, stop.signal, replaced),
    writeOverrides(
      `http://${api}`,
      endpointAddresses(flipsPerSecond).map((_, index) => `e${index}`),
      writesPerSecond,
      stop.signal,
      written,
    ),
  ];
  const underChange = await measure();
  stop.abort();
  await Promise.all(changing);
  tell(atRest, underChange);
} finally {
  await server.stop();
  endpoints.close();
}

function tell(atRest: Measured, underChange: Measured): void {
  console.log(`${machineLine()}.`);
  const generator = isRoot ? 'in real time' : 'spinning';
  console.log(
    `${seconds} s each; server on ${pinned ? 'core 0' : 'both cores'}, generator ${generator} on core 1.\n`,
  );
  console.log(
    '| | q / s | p50 µs | p99 µs | p99.9 µs | max µs | lost | wrong | server CPU | main thread held up ms |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  console.log(rowOf('at rest', atRest));
  console.log(rowOf('under change', underChange));
  console.log(
    `\n${replaced.liveAfterMs.length} replacements of ${rrsets.toLocaleString('en')} RRsets in ${underChange.seconds.toFixed(1)} s, ` +
      `answered ${shareOf(replaced.liveAfterMs, 0.5)} ms after SIGHUP (median; longest ${shareOf(replaced.liveAfterMs, 1)}); ` +
      `${(underChange.flips / underChange.seconds).toFixed(0)} verdict flips a second by probes.`,
  );
  if (writesPerSecond > 0)
    console.log(
      `${(written.tookMs.length / underChange.seconds).toFixed(0)} overrides a second by the API, p50 ${shareOf(written.tookMs, 0.5)} ms, p99 ${shareOf(written.tookMs, 0.99)} ms.`,
    );
  for (const [reason, times] of written.refused) console.log(`${times} writes were refused: ${reason}`);
  const ratio = underChange.load.p99Us / atRest.load.p99Us;
  const { lost, wrong } = underChange.load;
  const kept = lost === 0 && wrong === 0 && ratio <= P99_AT_MOST;
  console.log(
    `p99 under change is ${ratio.toFixed(2)} of that at rest (at most ${P99_AT_MOST}): ${kept ? 'kept' : '**missed**'}`,
  );
  if (!kept) process.exitCode = 1;
}

function rowOf(what: string, { load, serverCpu, worstStallMs: stall }: Measured): string {
  const { perSecond, p50Us, p99Us, p999Us, maxUs, lost, wrong } = load;
  const times = [p50Us, p99Us, p999Us, maxUs].map((us) => us.toFixed(0)).join(' | ');
  return `| ${what} | ${Math.round(perSecond).toLocaleString('en')} | ${times} | ${lost} | ${wrong} | ${(serverCpu * 100).toFixed(0)} % | ${stall.toFixed(0)} |`;
}

/** The time that this share of all stayed below, in whole milliseconds. */
function shareOf(times: readonly number[], share: number): string {
  const sorted = times.toSorted((one, other) => one - other);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(0);
}
