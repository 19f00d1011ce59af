import { describe, expect, it } from 'vitest';
import { ask, createWorld, dataCenters, dig, ordered, scratch, type Verdict } from '../answer/world.ts';

const zone = `$ORIGIN example.org.
$TTL 300
@       SOA   ns hostmaster 1 7200 900 1209600 60
@       NS    ns.example.net.
www     TXT   "beside a steered name"
alias   CNAME www
static  A     192.0.2.99
`;
const soa = 'ns example.org. 60 SOA ns.example.org. hostmaster.example.org. 1 7200 900 1209600 60';

/** Slots 0 to 5. */
const pool = [
  'fra A 192.0.2.1',
  'fra AAAA 2001:db8::1',
  'nyc A 192.0.2.2',
  'nyc AAAA 2001:db8::2',
  'sin A 192.0.2.3',
  'sin A 192.0.2.4',
];

const fra = 'an www.example.org. 30 A 192.0.2.1';
const nyc = 'an www.example.org. 30 A 192.0.2.2';

describe('which client is located, and the scope of the answer', () => {
  const world = createWorld({
    zones: [zone],
    steered: [
      { name: 'www.example.org.', pool },
      { name: '*.wild.example.org.', pool },
      { name: 'everybody.example.org.', pool, policy: ordered('nyc') },
    ],
  });
  it.each([
    {
      name: 'the resolver without client subnet',
      given: 'www.example.org A @198.51.100.1',
      want: ['NOERROR aa', fra],
    },
    { name: 'another resolver', given: 'www.example.org A @198.51.100.200', want: ['NOERROR aa', nyc] },
    {
      name: 'an IPv4-mapped resolver',
      given: 'www.example.org A @::ffff:198.51.100.200',
      want: ['NOERROR aa', nyc],
    },
    { name: 'an IPv6 resolver', given: 'www.example.org A @2001:db8:1::53', want: ['NOERROR aa', nyc] },
    {
      name: 'EDNS without client subnet',
      given: 'www.example.org A +edns @198.51.100.1',
      want: ['NOERROR aa', fra],
    },
    {
      name: 'the client subnet before the resolver',
      given: 'www.example.org A +subnet=198.51.100.130/32 @198.51.100.1',
      want: ['NOERROR aa', nyc, 'scope /25'],
    },
    {
      name: 'a scope longer than the source, RFC 7871 section 7.2.1',
      given: 'www.example.org A +subnet=198.51.100.0/24',
      want: ['NOERROR aa', fra, 'scope /25'],
    },
    {
      name: 'IPv6',
      given: 'www.example.org AAAA +subnet=2001:db8:1:2::/64',
      want: ['NOERROR aa', 'an www.example.org. 30 AAAA 2001:db8::2', 'scope /48'],
    },
    {
      name: 'an IPv4-mapped client subnet: scope in its own family',
      given: 'www.example.org A +subnet=::ffff:198.51.100.128/121 @198.51.100.1',
      want: ['NOERROR aa', nyc, 'scope /121'],
    },
    {
      name: 'an unallocated IPv6 place: the scope leaves out ::ffff:0:0/96, RFC 7871 section 7.2.1',
      given: 'www.example.org A +subnet=::1/128 @198.51.100.1',
      want: ['NOERROR aa', 'an www.example.org. 30 A 192.0.2.3', 'scope /81'],
    },
    {
      name: 'one policy for everybody',
      given: 'everybody.example.org A +subnet=198.51.100.0/24',
      want: ['NOERROR aa', 'an everybody.example.org. 30 A 192.0.2.2', 'scope /0'],
    },
    {
      name: 'a type that the pool lacks is not located',
      given: 'www.example.org TXT +subnet=198.51.100.0/24',
      want: ['NOERROR aa', 'an www.example.org. 300 TXT "beside a steered name"', 'scope /0'],
    },
    {
      name: 'NODATA for MX',
      given: 'www.example.org MX +subnet=198.51.100.0/24',
      want: ['NOERROR aa', soa, 'scope /0'],
    },
    { name: 'NODATA for CNAME', given: 'www.example.org CNAME', want: ['NOERROR aa', soa] },
    {
      name: 'a client that the policy gives nobody',
      given: 'www.example.org A @203.0.113.5',
      want: ['NOERROR aa', soa],
    },
    {
      name: 'the same, with scope 0 for the negative answer',
      given: 'www.example.org A +subnet=203.0.113.0/24',
      want: ['NOERROR aa', soa, 'scope /0'],
    },
    {
      name: 'a static alias of a steered name',
      given: 'alias.example.org A +subnet=198.51.100.128/25',
      want: ['NOERROR aa', 'an alias.example.org. 300 CNAME www.example.org.', nyc, 'scope /25'],
    },
    {
      name: 'a steered wildcard',
      given: 'any.wild.example.org A +subnet=198.51.100.128/25',
      want: ['NOERROR aa', 'an any.wild.example.org. 30 A 192.0.2.2', 'scope /25'],
    },
    {
      name: 'ANY without static data, RFC 8482 section 4.2',
      given: 'everybody.example.org ANY +subnet=198.51.100.0/24',
      want: ['NOERROR aa', 'an everybody.example.org. 3600 HINFO \\# 9 075246433834383200', 'scope /0'],
    },
  ])('$name', ({ given, want }) => expect(ask(world, given)).toEqual(want));

  it.each([
    { given: 'www.example.org A +subnet=0.0.0.0/0 @198.51.100.1' },
    { given: 'www.example.org A +subnet=::/0 @198.51.100.1' },
  ])('/0: does not look at the resolver, RFC 7871 section 7.1.2: $given', ({ given }) => {
    const [head, answer, scope] = ask(world, given);
    expect([head, scope]).toEqual(['NOERROR aa', 'scope /0']);
    expect(answer).toMatch(/^an www\.example\.org\. 30 A 192\.0\.2\.[34]$/);
    expect(scratch.decision).toMatchObject({
      clientSource: 'client-subnet',
      sourcePrefixLength: 0,
      dataCenter: 2,
    });
  });

  it('fills the decision', () => {
    ask(world, 'alias.example.org A +subnet=198.51.100.128/26 @192.0.2.1');
    const { decision } = scratch;
    expect(decision).toMatchObject({
      outcome: 'answer',
      rcode: 0,
      queryType: 1,
      zone: 0,
      steered: 0,
      cnameSteps: 1,
      truncated: false,
      clientSource: 'client-subnet',
      clientFamily: 4,
      sourcePrefixLength: 26,
      mapPrefixLength: 25,
      scopePrefixLength: 25,
      orderLength: 3,
      dataCenter: 1,
      tier: 'up',
      endpointCount: 1,
      ttlSeconds: 300,
    });
    expect([...decision.clientAddress.slice(0, 4)]).toEqual([198, 51, 100, 128]);
    expect([...decision.order.slice(0, 3)].map((number) => dataCenters[number])).toEqual([
      'nyc',
      'fra',
      'sin',
    ]);
    expect(decision.endpointSlots[0]).toBe(2);
  });
});

