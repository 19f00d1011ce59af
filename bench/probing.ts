/*
 * What does probing cost? 30,000 endpoints, each an HTTP server at an address of its own, are probed every 10 s: 3,000
 * probes a second. Told are the node's CPU time (all its threads, from the scheduler) and memory, how even the probes
 * come, how long the main thread's loop stood still, and what queries feel of it: the same queries are asked of a node
 * without monitors.
 *
 * Who runs where. The node has core 0 alone, with its query thread; the endpoints and the generator share core 1.
 *
 * Options: --source (runs the node from its sources instead of dist), --endpoints N (30,000), --interval S (10), --seconds S (30), --rate N (20,000 queries a second; 0 for none).
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { meridianProgram } from './compare/servers/meridian.ts';
import { cacheDirectory } from './ground/cache.ts';
import { freePort } from './ground/free-port.ts';
import { type LoadReport, runLoad } from './ground/load.ts';
import { machineLine } from './ground/machine.ts';
import { cpuSeconds, type ServerProcess, sleep, startServer } from './ground/processes.ts';
import { temporaryDirectory } from './ground/temporary.ts';
import { writeLines } from './ground/zones.ts';

const { values } = parseArgs({
  options: {
    endpoints: { type: 'string', default: '30000' },
    interval: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '30' },
    rate: { type: 'string', default: '20000' },
    source: { type: 'boolean', default: false },
    serve: { type: 'boolean', default: false },
  },
});
const endpoints = Number(values.endpoints);
const intervalSeconds = Number(values.interval);
const seconds = Number(values.seconds);
const rate = Number(values.rate);

const program = values.source
  ? join(import.meta.dirname, '..', 'src', 'cli', 'meridian.ts')
  : meridianProgram;

const CPU_AT_MOST = 0.6;
const RSS_AT_MOST_MB = 400;
const LAG_AT_MOST_MS = 20;
const UNEVENNESS_AT_MOST = 2;
const POOL_SIZE = 1000;
/** A first start keeps what it has compiled. */
const SETTLE_MS = 5000;
/** The delay monitor's own beat, which it counts as delay. */
const LAG_BEAT_MS = 5;

/** The servers of all endpoints, told apart by address; prints its port, then the probes of each second. */
async function serveEndpoints(): Promise<void> {
  let probes = 0;
  const server = createServer((_, response) => {
    probes += 1;
    response.writeHead(200, { 'content-type': 'text/plain', connection: 'close' }).end('ok\n');
  });
  server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 });
  await once(server, 'listening');
  console.log((server.address() as AddressInfo).port);
  setInterval(() => {
    console.log(`second ${probes}`);
    probes = 0;
  }, 1000);
}

/** Runs in the node's main thread beside it: appends how long the loop stood still in each second. */
function lagMonitor(path: string): string {
  const program = `
import { isMainThread } from 'node:worker_threads';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { appendFileSync } from 'node:fs';
if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: ${LAG_BEAT_MS} });
  delay.enable();
  setInterval(() => {
    appendFileSync(${JSON.stringify(path)}, (delay.max / 1e6) + ' ' + (delay.percentile(99) / 1e6) + '\\n');
    delay.reset();
  }, 1000).unref();
}`;
  return `--import data:text/javascript,${encodeURIComponent(program)}`;
}

function configuration(port: number, monitored: 'monitored' | 'unmonitored'): string {
  const lines = [
    'dataCenters:',
    '  - { name: fra, latitude: 50.11, longitude: 8.68 }',
    '  - { name: sin, latitude: 1.35, longitude: 103.82 }',
    'monitors:',
    `  - { name: web, kind: http, port: ${port}, intervalSeconds: ${intervalSeconds}, timeoutSeconds: ${Math.min(3, intervalSeconds)}, settings: { path: /healthz, host: www.example.org } }`,
    'pools:',
  ];
  for (let first = 0; first < endpoints; first += POOL_SIZE) {
    lines.push(`  - name: pool-${first / POOL_SIZE}`);
    if (monitored === 'monitored') lines.push('    monitor: web');
    lines.push('    endpoints:');
    for (let index = first; index < Math.min(endpoints, first + POOL_SIZE); index++) {
      const [high, low] = [index >> 8, index & 255];
      lines.push(
        `      - { name: e${index}, dataCenter: ${index & 1 ? 'sin' : 'fra'}, address: 10.${1 + (high >> 8)}.${high & 255}.${low}, probeAddress: 127.${10 + (high >> 8)}.${high & 255}.${low} }`,
      );
    }
  }
  lines.push('policies:', '  - { name: closest, rank: { kind: nearest } }', 'steeredNames:');
  lines.push('  - { name: www.example.org, pool: pool-0, policy: closest }', '');
  return lines.join('\n');
}

interface Measured {
  readonly cpu: number;
  readonly rssMb: number;
  readonly perSecond: readonly number[];
  readonly lagMs: readonly number[];
  readonly lag99Ms: readonly number[];
  readonly load: LoadReport | undefined;
}

