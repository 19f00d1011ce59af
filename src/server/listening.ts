import {
  type BoundAddress,
  openBoundAddress,
  type SocketCounts,
  type WantedAddress,
} from './bound-address.ts';
import { type ListenAddress, mayTryAnotherPort } from './listen-address.ts';
import type { Native } from './native.ts';
import type { ServerLimits } from './server-limits.ts';
import type { Sharing } from './worker-link.ts';
import type { WorkerSupervisor } from './worker-supervisor.ts';

/** The sockets of a server, whoever opened them. */
export interface Listening {
  /** With real ports. */
  readonly addresses: readonly ListenAddress[];
  readonly counts: SocketCounts;
  claimTraffic(older: SocketCounts): void;
  releaseClaim(): void;
  /** Before the workers are told to end. */
  beginClosing(): void;
  /** When the workers have ended. */
  close(): void;
}

export interface ListenOptions {
  readonly addresses: readonly WantedAddress[];
  readonly limits: ServerLimits;
  readonly sharing: Sharing;
  readonly older: SocketCounts | undefined;
}

export interface Workers {
  readonly udp: readonly WorkerSupervisor[];
  readonly tcp: WorkerSupervisor;
}

/** With the addon: the main thread opens all sockets, and keeps them. Rejects with a `ListenError`, with none open. */
export async function listenOnAddon(
  native: Native,
  workers: Workers,
  options: ListenOptions,
): Promise<Listening> {
  const { udp, tcp } = workers;
  const bound: BoundAddress[] = [];
  const beginClosing = (): void => {
    for (const address of bound) address.beginClosing();
  };
  const close = (): void => {
    for (const address of bound) address.close();
  };
  try {
    for (const wanted of options.addresses)
      bound.push(openBoundAddress(wanted, { ...options, native, udpWorkers: udp.length }));
    const listened = udp.map((supervisor, worker) =>
      listenInOrder(supervisor, bound, (address) => address.udpOfWorker[worker]),
    );
    await Promise.all([...listened, listenInOrder(tcp, bound, (address) => address.tcp)]);
  } catch (error) {
    beginClosing();
    close();
    throw error;
  }
  return {
    addresses: bound.map(({ where }) => where),
    counts: bound[0]?.counts ?? { udp: 0, tcp: 0 },
    claimTraffic: (older) => {
      for (const address of bound) address.claimTraffic(older);
    },
    releaseClaim: () => {
      for (const address of bound) address.releaseClaim();
    },
    beginClosing,
    close,
  };
}

async function listenInOrder(
  supervisor: WorkerSupervisor,
  bound: readonly BoundAddress[],
  descriptorOf: (address: BoundAddress) => number | undefined,
): Promise<void> {
  for (const address of bound) await supervisor.listen(address.where, 'joined', descriptorOf(address));
}

/**
 * Without the addon: each worker opens its own sockets. Nothing is claimed from a server before, so a query that comes
 * while it leaves may be lost.
 */
export async function listenOnNode(workers: Workers, options: ListenOptions): Promise<Listening> {
  const addresses: ListenAddress[] = [];
  for (const wanted of options.addresses) addresses.push(await listenOnAll(workers, wanted, options.sharing));
  return {
    addresses,
    counts: { udp: workers.udp.length, tcp: 1 },
    claimTraffic: () => undefined,
    releaseClaim: () => undefined,
    beginClosing: () => undefined,
    close: () => undefined,
  };
}

/** The first UDP worker finds the port, and whether it is free; the others join it. */
async function listenOnAll(
  { udp, tcp }: Workers,
  wanted: WantedAddress,
  sharing: Sharing,
): Promise<ListenAddress> {
  const [first, ...others] = udp;
  if (first === undefined) throw new Error('a server has at least one UDP worker');
  const bound = await listenOnBoth(first, tcp, wanted, sharing);
  for (const supervisor of others) await supervisor.listen(bound, 'joined');
  return bound;
}

async function listenOnBoth(
  udp: WorkerSupervisor,
  tcp: WorkerSupervisor,
  wanted: WantedAddress,
  sharing: Sharing,
): Promise<ListenAddress> {
  for (let tries = 1; ; tries++) {
    const bound = { address: wanted.address, port: await udp.listen(wanted, sharing, wanted.udp) };
    try {
      await tcp.listen(bound, sharing, wanted.tcp);
      return bound;
    } catch (error) {
      await udp.release(bound);
      if (!mayTryAnotherPort(error, wanted, tries)) throw error;
    }
  }
}
