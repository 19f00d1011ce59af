/*
 * Does change show in answers? 50,000 queries a second by schedule: first at rest, then while a zone of 100,000
 * RRsets is replaced every second (new file, SIGHUP) and verdicts flip 100 times a second (overrides by the API).
 *
 * Who runs where. The server has one UDP worker and is free to use both cores. The generator stays on core 1 in real
 * time and sleeps between queries (root; otherwise it spins at ordinary priority), so that its clock is never late
 * because of the server, and what it leaves of core 1 is for the server's control plane, as on a machine whose other
 * core is not full. `--place pinned` gives the server core 0 alone, compile threads and all, and lets the generator spin
 * on core 1: harder than any machine that is not full.
 * Options: --seconds S (20), --rate N (50,000), --rrsets N (100,000), --flips N (100), --place shared|pinned, --quick.
 */
import { linkSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { askUdp } from '../test/e2e/dns-client.ts';
import { cacheDirectory } from './compare/cache.ts';
import { freePort } from './compare/free-port.ts';
import { type DataCenter, dataCenters } from './compare/geography.ts';
import { type LoadReport, runLoad } from './compare/load.ts';
import { machineLine } from './compare/machine.ts';
import { type ServerProcess, sleep, startServer, untilAtRest } from './compare/processes.ts';
import { meridianProgram, steering } from './compare/servers/meridian.ts';
import { temporaryDirectory } from './compare/temporary.ts';
import { STEERED, writeLines } from './compare/zones.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    rate: { type: 'string', default: '50000' },
    rrsets: { type: 'string', default: '100000' },
    flips: { type: 'string', default: '100' },
    place: { type: 'string', default: 'shared' },
    quick: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds ?? (values.quick ? 4 : 20));
const rate = Number(values.rate);
const rrsets = Number(values.rrsets);
const flipsPerSecond = Number(values.flips);
const pinned = values.place === 'pinned';

