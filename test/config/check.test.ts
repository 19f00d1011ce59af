import { describe, expect, it } from 'vitest';
import {
  MAX_DATA_CENTERS as DECISION_DATA_CENTERS,
  MAX_ANSWER_ENDPOINTS,
} from '../../src/answer/decision.ts';
import { previewConfig } from '../../src/config/apply-changes.ts';
import { checkConfig } from '../../src/config/check.ts';
import { MAX_API_RRSETS_PER_ZONE, MAX_DATA_CENTERS, MAX_ENDPOINTS } from '../../src/config/limits.ts';
import { type Change, rrsetKey } from '../../src/config/model.ts';
import type { Problem } from '../../src/config/problem.ts';
import { MAX_ENDPOINTS_PER_POOL } from '../../src/config/resources/pool.ts';
import { MAX_STEERED_ANSWERS } from '../../src/config/resources/steered-name.ts';
import { MAX_ENDPOINT_SLOTS } from '../../src/snapshot/verdict-table.ts';
import { MAX_CANDIDATES } from '../../src/steering/choose.ts';
import { MAX_RANKED_DATA_CENTERS } from '../../src/steering/limits.ts';
import { FILE, record, remove, soundConfig, web, write, www, zone } from './config-fixture.ts';

const [fra1, sin1] = web.endpoints;

function pool(...endpoints: readonly object[]): Change {
  return write('pools', { ...web, endpoints });
}

function policy(name: string, rank: object): Change {
  return write('policies', { name, rank });
}

function told(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ code, path }) => `${code} ${path}`);
}

