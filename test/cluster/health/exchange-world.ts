import { decodeFrame } from '../../../src/cluster/frame.ts';
import { ObservationExchange } from '../../../src/cluster/health/exchange.ts';
import type { Arrival } from '../../../src/cluster/health/inbox.ts';
import type { LiveVerdict } from '../../../src/cluster/health/live-news.ts';
import type { PeerSession } from '../../../src/cluster/transport/transport.ts';
import { createBoard, type HealthBoard } from '../../../src/health/board/board.ts';
import { Observer } from '../../health/observer.ts';
import { resultsOf } from '../../health/results.ts';
import { endpoint, NOW_MS } from '../../health/scene.ts';

/** Often enough that a vote ends within the millisecond in which it should be looked at. */
const EXPIRY_CHECK_MS = 500;

export const thresholds = { rise: 2, fall: 2, expiryMs: 3500 };
export const names = ['1', '2', '3', '4'] as const;

interface Timer {
  readonly dueMs: number;
  readonly call: () => void;
}

/** One end of a link; frames wait in the other's queue until the world's next turn. */
interface End extends PeerSession {
  readonly other: End;
  room: number;
  isUp: boolean;
}

/** Several nodes, each with a board and an exchange, on one fake network and one fake time. */
export class World {
  nowMs = 0;
  readonly nodes: readonly Node[];
  readonly #timers = new Set<Timer>();
  readonly #links = new Map<string, readonly [End, End]>();
  readonly #queue: (() => void)[] = [];

  constructor(nodeNames: readonly string[], endpoints: readonly string[] = names) {
    this.nodes = nodeNames.map((name) => new Node(this, name, endpoints));
    const all = nodeNames.map((name) => ({ name, region: '' }));
    for (const node of this.nodes) node.exchange.setNodes(all);
  }

  node(name: string): Node {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  linkAll(): void {
    for (const one of this.nodes)
      for (const other of this.nodes) if (one.name < other.name) this.link(one, other);
  }

  link(one: Node, other: Node): void {
    const key = linkKey(one, other);
    if (this.#links.has(key)) return;
    const ends = this.#ends(one, other);
    this.#links.set(key, ends);
    one.exchange.onUp(ends[0]);
    other.exchange.onUp(ends[1]);
    this.#settle();
  }

  cut(one: Node, other: Node): void {
    const ends = this.#links.get(linkKey(one, other));
    if (ends === undefined) return;
    this.#links.delete(linkKey(one, other));
    for (const end of ends) end.isUp = false;
    one.exchange.onDown(ends[0]);
    other.exchange.onDown(ends[1]);
    this.#settle();
  }

  /** Only nodes of the same group stay linked. */
  split(...groups: readonly string[]): void {
    for (const one of this.nodes)
      for (const other of this.nodes) {
        const together = groups.some((group) => group.includes(one.name) && group.includes(other.name));
        if (!together && one.name < other.name) this.cut(one, other);
      }
  }

  /** How many frames `from` may still send to `to` before it is told that there is no room. */
  room(from: Node, to: Node, frames: number): void {
    const end = this.#links.get(linkKey(from, to))?.find(({ peer }) => peer === to.name);
    if (end === undefined) throw new Error('no link');
    const wasFull = end.room === 0;
    end.room = frames;
    if (wasFull && frames > 0) from.exchange.onDrain(end);
    this.#settle();
  }

  setTimer(delayMs: number, call: () => void): () => void {
    const timer = { dueMs: this.nowMs + delayMs, call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = [...this.#timers].sort((one, other) => one.dueMs - other.dueMs)[0];
      const checkMs = (Math.floor(this.nowMs / EXPIRY_CHECK_MS) + 1) * EXPIRY_CHECK_MS;
      const atMs = Math.min(next?.dueMs ?? Number.POSITIVE_INFINITY, checkMs);
      if (atMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, atMs);
      if (next !== undefined && next.dueMs <= atMs) {
        this.#timers.delete(next);
        next.call();
        this.#deliver();
      } else for (const node of this.nodes) node.board.expire(node.epochMs());
    }
    this.nowMs = endMs;
  }

  /** Each node's verdicts: `uuud`. */
  get verdicts(): string {
    return this.nodes.map((node) => node.verdicts).join(' ');
  }

  #ends(one: Node, other: Node): readonly [End, End] {
    const near = this.#end(other.name);
    const far = this.#end(one.name);
    const link = (from: { other?: End }, to: End, receiver: Node): void => {
      from.other = to;
      (from as { send?: PeerSession['send'] }).send = (frame) => {
        const end = from as End;
        if (!end.isUp || end.room === 0) return false;
        end.room -= 1;
        this.#queue.push(() => receiver.hear(to, frame));
        return true;
      };
    };
    link(near, far, other);
    link(far, near, one);
    return [near, far];
  }

  #end(peer: string): End {
    const end: Omit<End, 'other' | 'send'> = {
      peer,
      version: '0',
      protocol: 1,
      waitingOctets: 0,
      roundTripMs: undefined,
      certificateSerial: '01',
      certificateExpiresAtMs: Number.MAX_SAFE_INTEGER,
      room: Number.POSITIVE_INFINITY,
      isUp: true,
      close: () => undefined,
    };
    return end as End;
  }

  /** What is due now, and what follows from it. */
  #settle(): void {
    this.#deliver();
    this.pass(0);
  }

