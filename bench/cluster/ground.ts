import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decodeMessage } from '../../src/dns/message.ts';
import { ClusterNodes, type ClusterOptions, putZone } from '../../test/e2e/cluster-nodes.ts';
import { queryOf } from '../../test/e2e/dns-client.ts';
import { meridianProgram } from '../compare/servers/meridian.ts';
import { percentile } from '../ground/percentile.ts';

export const NODES = ['ams', 'fra', 'iad', 'nrt', 'sin'] as const;

/** How long each part runs: whole, or enough to see that it works. */
export interface Extent {
  readonly quick: boolean;
  /** Of kills and other rounds; undefined for the part's own number. */
  readonly rounds: number | undefined;
}

/** One part of the table: prints its figures, and whether its bounds were kept. */
export type Part = (extent: Extent, tell: Tell) => Promise<void>;

/** A figure with its bound. */
export type Tell = (what: string, measured: string, bound: string, kept: boolean) => void;

/** Five nodes as people run them, built, with the zone example.org on all. */
export async function startFive(options: ClusterOptions = {}): Promise<ClusterNodes> {
  const cluster = await ClusterNodes.start(NODES, { program: meridianProgram, ...options });
  await putZone(cluster.node(NODES[0]).api);
  await cluster.allAnswer({ name: 'example.org', type: 'NS' }, ['ns1.example.org.']);
  return cluster;
}

/** Asks one port again and again until the answer is as wanted: one socket, so that asking costs little. */
export class Asker {
  readonly #socket: Socket;
  readonly #port: number;

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
  }

  static async open(port: number): Promise<Asker> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    // A node that is down answers with ICMP, which is no failure of ours.
    socket.on('error', () => undefined);
    return new Asker(socket, port);
  }

  /** When the first answer came that holds, by `performance.now()`; asks every `everyMs`. */
  until(
    question: { readonly name: string; readonly type: string; readonly subnet?: string },
    holds: (answers: readonly string[], rcode: number) => boolean,
    { everyMs = 1, withinMs = 60_000 }: { readonly everyMs?: number; readonly withinMs?: number } = {},
  ): Promise<number> {
    const query = queryOf(question);
    return new Promise((resolve, reject) => {
      const ask = (): void => this.#socket.send(query, this.#port, '127.0.0.1', () => undefined);
      const finish = (): void => {
        clearInterval(timer);
        clearTimeout(end);
        this.#socket.off('message', take);
      };
      const take = (octets: Uint8Array): void => {
        const message = decodeMessage(octets);
        if (!message.ok) return;
        const { answers, rcode } = message.value;
        if (
          !holds(
            answers.map(({ text }) => text),
            rcode,
          )
        )
          return;
        finish();
        resolve(performance.now());
      };
      const timer = setInterval(ask, everyMs);
      const end = setTimeout(() => {
        finish();
        reject(new Error(`not within ${withinMs} ms: ${question.name} at port ${this.#port}`));
      }, withinMs);
      this.#socket.on('message', take);
      ask();
    });
  }

  close(): void {
    this.#socket.close();
  }
}

/** `p50 12 ms, p99 80 ms, max 95 ms of 200`. */
export function spread(times: readonly number[]): {
  readonly text: string;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
} {
  const sorted = times.toSorted((one, other) => one - other);
  const [p50, p99, max] = [percentile(sorted, 0.5), percentile(sorted, 0.99), percentile(sorted, 1)];
  const text = `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, max ${max.toFixed(0)} ms of ${times.length}`;
  return { text, p50, p99, max };
}

/** All RRsets of example.org as a node has them: owner name and type with what stands there. */
export async function rrsetsOf(
  cluster: ClusterNodes,
  name: string,
  zone = 'example.org',
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  let after = '';
  for (;;) {
    const page = await cluster.node(name).api.get<{
      items: readonly { value: { name: string; type: string; records: readonly unknown[] } }[];
      next?: string;
    }>(`/v1/zones/${zone}/rrsets?limit=1000${after}`);
    for (const { value } of page.items)
      found.set(`${value.name} ${value.type}`, JSON.stringify(value.records));
    if (page.next === undefined) return found;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}