async function measure(
  directory: string,
  monitored: 'monitored' | 'unmonitored',
  probed: { readonly port: number; readonly counts: readonly number[] },
): Promise<Measured> {
  const config = join(directory, `config-${monitored}`);
  mkdirSync(config);
  writeFileSync(join(config, 'meridian.yaml'), configuration(probed.port, monitored));
  writeFileSync(
    join(config, 'example.org.zone'),
    '$TTL 300\n@ IN SOA ns1 hostmaster 1 7200 900 1209600 300\n@ IN NS ns1\nns1 IN A 203.0.113.53\n',
  );
  const [port, apiPort] = [await freePort(), await freePort()];
  const lagFile = join(directory, `lag-${monitored}`);
  writeFileSync(lagFile, '');
  const where = [
    '--dns',
    `127.0.0.1:${port}`,
    '--api',
    `127.0.0.1:${apiPort}`,
    '--data',
    join(directory, monitored),
  ];
  const start = (source: string): Promise<ServerProcess> =>
    startServer(
      {
        command: process.execPath,
        args: [program, 'serve', '--config', source, ...where],
        env: { MERIDIAN_DNS_WORKERS: '1', MERIDIAN_LOG_LEVEL: 'error', NODE_OPTIONS: lagMonitor(lagFile) },
      },
      { port, core: 0, name: 'ns1.example.org', log: join(directory, `log-${monitored}`) },
    );
  // What reading the directory and compiling leaves in memory is no cost of probing: measured is the next start.
  const first = await start(config);
  await sleep(SETTLE_MS);
  await first.stop();
  const server = await start('none');
  try {
    // Two intervals: the first probes, and one in which everybody has his own beat.
    await sleep(2000 * intervalSeconds);
    const lagBefore = readFileSync(lagFile, 'utf8').length;
    const [cpuBefore, secondsBefore, startMs] = [
      cpuSeconds(server.pids()),
      probed.counts.length,
      performance.now(),
    ];
    await sleep(1000 * seconds);
    const cpu = (cpuSeconds(server.pids()) - cpuBefore) / ((performance.now() - startMs) / 1000);
    const perSecond = probed.counts.slice(secondsBefore);
    const lag = readFileSync(lagFile, 'utf8')
      .slice(lagBefore)
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number));
    const rssMb =
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) / 1024;
    const load = rate === 0 ? undefined : await runQueries(port, server.pids());
    return {
      cpu,
      rssMb,
      perSecond,
      lagMs: lag.map(([max = Number.NaN]) => max - LAG_BEAT_MS),
      lag99Ms: lag.map(([, most = Number.NaN]) => most - LAG_BEAT_MS),
      load,
    };
  } finally {
    await server.stop();
  }
}

async function runQueries(port: number, watch: readonly number[]): Promise<LoadReport> {
  const names = join(cacheDirectory(), 'questions-probing');
  await writeLines(names, ['www.example.org A', 'ns1.example.org A 203.0.113.53']);
  return runLoad({
    port,
    names,
    rate,
    seconds: Math.min(seconds, 20),
    warmup: 2,
    sockets: 16,
    ecs: 'v4',
    cpu: 1,
    watch,
    flags: process.getuid?.() === 0 ? ['sleep', 'real-time'] : [],
  });
}

function tell(what: string, value: string, kept: boolean): void {
  console.log(`| ${what} | ${value} | ${kept ? 'kept' : '**missed**'} |`);
  if (!kept) process.exitCode = 1;
}

function report(probing: Measured, idle: Measured): void {
  const { perSecond, lagMs, lag99Ms } = probing;
  const mean = perSecond.reduce((sum, count) => sum + count, 0) / perSecond.length;
  const most = Math.max(...perSecond);
  console.log(`${machineLine()}.\n`);
  console.log(
    `${endpoints} endpoints every ${intervalSeconds} s; ${seconds} s measured.\n\n| | | |\n| --- | --- | --- |`,
  );
  const wanted = endpoints / intervalSeconds;
  tell('probes a second', `${mean.toFixed(0)} of ${wanted}`, mean >= wanted * 0.98);
  tell(
    'most in one second',
    `${most}, ${(most / mean).toFixed(2)} of the mean (least ${Math.min(...perSecond)})`,
    most <= UNEVENNESS_AT_MOST * mean,
  );
  tell(
    `CPU of the node`,
    `${(probing.cpu * 100).toFixed(1)} % of a core (without monitors ${(idle.cpu * 100).toFixed(1)} %)`,
    probing.cpu <= CPU_AT_MOST,
  );
  tell(
    'memory of the node',
    `${probing.rssMb.toFixed(0)} MB (without monitors ${idle.rssMb.toFixed(0)} MB)`,
    probing.rssMb <= RSS_AT_MOST_MB,
  );
  tell(
    'main thread held up',
    `at most ${Math.max(...lagMs).toFixed(1)} ms; median of the worst of each second ${lagMs.toSorted((a, b) => a - b)[lagMs.length >> 1]?.toFixed(1)} ms, p99 at most ${Math.max(...lag99Ms).toFixed(1)} ms`,
    Math.max(...lagMs) < LAG_AT_MOST_MS,
  );
  for (const [name, { load }] of [
    ['without monitors', idle],
    ['while probing', probing],
  ] as const)
    if (load !== undefined)
      console.log(
        `| queries ${name} | ${Math.round(load.perSecond)} a second: p50 ${load.p50Us.toFixed(0)}, p99 ${load.p99Us.toFixed(0)}, p99.9 ${load.p999Us.toFixed(0)} µs; ${load.lost} lost, ${load.wrong} wrong | |`,
      );
}

if (values.serve) await serveEndpoints();
else {
  // Nothing of this program runs on the node's core.
  spawnSync('taskset', ['-acp', '1', String(process.pid)]);
  const counts: number[] = [];
  const child = spawn(process.execPath, [import.meta.filename, '--serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let port = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n')) {
      if (line.startsWith('second ')) counts.push(Number(line.slice(7)));
      else port = Number(line);
    }
  });
  await once(child.stdout, 'data');
  const directory = temporaryDirectory('probing');
  try {
    const idle = await measure(directory, 'unmonitored', { port, counts });
    const probing = await measure(directory, 'monitored', { port, counts });
    report(probing, idle);
  } finally {
    child.kill();
  }
}
