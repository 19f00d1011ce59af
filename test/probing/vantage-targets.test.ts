import { expect, it } from 'vitest';
import { vantageTargets } from '../../src/probing/vantage-targets.ts';
import { configOf, fra, write } from '../config/config-fixture.ts';

const nodes = Array.from({ length: 9 }, (_, at) => ({ name: `node-${at}`, region: `region-${at % 3}` }));
const endpoints = Array.from({ length: 60 }, (_, at) => ({
  name: `e-${at}`,
  dataCenter: 'fra',
  address: `192.0.2.${at}`,
}));

function configWith(vantages: number | undefined): ReturnType<typeof configOf> {
  return configOf(
    write('dataCenters', fra),
    write('monitors', { name: 'tcp', kind: 'tcp', port: 80, vantages }),
    write('monitors', {
      name: 'both',
      kind: 'composed',
      settings: { rule: { all: [{ monitor: 'tcp' }, { endpoint: 'web/e-0' }] } },
    }),
    write('pools', { name: 'web', monitor: 'tcp', endpoints }),
    write('pools', { name: 'api', monitor: 'both', endpoints: endpoints.slice(0, 10) }),
  );
}

/** How many nodes probe each source. */
function countsOf(vantages: number | undefined): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { name } of nodes)
    for (const { key } of vantageTargets(configWith(vantages), { vantage: name, seats: nodes }))
      counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

it.each([
  { vantages: undefined, want: 5 },
  { vantages: 3, want: 3 },
  { vantages: 1, want: 1 },
  { vantages: 20, want: 9 },
])(
  'every source has $want vantages with $vantages asked for, parts of composed checks too',
  ({ vantages, want }) => {
    const counts = countsOf(vantages);
    expect(counts.size).toBe(70);
    expect(new Set(counts.values())).toEqual(new Set([want]));
  },
);

it('a single node probes everything', () => {
  const alone = { name: 'local', region: '' };
  expect(vantageTargets(configWith(1), { vantage: 'local', seats: [alone] })).toHaveLength(70);
});

it('a quorum of more vantages than there may be is refused', () => {
  const monitor = {
    name: 'm',
    kind: 'tcp',
    port: 80,
    vantages: 2,
    quorum: { kind: 'at-least', vantages: 3 },
  };
  expect(() => configOf(write('monitors', monitor))).toThrow(/fewer than the quorum asks for/);
});
