import { expect, it } from 'vitest';
import type { Config, Stored } from '../../../src/config/model.ts';
import type { SteeredName } from '../../../src/config/resources/steered-name.ts';
import { createTtlLedger } from '../../../src/health/overrides/ttl-ledger.ts';

/** `www=web:30 api=web:60` */
function names(text: string): Config['steeredNames'] {
  const words = text.split(' ').filter((word) => word !== '');
  return new Map(
    words.map((word) => {
      const [, name = '', pool = '', ttl = ''] = /^(\w+)=(\w+):(\d+)$/.exec(word) ?? [];
      const value: SteeredName = {
        name,
        pool,
        policy: 'closest',
        ttlSeconds: Number(ttl),
        answers: 1,
        allDown: 'fail-open',
      };
      const stored: Stored<SteeredName> = {
        value,
        owner: { kind: 'api' },
        revision: '',
        author: '',
        reason: '',
        updatedAt: '',
      };
      return [name, stored];
    }),
  );
}

/** What was followed when, in seconds; then an endpoint of `web` is drained, and is safe how long after. */
const cases: readonly (readonly [string, readonly (readonly [number, string])[], number, number])[] = [
  ['no name answers with it', [[0, 'www=api:30']], 10, 0],
  ['the largest TTL of its names counts', [[0, 'www=web:30 api=web:60 other=api:900']], 10, 60],
  [
    'a TTL that was lowered still counts, with a second for the publication',
    [
      [0, 'www=web:3600'],
      [100, 'www=web:30'],
    ],
    110,
    3591,
  ],
  [
    'until it has run out',
    [
      [0, 'www=web:3600'],
      [100, 'www=web:30'],
    ],
    4000,
    30,
  ],
  [
    'a TTL that was raised counts at once',
    [
      [0, 'www=web:30'],
      [100, 'www=web:3600'],
    ],
    110,
    3600,
  ],
  [
    'of two that were lowered the one that ends last',
    [
      [0, 'www=web:3600'],
      [100, 'www=web:300'],
      [110, 'www=web:5'],
    ],
    120,
    3581,
  ],
  [
    'a name that was deleted still counts',
    [
      [0, 'www=web:300'],
      [100, ''],
    ],
    101,
    300,
  ],
  [
    'and so does one that went over to another pool',
    [
      [0, 'www=web:300'],
      [100, 'www=api:300'],
    ],
    101,
    300,
  ],
];

it.each(cases)('%s', (_, followed, drainedAt, want) => {
  const ledger = createTtlLedger();
  for (const [at, text] of followed) ledger.follow(names(text), at * 1000);
  expect(ledger.goneAtMs('web', drainedAt * 1000) / 1000 - drainedAt).toBe(want);
});
