import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../observe/log.ts';
import type { DirectoryLock } from '../store/directory-lock.ts';
import { type BootManifest, readBootManifest } from './boot/boot-manifest.ts';
import type { DnsOutlet } from './dns-outlet.ts';
import { type NodeOptions, type RunningNode, startNode } from './start-node.ts';
import type { ApiAddress } from './takeover/activated-settings.ts';
import type { TakenOver } from './takeover/takeover-host.ts';
import type { Standing } from './takeover/takeover-messages.ts';

/** A store that a failed successor still holds is free when the system has ended that process. */
const RESUME_RETRY_MS = 500;

/** Where Node's own sockets can share a port, too (`reusePort`). */
const SHARING_SYSTEMS: readonly string[] = ['linux', 'freebsd'];

type LifeCycleOptions = Omit<NodeOptions, 'lock' | 'manifest' | 'booted'>;

/**
 * A node that can close everything but DNS and open it again:
 *
 *     start --> all --yieldControl--> DNS alone --leave--> nothing
 *                ^                        |
 *                +--------resume----------+
 *
 * In all of it DNS answers from the snapshot that was published last.
 */
export class LifeCycle implements TakenOver {
  readonly #options: LifeCycleOptions;
  readonly #outlet: DnsOutlet;
  readonly #log: Logger;
  /** Called when the control plane closes, and with `open` when it is there again. */
  readonly #onControl: (state: 'open' | 'closed') => Promise<void>;
  #node: RunningNode | undefined;
  #api: readonly ApiAddress[];
  #state: 'running' | 'stopped' = 'running';

  constructor(options: LifeCycleOptions, onControl: (state: 'open' | 'closed') => Promise<void>) {
    this.#options = options;
    this.#outlet = options.outlet;
    this.#log = options.log;
    this.#api = options.api;
    this.#onControl = onControl;
  }

  /** Opens everything; rejects, with DNS as it was, when a part cannot start. */
  async start(boot: {
    readonly manifest: BootManifest | undefined;
    readonly booted: NodeOptions['booted'];
    readonly lock: DirectoryLock | undefined;
  }): Promise<RunningNode> {
    // With the ports of the first time, where the system chose them.
    const node = await startNode({ ...this.#options, ...boot, api: this.#api });
    this.#node = node;
    this.#api = node.api;
    await this.#onControl('open');
    return node;
  }

  /** The parts beside DNS; undefined while they are closed. */
  get node(): RunningNode | undefined {
    return this.#node;
  }

  standing(): Standing {
    const sockets = this.#outlet.server?.socketCounts ?? { udp: 0, tcp: 0 };
    return { dns: this.#outlet.listening, sockets, api: this.#api };
  }

  refusal(): string | undefined {
    if (this.#node === undefined) return 'the node that runs is not ready itself';
    if (this.#outlet.server?.sockets === 'addon' || SHARING_SYSTEMS.includes(process.platform))
      return undefined;
    return 'two processes cannot share a port on this system; stop the node, then start it again';
  }

  async yieldControl(): Promise<void> {
    const node = this.#node;
    this.#node = undefined;
    await this.#onControl('closed');
    await node?.stop();
  }

  async resume(): Promise<void> {
    const manifest = readBootManifest(this.#options.settings.dataDirectory);
    while (this.#state === 'running') {
      try {
        await this.start({ manifest, booted: undefined, lock: undefined });
        return;
      } catch (error) {
        this.#log.error({ err: error }, 'DNS is served, and the rest cannot be opened again yet');
        await delay(RESUME_RETRY_MS);
      }
    }
  }

  async leave(): Promise<void> {
    this.#state = 'stopped';
    await this.#outlet.close();
  }

  /** Ends in order; never rejects. */
  async stop(): Promise<void> {
    await this.yieldControl();
    await this.leave();
  }
}
