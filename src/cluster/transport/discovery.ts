import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import type { Logger } from '../../observe/log.ts';
import { MAX_ADDRESSES_PER_NAME } from './limits.ts';
import type { PeerAddress } from './transport.ts';

/** Where this node is told that peers may be. Who is there, each says by its certificate. */
export type DiscoverySource =
  | { readonly kind: 'static'; readonly addresses: readonly PeerAddress[] }
  /** RFC 2782: an SRV name such as `_meridian._tcp.example.org`, which gives hosts and ports. */
  | { readonly kind: 'srv'; readonly name: string }
  /** A name with an address for each node, such as a Kubernetes headless service. */
  | { readonly kind: 'host'; readonly name: string; readonly port: number };

/** What discovery needs of a resolver; Node's own has it. */
export interface DiscoveryResolver {
  resolveSrv(
    name: string,
  ): Promise<readonly { readonly name: string; readonly port: number; readonly priority: number }[]>;
  resolve4(name: string): Promise<readonly string[]>;
  resolve6(name: string): Promise<readonly string[]>;
}

export interface DiscoveryOptions {
  readonly sources: readonly DiscoverySource[];
  readonly log: Logger;
  /** All candidates, whenever they have changed. */
  readonly onCandidates: (addresses: readonly PeerAddress[]) => void;
  readonly intervalMs?: number;
  readonly resolver?: DiscoveryResolver;
}

/** Records of such names have a TTL of 5 to 30 s; peers that are known are met without discovery anyway. */
const DEFAULT_INTERVAL_MS = 30_000;

/** A cluster has dozens of nodes; who answers with more than this is mistaken, or hostile. */
const MAX_CANDIDATES = 256;

/** One try and one repetition: the next round comes soon enough. */
const RESOLVER_TIMEOUT_MS = 2000;

/**
 * Asks again and again where peers may be. What it finds are candidates and no members: `setPeers` says who belongs to
 * the cluster, and a candidate that proves to be anyone else is refused. A source that cannot be asked keeps what it
 * said last, so that a DNS failure never makes the cluster smaller.
 */
export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #resolver: DiscoveryResolver;
  readonly #found: (readonly PeerAddress[])[];
  readonly #failing = new Set<number>();
  #told = '';
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#resolver = options.resolver ?? new dns.Resolver({ timeout: RESOLVER_TIMEOUT_MS, tries: 2 });
    this.#found = options.sources.map((source) => (source.kind === 'static' ? source.addresses : []));
  }

  /** Resolves after the first round; later ones go on by themselves. Never rejects. */
  async start(): Promise<void> {
    await this.refresh();
    if (this.#isClosed || this.#options.sources.every(({ kind }) => kind === 'static')) return;
    this.#timer = setTimeout(() => void this.start(), this.#options.intervalMs ?? DEFAULT_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Asks all sources now. Never rejects. */
  async refresh(): Promise<void> {
    await Promise.all(this.#options.sources.map((source, at) => this.#ask(source, at)));
    if (this.#isClosed) return;
    const candidates = distinct(this.#found.flat()).slice(0, MAX_CANDIDATES);
    const text = JSON.stringify(candidates);
    if (text === this.#told) return;
    this.#told = text;
    this.#options.onCandidates(candidates);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #ask(source: DiscoverySource, at: number): Promise<void> {
    if (source.kind === 'static') return;
    try {
      this.#found[at] = source.kind === 'srv' ? await this.#askSrv(source.name) : await this.#askHost(source);
      this.#failing.delete(at);
    } catch (error) {
      // Once for each failure, not once for each round of it.
      if (!this.#failing.has(at))
        this.#options.log.warn(
          { name: source.name, err: error },
          'peers could not be looked up; the last stay',
        );
      this.#failing.add(at);
    }
  }

  async #askSrv(name: string): Promise<readonly PeerAddress[]> {
    const records = (await this.#resolver.resolveSrv(name)).slice(0, MAX_CANDIDATES);
    const byPriority = records.toSorted((left, right) => left.priority - right.priority);
    const found: PeerAddress[] = [];
    for (const { name: host, port } of byPriority) found.push(...(await this.#askTarget(host, port)));
    return found;
  }

  /** A target without an address now may have one when it is dialled. */
  async #askTarget(host: string, port: number): Promise<readonly PeerAddress[]> {
    try {
      return (await this.#askHost({ name: host, port })).slice(0, MAX_ADDRESSES_PER_NAME);
    } catch {
      return [{ host, port }];
    }
  }

  async #askHost({
    name,
    port,
  }: {
    readonly name: string;
    readonly port: number;
  }): Promise<readonly PeerAddress[]> {
    if (isIP(name) !== 0) return [{ host: name, port }];
    const answers = await Promise.allSettled([this.#resolver.resolve4(name), this.#resolver.resolve6(name)]);
    const hosts = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const failure = answers.find((answer) => answer.status === 'rejected');
    if (hosts.length === 0 && failure !== undefined) throw failure.reason;
    // Answers come in any order; theirs is no change.
    return hosts.toSorted().map((host) => ({ host, port }));
  }
}

function distinct(addresses: readonly PeerAddress[]): readonly PeerAddress[] {
  return [...new Map(addresses.map((address) => [`${address.host} ${address.port}`, address])).values()];
}
