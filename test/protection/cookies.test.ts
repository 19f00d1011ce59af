import { describe, expect, it } from 'vitest';
import { createQuery } from '../../src/dns/query.ts';
import { answerCookie, createCookieScratch, openCookies } from '../../src/protection/cookies.ts';
import { addressOctets } from '../answer/world.ts';

interface Shown {
  readonly secrets: readonly string[];
  readonly client: string;
  /** Hex; empty for none. */
  readonly cookie: string;
  /** Seconds since 1970. */
  readonly now: number;
}

/** The state, and the cookie of the answer. */
function show({ secrets, client, cookie, now }: Shown, scratch = createCookieScratch()): string {
  const opened = openCookies({
    secrets: secrets.map((text) => new Uint8Array(Buffer.from(text, 'hex'))),
    required: 'never',
  });
  const query = createQuery();
  const octets = Buffer.from(cookie, 'hex');
  query.cookie.set(octets);
  query.cookieLength = octets.length;
  const address = addressOctets(client);
  const family = address.length === 4 ? 4 : 6;
  const state = answerCookie(opened, scratch, query, family, address, now | 0);
  return state === 'none' ? state : `${state} ${Buffer.from(query.cookie.subarray(0, 24)).toString('hex')}`;
}

const secret = 'e5e973e5a6b2a43f48e7dc849e37bfcf';
const oldSecret = 'dd3bdf9344b678b185a6f5cb60fca715';
const newSecret = '445536bcd2513298075a5d379663c962';
const v4 = '198.51.100.100';
const v6 = '2001:db8:220:1:59de:d0f4:8769:82b8';
const known = '2464c4abcf10c957010000005cf79f111f8130c3eee29480';
const madeAt = 1559731985;

describe('the examples of RFC 9018 appendix A', () => {
  const cases: readonly (Shown & { readonly name: string; readonly want: string })[] = [
    {
      name: 'A.1: a client learns a new server cookie',
      secrets: [secret],
      client: v4,
      cookie: '2464c4abcf10c957',
      now: madeAt,
      want: `new ${known}`,
    },
    {
      name: 'A.2: the same client learns a renewed one',
      secrets: [secret],
      client: v4,
      cookie: known,
      now: 1559734385,
      want: 'valid 2464c4abcf10c957010000005cf7a871d4a564a1442aca77',
    },
    {
      name: 'A.3: reserved octets that are set count in the hash',
      secrets: [secret],
      client: '203.0.113.203',
      cookie: 'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5',
      now: 1559727985,
      want: 'valid fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5',
    },
    {
      name: 'A.3: the answer to it, when it is past its hour',
      secrets: [secret],
      client: '203.0.113.203',
      cookie: 'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5',
      now: 1559734700,
      want: 'bad fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e',
    },
    {
      name: 'A.4: IPv6, and a secret that was rolled over',
      secrets: [newSecret, oldSecret],
      client: v6,
      cookie: '22681ab97d52c298010000005cf7c57926556bd0934c72f8',
      now: 1559741961,
      want: 'valid 22681ab97d52c298010000005cf7c609a6bb79d16625507a',
    },
  ];
  it.each(cases)('$name', ({ want, ...shown }) => {
    expect(show(shown)).toBe(want);
  });
});

describe('a server cookie', () => {
  const state = (changes: Partial<Shown>, scratch = createCookieScratch()): string =>
    show({ secrets: [secret], client: v4, cookie: known, now: madeAt, ...changes }, scratch);
  const flipped = (at: number): string => {
    const octets = Buffer.from(known, 'hex');
    octets[at] = (octets[at] ?? 0) ^ 1;
    return octets.toString('hex');
  };
  const cases: readonly { readonly name: string; readonly given: Partial<Shown>; readonly want: string }[] = [
    { name: 'is the same again while it is young', given: { now: madeAt + 1800 }, want: `valid ${known}` },
    { name: 'counts for an hour', given: { now: madeAt + 3600 }, want: 'valid' },
    { name: 'does not count for longer', given: { now: madeAt + 3601 }, want: 'bad' },
    { name: 'may be five minutes ahead of our clock', given: { now: madeAt - 300 }, want: 'valid' },
    { name: 'may not be more ahead', given: { now: madeAt - 301 }, want: 'bad' },
    { name: 'is for one address', given: { client: '198.51.100.101' }, want: 'bad' },
    { name: 'is for one family', given: { client: v6 }, want: 'bad' },
    { name: 'is for one client cookie', given: { cookie: flipped(0) }, want: 'bad' },
    { name: 'has its version hashed', given: { cookie: flipped(8) }, want: 'bad' },
    { name: 'has its reserved octets hashed', given: { cookie: flipped(10) }, want: 'bad' },
    { name: 'has its timestamp hashed', given: { cookie: flipped(15) }, want: 'bad' },
    { name: 'is compared in its first half', given: { cookie: flipped(16) }, want: 'bad' },
    { name: 'is compared in its second half', given: { cookie: flipped(23) }, want: 'bad' },
    { name: 'of another length is another server’s', given: { cookie: `${known}00` }, want: 'bad' },
    { name: 'of a secret that is gone is bad', given: { secrets: [newSecret] }, want: 'bad' },
    {
      name: 'of the second secret is good, and replaced',
      given: { secrets: [newSecret, secret] },
      want: 'valid 2464c4abcf10c957010000005cf79f11',
    },
    { name: 'is not made where no cookie came', given: { cookie: '' }, want: 'none' },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    expect(state(given).slice(0, want.length)).toBe(want);
  });

  it.each(cases)('$name, also where the good one is remembered', ({ given, want }) => {
    const scratch = createCookieScratch();
    expect(state({}, scratch)).toBe(`valid ${known}`);
    expect(state({}, scratch)).toBe(`valid ${known}`);
    expect(state(given, scratch).slice(0, want.length)).toBe(want);
  });

  it('goes on past the year 2106, when its timestamp wraps', () => {
    const before = 2 ** 32 - 60;
    const made = state({ cookie: '2464c4abcf10c957', now: before }).slice('new '.length);
    expect(state({ cookie: made, now: before + 120 })).toBe(`valid ${made}`);
  });

  it('needs a secret of 16 octets', () => {
    expect(() => openCookies({ secrets: [], required: 'never' })).toThrow('secret');
    expect(() => openCookies({ secrets: [new Uint8Array(15)], required: 'never' })).toThrow('16 octets');
  });

  it('does not take a cookie for a good one that was good under another secret', () => {
    const scratch = createCookieScratch();
    const given = { client: v4, cookie: known, now: madeAt };
    expect(show({ ...given, secrets: [secret] }, scratch)).toMatch(/^valid/);
    const halfTheSame = `${secret.slice(0, 16)}${oldSecret.slice(16)}`;
    expect(show({ ...given, secrets: [halfTheSame] }, scratch)).toMatch(/^bad/);
  });
});