  #deliver(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
  }
}

function linkKey(one: Node, other: Node): string {
  return [one.name, other.name].sort().join(' ');
}

export class Node {
  readonly name: string;
  readonly board: HealthBoard;
  readonly exchange: ObservationExchange;
  readonly frames: Uint8Array[] = [];
  readonly live: string[] = [];
  readonly arrivals: Arrival[] = [];
  /** How wrong its clock is. */
  skewMs = 0;
  observer = new Observer();
  readonly #world: World;

  constructor(world: World, name: string, endpoints: readonly string[]) {
    this.#world = world;
    this.name = name;
    this.board = createBoard([], [{ name, region: '' }]);
    this.board.setEndpoints(
      endpoints.map((each, slot) => endpoint(each, slot)),
      this.epochMs(),
    );
    this.exchange = new ObservationExchange({
      node: name,
      clock: {
        monotonicMs: () => world.nowMs,
        epochMs: () => this.epochMs(),
        setTimer: (delayMs, call) => world.setTimer(delayMs, call),
      },
      onObservations: (arrivals) => {
        this.arrivals.push(...arrivals);
        for (const { observation, ageMs } of arrivals) this.board.observe(observation, this.epochMs(), ageMs);
      },
      onSeats: (seats) => this.board.setSeats(seats, this.epochMs()),
      onLive: (node, news: readonly LiveVerdict[]) =>
        this.live.push(...news.map(({ key, verdict, atMs }) => `${node} ${key} ${verdict} ${atMs}`)),
    });
    this.exchange.setSources(new Map(endpoints.map((each, slot) => [`web/${each}`, `192.0.2.${slot}`])));
  }

  epochMs(): number {
    return NOW_MS + this.skewMs + this.#world.nowMs;
  }

  hear(session: PeerSession, frame: Uint8Array): void {
    this.frames.push(frame);
    const decoded = decodeFrame(frame);
    if (!decoded.ok || decoded.frame.channel !== 'observations') throw new Error('no frame of ours');
    this.exchange.onFrame(session, decoded.frame.value);
  }

  /** Probes that end as the letters of the word say, at this moment. */
  probe(name: string, word: string): void {
    for (const result of resultsOf(word)) {
      const nowMs = this.epochMs();
      const observation = this.observer.observe(this.name, `web/${name}`, result, thresholds, nowMs);
      this.board.observe(observation, nowMs);
      this.exchange.takeOwn([observation]);
    }
  }

  get verdicts(): string {
    return this.board
      .health()
      .map(({ verdict }) => (verdict === 'unknown' ? '?' : verdict.charAt(0)))
      .join('');
  }

  /** What counts here of an endpoint: `a up, b down`. */
  saidOf(name: string): string {
    const health = this.board.health().find((one) => one.endpoint === name);
    return (health?.vantages ?? [])
      .filter(({ fresh, votes }) => fresh && votes)
      .map(({ vantage, verdict }) => `${vantage} ${verdict}`)
      .join(', ');
  }

  get problems(): string {
    return this.board
      .problems()
      .map(({ code }) => code)
      .join(' ');
  }
}
