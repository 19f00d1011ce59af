import { decodeFrame } from '../../../src/cluster/frame.ts';
import { ClusterSync } from '../../../src/cluster/sync/cluster-sync.ts';
import type { PeerSession, TransportListener } from '../../../src/cluster/transport/transport.ts';
import type { Change, Config } from '../../../src/config/model.ts';
import { createStore } from '../../../src/store/automerge-store.ts';
import type { ReplicatedStore } from '../../../src/store/replicated-store.ts';
import { createSealer, SEAL_KEY_LENGTH } from '../../../src/store/seal/sealer.ts';
import { SimDatabase, type SimDisk } from './sim-disk.ts';
import type { SimNetwork } from './sim-network.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimTime } from './sim-time.ts';

/** The same on all nodes, as in a cluster. */
const sealer = createSealer([new Uint8Array(SEAL_KEY_LENGTH)]);

export interface SimSurroundings {
  readonly time: SimTime;
  readonly random: SimRandom;
  readonly network: SimNetwork;
  /** Looks at every configuration that a node would publish. */
  readonly published: (node: string, config: Config) => void;
}

interface Running {
  readonly database: SimDatabase;
  readonly store: ReplicatedStore;
  readonly sync: ClusterSync;
}

/** One node: the real store and the real synchronisation, over a simulated disk, network and clock. */
export class SimNode implements TransportListener {
  readonly name: string;
  disk: SimDisk;
  /** Days by which the node's wall clock is wrong. */
  wrongDays = 0;
  readonly refusals: string[] = [];
  readonly #around: SimSurroundings;
  #running: Running | undefined;

  constructor(name: string, disk: SimDisk, around: SimSurroundings) {
    this.name = name;
    this.disk = disk;
    this.#around = around;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Throws when the node does not run. */
  get store(): ReplicatedStore {
    if (this.#running === undefined) throw new Error(`${this.name} does not run`);
    return this.#running.store;
  }

  get sync(): ClusterSync {
    if (this.#running === undefined) throw new Error(`${this.name} does not run`);
    return this.#running.sync;
  }

  start(): void {
    const { time, random, network } = this.#around;
    const database = new SimDatabase(this.disk, time, random);
    const now = (): Date => new Date(Date.UTC(2026, 0, 1 + this.wrongDays) + time.nowMs());
    const store = createStore({
      database,
      release: () => undefined,
      now,
      node: this.name,
      sealer,
      actor: random.hex(32),
    });
    const sync = new ClusterSync({
      store,
      clock: time,
      publish: (config) => this.#around.published(this.name, config),
      blobArrived: () => undefined,
      refused: ({ peer, document, reason }) => {
        this.refusals.push(`${this.name} refused ${document ?? 'a frame'} of ${peer}: ${reason}`);
      },
    });
    this.#running = { database, store, sync };
    network.attach(this.name, this);
  }

  /** Stops without a word to anybody; what is under way on the disk is there whole or not at all. */
  crash(): void {
    this.#running?.sync.close();
    this.#running?.database.crash();
    this.#running = undefined;
    this.#around.network.detach(this.name);
  }

  /** The next write to the disk fails. */
  fillDisk(): void {
    if (this.#running !== undefined) this.#running.database.refuseNext = true;
  }

  commit(changes: readonly Change[], tag: string): Promise<Config> {
    return this.store.commit(changes, { author: tag, reason: 'simulated' });
  }

  onUp(session: PeerSession): void {
    this.#running?.sync.onUp(session);
  }

  onFrame(session: PeerSession, octets: Uint8Array): void {
    const decoded = decodeFrame(octets);
    if (!decoded.ok) throw new Error(`a frame is ${decoded.reason}`);
    this.#running?.sync.onFrame(session, decoded.frame);
  }

  onDrain(session: PeerSession): void {
    this.#running?.sync.onDrain(session);
  }

  onDown(session: PeerSession): void {
    this.#running?.sync.onDown(session);
  }
}
