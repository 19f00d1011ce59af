import type { Config } from '../../../src/config/model.ts';
import { blobHash } from '../../../src/store/blobs.ts';
import { SimDisk } from './sim-disk.ts';
import { type Acknowledged, brokenInvariants, emptyAnswers } from './sim-invariants.ts';
import { SimNetwork } from './sim-network.ts';
import { SimNode } from './sim-node.ts';
import { SimRandom } from './sim-random.ts';
import { SimTime } from './sim-time.ts';
import { blobZone, drawWrite, firstWrite } from './sim-writes.ts';

/** What one history came to. */
export interface HistoryOutcome {
  readonly seed: number;
  readonly nodes: number;
  readonly acknowledged: number;
  readonly faults: number;
  readonly framesDelivered: number;
  /** Simulated time from the last healing to equality. */
  readonly convergedMs: number;
  /** Whatever breaks an invariant; empty in the best case. */
  readonly problems: readonly string[];
}

/** Simulated time in which things happen, and how much happens: mostly little, so that many histories fit a test. */
const lengths = [
  { eventfulMs: 5000, steps: 12 },
  { eventfulMs: 8000, steps: 20 },
  { eventfulMs: 20_000, steps: 60 },
] as const;

/** Silence is noticed after 60 s; twice that must do. */
const MAX_QUIET_MS = 150_000;

/** After convergence nobody may have anything to say for so long. */
const STILL_MS = 15_000;

type Step = readonly [weight: number, run: () => void];

/** One history, all of it drawn from its seed. */
export async function runHistory(seed: number): Promise<HistoryOutcome> {
  return new World(seed).run();
}

