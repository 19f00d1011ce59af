import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Authorship, Change, Config, Owner } from '../../src/config/model.ts';
import type { Endpoint, Pool } from '../../src/config/resources/pool.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { ReplicatedStore } from '../../src/store/replicated-store.ts';

export const api: Owner = { kind: 'api' };
export const alice: Authorship = { author: 'alice', reason: 'test' };

/** A clock that stands still unless moved. */
export interface HandClock {
  ms: number;
}

export function startClock(): HandClock {
  return { ms: Date.UTC(2026, 0, 1) };
}

/** Directories that vanish with `clear`. */
export class Scratch {
  readonly #directories: string[] = [];

  directory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-store-'));
    this.#directories.push(directory);
    return directory;
  }

  clear(): void {
    for (const directory of this.#directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  }
}

export function open(directory: string, clock: HandClock = startClock()): Promise<ReplicatedStore> {
  return openStore({ directory, now: () => new Date(clock.ms) });
}

export function zone(
  name: string,
  change: { readonly deleted?: boolean; readonly description?: string } = {},
): Change {
  const value = {
    kind: 'rrsets' as const,
    name,
    nameServers: ['ns1.example.org.'],
    contact: 'hostmaster.example.org.',
    ttlSeconds: 3600,
    negativeTtlSeconds: 300,
    ...(change.description === undefined ? {} : { description: change.description }),
  };
  return { collection: 'zones', key: name, owner: api, value: change.deleted === true ? undefined : value };
}

export function blobZone(name: string, blob: string): Change {
  return { collection: 'zones', key: name, owner: api, value: { kind: 'blob', name, blob, rrsetCount: 1 } };
}

export function address(apex: string, name: string, record: string | undefined): Change {
  return {
    collection: 'rrsets',
    zone: apex,
    key: `${name} A`,
    owner: api,
    value: record === undefined ? undefined : { name, type: 'A', ttlSeconds: 300, records: [record] },
  };
}

export function dataCenter(name: string, latitude: number | undefined): Change {
  return {
    collection: 'dataCenters',
    key: name,
    owner: api,
    value: latitude === undefined ? undefined : { name, latitude, longitude: 8.7 },
  };
}

export function endpoint(name: string, addressText: string): Endpoint {
  return { name, dataCenter: 'fra', address: addressText, weight: 1 };
}

export function pool(
  name: string,
  endpoints: readonly Endpoint[] | undefined,
  settings: Partial<Pick<Pool, 'monitor' | 'description'>> = {},
): Change {
  const value = endpoints === undefined ? undefined : { name, ...settings, endpoints };
  return { collection: 'pools', key: name, owner: api, value };
}

/** A configuration without what is each node's own. */
export function withoutGeneration({ generation: _, ...config }: Config): Omit<Config, 'generation'> {
  return config;
}
