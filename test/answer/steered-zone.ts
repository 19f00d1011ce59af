import { type Explanation, explain } from '../../src/answer/explain.ts';
import { applyChanges, emptyConfig } from '../../src/config/apply-changes.ts';
import type { Change, Config } from '../../src/config/model.ts';
import type { Override } from '../../src/config/resources/override.ts';
import { parseAddress } from '../../src/dns/address.ts';
import { openGeoTable } from '../../src/geo/table.ts';
import { GeoTableBuilder, unknownFields } from '../../src/geo/table-builder.ts';
import { boardEndpoints, createBoard } from '../../src/health/board/board.ts';
import { mapSources } from '../../src/node/compile/map-sources.ts';
import { QueryExplainer } from '../../src/node/control/explain-query.ts';
import { compileZone } from '../../src/snapshot/compile-zone.ts';
import { openSnapshot } from '../../src/snapshot/snapshot.ts';
import { createVerdictTable } from '../../src/snapshot/verdict-table.ts';
import { compileMap } from '../../src/steering/compile-map.ts';
import type { GeoMatch, GeoNode, GeoRule } from '../../src/steering/policies/geo.ts';
import type { OrderNode } from '../../src/steering/policies/order.ts';
import type { PolicyNode } from '../../src/steering/policy.ts';
import { zoneSources } from '../node/zones/all-zone-sources.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

const api = { kind: 'api' } as const;

const nearestRank: PolicyNode = { kind: 'nearest' };

const ruledRank: GeoNode = {
  kind: 'geo',
  rules: [rule({ prefixes: ['192.0.2.128/25'] }, ['sin']), rule({ countries: ['DE'] }, ['ams', 'fra'])],
};

function rule(match: GeoMatch, dataCenters: readonly string[]): GeoRule {
  const order: OrderNode = { kind: 'order', dataCenters };
  // biome-ignore lint/suspicious/noThenProperty: the word of the configuration; nothing awaits a rule.
  return { match, then: order };
}

/** fra and ams in Europe, sin in Asia; 192.0.2.0/24 is in Germany, 198.51.100.0/24 in Singapore, the rest unknown. */
export function steeredConfig(more: readonly Change[] = []): Config {
  const endpoints = [
    { name: 'fra-v4', dataCenter: 'fra', address: '203.0.113.1', weight: 1 },
    { name: 'fra-v6', dataCenter: 'fra', address: '2001:db8::1', weight: 1 },
    { name: 'ams-v4', dataCenter: 'ams', address: '203.0.113.2', weight: 1 },
    { name: 'sin-v4', dataCenter: 'sin', address: '203.0.113.3', weight: 1 },
  ];
  const places = { fra: [50.11, 8.68], ams: [52.37, 4.9], sin: [1.35, 103.82] } as const;
  const changes: Change[] = Object.entries(places).map(([key, [latitude, longitude]]) => ({
    collection: 'dataCenters',
    key,
    owner: api,
    value: { name: key, latitude, longitude },
  }));
  const steered = { ttlSeconds: 30, answers: 1, allDown: 'fail-open', pool: 'web' } as const;
  changes.push(
    { collection: 'pools', key: 'web', owner: api, value: { name: 'web', endpoints } },
    policy('closest', nearestRank),
    policy('ruled', ruledRank),
    {
      collection: 'zones',
      key: 'example.org.',
      owner: api,
      value: {
        kind: 'rrsets',
        name: 'example.org.',
        nameServers: ['ns1.example.net.'],
        contact: 'hostmaster.example.org.',
        ttlSeconds: 3600,
        negativeTtlSeconds: 300,
      },
    },
    rrset('plain.example.org.', 'A', ['192.0.2.99']),
    rrset('alias.example.org.', 'CNAME', ['www.example.org.']),
    rrset('sub.example.org.', 'NS', ['ns.example.net.']),
    steeredName('www.example.org.', { ...steered, policy: 'closest' }),
    steeredName('ruled.example.org.', { ...steered, policy: 'ruled' }),
    steeredName('*.wild.example.org.', { ...steered, policy: 'closest' }),
    steeredName('silent.example.org.', { ...steered, policy: 'closest', allDown: 'nodata' }),
    steeredName('spare.example.org.', {
      ...steered,
      policy: 'closest',
      allDown: 'fallback',
      fallback: ['203.0.113.99'],
    }),
  );
  const stamp = { revision: 'r', author: 'test', reason: '', updatedAt: '' };
  return applyChanges(emptyConfig(), [...changes, ...more], stamp);
}

