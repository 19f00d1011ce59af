import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Transport } from '../answer/respond.ts';
import { createCounters } from '../observe/counters.ts';
import { createSampleRing } from '../observe/samples/sample-ring.ts';
import type { Sampling } from '../observe/samples/sampler.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';
import { workerUrl } from '../worker-url.ts';
import type { SocketCounts, WantedAddress } from './bound-address.ts';
import { canSharePorts, type ListenAddress } from './listen-address.ts';
import { type Listening, listenOnAddon, listenOnNode, type Workers } from './listening.ts';
import { loadNative, type Native } from './native.ts';
import { defaultServerLimits, type ServerLimits } from './server-limits.ts';
import type { Sharing } from './worker-link.ts';
import { type ServerLog, type StartWorker, WorkerSupervisor } from './worker-supervisor.ts';

export interface ServeDnsOptions {
  readonly addresses: readonly WantedAddress[];
  readonly snapshot: SnapshotMessage;
  readonly log: ServerLog;
  readonly limits?: ServerLimits;
  /** `addon` where it is there, unless told otherwise. */
  readonly sockets?: Sockets;
  /**
   * UDP worker threads, 1 to 64, each with a socket of its own on every address. One for each processor, unless told
   * otherwise; a single one where `node` cannot share a port, or is given sockets.
   */
  readonly udpWorkers?: number;
  /** Whether the addresses must be free, or may be joined: those of the process that this one takes over from. */
  readonly sharing?: Sharing;
  /** Sockets of that process on each address: it answers until `claimTraffic`. To be given with `joined`. */
  readonly older?: SocketCounts;
  /** One query of so many is sampled, on average; 0 for none, which is also what happens unless told. */
  readonly sampleEvery?: number;
  /** At most so many samples a second of each worker, unless told otherwise as many as come. */
  readonly samplesPerSecond?: number | undefined;
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
  /** For the process that takes over from this one. */
  readonly socketCounts: SocketCounts;
  /** The counters of each worker; see `observe/counters.ts`. */
  readonly counters: readonly SharedArrayBuffer[];
  /** Where each worker's samples are, in the order of `counters`; empty where none are taken. */
  readonly samples: readonly SharedArrayBuffer[];
  /**
   * Resolves when every worker answers from this snapshot. Rejects where it cannot be opened; each worker then
   * stays with the one before.
   */
  publish(snapshot: SnapshotMessage): Promise<void>;
  /**
   * From now on all new queries come to this server, and none to the `older` one on the same addresses, which was there
   * before: it can answer what has arrived and leave, and no query is lost. Does nothing without the addon.
   */
  claimTraffic(older: SocketCounts): void;
  /** To be called when the older server has left. */
  releaseClaim(): void;
  /** Answers what has arrived, then frees the ports. */
  close(): Promise<void>;
}

/** Three thousand samples or more: a worker at full speed needs half a second to fill it at one in 64. */
const RING_OCTETS = 2 ** 20;
/** Whoever wants to see one query in fifteen or more pays for it with memory. */
const DENSE_RING_OCTETS = 2 ** 23;
const DENSE_BELOW = 16;

/** Starts the server; rejects with a `ListenError` where it cannot listen, and then leaves nothing running. */
export async function serveDns(options: ServeDnsOptions): Promise<DnsServer> {
  const native = options.sockets === 'node' ? undefined : nativeOrUndefined();
  const limits = options.limits ?? defaultServerLimits;
  const udp = Array.from({ length: udpWorkerCount(options, native) }, (_, index) =>
    startSupervised('udp', index === 0 ? 'udp' : `udp-${index + 1}`, options, native),
  );
  const tcp = startSupervised('tcp', 'tcp', options, native);
  const all = [...udp, tcp];
  const endWorkers = async (): Promise<void> => {
    await Promise.all(all.map(({ supervisor }) => supervisor.close()));
  };
  const workers: Workers = { udp: udp.map(({ supervisor }) => supervisor), tcp: tcp.supervisor };
  const { addresses, sharing = 'alone', older } = options;
  let listening: Listening;
  try {
    const listenOptions = { addresses, limits, sharing, older };
    listening = await (native === undefined
      ? listenOnNode(workers, listenOptions)
      : listenOnAddon(native, workers, listenOptions));
  } catch (error) {
    await endWorkers();
    throw error;
  }
  for (const { supervisor } of all) supervisor.keepRunning();
  return {
    sockets: native === undefined ? 'node' : 'addon',
    addresses: listening.addresses,
    socketCounts: listening.counts,
    counters: all.map(({ counters }) => counters),
    samples: all.flatMap(({ sampling }) => sampling?.ring ?? []),
    publish: async (snapshot) => {
      await Promise.all(all.map(({ supervisor }) => supervisor.publish(snapshot)));
    },
    claimTraffic: listening.claimTraffic,
    releaseClaim: listening.releaseClaim,
    close: once(async () => {
      listening.beginClosing();
      await endWorkers();
      listening.close();
    }),
  };
}

/** Descriptors must not be closed twice: the second time they may be somebody else's. */
function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= action();
    return done;
  };
}

function udpWorkerCount({ addresses, udpWorkers }: ServeDnsOptions, native: Native | undefined): number {
  const given = addresses.some(({ udp }) => udp !== undefined);
  if (native === undefined && (given || !canSharePorts)) return 1;
  return udpWorkers ?? availableParallelism();
}

function nativeOrUndefined(): Native | undefined {
  const loaded = loadNative();
  return 'native' in loaded ? loaded.native : undefined;
}

interface Supervised {
  readonly supervisor: WorkerSupervisor;
  readonly counters: SharedArrayBuffer;
  readonly sampling: Sampling | undefined;
}

function startSupervised(
  transport: Transport,
  name: string,
  options: ServeDnsOptions,
  native: Native | undefined,
): Supervised {
  const counters = createCounters();
  const sampling = samplingOf(options.sampleEvery ?? 0, options.samplesPerSecond);
  const supervisor = new WorkerSupervisor({
    name,
    url: workerUrl(import.meta.url, `./${transport}-worker`),
    counters,
    snapshot: options.snapshot,
    limits: options.limits ?? defaultServerLimits,
    sampling,
    log: options.log,
    startWorker: options.startWorker ?? ((url, workerOptions) => new Worker(url, workerOptions)),
    native,
  });
  return { supervisor, counters, sampling };
}

function samplingOf(every: number, perSecond: number | undefined): Sampling | undefined {
  if (every === 0) return undefined;
  const ring = createSampleRing(every < DENSE_BELOW ? DENSE_RING_OCTETS : RING_OCTETS);
  return { every, perSecond, ring };
}
