import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { previewConfig } from '../../../src/config/apply-changes.ts';
import type { Change, Config } from '../../../src/config/model.ts';
import { formatName } from '../../../src/dns/name.ts';
import { formatRdata } from '../../../src/dns/rdata/index.ts';
import { formatType } from '../../../src/dns/type.ts';
import { mapSources } from '../../../src/node/compile/map-sources.ts';
import { changedZones } from '../../../src/node/zones/changed-zones.ts';
import { groupSteeredNames, type ZoneContext, zoneJobs } from '../../../src/node/zones/zone-sources.ts';
import {
  FILE,
  fra,
  nearest,
  record,
  remove,
  sin,
  soundConfig,
  web,
  write,
  www,
  zone,
} from '../../config/config-fixture.ts';
import { zoneSources } from './all-zone-sources.ts';

const numbers: Readonly<Record<string, number>> = { fra: 3, sin: 5, 'web/fra-1': 10, 'web/sin-1': 11 };

function contextOf(config: Config): ZoneContext {
  const maps = mapSources(config, (name) => numbers[name]);
  const keys = [...maps.byKey.keys()];
  return {
    slotOf: (key) => numbers[key],
    dataCenterIndex: (name) => numbers[name],
    mapFor: (policy, dataCenters) => {
      const key = maps.keyOf(policy, dataCenters);
      return key === undefined ? undefined : keys.indexOf(key);
    },
    hasBlob: (hash) => hash === knownBlob,
    serialOf: () => 42,
  };
}

const blobText = `example.net. 60 IN SOA ns.example.org. host.example.org. 7 1 1 1 1
example.net. 60 IN NS ns.example.org.
`;
const knownBlob = createHash('sha256').update(blobText).digest('hex');

function blobZone(blob: string): Change {
  const value = { kind: 'blob', name: 'example.net.', blob, rrsetCount: 2 } as const;
  return { collection: 'zones', key: 'example.net.', owner: FILE, value };
}

function recordsOf(config: Config, apex: string): readonly string[] {
  const { sources } = zoneSources(config, contextOf(config), [apex], () => blobText);
  return (sources[0]?.rrsets ?? []).flatMap(({ owner, type, ttlSeconds, rdatas }) =>
    rdatas.map(
      (rdata) => `${formatName(owner)} ${ttlSeconds} ${formatType(type)} ${formatRdata(type, rdata)}`,
    ),
  );
}

describe('zoneSources', () => {
  it('makes SOA and NS from the zone and parses its RRsets', () => {
    expect(recordsOf(soundConfig(), 'example.org.')).toEqual([
      'example.org. 3600 SOA ns1.example.org. hostmaster.invalid. 42 7200 900 1209600 300',
      'example.org. 3600 NS ns1.example.org.',
      'example.org. 3600 NS ns2.example.org.',
      'ns1.example.org. 300 A 192.0.2.53',
      'ns2.example.org. 300 A 192.0.2.54',
    ]);
  });

  it('takes the records of a zone file from its blob', () => {
    expect(recordsOf(soundConfig(blobZone(knownBlob)), 'example.net.')).toEqual([
      'example.net. 60 SOA ns.example.org. host.example.org. 7 1 1 1 1',
      'example.net. 60 NS ns.example.org.',
    ]);
  });

  it('leaves out a zone whose blob is missing', () => {
    const config = soundConfig(blobZone('unknown'));
    const { jobs, problems } = zoneJobs(config, contextOf(config));
    expect(jobs.map(({ apex }) => apex)).toEqual(['example.org.']);
    expect(problems).toMatchObject([{ code: 'missing-blob', source: { file: 'meridian.yaml', line: 12 } }]);
  });

  it('joins a steered name with slots, data centers, map and addresses', () => {
    const fallback = { ...www, allDown: 'fallback', fallback: ['198.51.100.1'], answers: 2 };
    const config = soundConfig(write('steeredNames', fallback));
    const { sources, problems } = zoneSources(config, contextOf(config));
    expect(problems).toEqual([]);
    const [steered] = sources[0]?.steeredNames ?? [];
    expect(steered && { ...steered, owner: formatName(steered.owner) }).toEqual({
      owner: 'www.example.org.',
      ttlSeconds: 30,
      answers: 2,
      allDown: 'fallback',
      map: 0,
      endpoints: [
        { slot: 10, dataCenter: 3, weight: 1, type: 1, rdata: Uint8Array.of(192, 0, 2, 1) },
        { slot: 11, dataCenter: 5, weight: 1, type: 28, rdata: expect.objectContaining({ length: 16 }) },
      ],
      fallback: [Uint8Array.of(198, 51, 100, 1)],
    });
  });

  const quarantined: readonly { name: string; given: readonly Change[]; want: readonly string[] }[] = [
    { name: 'a steered name without its pool', given: [remove('pools', 'web')], want: ['unknown-pool'] },
    {
      name: 'a steered name without its policy',
      given: [remove('policies', 'nearest')],
      want: ['unknown-policy'],
    },
    {
      name: 'an endpoint without a slot',
      given: [write('pools', { ...web, endpoints: [{ ...web.endpoints[0], name: 'x' }] })],
      want: ['no-slot'],
    },
    { name: 'an RRset of an unknown type', given: [broken('NOSUCH', 'x')], want: ['bad-type'] },
    { name: 'a record that does not parse', given: [broken('A', 'x')], want: ['bad-rdata'] },
  ];
  for (const { name, given, want } of quarantined) {
    it(`leaves out ${name} with a problem, time and again, and serves the rest`, () => {
      const config = soundConfig(...given);
      for (let time = 0; time < 2; time += 1) {
        const { sources, problems } = zoneSources(config, contextOf(config));
        expect(problems.map(({ code }) => code)).toEqual(want);
        expect(sources[0]?.rrsets.length).toBe(4);
      }
    });
  }

  it('gives a steered name to the closest zone', () => {
    const child = write('zones', { ...zone, name: 'sub.example.org' });
    const config = soundConfig(child, write('steeredNames', { ...www, name: 'a.b.sub.example.org' }));
    const names = [...groupSteeredNames(config)].map(
      ([apex, list]) => `${apex} ${list.map(({ value }) => value.name)}`,
    );
    expect(names).toEqual(['example.org. www.example.org.', 'sub.example.org. a.b.sub.example.org.']);
  });
});

