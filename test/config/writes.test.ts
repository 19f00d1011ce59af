import { describe, expect, it } from 'vitest';
import { applyChanges, emptyConfig } from '../../src/config/apply-changes.ts';
import { checkConfig } from '../../src/config/check.ts';
import { introducedProblems, writeRefusals } from '../../src/config/introduced-problems.ts';
import type { Change } from '../../src/config/model.ts';
import { refuseForeignEdits } from '../../src/config/owners.ts';
import {
  API,
  configOf,
  FILE,
  nearest,
  record,
  remove,
  soundConfig,
  web,
  write,
  www,
  zone,
} from './config-fixture.ts';

const stamp = { revision: 'r2', author: 'ann', reason: 'why', updatedAt: '2030-01-01T00:00:00Z' };

describe('applyChanges', () => {
  it('leaves the given configuration and everything untouched as they were', () => {
    const before = soundConfig();
    const after = applyChanges(
      before,
      [remove('pools', 'web'), write('monitors', { name: 'm', kind: 'tcp' })],
      stamp,
    );
    expect(before.pools.has('web')).toBe(true);
    expect(after.pools.has('web')).toBe(false);
    expect(after.monitors.get('m')).toMatchObject({ ...stamp, owner: API });
    expect(after.monitors.get('up')).toBe(before.monitors.get('up'));
    expect(after.zones).toBe(before.zones);
    expect(after.rrsets).toBe(before.rrsets);
    expect(after.generation).toBe(before.generation + 1);
  });

  it('copies only the zone whose RRsets change', () => {
    const other = { ...record('a.example.org', 'A', ['192.0.2.1']), zone: 'example.net.' } as Change;
    const before = soundConfig(other);
    const after = applyChanges(before, [record('a.example.org', 'A', ['192.0.2.7'])], stamp);
    expect(after.rrsets.get('example.net.')).toBe(before.rrsets.get('example.net.'));
    expect(after.rrsets.get('example.org.')?.get('a.example.org. A')?.value.records).toEqual(['192.0.2.7']);
    expect(before.rrsets.get('example.org.')?.has('a.example.org. A')).toBe(false);
  });

  it('deletes the RRsets of a deleted zone, and only those from before', () => {
    const given = [
      remove('zones', 'example.org.'),
      write('zones', zone),
      record('b.example.org', 'A', ['192.0.2.1']),
    ];
    expect([...(applyChanges(soundConfig(), given, stamp).rrsets.get('example.org.')?.keys() ?? [])]).toEqual(
      ['b.example.org. A'],
    );
  });
});

describe('writeRefusals', () => {
  const cases: readonly {
    name: string;
    before: readonly Change[];
    given: readonly Change[];
    want: readonly string[];
  }[] = [
    {
      name: 'accept a sound write',
      before: [],
      given: [write('monitors', { name: 'm', kind: 'tcp' })],
      want: [],
    },
    {
      name: 'hold the problems that a write brings',
      before: [],
      given: [remove('pools', 'web')],
      want: ['unknown-pool'],
    },
    {
      name: 'do not hold what was wrong before',
      before: [remove('pools', 'web')],
      given: [write('monitors', { name: 'm', kind: 'tcp' })],
      want: [],
    },
    {
      name: 'let a pool go that an override still names',
      before: [
        write('pools', { name: 'old', endpoints: [] }),
        write('overrides', { id: 'o', state: 'down', reason: 'r', target: { kind: 'pool', pool: 'old' } }),
      ],
      given: [remove('pools', 'old')],
      want: [],
    },
    {
      name: 'refuse a new override that holds for nothing',
      before: [],
      given: [
        write('overrides', { id: 'o', state: 'down', reason: 'r', target: { kind: 'pool', pool: 'od' } }),
      ],
      want: ['unknown-override-target'],
    },
  ];
  for (const { name, before, given, want } of cases) {
    it(name, () => {
      const config = soundConfig(...before);
      const after = applyChanges(config, given, stamp);
      expect(writeRefusals(checkConfig(config), checkConfig(after), given).map(({ code }) => code)).toEqual(
        want,
      );
    });
  }

  it('count problems of the same code and path as the same', () => {
    const problem = { code: 'c', path: 'p', message: 'one' };
    expect(introducedProblems([problem], [{ ...problem, message: 'two' }])).toEqual([]);
    expect(introducedProblems([problem], [{ ...problem, path: 'q' }])).toHaveLength(1);
  });
});

describe('refuseForeignEdits', () => {
  const config = configOf(
    write('pools', { ...web, endpoints: [] }, FILE),
    write('policies', nearest),
    write('zones', zone, FILE),
  );
  const cases: readonly { name: string; given: Change; want: readonly string[] }[] = [
    {
      name: 'refuses to edit what a file owns',
      given: write('pools', web),
      want: ['pools/web: pools/web is owned by meridian.yaml line 12; edit that file and reload.'],
    },
    {
      name: 'refuses to delete what a file owns',
      given: remove('pools', 'web'),
      want: ['pools/web: pools/web is owned by meridian.yaml line 12; edit that file and reload.'],
    },
    {
      name: 'refuses RRsets in a zone that a file owns',
      given: record('a.example.org', 'A', ['192.0.2.1']),
      want: [
        'zones/example.org./rrsets/a.example.org. A: The zone example.org. is owned by meridian.yaml line 12; edit that file and reload.',
      ],
    },
    { name: 'lets the API edit what it owns', given: write('policies', nearest), want: [] },
    { name: 'lets the API make something new', given: write('steeredNames', www), want: [] },
    { name: 'lets the directory edit its own', given: remove('pools', 'web', FILE), want: [] },
  ];
  for (const { name, given, want } of cases) {
    it(name, () =>
      expect(refuseForeignEdits(config, [given]).map(({ path, message }) => `${path}: ${message}`)).toEqual(
        want,
      ),
    );
  }
});

describe('emptyConfig', () => {
  it('has no problem', () => expect(checkConfig(emptyConfig())).toEqual([]));
});