/** A client that the policy sends to fra, then nyc, then sin; `A` unless told. */
function answered(
  given: {
    pool?: readonly string[];
    verdicts?: readonly Verdict[];
    type?: string;
    client?: string;
  } & Partial<{
    allDown: 'fail-open' | 'last-known' | 'fallback' | 'nodata' | 'servfail';
    fallback: readonly string[];
    answers: number;
  }>,
): string {
  const { pool: lines = pool, verdicts = [], type = 'A', client = '198.51.100.1', ...rest } = given;
  const world = createWorld({ zones: [zone], steered: [{ name: 'www.example.org.', pool: lines, ...rest }] });
  for (const [slot, verdict] of verdicts.entries()) world.setVerdict(slot, verdict);
  const [head = '', ...records] = ask(world, `www.example.org ${type} @${client}`);
  const shown = records
    .filter((line) => line.startsWith('an '))
    .map((line) => line.split(' ').slice(3).join(' '));
  return [head, ...shown.sort(), scratch.decision.tier].join(', ');
}

describe('verdicts', () => {
  const up = 'up' as const;
  const down = 'down' as const;
  const allDown = Array.from({ length: 6 }, () => down);
  const steps: readonly { name: string; given: Parameters<typeof answered>[0]; want: string }[] = [
    { name: 'the nearest that is up', given: {}, want: 'NOERROR aa, A 192.0.2.1, up' },
    {
      name: 'the next where the nearest is down',
      given: { verdicts: [down] },
      want: 'NOERROR aa, A 192.0.2.2, up',
    },
    { name: 'drained counts as down', given: { verdicts: ['drained'] }, want: 'NOERROR aa, A 192.0.2.2, up' },
    {
      name: 'a far one that is up before a near one that is unknown',
      given: { verdicts: ['unknown', up, down, up, up, up], answers: 2 },
      want: 'NOERROR aa, A 192.0.2.3, A 192.0.2.4, up',
    },
    {
      name: 'unknown before down',
      given: { verdicts: [down, down, 'unknown', 'unknown', down, down] },
      want: 'NOERROR aa, A 192.0.2.2, unknown',
    },
    {
      name: 'AAAA of the next data center while A stays',
      given: { verdicts: [up, down], type: 'AAAA' },
      want: 'NOERROR aa, AAAA 2001:db8::2, up',
    },
    {
      name: 'no AAAA that is down while an A is up: NODATA',
      given: { verdicts: [up, down, up, down], type: 'AAAA' },
      want: 'NOERROR aa, none',
    },
    { name: 'fail open', given: { verdicts: allDown }, want: 'NOERROR aa, A 192.0.2.1, fail-open' },
    {
      name: 'fail open takes drained ones last',
      given: { verdicts: ['drained', 'drained', down, down, 'drained', 'drained'] },
      want: 'NOERROR aa, A 192.0.2.2, fail-open',
    },
    {
      name: 'fail open with nothing but drained ones',
      given: { verdicts: Array.from({ length: 6 }, () => 'drained' as const) },
      want: 'NOERROR aa, A 192.0.2.1, fail-open',
    },
    {
      name: 'last known',
      given: { verdicts: [down, down, 'last-known', down, down, down], allDown: 'last-known' },
      want: 'NOERROR aa, A 192.0.2.2, last-known',
    },
    {
      name: 'last known without any that were: as fail open',
      given: { verdicts: allDown, allDown: 'last-known' },
      want: 'NOERROR aa, A 192.0.2.1, fail-open',
    },
    {
      name: 'fallback',
      given: {
        verdicts: allDown,
        allDown: 'fallback',
        fallback: ['203.0.113.1', '2001:db8::f', '203.0.113.2'],
      },
      want: 'NOERROR aa, A 203.0.113.1, A 203.0.113.2, fallback',
    },
    {
      name: 'fallback without that type',
      given: { verdicts: allDown, allDown: 'fallback', fallback: ['203.0.113.1'], type: 'AAAA' },
      want: 'NOERROR aa, fallback',
    },
    {
      name: 'fallback of a type that the pool lacks',
      given: {
        pool: ['fra A 192.0.2.1'],
        verdicts: ['down'],
        allDown: 'fallback',
        fallback: ['203.0.113.1', '2001:db8::f'],
        type: 'AAAA',
      },
      want: 'NOERROR aa, AAAA 2001:db8::f, fallback',
    },
    { name: 'NODATA', given: { verdicts: allDown, allDown: 'nodata' }, want: 'NOERROR aa, none' },
    { name: 'SERVFAIL', given: { verdicts: allDown, allDown: 'servfail' }, want: 'SERVFAIL, none' },
    {
      name: 'only the data centers that the policy names, even when they are down',
      given: { verdicts: allDown.slice(0, 2), client: '192.0.2.77' },
      want: 'NOERROR aa, A 192.0.2.1, fail-open',
    },
    {
      name: 'at most as many as there are',
      given: { verdicts: allDown.slice(0, 4), answers: 8 },
      want: 'NOERROR aa, A 192.0.2.3, A 192.0.2.4, up',
    },
    { name: 'a pool without endpoints', given: { pool: [] }, want: 'NOERROR aa, none' },
    {
      name: 'a pool without endpoints that has a fallback',
      given: { pool: [], allDown: 'fallback', fallback: ['203.0.113.1'] },
      want: 'NOERROR aa, A 203.0.113.1, fallback',
    },
  ];
  it.each(steps)('$name', ({ given, want }) => expect(answered(given)).toBe(want));
});

