import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IdentityFiles } from '../../src/cluster/identity/identity-files.ts';
import { openStore } from '../../src/store/open-store.ts';
import { BreakableLink } from '../cluster/breakable-link.ts';
import { prefixBits, writeMmdb } from '../geo/mmdb-writer.ts';
import { eventually } from '../until.ts';
import { type ApiClient, apiClient } from './api-client.ts';
import { makeCluster, type NodePlan } from './cluster-identities.ts';
import { addressesOf } from './dns-client.ts';
import { freePort } from './endpoint-process.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

/** What the machine may need for something that takes a moment; a bound for hangs, not a measure. */
export const PATIENCE_MS = 60_000;

export interface ClusterNode {
  readonly name: string;
  /** Its data directory. */
  readonly data: string;
  /** Where it answers DNS, at the port of the process. */
  readonly address: string;
  readonly process: NodeProcess;
  readonly api: ApiClient;
}

/** A line of `/v1/cluster/members`, as far as tests look at it. */
export interface MemberLine {
  readonly name: string;
  readonly state: 'up' | 'down' | 'never-seen';
  readonly downReason?: string;
  readonly behind: { readonly documents: number };
}

/** A machine of its own for a node, as far as the network goes. */
export interface Host {
  readonly address: string;
  /** Goes over to a command that runs there. */
  readonly launcher: readonly string[];
}

export interface ClusterOptions {
  /** By node; all are on this machine where there are none. */
  readonly hosts?: ReadonlyMap<string, Host>;
  /** `breakable`: nodes reach each other over relays of this process only, which can be cut. */
  readonly links?: 'direct' | 'breakable';
  readonly flags?: readonly string[];
  /** Of one node alone. */
  readonly flagsOf?: (name: string) => readonly string[];
  /** `small`, unless told otherwise: a few octets instead of the shipped table, so that a start takes a tenth of the time. */
  readonly geo?: 'small' | 'shipped';
  /** Run in the place of the command line from source. */
  readonly program?: string;
}

/** Some real nodes of one cluster on loopback, each a process with its own data directory. */
export class ClusterNodes {
  readonly identities: ReadonlyMap<string, IdentityFiles>;
  readonly #options: ClusterOptions;
  readonly #scratch: ReturnType<typeof temporaryDirectory>;
  readonly #links: ReadonlyMap<string, readonly BreakableLink[]>;
  readonly #running = new Map<string, ClusterNode>();

  private constructor(
    identities: ReadonlyMap<string, IdentityFiles>,
    options: ClusterOptions,
    scratch: ReturnType<typeof temporaryDirectory>,
    links: ReadonlyMap<string, readonly BreakableLink[]>,
  ) {
    this.identities = identities;
    this.#options = options;
    this.#scratch = scratch;
    this.#links = links;
  }

  /** The nodes are made, and none is started. Each has a region of its own. */
  static async make(names: readonly string[], options: ClusterOptions = {}): Promise<ClusterNodes> {
    const scratch = temporaryDirectory();
    const ports = new Map<string, number>();
    for (const name of names) ports.set(name, await freePort('127.0.0.1'));
    const links =
      options.links === 'breakable' ? await openLinks(names, ports) : new Map<string, BreakableLink[]>();
    const plans = names.map((name): NodePlan => {
      const listen = `${options.hosts?.get(name)?.address ?? '127.0.0.1'}:${ports.get(name)}`;
      const plan = { name, region: `region-${name}`, listen };
      if (links.size === 0) return plan;
      // Nobody is there: only the links lead to a node, and each node has links of its own.
      const peers = names.flatMap((other) => linksBetween(links, name, other).map(({ port }) => port));
      return { ...plan, advertise: [NOWHERE], peers: peers.map((port) => `127.0.0.1:${port}`) };
    });
    writeFileSync(join(scratch.path, GEO_FILE), smallGeoFile());
    return new ClusterNodes(await makeCluster(scratch.path, plans), options, scratch, links);
  }

