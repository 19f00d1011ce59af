/*
 * What shared health costs: several nodes in one process, each with as many observations a second as the issue names,
 * through the real outbox, encoder, decoder, inbox and board. Between them is no network and no TLS: a frame is
 * handed over in the next turn of the loop.
 * Options: --nodes N (5), --sources N (10,000, each observed once a second by every node), --seconds N (40, so that everything is told in full again once), --quick.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { decodeFrame, encodeFrame } from '../src/cluster/frame.ts';
import { ObservationExchange } from '../src/cluster/health/exchange.ts';
import { type Arrival, Inbox } from '../src/cluster/health/inbox.ts';
import { batchOf, MAX_ROWS, Outbox } from '../src/cluster/health/outbox.ts';
import type { PeerSession } from '../src/cluster/transport/transport.ts';
import { createBoard, type HealthBoard } from '../src/health/board/board.ts';
import { DEFAULT_POOL_RULES, probedCheck } from '../src/health/board/board-endpoint.ts';
import type { Observation } from '../src/health/observation.ts';
import { machineLine } from './ground/machine.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '5' },
    sources: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '40' },
    quick: { type: 'boolean', default: false },
  },
});
const nodeCount = Number(values.nodes);
const sourceCount = values.quick ? 1000 : Number(values.sources);
const seconds = values.quick ? 3 : Number(values.seconds);

/** As the vantage's thread reports: a hundredth of a second's observations at a time. */
const STEP_MS = 10;
/** Verdict changes a second on each node, whose way is timed. */
const CHANGES_PER_SECOND = 20;
/** Before it is measured: everything was told in full once, and the code is warm. */
const WARM_UP_SECONDS = values.quick ? 1 : 3;

const thresholds = { rise: 2, fall: 3, expiryMs: 4000 };
const keys = Array.from({ length: sourceCount }, (_, at) => `pool-${at % 100}/endpoint-${at}`);

const latenciesMs: number[] = [];
/** When a change was handed to the exchange, by vantage, key and state. */
const changedAtMs = new Map<string, number>();

class BenchNode {
  readonly name: string;
  readonly board: HealthBoard;
  readonly exchange: ObservationExchange;
  readonly #newest = new Map<string, Observation>();
  #at = 0;

  constructor(name: string) {
    this.name = name;
    this.board = createBoard([], [{ name, region: '' }]);
    this.board.setEndpoints(
      keys.map((key, slot) => ({
        key,
        slot,
        pool: key.split('/')[0] ?? '',
        endpoint: key.split('/')[1] ?? '',
        dataCenter: `dc-${slot % 9}`,
        address: '192.0.2.1',
        probeAddress: undefined,
        monitor: 'http',
        check: probedCheck(key, '192.0.2.1', thresholds),
        poolRules: DEFAULT_POOL_RULES,
      })),
      Date.now(),
    );
    this.exchange = new ObservationExchange({
      node: name,
      clock: {
        monotonicMs: () => performance.now(),
        epochMs: () => Date.now(),
        setTimer: (delayMs, callback) => {
          if (delayMs === 0) {
            const turn = setImmediate(callback);
            return () => clearImmediate(turn);
          }
          const timer = setTimeout(callback, delayMs);
          return () => clearTimeout(timer);
        },
      },
      onObservations: (arrivals) => {
        const nowMs = Date.now();
        for (const { observation, ageMs } of arrivals) {
          this.board.observe(observation, nowMs, ageMs);
          if (changedAtMs.size > 0) this.#time(observation);
        }
      },
      onSeats: (seats) => this.board.setSeats(seats, Date.now()),
      onLive: () => undefined,
    });
    this.exchange.setSources(new Map(keys.map((key) => [key, '192.0.2.1'])));
  }