const ZONE = 'example.net';
const P99_AT_MOST = 2;
/** Few enough that each wake-up finds some answers, as behind a handful of busy resolvers. */
const SOCKETS = 16;
const WRITES_UNDER_WAY = 16;
const REPLACE_EVERY_MS = 1000;

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
async function writeQuestions(centers: readonly DataCenter[]): Promise<string> {
  const path = join(cacheDirectory(), 'questions-steady');
  const steered = `${STEERED} A ${centers.map(({ address }) => address).join(',')}`;
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

interface Changes {
  replaced: number;
  /** From SIGHUP until the new version was answered. */
  readonly liveAfterMs: number[];
  flipped: number;
  readonly refused: Map<string, number>;
}

async function replaceZone(server: ServerProcess, stop: AbortSignal, changes: Changes): Promise<void> {
  for (let version = 1; !stop.aborted; version = 1 - version) {
    const started = performance.now();
    const network = versions[version] ?? '';
    // The files stand ready: writing one here would take from the server what is measured.
    linkSync(join(directory, `${network}.zone`), join(directory, 'next.zone'));
    renameSync(join(directory, 'next.zone'), join(config, `${ZONE}.zone`));
    process.kill(server.pid, 'SIGHUP');
    while (!stop.aborted) {
      const answer = await askUdp(server.port, { name: `version.${ZONE}`, type: 'A' });
      if (answer?.answers[0]?.text === `${network}.1`) break;
      await sleep(10);
    }
    if (stop.aborted) return;
    changes.replaced++;
    changes.liveAfterMs.push(performance.now() - started);
    await sleep(Math.max(0, REPLACE_EVERY_MS - (performance.now() - started)));
  }
}

/** One override for each endpoint, up and down in turn; a write that does not fit into its time is not made up for. */
async function flipVerdicts(
  api: string,
  centers: readonly DataCenter[],
  stop: AbortSignal,
  changes: Changes,
): Promise<void> {
  let underWay = 0;
  const started = performance.now();
  for (let flip = 0; !stop.aborted; flip++) {
    await sleep(Math.max(0, started + (flip * 1000) / flipsPerSecond - performance.now()));
    if (underWay >= WRITES_UNDER_WAY) continue;
    const endpoint = centers[flip % centers.length]?.name ?? '';
    const state = Math.floor(flip / centers.length) % 2 === 0 ? 'down' : 'up';
    const target = { kind: 'endpoint', pool: 'web', endpoint };
    underWay++;
    void fetch(`${api}/v1/overrides/flip-${endpoint}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ state, target, reason: 'benchmark' }),
    })
      .then(async (response) => {
        const text = await response.text();
        if (response.ok) changes.flipped++;
        else changes.refused.set(text, (changes.refused.get(text) ?? 0) + 1);
      })
      .catch((error: unknown) =>
        changes.refused.set(String(error), (changes.refused.get(String(error)) ?? 0) + 1),
      )
      .finally(() => underWay--);
  }
}

function paced(server: ServerProcess, names: string): Promise<LoadReport> {
  const root = process.getuid?.() === 0;
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
    flags: pinned ? [] : root ? ['sleep', 'real-time'] : [],
  });
}

const directory = temporaryDirectory('steady');
const config = join(directory, 'config');
const centers = dataCenters(9);
mkdirSync(config);
for (const network of versions) await writeLines(join(directory, `${network}.zone`), zoneOf(network));
await writeLines(join(config, `${ZONE}.zone`), zoneOf(versions[0]));
writeFileSync(
  join(config, 'example.org.zone'),
  '$TTL 300\n@ IN SOA ns1 hostmaster 1 7200 900 1209600 300\n@ IN NS ns1\nns1 IN A 203.0.113.53\n',
);
writeFileSync(join(config, 'meridian.yaml'), steering(centers));
const names = await writeQuestions(centers);
const [port, apiPort] = [await freePort(), await freePort()];
const api = `127.0.0.1:${apiPort}`;
const where = ['--dns', `127.0.0.1:${port}`, '--api', api, '--data', join(directory, 'data')];
const server = await startServer(
  {
    command: process.execPath,
    args: [meridianProgram, 'serve', '--config', config, ...where],
    env: { MERIDIAN_DNS_WORKERS: '1', MERIDIAN_LOG_LEVEL: 'warn' },
  },
  { port, core: pinned ? 0 : undefined, name: `version.${ZONE}`, log: join(directory, 'log') },
);
const changes: Changes = { replaced: 0, liveAfterMs: [], flipped: 0, refused: new Map() };
try {
  await untilAtRest(server);
  const atRest = await paced(server, names);
  const stop = new AbortController();
  const replacing = replaceZone(server, stop.signal, changes);
  const flipping = flipVerdicts(`http://${api}`, centers, stop.signal, changes);
  const started = performance.now();
  const underChange = await paced(server, names);
  const spentSeconds = (performance.now() - started) / 1000;
  stop.abort();
  await Promise.all([replacing, flipping]);
  tell(atRest, underChange, spentSeconds);
} finally {
  await server.stop();
}

function tell(atRest: LoadReport, underChange: LoadReport, spentSeconds: number): void {
  const line = (what: string, report: LoadReport): string =>
    `| ${what} | ${Math.round(report.perSecond).toLocaleString('en')} | ${report.p50Us.toFixed(0)} | ${report.p99Us.toFixed(0)} | ${report.p999Us.toFixed(0)} | ${report.maxUs.toFixed(0)} | ${report.lost} | ${report.wrong} |`;
  console.log(`${machineLine()}.`);
  console.log(
    `${seconds} s each; ${pinned ? 'server on core 0, generator spinning on core 1' : 'server on both cores, generator in real time on core 1'}.\n`,
  );
  console.log(
    '| | q / s | p50 µs | p99 µs | p99.9 µs | max µs | lost | wrong |\n| --- | --- | --- | --- | --- | --- | --- | --- |',
  );
  console.log(line('at rest', atRest));
  console.log(line('under change', underChange));
  const live = changes.liveAfterMs.toSorted((one, other) => one - other);
  const middle = live[live.length >> 1] ?? Number.NaN;
  console.log(
    `\n${changes.replaced} replacements of ${rrsets.toLocaleString('en')} RRsets in ${spentSeconds.toFixed(1)} s, answered ${middle.toFixed(0)} ms after SIGHUP (median); ` +
      `${(changes.flipped / spentSeconds).toFixed(0)} verdict flips a second.`,
  );
  for (const [reason, times] of changes.refused) console.log(`${times} writes were refused: ${reason}`);
  const ratio = underChange.p99Us / atRest.p99Us;
  const kept = underChange.lost === 0 && underChange.wrong === 0 && ratio <= P99_AT_MOST;
  console.log(
    `p99 under change is ${ratio.toFixed(2)} of that at rest (at most ${P99_AT_MOST}): ${kept ? 'kept' : '**missed**'}`,
  );
  if (!kept) process.exitCode = 1;
}