class World {
  readonly #seed: number;
  readonly #random: SimRandom;
  readonly #time = new SimTime();
  readonly #network: SimNetwork;
  readonly #nodes: readonly SimNode[];
  readonly #acknowledged: Acknowledged[] = [];
  readonly #problems: string[] = [];
  readonly #backups = new Map<string, SimDisk>();
  #writes = 0;
  #faults = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new SimRandom(seed);
    const slowest = this.#random.pick([2, 20, 300]);
    this.#network = new SimNetwork(this.#time, this.#random, {
      latencyMs: [1, slowest],
      boundOctets: this.#random.pick([600, 20_000, 1_000_000]),
    });
    const published = (node: string, config: Config): void => {
      this.#problems.push(...emptyAnswers(node, config));
    };
    const around = { time: this.#time, random: this.#random, network: this.#network, published };
    const count = this.#random.pick([3, 3, 3, 3, 4, 5, 7]);
    this.#nodes = Array.from(
      { length: count },
      (_, index) => new SimNode(`n${index + 1}`, new SimDisk(), around),
    );
  }

  async run(): Promise<HistoryOutcome> {
    for (const node of this.#nodes) node.start();
    this.#commit(this.#random.pick(this.#nodes), firstWrite);
    const { eventfulMs, steps } = lengths[this.#random.pick([0, 0, 0, 0, 1, 1, 2] as const)];
    for (let step = 0; step < steps; step += 1)
      this.#time.after(this.#random.between(0, eventfulMs), () => this.#step());
    await this.#time.runUntil(eventfulMs);
    this.#network.healAll();
    for (const node of this.#nodes) if (!node.isRunning) node.start();
    const convergedMs = await this.#converge();
    if (convergedMs === undefined) this.#problems.push(...this.#differences());
    else {
      await this.#stayStill();
      this.#problems.push(...brokenInvariants(this.#nodes, this.#acknowledged), ...this.#missingBlobs());
    }
    return {
      seed: this.#seed,
      nodes: this.#nodes.length,
      acknowledged: this.#acknowledged.length,
      faults: this.#faults,
      framesDelivered: this.#network.framesDelivered,
      convergedMs: convergedMs ?? MAX_QUIET_MS,
      problems: [...new Set(this.#problems)],
    };
  }

  #step(): void {
    const running = this.#nodes.filter(({ isRunning }) => isRunning);
    const node = this.#random.pick(this.#nodes);
    const other = this.#random.pick(this.#nodes.filter((one) => one !== node));
    const fault = (run: () => void) => (): void => {
      this.#faults += 1;
      run();
    };
    const steps: readonly Step[] = [
      [50, () => running.length > 0 && this.#write(this.#random.pick(running))],
      [6, () => this.#burst(running)],
      [4, () => running.length > 0 && this.#writeBlob(this.#random.pick(running))],
      [6, fault(() => this.#cut(node.name, other.name))],
      [5, fault(() => this.#partition())],
      [8, () => this.#network.healAll()],
      [5, fault(() => this.#network.reset(node.name, other.name))],
      [6, fault(() => this.#crash(node))],
      [3, () => this.#backups.set(node.name, node.disk.copy())],
      [3, fault(() => this.#restore(node))],
      [2, fault(() => node.fillDisk())],
      [2, fault(() => this.#jump(node))],
    ];
    const total = steps.reduce((sum, [weight]) => sum + weight, 0);
    let draw = this.#random.share() * total;
    for (const [weight, run] of steps) {
      draw -= weight;
      if (draw >= 0) continue;
      run();
      return;
    }
  }

  #write(node: SimNode): void {
    this.#commit(node, (tag) => drawWrite(this.#random, node.store.config, tag));
  }

  /** Several nodes at the same moment, or one several times. */
  #burst(running: readonly SimNode[]): void {
    if (running.length === 0) return;
    const one = this.#random.happens(0.5) ? this.#random.pick(running) : undefined;
    for (let count = this.#random.between(2, 6); count > 0; count -= 1)
      this.#write(one ?? this.#random.pick(running));
  }

  #commit(node: SimNode, draw: (tag: string) => ReturnType<typeof drawWrite>): void {
    this.#writes += 1;
    const tag = `w${this.#writes}`;
    const { store } = node;
    node.commit(draw(tag), tag).then(
      () => this.#acknowledged.push({ tag, node: node.name, heads: new Map(store.heads()) }),
      // A full disk, or a zone that went in the meantime: refused, and so not acknowledged.
      () => undefined,
    );
  }

  #writeBlob(node: SimNode): void {
    const bytes = Buffer.alloc(this.#random.pick([0, 10, 300_000, 900_000]), `${this.#writes}`);
    const { store } = node;
    store.putBlob(bytes).then(
      (hash) => {
        if (node.isRunning && node.store === store)
          this.#commit(node, () => [blobZone('blob.example.', hash)]);
      },
      () => undefined,
    );
  }

  #cut(from: string, to: string): void {
    this.#network.cut(from, to);
    if (this.#random.happens(0.6)) this.#network.cut(to, from);
  }

  #partition(): void {
    const left = this.#nodes.filter(() => this.#random.happens(0.5));
    for (const one of left) {
      for (const other of this.#nodes) {
        if (left.includes(other)) continue;
        this.#network.cut(one.name, other.name);
        this.#network.cut(other.name, one.name);
      }
    }
  }

  #crash(node: SimNode): void {
    if (!node.isRunning) return;
    node.crash();
    this.#time.after(this.#random.between(50, 6000), () => {
      if (!node.isRunning) node.start();
    });
  }

  /** Puts an old disk back, where nothing is lost by it: what this one has, others have too. */
  #restore(node: SimNode): void {
    const backup = this.#backups.get(node.name);
    if (backup === undefined || !this.#isElsewhere(node)) return;
    node.crash();
    node.disk = backup.copy();
    node.start();
  }

  #isElsewhere(node: SimNode): boolean {
    const others = this.#nodes.filter((one) => one !== node);
    const blobs = [...node.disk.blobs.keys()];
    return (
      [...node.disk.records].every(([id, { heads }]) =>
        others.some(({ disk }) => disk.records.get(id)?.heads.join() === heads.join()),
      ) && blobs.every((hash) => others.some(({ disk }) => disk.blobs.has(hash)))
    );
  }

  #jump(node: SimNode): void {
    node.wrongDays = this.#random.between(-40, 40);
  }

  async #converge(): Promise<number | undefined> {
    const sinceMs = this.#time.nowMs();
    while (this.#time.nowMs() < sinceMs + MAX_QUIET_MS) {
      await this.#time.runUntil(this.#time.nowMs() + 100);
      if (this.#isEqual() && this.#network.isWhole) return this.#time.nowMs() - sinceMs;
    }
    return undefined;
  }

  #isEqual(): boolean {
    const [first, ...others] = this.#nodes.map(headsText);
    return others.every((heads) => heads === first) && this.#missingBlobs().length === 0;
  }

  async #stayStill(): Promise<void> {
    // What was said last may still be answered.
    await this.#time.runUntil(this.#time.nowMs() + 6000);
    const before = this.#network.framesDelivered;
    await this.#time.runUntil(this.#time.nowMs() + STILL_MS);
    if (this.#network.framesDelivered !== before) this.#problems.push('nodes that are equal go on talking');
    for (const node of this.#nodes) {
      for (const [peer, { documents }] of node.sync.behind())
        if (documents > 0)
          this.#problems.push(`${node.name} believes that ${peer} is ${documents} documents apart`);
    }
  }

  #missingBlobs(): readonly string[] {
    const problems: string[] = [];
    for (const { name, store, disk } of this.#nodes) {
      for (const [apex, { value }] of store.config.zones) {
        const bytes = value.kind === 'blob' ? disk.blobs.get(value.blob) : undefined;
        if (value.kind === 'blob' && (bytes === undefined || blobHash(bytes) !== value.blob))
          problems.push(`${name} has no blob for ${apex}`);
      }
    }
    return problems;
  }

  #differences(): readonly string[] {
    const states = this.#nodes.map((node) => `${node.name} ${headsText(node)}`);
    return [
      'the nodes do not become equal',
      ...states,
      ...this.#missingBlobs(),
      ...this.#network.closings.slice(-5),
    ];
  }
}

function headsText({ store }: SimNode): string {
  return [...store.heads()]
    .map(([id, heads]) => `${id} ${heads.map((hash) => hash.slice(0, 8)).join()}`)
    .sort()
    .join('; ');
}