function broken(type: string, text: string): Change {
  const change = record('a.example.org', 'A', ['192.0.2.1']);
  if (change.collection !== 'rrsets' || change.value === undefined) throw new Error('not an RRset');
  return { ...change, key: `a.example.org. ${type}`, value: { ...change.value, type, records: [text] } };
}

describe('mapSources', () => {
  const keysOf = (...given: readonly Change[]): readonly string[] => [
    ...mapSources(soundConfig(...given), (name) => numbers[name]).byKey.keys(),
  ];
  const twin = [
    write('pools', { ...web, name: 'mail' }),
    write('steeredNames', { ...www, name: 'mail.example.org', pool: 'mail' }),
  ];

  it('has one map for pools with the same data centers and policy', () => {
    expect(keysOf(...twin)).toEqual(keysOf());
  });

  it('has one map for policies that say the same', () => {
    const other = write('policies', { name: 'other', rank: { kind: 'policy', name: 'nearest' } });
    expect(
      keysOf(other, write('steeredNames', { ...www, name: 'b.example.org', policy: 'other' })),
    ).toHaveLength(1);
  });

  it('has another map when a data center moves or the policy changes', () => {
    expect(keysOf(write('dataCenters', { ...fra, latitude: 10 }))).not.toEqual(keysOf());
    expect(
      keysOf(write('policies', { ...nearest, rank: { kind: 'order', dataCenters: ['sin'] } })),
    ).not.toEqual(keysOf());
  });

  it('has none for a policy in a loop', () => {
    expect(keysOf(write('policies', { ...nearest, rank: { kind: 'policy', name: 'nearest' } }))).toEqual([]);
  });
});

describe('changedZones', () => {
  const child = write('zones', { ...zone, name: 'sub.example.org' });
  const other = write('zones', { ...zone, name: 'example.com' });
  const before = soundConfig(other);
  const cases: readonly { name: string; given: readonly Change[]; want: string }[] = [
    {
      name: 'nothing for a monitor or an override',
      given: [write('monitors', { name: 'm', kind: 'tcp' })],
      want: '',
    },
    {
      name: 'the zone of an RRset',
      given: [record('a.example.org', 'A', ['192.0.2.1'])],
      want: 'edit example.org.',
    },
    {
      name: 'a changed zone',
      given: [write('zones', { ...zone, name: 'example.com', ttlSeconds: 5 })],
      want: 'example.com.',
    },
    { name: 'a new zone', given: [write('zones', { ...zone, name: 'example.net' })], want: 'example.net.' },
    {
      name: 'the zone of a steered name whose pool changes',
      given: [write('pools', web)],
      want: 'example.org.',
    },
    {
      name: 'no zone for a pool that no name uses',
      given: [write('pools', { ...web, name: 'x' })],
      want: '',
    },
    {
      name: 'the zone whose pool is in a data center that moves',
      given: [write('dataCenters', { ...sin, latitude: 0 })],
      want: 'example.org.',
    },
    {
      name: 'no zone for a data center that no pool is in',
      given: [write('dataCenters', { ...sin, name: 'x' })],
      want: '',
    },
    {
      name: 'the zone whose policy changes',
      given: [write('policies', { ...nearest, rank: { kind: 'order', dataCenters: ['sin'] } })],
      want: 'example.org.',
    },
    {
      name: 'no zone for a policy written anew with the same words',
      given: [write('policies', nearest)],
      want: '',
    },
    {
      name: 'a zone that loses its steered name',
      given: [remove('steeredNames', 'www.example.org.')],
      want: 'example.org.',
    },
    {
      name: 'both zones when a new one takes over a steered name',
      given: [write('zones', { ...zone, name: 'www.example.org' })],
      want: 'example.org. www.example.org.',
    },
    { name: 'only the new zone when it takes over nothing', given: [child], want: 'sub.example.org.' },
    { name: 'drops what is no more', given: [remove('zones', 'example.com.')], want: '-example.com.' },
  ];
  for (const { name, given, want } of cases) {
    it(name, () => {
      const { compile, edit, drop } = changedZones(before, previewConfig(before, given));
      const edited = edit.map((apex) => `edit ${apex}`);
      expect([...compile, ...edited, ...drop.map((apex) => `-${apex}`)].join(' ')).toBe(want);
    });
  }

  it('edits nothing but the serial where only that differs', () => {
    const after = { ...before, zoneSerials: new Map([['example.org.', 9]]) };
    expect(changedZones(before, after)).toEqual({ compile: [], edit: ['example.org.'], drop: [] });
  });

  it('compiles everything at first', () => {
    expect(changedZones(undefined, before).compile).toEqual(['example.org.', 'example.com.']);
  });

  it('follows a policy through those it names', () => {
    const start = soundConfig(
      write('policies', { name: 'inner', rank: { kind: 'nearest' } }),
      write('policies', { ...nearest, rank: { kind: 'policy', name: 'inner' } }),
    );
    const next = previewConfig(start, [
      write('policies', { name: 'inner', rank: { kind: 'order', dataCenters: ['fra'] } }),
    ]);
    expect(changedZones(start, next).compile).toEqual(['example.org.']);
  });
});
