/*
 * How long a single changed RRset in a large zone takes from the request of its write to the first DNS answer with it.
 * Starts a node from source with a fresh data directory, fills a zone through the API in batches, writes RRsets one
 * after the other, and starts the node again.
 *
 *     node bench/zone-write.ts [RRsets, 100000 unless told] [writes, 500 unless told]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { encodeQuery } from '../src/dns/message.ts';
import { percentile } from './ground/percentile.ts';
import { temporaryDirectory } from './ground/temporary.ts';
import { wireName } from './respond-world.ts';

const BATCH = 1000;
const TYPE_A = 1;
const ZONE = 'example.org';

const count = Number(process.argv[2] ?? 100_000);
const writes = Number(process.argv[3] ?? 500);

interface Node {
  readonly child: ChildProcess;
  readonly dnsPort: number;
  readonly api: string;
}

async function startNode(data: string): Promise<Node> {
  const program = join(import.meta.dirname, '..', 'src', 'cli', 'meridian.ts');
  const flags = ['serve', '--dns', '127.0.0.1:0', '--api', '127.0.0.1:0', '--data', data, '--config', 'none'];
  const nodeFlags = process.env.BENCH_NODE_FLAGS?.split(' ') ?? [];
  const child = spawn(process.execPath, [...nodeFlags, program, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<Node>((resolve, reject) => {
    lines.on('line', (line) => {
      const found = /^meridian ready: dns=127\.0\.0\.1:(\d+) api=(http:\S+?)(?:[ ,]|$)/.exec(line);
      if (found !== null) resolve({ child, dnsPort: Number(found[1]), api: found[2] ?? '' });
      // What --trace-gc and the like say.
      else if (nodeFlags.length > 0) console.error(line);
    });
    lines.on('close', () => reject(new Error('the node ended before it was ready')));
  });
  return ready;
}

async function stop({ child }: Node): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function send(node: Node, method: string, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${node.api}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

/** Milliseconds until `address` is answered for the name. */
async function untilAnswered(node: Node, name: string, address: string): Promise<number> {
  const socket = createSocket('udp4');
  const start = performance.now();
  const wanted = Buffer.from(address.split('.').map(Number));
  const query = encodeQuery({ name: wireName(`${name}.`), type: TYPE_A, id: 1, recursionDesired: false });
  for (;;) {
    socket.send(query, node.dnsPort, '127.0.0.1');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    if (answer.subarray(-4).equals(wanted)) break;
  }
  socket.close();
  return performance.now() - start;
}

function residentMiB({ child }: Node): string {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const [, kib = '0'] = /VmRSS:\s+(\d+) kB/.exec(status) ?? [];
  return `${Math.round(Number(kib) / 1024)} MiB resident`;
}

function report(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((one, other) => one - other);
  const figures = [0.5, 0.9, 0.99].map((share) => `p${100 * share} ${percentile(sorted, share).toFixed(1)}`);
  console.log(`${what}: ${figures.join(', ')}, max ${percentile(sorted, 1).toFixed(1)} ms`);
}

const data = temporaryDirectory('zone-write');
console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${count} RRsets`);
const node = await startNode(data);
await send(node, 'PUT', `/v1/zones/${ZONE}`, { nameServers: [`ns1.${ZONE}`] });
const batches: number[] = [];
const loaded = performance.now();
for (let first = 0; first < count; first += BATCH) {
  const length = Math.min(BATCH, count - first);
  const set = Array.from({ length }, (_, i) => ({
    name: `host-${first + i}.${ZONE}`,
    type: 'A',
    ttlSeconds: 300,
    records: [`192.0.2.${(first + i) % 256}`],
  }));
  const start = performance.now();
  await send(node, 'PATCH', `/v1/zones/${ZONE}/rrsets`, { set });
  batches.push(performance.now() - start);
}
console.log(`loaded in ${((performance.now() - loaded) / 1000).toFixed(1)} s; ${residentMiB(node)}`);
report(`batches of ${BATCH}`, batches);

const acknowledged: number[] = [];
const live: number[] = [];
for (let write = 0; write < writes; write++) {
  const name = write % 5 === 4 ? `new-${write}.${ZONE}` : `host-${(write * 7919) % count}.${ZONE}`;
  const address = `198.51.100.${write % 256}`;
  const start = performance.now();
  const answered = untilAnswered(node, name, address);
  await send(node, 'PUT', `/v1/zones/${ZONE}/rrsets/${name}/A`, { ttlSeconds: 300, records: [address] });
  acknowledged.push(performance.now() - start);
  live.push(await answered);
}
report('acknowledged', acknowledged);
report('live in DNS', live);
console.log(residentMiB(node));
await stop(node);

const start = performance.now();
const again = await startNode(data);
console.log(`started again in ${(performance.now() - start).toFixed(0)} ms; ${residentMiB(again)}`);
await stop(again);
