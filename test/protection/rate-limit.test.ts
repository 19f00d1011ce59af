import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExactPrefix } from '../../src/geo/prefix.ts';
import { compilePrefixSet } from '../../src/protection/prefix-set.ts';
import {
  chargeResponse,
  createLimiterTable,
  openRateLimiter,
  type RateLimiter,
  type RateLimitMessage,
  type ResponseClass,
} from '../../src/protection/rate-limit.ts';
import { addressOctets } from '../answer/world.ts';

const NOW = 1_767_225_600;

function limiter(changes: Partial<RateLimitMessage> = {}): RateLimiter {
  return openRateLimiter({
    table: createLimiterTable(),
    key: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    responsesPerSecond: 5,
    windowSeconds: 10,
    slip: 2,
    ipv4PrefixLength: 24,
    ipv6PrefixLength: 56,
    exempt: undefined,
    ...changes,
  });
}

interface Response {
  readonly client?: string;
  readonly kind?: ResponseClass;
  readonly zone?: number;
  readonly node?: number;
  readonly type?: number;
  readonly now?: number;
}

/** What becomes of so many responses: `.` sent, `s` slipped, `x` dropped. */
function charge(on: RateLimiter, count: number, response: Response = {}): string {
  const { client = '192.0.2.1', kind = 'records', zone = 0, node = 0, type = 1, now = NOW } = response;
  const octets = addressOctets(client);
  const marks = { none: '.', slip: 's', drop: 'x' } as const;
  let told = '';
  for (let i = 0; i < count; i++)
    told += marks[chargeResponse(on, octets.length === 4 ? 4 : 6, octets, kind, zone, node, type, now)];
  return told;
}

describe('the rate of responses', () => {
  it('is free up to the limit, then every other response slips', () => {
    expect(charge(limiter(), 10)).toBe('.....xsxsx');
  });

  it.each([
    { slip: 0, want: '.....xxxxx' },
    { slip: 1, want: '.....sssss' },
    { slip: 3, want: '.....xxsxx' },
  ])('slips as it is told to: $slip', ({ slip, want }) => {
    expect(charge(limiter({ slip }), 10)).toBe(want);
  });

  it('is the limit again a second later, for who kept to it', () => {
    const on = limiter();
    expect(charge(on, 5)).toBe('.....');
    expect(charge(on, 5, { now: NOW + 1 })).toBe('.....');
  });

  it('stays limited while a flood goes on, and for at most the window after it', () => {
    const on = limiter({ slip: 0 });
    charge(on, 1000);
    expect(charge(on, 5, { now: NOW + 1 })).toBe('xxxxx');
    charge(on, 1000, { now: NOW + 1 });
    expect(charge(on, 5, { now: NOW + 12 })).toBe('.....');
  });

  it('does not save credit up', () => {
    const on = limiter({ slip: 0 });
    charge(on, 1);
    expect(charge(on, 7, { now: NOW + 1000 })).toBe('.....xx');
  });

  it('neither gives nor takes where the clock is set back', () => {
    const on = limiter({ slip: 0 });
    charge(on, 3);
    expect(charge(on, 3, { now: NOW - 86_400 })).toBe('..x');
    expect(charge(on, 2, { now: NOW - 86_399 })).toBe('..');
  });

  it.each<{ readonly name: string; readonly other: Response; readonly want: 'own' | 'same' }>([
    { name: 'another address of the /24', other: { client: '192.0.2.255' }, want: 'same' },
    { name: 'another /24', other: { client: '192.0.3.1' }, want: 'own' },
    { name: 'another name', other: { node: 1 }, want: 'own' },
    { name: 'another type', other: { type: 28 }, want: 'own' },
    { name: 'another zone', other: { zone: 1 }, want: 'own' },
    { name: 'another class of response', other: { kind: 'nodata' }, want: 'own' },
    { name: 'an IPv6 client with the same first bits', other: { client: 'c000:201::' }, want: 'own' },
  ])('counts $name as its $want account', ({ other, want }) => {
    const on = limiter({ slip: 0 });
    charge(on, 5);
    expect(charge(on, 1, other)).toBe(want === 'same' ? 'x' : '.');
  });

  it.each([
    { length: 56, other: '2001:db8:0:ff::1', want: 'x' },
    { length: 56, other: '2001:db8:0:100::1', want: '.' },
    { length: 32, other: '2001:db8:ffff::1', want: 'x' },
    { length: 24, other: '2001:dff::1', want: 'x' },
    { length: 64, other: '2001:db8:0:1::1', want: '.' },
  ])('takes the first $length bits of an IPv6 address: $other', ({ length, other, want }) => {
    const on = limiter({ slip: 0, ipv6PrefixLength: length });
    charge(on, 5, { client: '2001:db8::1' });
    expect(charge(on, 1, { client: other })).toBe(want);
  });

  it('does not hold for who is exempt', () => {
    const prefix = parseExactPrefix('192.0.2.0/28');
    const exempt = compilePrefixSet(prefix === undefined ? [] : [prefix], []);
    const on = limiter({ slip: 0, exempt });
    expect(charge(on, 10)).toBe('..........');
    expect(charge(on, 6, { client: '192.0.2.16' })).toBe('.....x');
  });

  it('is shared by all who have the table', () => {
    const table = createLimiterTable();
    const one = limiter({ table, slip: 0 });
    const other = limiter({ table, slip: 0 });
    charge(one, 3);
    expect(charge(other, 3)).toBe('..x');
  });
});

describe('the table', () => {
  it('keeps who is in debt while strangers fill it twice over in the same second', () => {
    const on = limiter({ slip: 0 });
    charge(on, 20);
    for (let node = 1; node <= 500_000; node++) charge(on, 1, { node });
    expect(charge(on, 1)).toBe('x');
  });

  it('gives the place of who was not seen for longest to who is new', () => {
    const on = limiter({ slip: 0 });
    for (let node = 1; node <= 500_000; node++) charge(on, 1, { node });
    charge(on, 20, { now: NOW + 1 });
    expect(charge(on, 1, { now: NOW + 1 })).toBe('x');
  });

  it('is never left, whatever is charged', () => {
    const on = limiter();
    const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const kinds = fc.constantFrom<ResponseClass>('records', 'nodata', 'referral', 'nxdomain', 'error');
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.constantFrom<4 | 6>(4, 6),
        kinds,
        word,
        word,
        fc.integer({ min: 0, max: 65_535 }),
        word,
        (octets, family, kind, zone, node, type, now) => {
          const outcome = chargeResponse(on, family, octets, kind, zone, node, type, now);
          // Nobody is limited on the first response, and nothing is written past the table.
          return outcome === 'none' && !Object.hasOwn(on.cells, on.cells.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});
