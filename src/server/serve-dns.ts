import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { createCounters } from '../observe/counters.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';
import { type ListenAddress, ListenError } from './listen-address.ts';
import { loadNative, type Native } from './native.ts';
import { defaultServerLimits, type ServerLimits } from './server-limits.ts';
import type { Sharing } from './worker-link.ts';
import { type ServerLog, type StartWorker, WorkerSupervisor } from './worker-supervisor.ts';
import { workerUrl } from './worker-url.ts';

export interface ServeDnsOptions {
  readonly addresses: readonly ListenAddress[];
  readonly snapshot: SnapshotMessage;
  readonly log: ServerLog;
  readonly limits?: ServerLimits;
  /** `addon` where it is there, unless told otherwise. */
  readonly sockets?: Sockets;
  /** UDP worker threads, 1 to 64, on the addon; `node` has one. One for each processor, unless told otherwise. */
  readonly udpWorkers?: number;
  /** Whether the addresses must be free, or may be joined: those of the process that this one takes over from. */
  readonly sharing?: Sharing;
  /** For tests that end a worker. */
  readonly startWorker?: StartWorker;
}

/** What moves the packets: the addon in batches, or Node's own sockets. The answers are the same. */
export type Sockets = 'addon' | 'node';

/** A running server: worker threads for UDP and one for TCP, all on every address. */
export interface DnsServer {
  readonly sockets: Sockets;
  /** Where it listens, with real ports; UDP and TCP of one address share the port. */
  readonly addresses: readonly ListenAddress[];
  /** The counters of each worker; see `observe/counters.ts`. */
  readonly counters: readonly SharedArrayBuffer[];
  /**
   * Resolves when every worker answers from this snapshot. Rejects where it cannot be opened; each worker then
   * stays with the one before.
   */
  publish(snapshot: SnapshotMessage): Promise<void>;
  /** Answers what has arrived, then frees the ports. */
  close(): Promise<void>;
}

/** The system picks the UDP port without asking whether it is free for TCP too; that it seldom is not. */
const MAX_FREE_PORT_TRIES = 10;

/** Starts the server; rejects with a `ListenError` where it cannot listen, and then leaves nothing running. */
export async function serveDns(options: ServeDnsOptions): Promise<DnsServer> {
  const native = options.sockets === 'node' ? undefined : nativeOrUndefined();
  const udpWorkers = native === undefined ? 1 : (options.udpWorkers ?? availableParallelism());
  const udp = Array.from({ length: udpWorkers }, (_, index) =>
    startSupervised('udp', index === 0 ? 'udp' : `udp-${index + 1}`, options, native),
  );
  const tcp = startSupervised('tcp', 'tcp', options, undefined);
  const all = [...udp, tcp];
  const close = async (): Promise<void> => {
    await Promise.all(all.map(({ supervisor }) => supervisor.close()));
  };
  const addresses: ListenAddress[] = [];
  try {
    for (const address of options.addresses) addresses.push(await listenOnAll(udp, tcp, address, options));
  } catch (error) {
    await close();
    throw error;
  }
  for (const { supervisor } of all) supervisor.keepRunning();
  return {
    sockets: native === undefined ? 'node' : 'addon',
    addresses,
    counters: all.map(({ counters }) => counters),
    publish: async (snapshot) => {
      await Promise.all(all.map(({ supervisor }) => supervisor.publish(snapshot)));
    },
    close,
  };
}

function nativeOrUndefined(): Native | undefined {
  const loaded = loadNative();
  return 'native' in loaded ? loaded.native : undefined;
}

interface Supervised {
  readonly supervisor: WorkerSupervisor;
  readonly counters: SharedArrayBuffer;
}

function startSupervised(
  transport: 'udp' | 'tcp',
  name: string,
  options: ServeDnsOptions,
  native: Native | undefined,
): Supervised {
  const counters = createCounters();
  const supervisor = new WorkerSupervisor({
    name,
    url: workerUrl(import.meta.url, `./${transport}-worker`),
    counters,
    snapshot: options.snapshot,
    limits: options.limits ?? defaultServerLimits,
    log: options.log,
    startWorker: options.startWorker ?? ((url, workerOptions) => new Worker(url, workerOptions)),
    native,
  });
  return { supervisor, counters };
}

/** The first UDP worker finds the port, and whether it is free; the others join it. */
async function listenOnAll(
  udp: readonly Supervised[],
  tcp: Supervised,
  wanted: ListenAddress,
  { sharing = 'alone' }: ServeDnsOptions,
): Promise<ListenAddress> {
  const [first, ...others] = udp;
  if (first === undefined) throw new Error('a server has at least one UDP worker');
  const bound = await listenOnBoth(first.supervisor, tcp.supervisor, wanted, sharing);
  for (const { supervisor } of others) await supervisor.listen(bound, 'joined');
  return bound;
}

async function listenOnBoth(
  udp: WorkerSupervisor,
  tcp: WorkerSupervisor,
  wanted: ListenAddress,
  sharing: Sharing,
): Promise<ListenAddress> {
  for (let tries = 1; ; tries++) {
    const bound = { address: wanted.address, port: await udp.listen(wanted, sharing) };
    try {
      await tcp.listen(bound, sharing);
      return bound;
    } catch (error) {
      await udp.release(bound);
      const taken = error instanceof ListenError && error.code === 'EADDRINUSE';
      if (!taken || wanted.port !== 0 || tries === MAX_FREE_PORT_TRIES) throw error;
    }
  }
}