function policy(key: string, rank: PolicyNode): Change {
  return { collection: 'policies', key, owner: api, value: { name: key, rank } };
}

function rrset(name: string, type: string, records: readonly string[]): Change {
  const value = { name, type, ttlSeconds: 300, records };
  return { collection: 'rrsets', zone: 'example.org.', key: `${name} ${type}`, owner: api, value };
}

function steeredName(
  key: string,
  value: Omit<Extract<Change, { collection: 'steeredNames'; value: unknown }>['value'] & object, 'name'>,
): Change {
  return { collection: 'steeredNames', key, owner: api, value: { name: key, ...value } };
}

function geoTable(): SharedArrayBuffer {
  const builder = new GeoTableBuilder();
  const germany = {
    latitude: 50.5,
    longitude: 9,
    country: 'DE',
    continent: 'EU',
    subdivision: 'Hesse',
    asn: 64500,
  };
  const singapore = {
    latitude: 1.3,
    longitude: 103.8,
    country: 'SG',
    continent: 'AS',
    subdivision: '',
    asn: 0,
  };
  const starts = [
    ['0.0.0.0', unknownFields],
    ['192.0.2.0', germany],
    ['192.0.3.0', unknownFields],
    ['198.51.100.0', singapore],
    ['198.51.101.0', unknownFields],
  ] as const;
  for (const [start, fields] of starts) {
    const { octets } = parseAddress(start) ?? { octets: new Uint8Array(4) };
    builder.addV4(
      new DataView(octets.buffer, octets.byteOffset).getUint32(0),
      builder.locationNumber(fields),
    );
  }
  builder.addV6(0, 0, 0, 0, builder.locationNumber(unknownFields));
  return builder.build({
    name: 'test',
    builtAt: '2026-01-01T00:00:00Z',
    attribution: '',
    attributionUrl: '',
    digest: '',
  });
}

/** Explains over everything real: compiled zones and maps, the board's verdicts, and `respond` itself. */
export function explainOver(
  config: Config,
  overrides: readonly Override[],
  question: {
    readonly name: string;
    readonly type?: string;
    readonly client?: string;
    readonly resolver?: string;
  },
): Explanation {
  const table = openGeoTable(geoTable());
  const dataCenters = [...config.dataCenters.keys()].sort();
  const slots: string[] = [];
  const slotOf = (key: string): number => (slots.includes(key) ? slots.indexOf(key) : slots.push(key) - 1);
  const dataCenterIndex = (name: string): number => dataCenters.indexOf(name);

  const board = createBoard([], []);
  const verdicts = createVerdictTable();
  const store = (changes: ReturnType<typeof board.setOverrides>): void => {
    for (const { slot, octet } of changes) verdicts[slot] = octet;
  };
  store(board.setEndpoints(boardEndpoints(config, slotOf), NOW_MS));
  store(board.setOverrides(overrides, NOW_MS));

  const sources = mapSources(config, dataCenterIndex);
  const keys = [...sources.byKey.keys()];
  const { sources: zones } = zoneSources(config, {
    slotOf,
    dataCenterIndex,
    mapFor: (name, of) => keys.indexOf(sources.keyOf(name, of) ?? ''),
    hasBlob: () => false,
    serialOf: () => 1,
  });
  const snapshot = openSnapshot({
    generation: 1,
    zones: zones.map((zone) => compileZone(zone).image),
    maps: [...sources.byKey.values()].map((source) => compileMap(source, table)),
    verdicts,
    serverId: new Uint8Array(),
  });

  const { name, type = 'A', client, resolver = '127.0.0.1' } = question;
  const asked = { name, type, client, resolver };
  return explain({
    ...new QueryExplainer().ask(snapshot, table, asked),
    question: asked,
    dataCenterName: (index) => dataCenters[index] ?? '',
    endpointName: (slot) => slots[slot] ?? '',
    config,
    health: board.health(),
    attribution: 'Test data, by nobody',
  });
}
