import { expect, it } from 'vitest';
import { overrideSchema } from '../../../src/config/resources/override.ts';
import {
  indexOverrides,
  overrideFor,
  type StandingOverride,
} from '../../../src/health/overrides/override.ts';

const NOW_MS = Date.parse('2030-01-01T12:00:00Z');
const subject = { pool: 'web', endpoint: 'fra-v4', dataCenter: 'fra' };

const targets = {
  endpoint: { kind: 'endpoint', pool: 'web', endpoint: 'fra-v4' },
  pool: { kind: 'pool', pool: 'web' },
  'data-center': { kind: 'data-center', dataCenter: 'fra' },
  glob: { kind: 'glob', pattern: 'w*/fra-*' },
  'glob-in-place': { kind: 'glob', pattern: '*/*', dataCenter: 'f*' },
  'other-glob': { kind: 'glob', pattern: 'w*/ash-*' },
  'glob-elsewhere': { kind: 'glob', pattern: 'web/*', dataCenter: 'a*' },
  'other-endpoint': { kind: 'endpoint', pool: 'web', endpoint: 'ash-v4' },
  'other-pool': { kind: 'pool', pool: 'mail' },
  'other-data-center': { kind: 'data-center', dataCenter: 'ash' },
} as const;

/** `data-center drain 2030-01-01T11:00:00Z`, of a maintenance window where `window` comes first. */
function overrideOf(text: string, index: number): StandingOverride {
  const [target, state, expiresAt] = text.replace(/^window /, '').split(' ');
  const given = {
    id: `o${index}`,
    state,
    target: targets[target as keyof typeof targets],
    reason: 'test',
    expiresAt,
  };
  const override = overrideSchema.parse(given);
  return text.startsWith('window ') ? { ...override, from: 'maintenance-window' } : override;
}

const cases = [
  { name: 'none', given: [], want: 'none' },
  { name: 'its own', given: ['endpoint down'], want: 'o0' },
  { name: 'its pool', given: ['pool drain'], want: 'o0' },
  { name: 'its data center', given: ['data-center up'], want: 'o0' },
  {
    name: 'others',
    given: ['other-endpoint down', 'other-pool down', 'other-data-center down'],
    want: 'none',
  },
  { name: 'its own beats its pool', given: ['pool down', 'endpoint up'], want: 'o1' },
  { name: 'its own beats its data center', given: ['data-center drain', 'endpoint up'], want: 'o1' },
  { name: 'pool and data center: down beats up', given: ['pool up', 'data-center down'], want: 'o1' },
  { name: 'pool and data center: drain beats up', given: ['data-center up', 'pool drain'], want: 'o1' },
  { name: 'pool and data center: down beats drain', given: ['data-center drain', 'pool down'], want: 'o1' },
  { name: 'a glob', given: ['glob drain'], want: 'o0' },
  { name: 'a glob within data centers', given: ['glob-in-place drain'], want: 'o0' },
  { name: 'globs of others', given: ['other-glob down', 'glob-elsewhere down'], want: 'none' },
  { name: 'its own beats a glob', given: ['glob down', 'endpoint up'], want: 'o1' },
  { name: 'a glob is no more than a pool', given: ['glob up', 'pool drain'], want: 'o1' },
  { name: 'nor less', given: ['pool up', 'glob drain'], want: 'o1' },
  { name: 'a window', given: ['window data-center drain'], want: 'o0' },
  {
    name: 'whatever an operator says beats a window, also where the window is more specific and more cautious',
    given: ['window endpoint down', 'data-center up'],
    want: 'o1',
  },
  {
    name: 'a window holds once the operator’s has expired',
    given: ['window pool drain', 'endpoint up 2029-01-01T00:00:00Z'],
    want: 'o0',
  },
  {
    name: 'of two windows the more specific',
    given: ['window pool down', 'window endpoint drain'],
    want: 'o1',
  },
  {
    name: 'of two equal windows the more cautious',
    given: ['window pool drain', 'window data-center down'],
    want: 'o1',
  },
  { name: 'equals go by id', given: ['pool down', 'data-center down'], want: 'o0' },
  { name: 'an expired one is ignored', given: ['endpoint down 2030-01-01T12:00:00Z'], want: 'none' },
  { name: 'one that expires later holds', given: ['endpoint down 2030-01-01T12:00:01Z'], want: 'o0' },
  { name: 'the expiry may have an offset', given: ['endpoint down 2030-01-01T13:00:00+01:00'], want: 'none' },
  {
    name: 'behind an expired one the next holds',
    given: ['endpoint up 2029-01-01T00:00:00Z', 'pool drain'],
    want: 'o1',
  },
];

it.each(cases)('$name', ({ given, want }) => {
  const overrides = given.map(overrideOf);
  for (const order of [overrides, [...overrides].reverse()]) {
    expect(overrideFor(subject, indexOverrides(order, [subject]), NOW_MS)?.id ?? 'none').toBe(want);
  }
});