describe('endpoints that are reached by name', () => {
  const names = [
    'fra CNAME fra.cdn.example.net.',
    'nyc CNAME static.example.org.',
    'sin A 192.0.2.3',
    'sin AAAA 2001:db8::3',
  ];
  const cases: readonly { name: string; given: Parameters<typeof answered>[0]; want: string }[] = [
    {
      name: 'a name outside our zones',
      given: { pool: names },
      want: 'NOERROR aa, CNAME fra.cdn.example.net., up',
    },
    {
      name: 'for every type',
      given: { pool: names, type: 'MX' },
      want: 'NOERROR aa, CNAME fra.cdn.example.net., up',
    },
    {
      name: 'for its own type',
      given: { pool: names, type: 'CNAME', client: '198.51.100.200' },
      want: 'NOERROR aa, CNAME static.example.org., up',
    },
    {
      name: 'but not for types that stand there themselves',
      given: { pool: names, type: 'TXT' },
      want: 'NOERROR aa, TXT "beside a steered name", none',
    },
    {
      name: 'followed into our zone',
      given: { pool: names, client: '198.51.100.200' },
      want: 'NOERROR aa, A 192.0.2.99, CNAME static.example.org., up',
    },
    {
      name: 'addresses where the names are down',
      given: { pool: names, verdicts: ['down', 'down'] },
      want: 'NOERROR aa, A 192.0.2.3, up',
    },
    {
      name: 'no name behind a data center with addresses: the resolver would keep it for them too',
      given: { pool: ['fra A 192.0.2.1', 'nyc CNAME static.example.org.'], type: 'AAAA' },
      want: 'NOERROR aa, none',
    },
    {
      name: 'no name beside addresses of the same data center',
      given: { pool: ['fra A 192.0.2.1', 'fra CNAME static.example.org.'], type: 'AAAA' },
      want: 'NOERROR aa, none',
    },
  ];
  it.each(cases)('$name', ({ given, want }) => expect(answered(given)).toBe(want));

  it('has one steered name lead to the next, with the narrower scope and the TTLs of both', () => {
    const world = createWorld({
      zones: [zone],
      steered: [
        {
          name: 'first.example.org.',
          pool: ['nyc CNAME second.example.org.'],
          policy: ordered('nyc'),
          ttlSeconds: 77,
        },
        { name: 'second.example.org.', pool: ['fra A 192.0.2.1'], ttlSeconds: 20 },
      ],
    });
    expect(ask(world, 'first.example.org A +subnet=198.51.100.0/24')).toEqual([
      'NOERROR aa',
      'an first.example.org. 77 CNAME second.example.org.',
      'an second.example.org. 20 A 192.0.2.1',
      'scope /25',
    ]);
    expect(scratch.decision).toMatchObject({ steered: 1, cnameSteps: 1, dataCenter: 0 });
  });

  it('keeps nothing of the first steered name where the next has no such type', () => {
    const world = createWorld({
      zones: [zone],
      steered: [
        { name: 'first.example.org.', pool: ['nyc CNAME second.example.org.'], policy: ordered('nyc') },
        { name: 'second.example.org.', pool: ['fra A 192.0.2.1'] },
      ],
    });
    expect(dig(world, 'first.example.org AAAA').answers).toHaveLength(1);
    expect(scratch.decision).toMatchObject({
      outcome: 'nodata',
      steered: 1,
      orderLength: 0,
      tier: 'none',
      dataCenter: -1,
      endpointCount: 0,
    });
  });

  it('ends where a steered name leads to itself', () => {
    const pool = ['fra CNAME loop.example.org.'];
    const world = createWorld({ zones: [zone], steered: [{ name: 'loop.example.org.', pool }] });
    expect(ask(world, 'loop.example.org A')).toEqual([
      'NOERROR aa',
      'an loop.example.org. 30 CNAME loop.example.org.',
    ]);
  });
});

describe('weights', () => {
  it('divide the answers among the endpoints of one data center', () => {
    const world = createWorld({
      zones: [zone],
      steered: [{ name: 'www.example.org.', pool: ['fra A 192.0.2.1 weight=3', 'fra A 192.0.2.2 weight=1'] }],
    });
    let first = 0;
    for (let i = 0; i < 4000; i++) if (ask(world, 'www.example.org A')[1] === fra) first++;
    // Five standard deviations of 4,000 draws at three to one are 137.
    expect(Math.abs(first - 3000)).toBeLessThan(140);
  });

  it('put several answers in random order without repeating one', () => {
    const world = createWorld({
      zones: [zone],
      steered: [
        {
          name: 'www.example.org.',
          pool: ['fra A 192.0.2.1', 'fra A 192.0.2.2', 'fra A 192.0.2.3'],
          answers: 2,
        },
      ],
    });
    const seen = new Set(
      Array.from({ length: 300 }, () => ask(world, 'www.example.org A').slice(1).join(' ')),
    );
    expect(seen.size).toBe(6);
  });
});