  /** The nodes are made and run, and all are in touch. */
  static async start(names: readonly string[], options: ClusterOptions = {}): Promise<ClusterNodes> {
    const cluster = await ClusterNodes.make(names, options);
    try {
      await cluster.run(...names);
      await cluster.inTouch();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get directory(): string {
    return this.#scratch.path;
  }

  /** Those that run. */
  get nodes(): readonly ClusterNode[] {
    return [...this.identities.keys()].flatMap((name) => this.#running.get(name) ?? []);
  }

  node(name: string): ClusterNode {
    const node = this.#running.get(name);
    if (node === undefined) throw new Error(`${name} does not run`);
    return node;
  }

  dataOf(name: string): string {
    return join(this.#scratch.path, name);
  }

  async run(...names: readonly string[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        const data = this.dataOf(name);
        const { geo = 'small', flags: own = [], flagsOf = () => [], program, hosts } = this.#options;
        const flags = ['--config', 'none', '--data', data, '--dns-workers', '1', '--log-level', 'warn'];
        if (geo === 'small') flags.push('--geo', join(this.#scratch.path, GEO_FILE));
        const host = hosts?.get(name);
        if (host !== undefined) flags.push('--dns', `${host.address}:0`, '--api', `${host.address}:0`);
        const env = host === undefined ? undefined : { MERIDIAN_TOKEN: TOKEN };
        const process = await startNodeProcess(
          [...flags, ...own, ...flagsOf(name)],
          env,
          program,
          host?.launcher,
        );
        const api = apiClient(process.api, host === undefined ? undefined : TOKEN);
        this.#running.set(name, { name, data, address: host?.address ?? '127.0.0.1', process, api });
      }),
    );
  }

  /** Ends the process, with SIGKILL unless told otherwise, and waits until it is gone. */
  async kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { process } = this.node(name);
    this.#running.delete(name);
    await process.stop(signal);
  }

  /** Silences the links of a node with all others that are not named. What is on its way waits. */
  cut(name: string, ...except: readonly string[]): void {
    for (const link of this.#linksOf(name, except)) link.cut();
  }

  /** As `cut`, and both ends are told at once. */
  reset(name: string, ...except: readonly string[]): void {
    for (const link of this.#linksOf(name, except)) {
      link.cut();
      link.reset();
    }
  }

  /** Silences every link between some nodes and the rest. */
  divide(side: readonly string[]): void {
    for (const name of side) this.cut(name, ...side);
  }

  heal(): void {
    for (const link of [...this.#links.values()].flat()) link.heal();
  }

  async members(name: string): Promise<ReadonlyMap<string, MemberLine>> {
    const { members } = await this.node(name).api.get<{ members: readonly MemberLine[] }>(
      '/v1/cluster/members',
    );
    return new Map(members.map((member) => [member.name, member]));
  }

  /** Resolves when every running node sees every other up and is behind none. */
  async inTouch(withinMs = PATIENCE_MS): Promise<void> {
    await eventually(
      async () => {
        for (const { name } of this.nodes) {
          const members = await this.members(name);
          for (const other of this.nodes) {
            const line = members.get(other.name);
            if (line?.state !== 'up' || line.behind.documents > 0) return undefined;
          }
        }
        return true;
      },
      { withinMs, what: 'all nodes are in touch and behind none' },
    );
  }

  /** Resolves when every running node answers with these addresses, in any order. */
  async allAnswer(
    question: { readonly name: string; readonly type?: string; readonly subnet?: string },
    want: readonly string[],
    withinMs = PATIENCE_MS,
  ): Promise<void> {
    const wanted = want.toSorted().join();
    for (const { name, process, address } of this.nodes)
      await eventually(
        async () => {
          const answers = await addressesOf(process.dnsPort, { type: 'A', ...question }, address);
          return answers.toSorted().join() === wanted ? true : undefined;
        },
        { withinMs, what: `${name} answers ${question.name} with ${wanted || 'nothing'}` },
      );
  }

  /**
   * What lies on the disk of nodes that do not run: the heads of every document, which are equal when everything is, and
   * the conflicts by id with all their values.
   */
  async onDisk(name: string): Promise<{ readonly heads: string; readonly conflicts: readonly string[] }> {
    const store = await openStore({ directory: this.dataOf(name), now: () => new Date() });
    try {
      return {
        heads: JSON.stringify([...store.heads()].toSorted()),
        conflicts: store
          .conflicts()
          .map(({ id, values }) => `${id}: ${values.map(({ value }) => JSON.stringify(value)).join(' or ')}`),
      };
    } finally {
      await store.close();
    }
  }

  /** What they all printed, for the message of a test that fails. */
  output(): string {
    return this.nodes.map(({ name, process }) => `--- ${name}\n${process.output()}`).join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ process }) => process.stop('SIGKILL')));
    this.#running.clear();
    await Promise.all([...this.#links.values()].flat().map((link) => link.close()));
    this.#scratch.remove();
  }

  #linksOf(name: string, except: readonly string[]): readonly BreakableLink[] {
    return [...this.#links].flatMap(([key, links]) => {
      const [from = '', to = ''] = key.split(' ');
      const other = from === name ? to : to === name ? from : undefined;
      return other === undefined || except.includes(other) ? [] : links;
    });
  }
}

/** An API beyond loopback has one. */
const TOKEN = 'a-token-of-no-importance';

const GEO_FILE = 'small.mmdb';

/** The discard port of loopback, where nothing listens: dials are refused at once. */
const NOWHERE = '127.0.0.1:9';

function smallGeoFile(): Buffer {
  const value = {
    country: { iso_code: 'FR' },
    location: { latitude: { double: 48.9 }, longitude: { double: 2.4 } },
  };
  return writeMmdb([{ bits: prefixBits('192.0.2.0/24'), value }]);
}

/** By `from to`: what `from` dials to reach `to`. */
async function openLinks(
  names: readonly string[],
  ports: ReadonlyMap<string, number>,
): Promise<Map<string, BreakableLink[]>> {
  const links = new Map<string, BreakableLink[]>();
  for (const from of names)
    for (const to of names)
      if (from !== to) links.set(`${from} ${to}`, [await BreakableLink.to(() => ports.get(to) ?? 0)]);
  return links;
}

function linksBetween(
  links: ReadonlyMap<string, readonly BreakableLink[]>,
  from: string,
  to: string,
): readonly BreakableLink[] {
  return links.get(`${from} ${to}`) ?? [];
}

/** What a test writes: an A RRset of `example.org`. */
export async function putAddress(
  api: ApiClient,
  label: string,
  ...addresses: readonly string[]
): Promise<void> {
  const name = `${label}.example.org`;
  await api.put(`/v1/zones/example.org/rrsets/${name}/A`, {
    name,
    type: 'A',
    ttlSeconds: 60,
    records: addresses,
  });
}

/** The zone of `putAddress`. */
export async function putZone(api: ApiClient, name = 'example.org'): Promise<void> {
  await api.put(`/v1/zones/${name}`, { name, nameServers: [`ns1.${name}`] });
}
