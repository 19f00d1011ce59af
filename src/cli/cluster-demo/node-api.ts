import { Resolver } from 'node:dns/promises';
import type { z } from 'zod';
import { clusterMembersSchema } from '../../api/routes/cluster-members.ts';
import { conflictsSchema } from '../../api/routes/conflicts.ts';
import { CommandError } from '../command.ts';
import { apiUrl, type DemoNode, type DemoPorts } from './demo-node.ts';

/** All on this machine: who has not answered by then does not. */
const TIMEOUT_MS = 5000;

const DNS_TRIES = 2;

/** The zone to write in. It is the API's; what the configuration directory has made is read-only for the API. */
export const DEMO_ZONE = 'cluster.test';

const NAME_SERVER = `ns1.${DEMO_ZONE}.`;

/** Asks and writes as an operator with curl and dig would. */
export class NodeApi {
  readonly #base: string;
  readonly #dns: string;

  constructor(node: DemoNode, ports: DemoPorts) {
    this.#base = apiUrl(node, ports);
    this.#dns = `${node.address}:${ports.dns}`;
  }

  async makeZone(): Promise<void> {
    await this.#put(`/v1/zones/${DEMO_ZONE}`, { nameServers: [NAME_SERVER] }, 'a zone to try');
  }

  async writeText(name: string, text: string, reason: string): Promise<void> {
    const path = `/v1/zones/${DEMO_ZONE}/rrsets/${name}/TXT`;
    await this.#put(path, { ttlSeconds: 5, records: [`"${text}"`] }, reason);
  }

  /** What DNS says; undefined for nothing. */
  async text(name: string): Promise<string | undefined> {
    const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: DNS_TRIES });
    resolver.setServers([this.#dns]);
    try {
      const [first] = await resolver.resolveTxt(name);
      return first?.join('');
    } catch {
      return undefined;
    }
  }

  members(): Promise<z.infer<typeof clusterMembersSchema>> {
    return this.#get('/v1/cluster/members', clusterMembersSchema);
  }

  conflicts(): Promise<z.infer<typeof conflictsSchema>> {
    return this.#get('/v1/conflicts', conflictsSchema);
  }

  async #put(path: string, body: unknown, reason: string): Promise<void> {
    const response = await this.#ask(path, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'meridian-reason': reason },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new CommandError(`PUT ${path}: ${await response.text()}`);
  }

  async #get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const response = await this.#ask(path, {});
    if (!response.ok) throw new CommandError(`GET ${path}: HTTP ${response.status}`);
    return schema.parse(await response.json());
  }

  async #ask(path: string, request: RequestInit): Promise<Response> {
    try {
      return await fetch(this.#base + path, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      throw new CommandError(
        `${this.#base} does not answer (${error instanceof Error ? error.message : error})`,
      );
    }
  }
}
