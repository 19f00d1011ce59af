import { Worker } from 'node:worker_threads';
import { createCounters } from '../observe/counters.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';
import { type ListenAddress, ListenError } from './listen-address.ts';
import { defaultServerLimits, type ServerLimits } from './server-limits.ts';
import { type ServerLog, type StartWorker, WorkerSupervisor } from './worker-supervisor.ts';
import { workerUrl } from './worker-url.ts';

export interface ServeDnsOptions {
  readonly addresses: readonly ListenAddress[];
  readonly snapshot: SnapshotMessage;
  readonly log: ServerLog;
  readonly limits?: ServerLimits;
  /** For tests that end a worker. */
  readonly startWorker?: StartWorker;
}

/** A running server: one worker thread for UDP, one for TCP, both on every address. */
export interface DnsServer {
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
  const udp = startSupervisor('udp', options);
  const tcp = startSupervisor('tcp', options);
  const supervisors = [udp.supervisor, tcp.supervisor];
  const close = async (): Promise<void> => {
    await Promise.all(supervisors.map((supervisor) => supervisor.close()));
  };
  const addresses: ListenAddress[] = [];
  try {
    for (const address of options.addresses)
      addresses.push(await listenOnBoth(udp.supervisor, tcp.supervisor, address));
  } catch (error) {
    await close();
    throw error;
  }
  for (const supervisor of supervisors) supervisor.keepRunning();
  return {
    addresses,
    counters: [udp.counters, tcp.counters],
    publish: async (snapshot) => {
      await Promise.all(supervisors.map((supervisor) => supervisor.publish(snapshot)));
    },
    close,
  };
}

function startSupervisor(
  name: 'udp' | 'tcp',
  options: ServeDnsOptions,
): { readonly supervisor: WorkerSupervisor; readonly counters: SharedArrayBuffer } {
  const counters = createCounters();
  const supervisor = new WorkerSupervisor({
    name,
    url: workerUrl(import.meta.url, `./${name}-worker`),
    counters,
    snapshot: options.snapshot,
    limits: options.limits ?? defaultServerLimits,
    log: options.log,
    startWorker: options.startWorker ?? ((url, workerOptions) => new Worker(url, workerOptions)),
  });
  return { supervisor, counters };
}

async function listenOnBoth(
  udp: WorkerSupervisor,
  tcp: WorkerSupervisor,
  wanted: ListenAddress,
): Promise<ListenAddress> {
  for (let tries = 1; ; tries++) {
    const bound = { address: wanted.address, port: await udp.listen(wanted) };
    try {
      await tcp.listen(bound);
      return bound;
    } catch (error) {
      await udp.release(bound);
      const taken = error instanceof ListenError && error.code === 'EADDRINUSE';
      if (!taken || wanted.port !== 0 || tries === MAX_FREE_PORT_TRIES) throw error;
    }
  }
}
