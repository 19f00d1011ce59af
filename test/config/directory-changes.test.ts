import { describe, expect, it } from 'vitest';
import { previewConfig } from '../../src/config/apply-changes.ts';
import {
  type DirectoryContents,
  type DirectoryResource,
  directoryChanges,
  planDirectory,
} from '../../src/config/directory-changes.ts';
import type { Change } from '../../src/config/model.ts';
import { zoneShape } from '../../src/config/zone-shape.ts';
import { configOf, fra, soundConfig, write, www } from './config-fixture.ts';

function contents(...given: readonly Change[]): DirectoryContents {
  const resources = given.map(({ collection, key, value, owner }) => {
    const source = owner.kind === 'directory' ? owner : { file: 'a.yaml', line: 1 };
    return { collection, key, value, file: source.file, line: source.line } as DirectoryResource;
  });
  return { resources, zones: [], lines: new Map() };
}

function at(line: number) {
  return { kind: 'directory', file: 'a.yaml', line } as const;
}

const blobZone = {
  apex: 'example.net.',
  text: undefined,
  blob: 'ab',
  rrsetCount: 2,
  shape: zoneShape('example.net.', [{ owner: 'www.example.net.', type: 1 }]),
  file: 'zones/example.net.zone',
  line: 2,
};

describe('directoryChanges', () => {
  const sin = { ...fra, name: 'sin' };
  const config = configOf(write('dataCenters', fra, at(1)), write('dataCenters', sin));
  const cases: readonly { name: string; given: DirectoryContents; want: readonly string[] }[] = [
    {
      name: 'changes nothing when all is as it was',
      given: contents(write('dataCenters', fra, at(1))),
      want: [],
    },
    {
      name: 'adds what is new',
      given: contents(write('dataCenters', fra, at(1)), write('dataCenters', { ...fra, name: 'ams' }, at(5))),
      want: ['ams set'],
    },
    {
      name: 'changes what has another value',
      given: contents(write('dataCenters', { ...fra, latitude: 1 }, at(1))),
      want: ['fra set'],
    },
    {
      name: 'follows what moved to another line',
      given: contents(write('dataCenters', fra, at(3))),
      want: ['fra set'],
    },
    {
      name: 'removes what is there no more, and nothing of the API',
      given: contents(),
      want: ['fra deleted'],
    },
    {
      name: 'adds zones by the hash of their text',
      given: { ...contents(write('dataCenters', fra, at(1))), zones: [blobZone] },
      want: ['example.net. set'],
    },
  ];
  for (const { name, given, want } of cases) {
    it(name, () => {
      const changes = directoryChanges(config, given);
      expect(changes.map(({ key, value }) => `${key} ${value === undefined ? 'deleted' : 'set'}`)).toEqual(
        want,
      );
      expect(directoryChanges(previewConfig(config, changes), given)).toEqual([]);
    });
  }
});

describe('planDirectory', () => {
  const told = (given: DirectoryContents, config = soundConfig()): readonly string[] => {
    const plan = planDirectory(config, given);
    return plan.ok
      ? plan.value.map(({ key }) => key)
      : plan.problems.map(({ code, path }) => `${code} ${path}`);
  };

  it('gives the changes when all is well', () => {
    expect(told(contents(write('dataCenters', { ...fra, name: 'ams' }, at(2))))).toEqual(['ams']);
  });

  it('refuses names that the API owns', () => {
    expect(told(contents(write('dataCenters', fra, at(2))))).toEqual(['owned-by-api dataCenters/fra']);
  });

  it('refuses a zone that the API owns', () => {
    expect(told({ ...contents(), zones: [{ ...blobZone, apex: 'example.org.' }] })).toEqual([
      'owned-by-api zones/example.org.',
    ]);
  });

  it('sees what is in a zone file when a name is steered there', () => {
    const given = contents(write('steeredNames', { ...www, name: 'www.example.net' }, at(4)));
    expect(told({ ...given, zones: [blobZone] })).toEqual([
      'steered-beside-records steeredNames/www.example.net./name',
    ]);
  });

  it('refuses to take away what the API’s resources refer to', () => {
    const ours = write(
      'pools',
      { name: 'ours', endpoints: [{ name: 'a', dataCenter: 'fra', address: '192.0.2.1' }] },
      at(1),
    );
    const config = soundConfig(ours, write('steeredNames', { ...www, name: 'b.example.org', pool: 'ours' }));
    expect(told(contents(), config)).toEqual(['unknown-pool steeredNames/b.example.org./pool']);
  });

  it('is not stopped by what was wrong with the API’s resources before', () => {
    const config = soundConfig(write('steeredNames', { ...www, pool: 'missing' }));
    expect(told(contents(write('dataCenters', { ...fra, name: 'ams' }, at(2))), config)).toEqual(['ams']);
  });

  it('points at the line of the very field', () => {
    const given = contents(write('steeredNames', { ...www, name: 'b.example.org', pool: 'wbe' }, at(4)));
    const lines = new Map([['steeredNames/b.example.org./pool', { file: 'a.yaml', line: 6 }]]);
    const plan = planDirectory(soundConfig(), { ...given, lines });
    expect(plan.ok ? [] : plan.problems.map(({ source }) => source?.line)).toEqual([6]);
  });
});
