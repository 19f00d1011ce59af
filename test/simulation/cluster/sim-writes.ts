import type { Change, Config, Owner } from '../../../src/config/model.ts';
import type { Endpoint } from '../../../src/config/resources/pool.ts';
import type { SimRandom } from './sim-random.ts';

/**
 * What operators do in a history. A small world, so that they get in each other's way: three zones, four names in each,
 * two pools of four endpoints, a few data centers and overrides. Every zone is made with an RRset that nobody deletes,
 * and no write leaves a pool without endpoints: so neither must ever be seen empty.
 */
const api: Owner = { kind: 'api' };
const zones = ['a.example.', 'b.example.', 'c.example.'] as const;
export const KEPT_LABEL = 'kept';

/** The changes of one write; `tag` makes its values its own. */
export function drawWrite(random: SimRandom, config: Config, tag: string): readonly Change[] {
  const draw = random.share();
  if (draw < 0.4) return drawRRset(random, config, tag);
  if (draw < 0.55) return [drawZone(random, config, tag)].flat();
  if (draw < 0.75) return [drawPool(random, config, tag)];
  if (draw < 0.88) return [drawOverride(random, tag)];
  if (draw < 0.94) return [drawDataCenter(random, tag)];
  return [drawSteeredName(random)];
}

/** What every history begins with, on one node. */
export function firstWrite(): readonly Change[] {
  const rank = { kind: 'nearest' as const };
  return [
    { collection: 'policies', key: 'near', owner: api, value: { name: 'near', rank } },
    ...['fra', 'sin', 'iad'].map((name) => dataCenter(name, 10, 'first')),
    ...zoneWithKept('a.example.', 'first'),
    poolOf('web', [endpoint(0, 'first')], 'first'),
  ];
}

function drawRRset(random: SimRandom, config: Config, tag: string): readonly Change[] {
  const there = zones.filter((apex) => config.zones.get(apex)?.value.kind === 'rrsets');
  if (there.length === 0) return zoneWithKept('a.example.', tag);
  const apex = random.pick(there);
  const count = random.happens(0.2) ? 3 : 1;
  const labels = Array.from({ length: count }, () => `host-${random.between(0, 3)}`);
  return [...new Set(labels)].map((label) => {
    const isThere = config.rrsets.get(apex)?.has(`${label}.${apex} TXT`) === true;
    return rrset(apex, label, isThere && random.happens(0.4) ? undefined : tag);
  });
}

function drawZone(random: SimRandom, config: Config, tag: string): Change | readonly Change[] {
  const apex = random.pick(zones);
  const isThere = config.zones.has(apex);
  if (!isThere) return zoneWithKept(apex, tag);
  if (random.happens(0.35)) return { collection: 'zones', key: apex, owner: api, value: undefined };
  // With what must be in it: another node may be deleting it in this moment, and then this makes it anew.
  return zoneWithKept(apex, tag);
}

function drawPool(random: SimRandom, config: Config, tag: string): Change {
  const name = random.pick(['web', 'mail']);
  const before = config.pools.get(name)?.value.endpoints ?? [];
  if (before.length > 0 && random.happens(0.1))
    return { collection: 'pools', key: name, owner: api, value: undefined };
  const number = random.between(0, 3);
  const others = before.filter((one) => one.name !== `e${number}`);
  const removes = others.length > 0 && others.length < before.length && random.happens(0.5);
  return poolOf(name, removes ? others : [...others, endpoint(number, tag)], tag);
}

function drawOverride(random: SimRandom, tag: string): Change {
  const id = `o${random.between(0, 2)}`;
  const state = random.pick(['up', 'down', 'drain'] as const);
  const value = { id, state, target: { kind: 'pool' as const, pool: 'web' }, reason: tag };
  return { collection: 'overrides', key: id, owner: api, value: random.happens(0.3) ? undefined : value };
}

function drawDataCenter(random: SimRandom, tag: string): Change {
  return dataCenter(random.pick(['fra', 'sin', 'iad']), Number(tag.slice(1)) % 90, tag);
}

function drawSteeredName(random: SimRandom): Change {
  const name = `www.${random.pick(zones)}`;
  const value = {
    name,
    pool: random.pick(['web', 'mail']),
    policy: 'near',
    ttlSeconds: 30,
    answers: 1,
    allDown: 'fail-open' as const,
  };
  return {
    collection: 'steeredNames',
    key: name,
    owner: api,
    value: random.happens(0.2) ? undefined : value,
  };
}

function zoneWithKept(apex: string, tag: string): readonly Change[] {
  return [zone(apex, tag), rrset(apex, KEPT_LABEL, tag)];
}

function zone(apex: string, tag: string): Change {
  const value = {
    kind: 'rrsets' as const,
    name: apex,
    nameServers: ['ns1.example.'],
    contact: 'hostmaster.example.',
    ttlSeconds: 3600,
    negativeTtlSeconds: 300,
    description: tag,
  };
  return { collection: 'zones', key: apex, owner: api, value };
}

/** A zone whose records are in a blob. */
export function blobZone(apex: string, blob: string): Change {
  return {
    collection: 'zones',
    key: apex,
    owner: api,
    value: { kind: 'blob', name: apex, blob, rrsetCount: 1 },
  };
}

function rrset(apex: string, label: string, text: string | undefined): Change {
  const name = `${label}.${apex}`;
  const value =
    text === undefined ? undefined : { name, type: 'TXT', ttlSeconds: 60, records: [`"${text}"`] };
  return { collection: 'rrsets', zone: apex, key: `${name} TXT`, owner: api, value };
}

function dataCenter(name: string, latitude: number, description: string): Change {
  return {
    collection: 'dataCenters',
    key: name,
    owner: api,
    value: { name, latitude, longitude: 8, description },
  };
}

function endpoint(number: number, tag: string): Endpoint {
  const last = Number(tag.slice(1)) % 250;
  const address = `192.0.2.${Number.isNaN(last) ? 1 : last + 1}`;
  return {
    name: `e${number}`,
    dataCenter: ['fra', 'sin', 'iad', 'fra'][number] ?? 'fra',
    address,
    weight: 1,
  };
}

function poolOf(name: string, endpoints: readonly Endpoint[], tag: string): Change {
  return {
    collection: 'pools',
    key: name,
    owner: api,
    value: { name, description: tag, endpoints: [...endpoints] },
  };
}
