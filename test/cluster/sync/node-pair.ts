import { setImmediate } from 'node:timers/promises';
import { decodeFrame } from '../../../src/cluster/frame.ts';
import { ClusterSync } from '../../../src/cluster/sync/cluster-sync.ts';
import type { PeerSession, TransportListener } from '../../../src/cluster/transport/transport.ts';
import type { Config } from '../../../src/config/model.ts';
import type { ReplicatedStore } from '../../../src/store/replicated-store.ts';
import type { SimTime } from '../../simulation/cluster/sim-time.ts';
import { open, type Scratch } from '../../store/given.ts';

/** A node of a test: a real store on disk, the synchronisation, and what came of it. */
export interface TestNode {
  readonly name: string;
  readonly store: ReplicatedStore;
  readonly sync: ClusterSync;
  readonly listener: TransportListener;
  readonly published: Config[];
  readonly refusals: string[];
  readonly blobs: string[];
  readonly downs: string[];
}

export async function startNode(name: string, scratch: Scratch, time: SimTime): Promise<TestNode> {
  const store = await open(scratch.directory());
  const [published, refusals, blobs, downs]: [Config[], string[], string[], string[]] = [[], [], [], []];
  const sync = new ClusterSync({
    store,
    clock: time,
    publish: (config) => void published.push(config),
    blobArrived: (hash) => void blobs.push(hash),
    refused: ({ document, reason }) => void refusals.push(`${document ?? 'frame'}: ${reason}`),
  });
  const listener: TransportListener = {
    onUp: (session) => sync.onUp(session),
    onDrain: (session) => sync.onDrain(session),
    onFrame: (session: PeerSession, octets) => {
      const decoded = decodeFrame(octets);
      if (decoded.ok) sync.onFrame(session, decoded.frame);
    },
    onDown: (session, reason) => {
      downs.push(reason);
      sync.onDown(session);
    },
  };
  return { name, store, sync, listener, published, refusals, blobs, downs };
}

export function heads({ store }: TestNode): string {
  return [...store.heads()]
    .map(([id, hashes]) => `${id} ${hashes.join()}`)
    .sort()
    .join('\n');
}

/** Turns of the event loop, in which frames arrive and disks answer, until it is so; each is a millisecond of `time`. */
export async function untilSo(time: SimTime, isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 15_000;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error('it does not come to that');
    await time.runUntil(time.nowMs() + 1);
    await setImmediate();
  }
}

export async function untilEqual(time: SimTime, nodes: readonly TestNode[]): Promise<void> {
  await untilSo(time, () => nodes.every((node) => heads(node) === heads(nodes[0] ?? node)));
}

export async function stop(nodes: readonly TestNode[]): Promise<void> {
  for (const { sync, store } of nodes) {
    sync.close();
    await store.close();
  }
}
