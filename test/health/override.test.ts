import { expect, it } from 'vitest';
import { type Override, overrideSchema } from '../../src/config/resources/override.ts';
import { indexOverrides, overrideFor } from '../../src/health/override.ts';

const NOW_MS = Date.parse('2030-01-01T12:00:00Z');
const subject = { pool: 'web', endpoint: 'fra-v4', dataCenter: 'fra' };

const targets = {
  endpoint: { kind: 'endpoint', pool: 'web', endpoint: 'fra-v4' },
  pool: { kind: 'pool', pool: 'web' },
  'data-center': { kind: 'data-center', dataCenter: 'fra' },
  'other-endpoint': { kind: 'endpoint', pool: 'web', endpoint: 'ash-v4' },
  'other-pool': { kind: 'pool', pool: 'mail' },
  'other-data-center': { kind: 'data-center', dataCenter: 'ash' },
} as const;

/** `data-center drain 2030-01-01T11:00:00Z` */
function overrideOf(text: string, index: number): Override {
  const [target, state, expiresAt] = text.split(' ');
  const given = {
    id: `o${index}`,
    state,
    target: targets[target as keyof typeof targets],
    reason: 'test',
    expiresAt,
  };
  return overrideSchema.parse(given);
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