describe('checkConfig', () => {
  const cases: readonly { name: string; given: readonly Change[]; want: readonly string[] }[] = [
    { name: 'finds nothing in a sound configuration', given: [], want: [] },
    {
      name: 'tells of an unknown data center of an endpoint',
      given: [pool({ ...fra1, dataCenter: 'frq' }, sin1 ?? {})],
      want: ['unknown-data-center pools/web/endpoints/fra-1/dataCenter'],
    },
    {
      name: 'tells of unknown monitors of a pool and of an endpoint',
      given: [write('pools', { ...web, monitor: 'upp', endpoints: [{ ...fra1, monitor: 'down' }] })],
      want: ['unknown-monitor pools/web/monitor', 'unknown-monitor pools/web/endpoints/fra-1/monitor'],
    },
    {
      name: 'tells of endpoints with the same name',
      given: [pool({ ...fra1 }, { ...fra1, address: '192.0.2.9' })],
      want: ['duplicate-endpoint pools/web/endpoints/fra-1'],
    },
    {
      name: 'tells of endpoints with the same address, however written',
      given: [pool({ ...fra1, address: '2001:db8::1' }, { ...fra1, name: 'b', address: '2001:DB8:0:0::1' })],
      want: ['duplicate-address pools/web/endpoints/b/address'],
    },
    {
      name: 'tells of a monitored endpoint without an address to probe',
      given: [pool({ name: 'cdn', dataCenter: 'fra', canonicalName: 'cdn.example.net' })],
      want: ['nothing-to-probe pools/web/endpoints/cdn/probeAddress'],
    },
    {
      name: 'tells of a data center with both addresses and canonical names',
      given: [
        pool(fra1 ?? {}, {
          name: 'cdn',
          dataCenter: 'fra',
          canonicalName: 'cdn.example.net',
          probeAddress: '192.0.2.2',
        }),
      ],
      want: ['mixed-endpoints pools/web/endpoints'],
    },
    {
      name: 'tells of a steered name without its pool and policy',
      given: [write('steeredNames', { ...www, pool: 'wbe', policy: 'neaerst' })],
      want: [
        'unknown-pool steeredNames/www.example.org./pool',
        'unknown-policy steeredNames/www.example.org./policy',
      ],
    },
    {
      name: 'tells of a steered name whose pool is empty',
      given: [pool()],
      want: ['empty-pool steeredNames/www.example.org./pool'],
    },
    {
      name: 'tells of a policy that ranks none of the pool’s data centers',
      given: [pool(sin1 ?? {}), policy('nearest', { kind: 'order', dataCenters: ['fra'] })],
      want: ['policy-reaches-no-endpoint steeredNames/www.example.org./policy'],
    },
    {
      name: 'accepts a policy that reaches the pool only by one rule',
      given: [
        pool(sin1 ?? {}),
        policy('nearest', {
          kind: 'geo',
          // biome-ignore lint/suspicious/noThenProperty: a policy's word, in a value that nobody awaits
          rules: [{ match: { countries: ['SG'] }, then: { kind: 'order', dataCenters: ['sin'] } }],
        }),
      ],
      want: [],
    },
    {
      name: 'tells of unknown data centers and policies that a policy names',
      given: [
        policy('a', { kind: 'order', dataCenters: ['mars'] }),
        policy('b', { kind: 'policy', name: 'missing' }),
        policy('c', { kind: 'policy', name: 'b' }),
      ],
      want: ['unknown-data-center policies/a/rank/mars', 'unknown-policy policies/b/rank'],
    },
    {
      name: 'tells of policies that name each other in a loop',
      given: [policy('a', { kind: 'policy', name: 'b' }), policy('b', { kind: 'policy', name: 'a' })],
      want: ['policy-loop policies/b/rank', 'policy-loop policies/a/rank'],
    },
    {
      name: 'tells of a steered name outside every zone',
      given: [write('steeredNames', { ...www, name: 'www.example.net' })],
      want: ['outside-every-zone steeredNames/www.example.net./name'],
    },
    {
      name: 'does not take an escaped dot for the end of a label',
      given: [write('steeredNames', { ...www, name: 'www\\.example.org' })],
      want: ['outside-every-zone steeredNames/www\\.example.org./name'],
    },
    {
      name: 'tells of steered names at and below a zone cut',
      given: [
        record('www.example.org', 'NS', ['ns.example.net.']),
        write('steeredNames', { ...www, name: 'a.b.www.example.org' }),
      ],
      want: [
        'below-zone-cut steeredNames/www.example.org./name',
        'below-zone-cut steeredNames/a.b.www.example.org./name',
      ],
    },
    {
      name: 'tells of a steered name beside static addresses',
      given: [record('www.example.org', 'AAAA', ['2001:db8::2'])],
      want: ['steered-beside-records steeredNames/www.example.org./name'],
    },
    {
      name: 'accepts a steered name beside other records',
      given: [record('www.example.org', 'TXT', ['"hello"'])],
      want: [],
    },
    {
      name: 'tells of a CNAME pool at the apex, and beside other records',
      given: [
        write('pools', {
          name: 'cdn',
          endpoints: [{ name: 'a', dataCenter: 'fra', canonicalName: 'cdn.example.net' }],
        }),
        write('steeredNames', { ...www, name: 'example.org', pool: 'cdn' }),
        write('steeredNames', { ...www, name: 'cdn.example.org', pool: 'cdn' }),
        record('cdn.example.org', 'TXT', ['"x"']),
      ],
      want: [
        'cname-at-apex steeredNames/example.org./pool',
        'cname-and-other-data steeredNames/cdn.example.org./name',
      ],
    },
    {
      name: 'tells of a steered name that is its own canonical name',
      given: [
        write('pools', {
          name: 'cdn',
          endpoints: [{ name: 'a', dataCenter: 'fra', canonicalName: 'CDN.example.org' }],
        }),
        write('steeredNames', { ...www, name: 'cdn.example.org', pool: 'cdn' }),
      ],
      want: ['cname-loop steeredNames/cdn.example.org./pool'],
    },
    {
      name: 'tells of an RRset outside its zone',
      given: [record('www.example.net', 'A', ['192.0.2.1'])],
      want: ['outside-zone zones/example.org./rrsets/www.example.net. A/name'],
    },
    {
      name: 'tells of every record that does not parse',
      given: [record('a.example.org', 'A', ['192.0.2.1', '192.0.2.256', 'x'])],
      want: [
        'bad-rdata zones/example.org./rrsets/a.example.org. A/records/1',
        'bad-rdata zones/example.org./rrsets/a.example.org. A/records/2',
      ],
    },
    {
      name: 'tells of a record that is there twice',
      given: [record('a.example.org', 'AAAA', ['2001:db8::1', '2001:db8:0::1'])],
      want: ['duplicate-record zones/example.org./rrsets/a.example.org. AAAA/records/1'],
    },
    {
      name: 'tells of a record that is there twice, with its name in another case',
      given: [record('a.example.org', 'MX', ['5 mail.example.net.', '5 MAIL.example.net.'])],
      want: ['duplicate-record zones/example.org./rrsets/a.example.org. MX/records/1'],
    },
    {
      name: 'tells of a name that a zone file would have completed',
      given: [record('a.example.org', 'MX', ['10 mail', '20 mail.', '30 mail.example.org', '0 .'])],
      want: ['bare-name zones/example.org./rrsets/a.example.org. MX/records/0'],
    },
    {
      name: 'tells of text that lost its quotes',
      given: [record('a.example.org', 'TXT', ['v=spf1 mx -all', '"quoted text"', 'oneword'])],
      want: ['unquoted-text zones/example.org./rrsets/a.example.org. TXT/records/0'],
    },
    {
      name: 'tells of an RRset that the compiler would leave out because it fits no message',
      given: [
        record(
          'a.example.org',
          'TYPE65400',
          ['00', 'ff'].map((end) => `\\# 32440 ${'00'.repeat(32_439)}${end}`),
        ),
      ],
      want: ['rrset-too-large zones/example.org./rrsets/a.example.org. TYPE65400/records'],
    },
    {
      name: 'tells of a CNAME beside other records',
      given: [
        record('a.example.org', 'CNAME', ['b.example.org.']),
        record('a.example.org', 'MX', ['5 b.example.org.']),
      ],
      want: ['cname-and-other-data zones/example.org./rrsets/a.example.org. CNAME'],
    },
    {
      name: 'tells of several CNAMEs of one name',
      given: [record('a.example.org', 'CNAME', ['b.example.org.', 'c.example.org.'])],
      want: ['many-cnames zones/example.org./rrsets/a.example.org. CNAME/records'],
    },
    {
      name: 'tells that SOA and apex NS are made from the zone',
      given: [
        record('example.org', 'SOA', ['ns1.example.org. a.example.org. 1 2 3 4 5']),
        record('example.org', 'NS', ['ns1.example.org.']),
      ],
      want: [
        'made-from-zone zones/example.org./rrsets/example.org. SOA',
        'made-from-zone zones/example.org./rrsets/example.org. NS',
      ],
    },
    {
      name: 'tells of globs and windows for nothing',
      given: [
        write('overrides', {
          id: 'a',
          state: 'down',
          reason: 'r',
          target: { kind: 'glob', pattern: 'w*/fra-*' },
        }),
        write('overrides', {
          id: 'b',
          state: 'down',
          reason: 'r',
          target: { kind: 'glob', pattern: 'w*/ash-*' },
        }),
        write('overrides', {
          id: 'c',
          state: 'down',
          reason: 'r',
          target: { kind: 'glob', pattern: '*/*', dataCenter: 'a*' },
        }),
        write('maintenanceWindows', {
          name: 'd',
          reason: 'r',
          target: { kind: 'data-center', dataCenter: 'ash' },
          schedule: { kind: 'once', startsAt: '2026-01-01T00:00:00Z', endsAt: '2026-01-02T00:00:00Z' },
        }),
      ],
      want: [
        'unknown-override-target overrides/b/target',
        'unknown-override-target overrides/c/target',
        'unknown-override-target maintenanceWindows/d/target',
      ],
    },
    {
      name: 'bounds the globs',
      given: Array.from({ length: 101 }, (_, i) =>
        write('overrides', {
          id: `o${i}`,
          state: 'up',
          reason: 'r',
          target: { kind: 'glob', pattern: 'w*/*' },
        }),
      ),
      want: ['too-many-globs overrides/o100/target'],
    },
    {
      name: 'tells of overrides for nothing',
      given: [
        write('overrides', { id: 'a', state: 'down', reason: 'r', target: { kind: 'pool', pool: 'x' } }),
        write('overrides', {
          id: 'b',
          state: 'down',
          reason: 'r',
          target: { kind: 'endpoint', pool: 'web', endpoint: 'x' },
        }),
        write('overrides', {
          id: 'c',
          state: 'drain',
          reason: 'r',
          target: { kind: 'data-center', dataCenter: 'fra' },
        }),
      ],
      want: ['unknown-override-target overrides/a/target', 'unknown-override-target overrides/b/target'],
    },
    {
      name: 'tells of a name server that is listed twice',
      given: [write('zones', { ...zone, nameServers: ['ns1.example.org', 'NS1.example.org.'] })],
      want: ['duplicate-record zones/example.org./nameServers/1'],
    },
  ];
  for (const { name, given, want } of cases) {
    it(name, () => expect(told(checkConfig(soundConfig(...given)))).toEqual(want));
  }

  it('names file and line of what a directory owns, and suggests the name that was meant', () => {
    const given = write('pools', { ...web, endpoints: [{ ...fra1, dataCenter: 'frq' }] }, FILE);
    expect(checkConfig(soundConfig(given))).toEqual([
      {
        code: 'unknown-data-center',
        path: 'pools/web/endpoints/fra-1/dataCenter',
        message:
          'The endpoint "fra-1" names the data center "frq", which does not exist. Did you mean "fra"?',
        source: { file: 'meridian.yaml', line: 12 },
      },
    ]);
  });

  it('does not miss what is known to be there but did not parse', () => {
    const config = soundConfig(
      remove('pools', 'web'),
      remove('policies', 'nearest'),
      remove('zones', 'example.org.'),
    );
    const broken = new Set(['pools/web', 'policies/nearest', 'zones/example.org.']);
    expect(told(checkConfig(config, { broken }))).toEqual([]);
    expect(checkConfig(config).length).toBe(3);
  });

  it('tells of RRsets whose zone has gone', () => {
    const sound = soundConfig();
    const config = { ...sound, zones: new Map(), steeredNames: new Map() };
    expect(told(checkConfig(config))).toEqual(['records-without-zone zones/example.org./rrsets']);
  });

  it('refuses more RRsets than a zone can be edited with, and says to use a zone file', () => {
    const one = record('h.example.org', 'A', ['192.0.2.1']);
    const many = Array.from({ length: MAX_API_RRSETS_PER_ZONE }, (_, i): Change => {
      const name = `h${i}.example.org.`;
      return { ...one, key: rrsetKey(name, 'A'), value: { ...one.value, name } } as Change;
    });
    const problems = checkConfig(previewConfig(soundConfig(), many));
    expect(told(problems)).toEqual(['too-many-rrsets zones/example.org./rrsets']);
    expect(problems[0]?.message).toContain('zone file');
  });

  it('refuses more data centers than an order has room for', () => {
    const many = Array.from({ length: MAX_DATA_CENTERS }, (_, i) =>
      write('dataCenters', { name: `dc${i}`, latitude: 0, longitude: 0 }),
    );
    expect(told(checkConfig(soundConfig(...many)))).toEqual(['too-many-resources dataCenters']);
  });

  it('has the limits of the tables that it guards', () => {
    expect(MAX_ENDPOINTS).toBe(MAX_ENDPOINT_SLOTS);
    expect(MAX_DATA_CENTERS).toBe(DECISION_DATA_CENTERS);
    expect(MAX_DATA_CENTERS).toBe(MAX_RANKED_DATA_CENTERS);
    expect(MAX_ENDPOINTS_PER_POOL).toBe(MAX_CANDIDATES);
    expect(MAX_STEERED_ANSWERS).toBe(MAX_ANSWER_ENDPOINTS);
  });
});
