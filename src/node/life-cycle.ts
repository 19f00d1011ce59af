import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../observe/log.ts';
import { canSharePorts } from '../server/listen-address.ts';
import type { DirectoryLock } from '../store/directory-lock.ts';
import { type BootManifest, readBootManifest } from './boot/boot-manifest.ts';
import type { DnsOutlet } from './dns-outlet.ts';
import type { NodeOptions } from './node-options.ts';
import { type RunningNode, startNode } from './start-node.ts';
import type { ApiAddress } from './takeover/activated-settings.ts';
import { openAgain } from './takeover/open-again.ts';
import type { TakenOver } from './takeover/takeover-host.ts';
import type { Standing } from './takeover/takeover-messages.ts';

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
    if (this.#outlet.server?.sockets === 'addon' || canSharePorts) return undefined;
    return 'two processes cannot share a port on this system; stop the node, then start it again';
  }

  async yieldControl(): Promise<void> {
    const node = this.#node;
    this.#node = undefined;
    try {
      await this.#onControl('closed');
      await node?.stop();
    } catch (error) {
      this.#log.error({ err: error }, 'not everything could be closed in order');
    }
  }

  async resume(): Promise<void> {
    const manifest = readBootManifest(this.#options.settings.dataDirectory);
    await openAgain({
      open: () => this.start({ manifest, booted: undefined, lock: undefined }),
      wanted: () => this.#state === 'running',
      pause: delay,
      onError: (error) =>
        this.#log.error({ err: error }, 'DNS is served, and the rest cannot be opened again yet'),
    });
  }

  claimTraffic(): void {
    this.#outlet.server?.claimTraffic({ udp: 0, tcp: 0 });
  }

  releaseClaim(): void {
    this.#outlet.server?.releaseClaim();
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