  probes(count: number): readonly Observation[] {
    return Array.from({ length: count }, () => this.#probe(false, false));
  }

  /** The next share of a second's probes. */
  step(count: number, isFull: boolean, changes: number): void {
    const observations = Array.from({ length: count }, (_, index) => this.#probe(isFull, index < changes));
    const nowMs = Date.now();
    for (const observation of observations) this.board.observe(observation, nowMs);
    this.exchange.takeOwn(observations);
  }

  #probe(isFull: boolean, changes: boolean): Observation {
    const key = keys[this.#at % keys.length] ?? '';
    this.#at += 1;
    const before = this.#newest.get(key);
    const nowMs = Date.now();
    const verdict =
      changes && before !== undefined ? (before.verdict === 'up' ? 'down' : 'up') : (before?.verdict ?? 'up');
    const isNew = verdict !== before?.verdict;
    if (isNew && before !== undefined) changedAtMs.set(`${this.name} ${key}`, performance.now());
    const durationMs = 5 + Math.random() * 40;
    const observation: Observation = {
      vantage: this.name,
      key,
      sequence: (before?.sequence ?? nowMs) + 1,
      verdict,
      sinceMs: isNew ? nowMs : (before?.sinceMs ?? nowMs),
      successes: verdict === 'up' ? (before?.successes ?? 0) + 1 : 0,
      failures: verdict === 'down' ? 3 : 0,
      // Something that differs every time makes every observation one to tell in full.
      firstFailureAtMs: isFull ? nowMs : undefined,
      heldDownUntilMs: undefined,
      latency: { p50: 21.3, p90: 38.9, p99: 44.1 },
      result: {
        ok: verdict === 'up',
        reason: verdict === 'up' ? 'ok' : 'unexpected-status',
        detail: `HTTP ${verdict === 'up' ? 200 : 503} at 192.0.2.1:80 after ${Math.round(durationMs)} ms`,
        durationMs,
        evidence: {
          status: verdict === 'up' ? 200 : 503,
          firstByteMs: durationMs,
          bodyStart: 'ok, and a little more',
        },
      },
      observedAtMs: nowMs,
    };
    this.#newest.set(key, observation);
    return observation;
  }

  #time({ vantage, key, sinceMs, observedAtMs }: Observation): void {
    const startedMs = sinceMs === observedAtMs ? changedAtMs.get(`${vantage} ${key}`) : undefined;
    if (startedMs !== undefined) latenciesMs.push(performance.now() - startedMs);
  }
}

function link(one: BenchNode, other: BenchNode): void {
  const ends = [one, other].map((_, at): PeerSession => {
    const receiver = at === 0 ? other : one;
    return {
      peer: receiver.name,
      version: '',
      protocol: 1,
      send(frame) {
        setImmediate(() => {
          const decoded = decodeFrame(frame);
          const back = ends[1 - at];
          if (decoded.ok && back !== undefined) receiver.exchange.onFrame(back, decoded.frame.value);
        });
        return true;
      },
      waitingOctets: 0,
      roundTripMs: undefined,
      certificateSerial: '',
      certificateExpiresAtMs: 0,
      close: () => undefined,
    };
  });
  const [near, far] = ends;
  if (near === undefined || far === undefined) return;
  one.exchange.onUp(near);
  other.exchange.onUp(far);
}

/** Probes for a time; what cannot be kept up with comes later, and is counted as such. */
async function run(nodes: readonly BenchNode[], forSeconds: number, isFull: boolean): Promise<number> {
  const perStep = Math.round((sourceCount * STEP_MS) / 1000);
  const steps = (forSeconds * 1000) / STEP_MS;
  const startMs = performance.now();
  for (let step = 0; step < steps; step += 1) {
    const changes = step % Math.round(1000 / STEP_MS / CHANGES_PER_SECOND) === 0 ? 1 : 0;
    for (const node of nodes) node.step(perStep, isFull, changes);
    const waitMs = startMs + (step + 1) * STEP_MS - performance.now();
    await new Promise<void>((resolve) => (waitMs > 1 ? setTimeout(resolve, waitMs) : setImmediate(resolve)));
    if (step % Math.round(1000 / STEP_MS) === 0) for (const node of nodes) node.board.expire(Date.now());
  }
  return (performance.now() - startMs) / 1000;
}

function quantile(sorted: readonly number[], share: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
}

async function measure(title: string, isFull: boolean): Promise<void> {
  const nodes = Array.from({ length: nodeCount }, (_, at) => new BenchNode(`node-${at}`));
  const all = nodes.map(({ name }) => ({ name, region: '' }));
  for (const node of nodes) node.exchange.setNodes(all);
  for (const one of nodes) for (const other of nodes) if (one.name < other.name) link(one, other);
  await run(nodes, WARM_UP_SECONDS, isFull);
  latenciesMs.length = 0;
  const before = process.cpuUsage();
  const octets = nodes.reduce((sum, { exchange }) => sum + exchange.counters().octetsSent, 0);
  const took = await run(nodes, seconds, isFull);
  const { user, system } = process.cpuUsage(before);
  const sent = nodes.reduce((sum, { exchange }) => sum + exchange.counters().octetsSent, 0) - octets;
  for (const { exchange } of nodes) exchange.close();
  const sorted = latenciesMs.toSorted((one, other) => one - other);
  const { refused } = nodes[0]?.exchange.counters() ?? { refused: 0 };
  const fresh = nodes[0]?.board.health().filter(({ basis }) => basis === 'quorum').length ?? 0;
  const share = (user + system) / 1e6 / took / nodeCount;
  console.log(
    `| ${title} | ${((sourceCount * seconds) / took).toFixed(0)} | ${(share * 100).toFixed(1)} % | ${((share * took * 1e6) / (sourceCount * seconds) / nodeCount).toFixed(2)} µs | ${(sent / took / nodeCount / 1000).toFixed(0)} kB/s | ${quantile(sorted, 0.5)} / ${quantile(sorted, 0.99)} / ${quantile(sorted, 1)} ms of ${sorted.length} | ${fresh} of ${sourceCount} | ${refused} |`,
  );
}

/** Processor time of one thing, over about a second; garbage collection counts. */
function microseconds(perRound: number, round: () => void): string {
  for (let warm = 0; warm < 20; warm += 1) round();
  let rounds = 0;
  const before = process.cpuUsage();
  const endMs = performance.now() + 1000;
  for (; performance.now() < endMs; rounds += 1) round();
  const { user, system } = process.cpuUsage(before);
  return `${((user + system) / rounds / perRound).toFixed(2)} µs`;
}

/** What the parts of the way cost, each for one observation. */
function measureParts(): void {
  const [one, other] = [new BenchNode('node-0'), new BenchNode('node-1')];
  const count = Math.min(MAX_ROWS, sourceCount);
  const targets = new Map(keys.map((key) => [key, '192.0.2.1']));
  const outbox = new Outbox();
  outbox.follow(targets);
  for (const observation of one.probes(count)) outbox.take(observation, 0);
  const sources = [...outbox.all()];
  const rows = (): Uint8Array => encodeFrame('observations', batchOf(sources, [], 0).value);
  const again = (): Uint8Array => encodeFrame('observations', batchOf([], sources, 0).value);
  const [rowsFrame, againFrame] = [rows(), again()];
  let sequence = 0;
  const nextSequence = (): number => {
    sequence += 1;
    return sequence;
  };
  const counts = { rows: 0, again: 0, refused: 0, strange: 0 };
  const inbox = new Inbox('node-0', targets, { nextSequence, counts });
  const read = (frame: Uint8Array): readonly Arrival[] => {
    const decoded = decodeFrame(frame);
    return decoded.ok ? inbox.take(decoded.frame.value as Record<string, unknown>, Date.now()) : [];
  };
  const steady = read(rowsFrame).map(({ observation }) => observation);
  other.board.setSeats(
    ['node-0', 'node-1'].map((name) => ({ name, region: '' })),
    Date.now(),
  );
  const observe = (): void => {
    const nowMs = Date.now();
    for (const observation of steady)
      other.board.observe({ ...observation, sequence: nextSequence() }, nowMs, 5);
  };
  console.log(`Frames of ${count}: ${rowsFrame.length} octets in full, ${againFrame.length} again.\n`);
  console.log('| for one observation | processor time |\n|---|---|');
  console.log(`| encode in full, once for all peers | ${microseconds(count, rows)} |`);
  console.log(`| decode in full, checked | ${microseconds(count, () => void read(rowsFrame))} |`);
  console.log(`| encode again | ${microseconds(count, again)} |`);
  console.log(`| decode again | ${microseconds(count, () => void read(againFrame))} |`);
  console.log(`| board.observe, nothing new | ${microseconds(count, observe)} |`);
}

console.log(machineLine());
measureParts();
console.log(
  `\n${nodeCount} nodes in one process, ${sourceCount} observations a second wanted of each, ${seconds} s:\n`,
);
console.log(
  '| | observations/s per node | core per node | for one observation at one board | sent per node, all peers | change to every board p50/p99/max | with a quorum | refused |',
);
console.log('|---|---|---|---|---|---|---|---|');
await measure('as they are: steady, 20 changes/s', false);
await measure('worst: every one told in full', true);
