/*
 * What it costs that nodes talk to each other: five processes on loopback, all in touch with all.
 *   round trip   a small frame and its echo, one at a time, between each two nodes
 *   flood        one node sends frames of 200 octets to one other as fast as they are taken
 *   observations every node sends each other one frame of 100 observations a hundred times a second (10,000 a second)
 * Options: --seconds N (of each part, 5), --transport mesh|nats (both).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { decodeFrame, encodeFrame } from '../src/cluster/frame.ts';
import { MeshTransport } from '../src/cluster/transport/mesh/mesh-transport.ts';
import { NatsTransport } from '../src/cluster/transport/nats/nats-transport.ts';
import type {
  PeerSession,
  Transport,
  TransportIdentity,
  TransportListener,
} from '../src/cluster/transport/transport.ts';
import { TestAuthority } from '../test/cluster/certificates.ts';
import { NatsServer } from '../test/cluster/nats-server.ts';
import { machineLine } from './ground/machine.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const OBSERVATIONS_PER_FRAME = 100;
const FRAME_EVERY_MS = 10;
const FLOOD_OCTETS = 200;

interface Setting {
  readonly kind: string;
  readonly identity: Omit<TransportIdentity, 'isRevoked'>;
  readonly brokerPort: number;
}

type Order =
  | { readonly type: 'start'; readonly setting: Setting }
  | { readonly type: 'peers'; readonly ports: Readonly<Record<string, number>> }
  | { readonly type: 'round-trips' | 'flood' | 'observations'; readonly seconds: number };

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    transport: { type: 'string', multiple: true, default: ['mesh', 'nats'] },
  },
});

async function measureAll(): Promise<void> {
  console.log(machineLine());
  for (const kind of values.transport) await measure(kind, Number(values.seconds));
}

async function measure(kind: string, seconds: number): Promise<void> {
  const authority = new TestAuthority('bench');
  const broker = kind === 'nats' ? await NatsServer.start(authority.issue({ name: 'broker' })) : undefined;
  const children = NAMES.map(() => fork(import.meta.filename, { serialization: 'advanced' }));
  const ports: Record<string, number> = {};
  for (const [at, child] of children.entries()) {
    const { isRevoked: _, ...identity } = authority.identity({ name: NAMES[at] ?? '' });
    const setting = { kind, identity, brokerPort: broker?.port ?? 0 };
    ports[identity.name] = Number(await ask(child, { type: 'start', setting }));
  }
  await Promise.all(children.map((child) => ask(child, { type: 'peers', ports })));
  const [first] = children;
  if (first === undefined) return;
  const trips = (
    (await Promise.all(children.map((child) => ask(child, { type: 'round-trips', seconds })))) as number[][]
  )
    .flat()
    .sort((left, right) => left - right);
  const at = (share: number) => (trips[Math.floor(trips.length * share)] ?? 0).toFixed(2);
  console.log(
    `${kind}: round trip of a frame p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${trips.length} of them, 5 nodes at once)`,
  );
  console.log(
    `${kind}: flood ${Math.round(Number(await ask(first, { type: 'flood', seconds })))} frames/s of ${FLOOD_OCTETS} octets`,
  );
  const loads = (await Promise.all(
    children.map((child) => ask(child, { type: 'observations', seconds })),
  )) as Load[];
  const cpuMs = loads.reduce((sum, load) => sum + load.cpuMs, 0);
  const frames = loads.reduce((sum, load) => sum + load.received, 0);
  const perThousand = ((cpuMs / frames) * 1000).toFixed(0);
  const share = ((cpuMs / (seconds * 1000) / NAMES.length) * 100).toFixed(1);
  const rate = Math.round((frames * OBSERVATIONS_PER_FRAME) / seconds / NAMES.length);
  console.log(
    `${kind}: ${rate} observations/s received per node, ${perThousand} ms of CPU per 1,000 frames sent and received, ${share} % of a core per node`,
  );
  for (const child of children) child.kill();
  await broker?.stop();
  authority.remove();
}

interface Load {
  readonly cpuMs: number;
  readonly received: number;
}

async function ask(child: ChildProcess, order: Order): Promise<unknown> {
  child.send(order);
  const [answer] = await once(child, 'message');
  return answer;
}

function serveOrders(): void {
  const node = new BenchNode();
  process.on('message', async (order: Order) => {
    process.send?.((await node.obey(order)) ?? 'done');
  });
}

class BenchNode implements TransportListener {
  readonly #sessions = new Map<string, PeerSession>();
  readonly #echoes = new Map<string, () => void>();
  #transport: Transport | undefined;
  #received = 0;
  #drained = () => {};

  obey(order: Order): Promise<unknown> {
    switch (order.type) {
      case 'start':
        return this.#start(order.setting);
      case 'peers':
        return this.#meet(order.ports);
      case 'round-trips':
        return this.#roundTrips(order.seconds);
      case 'flood':
        return this.#flood(order.seconds);
      case 'observations':
        return this.#observations(order.seconds);
    }
  }

  onUp(session: PeerSession): void {
    this.#sessions.set(session.peer, session);
  }

  onDown(session: PeerSession): void {
    this.#sessions.delete(session.peer);
  }

  onDrain(): void {
    this.#drained();
  }

  onFrame(session: PeerSession, octets: Uint8Array): void {
    const decoded = decodeFrame(octets);
    if (!decoded.ok) return;
    const { channel, value } = decoded.frame;
    if (channel === 'observations') this.#received += 1;
    else if (value === 'ask') session.send(encodeFrame('members', 'echo'));
    else if (value === 'echo') this.#echoes.get(session.peer)?.();
  }

  async #start({ kind, brokerPort, identity: given }: Setting): Promise<number> {
    const identity = { ...given, isRevoked: () => false };
    const shared = { identity, version: 'bench', log: pino({ level: 'warn' }) };
    if (kind === 'mesh') {
      const mesh = new MeshTransport({ ...shared, listen: { host: '127.0.0.1', port: 0 } });
      this.#transport = mesh;
      await mesh.start(this);
      return mesh.port;
    }
    this.#transport = new NatsTransport({
      ...shared,
      clusterKey: new Uint8Array(32),
      servers: [{ host: '127.0.0.1', port: brokerPort }],
      brokerCaCertificatesPem: identity.caCertificatesPem,
    });
    await this.#transport.start(this);
    return 0;
  }

  async #meet(ports: Readonly<Record<string, number>>): Promise<void> {
    const peers = Object.entries(ports).map(([name, port]) => ({
      name,
      addresses: [{ host: '127.0.0.1', port }],
    }));
    this.#transport?.setPeers(peers);
    while (this.#sessions.size < NAMES.length - 1) await sleep(10);
  }

  async #roundTrips(seconds: number): Promise<readonly number[]> {
    const times: number[] = [];
    const end = performance.now() + seconds * 1000;
    const trips = [...this.#sessions].map(async ([peer, session]) => {
      while (performance.now() < end) {
        const start = performance.now();
        const echo = new Promise<void>((resolve) => this.#echoes.set(peer, resolve));
        session.send(encodeFrame('members', 'ask'));
        await echo;
        times.push(performance.now() - start);
        await sleep(5);
      }
    });
    await Promise.all(trips);
    return times;
  }

  async #flood(seconds: number): Promise<number> {
    const [session] = this.#sessions.values();
    const frame = encodeFrame('blobs', new Uint8Array(FLOOD_OCTETS));
    const start = performance.now();
    let sent = 0;
    while (performance.now() - start < seconds * 1000) {
      if (session?.send(frame)) sent += 1;
      else
        await new Promise<void>((resolve) => {
          this.#drained = resolve;
        });
    }
    return sent / ((performance.now() - start) / 1000);
  }

  async #observations(seconds: number): Promise<Load> {
    await sleep(200);
    const before = process.cpuUsage();
    const [start, receivedBefore] = [performance.now(), this.#received];
    let sent = 0;
    while (performance.now() - start < seconds * 1000) {
      for (; sent < (performance.now() - start) / FRAME_EVERY_MS; sent += 1) {
        const frame = encodeFrame('observations', observations());
        for (const session of this.#sessions.values()) session.send(frame);
      }
      await sleep(FRAME_EVERY_MS);
    }
    const { user, system } = process.cpuUsage(before);
    return { cpuMs: (user + system) / 1000, received: this.#received - receivedBefore };
  }
}

function observations(): unknown {
  const atMs = Date.now();
  return Array.from({ length: OBSERVATIONS_PER_FRAME }, (_, at) => ({
    endpoint: `web/endpoint-${at}`,
    up: at % 7 > 0,
    latencyMs: at * 1.3,
    atMs,
  }));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (process.send === undefined) await measureAll();
else serveOrders();
