import { z } from 'zod';
import { emptyConfig, previewConfig } from '../../src/config/apply-changes.ts';
import { type Contract, createContract } from '../../src/config/contract.ts';
import type { FileCollection } from '../../src/config/directory-changes.ts';
import { type Change, type Config, type Owner, rrsetKey } from '../../src/config/model.ts';

export const API: Owner = { kind: 'api' };
export const FILE: Owner = { kind: 'directory', file: 'meridian.yaml', line: 12 };

export const contract: Contract = createContract([{ kind: 'tcp', settings: z.strictObject({}) }]);

/** A write of one resource, its body completed by the contract as the API does. */
export function write(collection: FileCollection | 'zones', body: unknown, owner: Owner = API): Change {
  const value = contract.schemas[collection].parse(body);
  const key = 'id' in value ? value.id : value.name;
  const stored = collection === 'zones' ? { ...value, kind: 'rrsets' } : value;
  return { collection, key, owner, value: stored } as Change;
}

export function remove(collection: FileCollection | 'zones', key: string, owner: Owner = API): Change {
  return { collection, key, owner, value: undefined } as Change;
}

export function record(name: string, type: string, records: readonly string[], owner: Owner = API): Change {
  const value = contract.rrsetSchema.parse({ name, type, ttlSeconds: 300, records });
  return { collection: 'rrsets', zone: 'example.org.', key: rrsetKey(value.name, value.type), owner, value };
}

export const fra = { name: 'fra', latitude: 50.11, longitude: 8.68 };
export const sin = { name: 'sin', latitude: 1.35, longitude: 103.82 };
export const web = {
  name: 'web',
  monitor: 'up',
  endpoints: [
    { name: 'fra-1', dataCenter: 'fra', address: '192.0.2.1' },
    { name: 'sin-1', dataCenter: 'sin', address: '2001:db8::1' },
  ],
};
export const nearest = { name: 'nearest', rank: { kind: 'nearest' } };
export const zone = { name: 'example.org', nameServers: ['ns1.example.org', 'ns2.example.org'] };
export const www = { name: 'www.example.org', pool: 'web', policy: 'nearest' };

/** A configuration without a problem. */
export const soundChanges: readonly Change[] = [
  write('dataCenters', fra),
  write('dataCenters', sin),
  write('monitors', { name: 'up', kind: 'tcp', port: 80 }),
  write('pools', web),
  write('policies', nearest),
  write('zones', zone),
  write('steeredNames', www),
  record('ns1.example.org', 'A', ['192.0.2.53']),
  record('ns2.example.org', 'A', ['192.0.2.54']),
];

export function configOf(...changes: readonly Change[]): Config {
  return previewConfig(emptyConfig(), changes);
}

/** The sound configuration with changes. */
export function soundConfig(...changes: readonly Change[]): Config {
  return configOf(...soundChanges, ...changes);
}
