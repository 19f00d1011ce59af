import { describe, expect, it } from 'vitest';
import { compileZone } from '../../src/snapshot/compile-zone.ts';
import { openZoneDirectory } from '../../src/snapshot/zone-directory.ts';
import type { RRsetSource } from '../../src/snapshot/zone-source.ts';
import { ask, createWorld, name, type SteeredText, type World, zoneSource } from '../answer/world.ts';

const apex = '@ SOA ns h 1 7200 900 1209600 60\n@ NS ns.example.net.';

function zone(lines: string, head = apex): string {
  return `$ORIGIN example.org.\n$TTL 300\n${head}\n${lines}\n`;
}

describe('what is left out, and what is served all the same', () => {
  const cases: readonly {
    name: string;
    given: string;
    steered?: readonly SteeredText[];
    want: string;
    asked: string;
    answer: readonly string[];
  }[] = [
    {
      name: 'a CNAME beside other data loses',
      given: 'a CNAME b\na A 192.0.2.1',
      want: 'cname-and-other-data zones/example.org./rrsets/a.example.org. CNAME',
      asked: 'a.example.org A',
      answer: ['an a.example.org. 300 A 192.0.2.1'],
    },
    {
      name: 'a CNAME at the apex loses',
      given: '@ CNAME www.example.net.',
      want: 'cname-and-other-data zones/example.org./rrsets/example.org. CNAME',
      asked: 'example.org NS',
      answer: ['an example.org. 300 NS ns.example.net.'],
    },
    {
      name: 'of several CNAMEs the first is served',
      given: 'a CNAME b.example.net.\na CNAME c.example.net.',
      want: 'many-cnames zones/example.org./rrsets/a.example.org. CNAME',
      asked: 'a.example.org A',
      answer: ['an a.example.org. 300 CNAME b.example.net.'],
    },
    {
      name: 'data below a delegation',
      given: 'sub NS ns.example.net.\nx.sub TXT "hidden"',
      want: 'occluded-record zones/example.org./rrsets/x.sub.example.org. TXT',
      asked: 'x.sub.example.org TXT',
      answer: ['ns sub.example.org. 300 NS ns.example.net.'],
    },
    {
      name: 'addresses below a delegation that are no glue',
      given: 'sub NS ns.sub\nns.sub A 192.0.2.1\nx.sub A 192.0.2.2',
      want: 'occluded-record zones/example.org./rrsets/x.sub.example.org. A',
      asked: 'x.sub.example.org A',
      answer: ['ns sub.example.org. 300 NS ns.sub.example.org.', 'ad ns.sub.example.org. 300 A 192.0.2.1'],
    },
    {
      name: 'data at a delegation',
      given: 'sub NS ns.example.net.\nsub MX 1 mail.example.net.',
      want: 'occluded-record zones/example.org./rrsets/sub.example.org. MX',
      asked: 'sub.example.org MX',
      answer: ['ns sub.example.org. 300 NS ns.example.net.'],
    },
    {
      name: 'a delegation below a delegation',
      given: 'sub NS ns.example.net.\nx.sub NS ns.example.com.',
      want: 'occluded-record zones/example.org./rrsets/x.sub.example.org. NS',
      asked: 'y.x.sub.example.org A',
      answer: ['ns sub.example.org. 300 NS ns.example.net.'],
    },
    {
      name: 'a delegation of a wildcard, RFC 4592 section 4.2',
      given: '* NS ns.example.net.\n* TXT "stays"',
      want: 'wildcard-delegation zones/example.org./rrsets/*.example.org. NS',
      asked: 'x.example.org TXT',
      answer: ['an x.example.org. 300 TXT "stays"'],
    },
    {
      name: 'static addresses at a steered name lose, other types stay',
      given: 'www A 192.0.2.9\nwww TXT "stays"',
      steered: [{ name: 'www.example.org.', pool: ['fra A 192.0.2.1'] }],
      want: 'steered-and-static zones/example.org./rrsets/www.example.org. A',
      asked: 'www.example.org A',
      answer: ['an www.example.org. 30 A 192.0.2.1'],
    },
    {
      name: 'a steered name below a delegation',
      given: 'sub NS ns.example.net.',
      steered: [{ name: 'www.sub.example.org.', pool: ['fra A 192.0.2.1'] }],
      want: 'occluded-record steeredNames/www.sub.example.org.',
      asked: 'www.sub.example.org A',
      answer: ['ns sub.example.org. 300 NS ns.example.net.'],
    },
    {
      name: 'a steered name that stands twice',
      given: '',
      steered: [
        { name: 'www.example.org.', pool: ['fra A 192.0.2.1'] },
        { name: 'www.example.org.', pool: ['fra A 192.0.2.2'] },
      ],
      want: 'steered-twice steeredNames/www.example.org.',
      asked: 'www.example.org A',
      answer: ['an www.example.org. 30 A 192.0.2.1'],
    },
  ];
  it.each(cases)('$name', ({ given, steered, want, asked, answer }) => {
    const world = createWorld({ zones: [zone(given)], ...(steered && { steered }) });
    expect(world.problems.map(({ code, path }) => `${code} ${path}`)).toEqual([want]);
    expect(ask(world, asked).slice(1)).toEqual(answer);
  });

  it('an SOA below the apex, a zone without SOA or NS', () => {
    const world = createWorld({ zones: [`$ORIGIN example.org.\n$TTL 300\nwww A 192.0.2.1\n`] });
    expect(world.problems.map(({ code }) => code)).toEqual(['no-soa', 'no-apex-ns']);
    expect(ask(world, 'www.example.org A')).toEqual(['NOERROR aa', 'an www.example.org. 300 A 192.0.2.1']);
    expect(ask(world, 'x.example.org A')).toEqual(['NXDOMAIN aa']);
  });
});

describe('sources that no zone file gives', () => {
  const owner = name('x.example.org.');
  const a = (rdata: readonly number[]): RRsetSource => ({
    owner,
    type: 1,
    ttlSeconds: 300,
    rdatas: [Uint8Array.from(rdata)],
  });
  const cases: readonly { name: string; given: RRsetSource; want: string }[] = [
    {
      name: 'an owner outside the zone',
      given: { ...a([1, 2, 3, 4]), owner: name('x.example.com.') },
      want: 'outside-zone',
    },
    {
      name: 'an owner whose end only looks like the apex',
      given: { ...a([1, 2, 3, 4]), owner: name('\\007example.org.') },
      want: 'outside-zone',
    },
    {
      name: 'an owner that is no name',
      given: { ...a([1, 2, 3, 4]), owner: Uint8Array.of(70, 1) },
      want: 'bad-name',
    },
    { name: 'rdata of the wrong length', given: a([1, 2, 3]), want: 'bad-rdata' },
    { name: 'a name in rdata that breaks off', given: { ...a([5, 1]), type: 2 }, want: 'bad-rdata' },
    { name: 'no records', given: { ...a([]), rdatas: [] }, want: 'empty-rrset' },
    { name: 'a meta-type', given: { ...a([]), type: 255 }, want: 'meta-type' },
    {
      name: 'a TTL of 32 bits, RFC 2181 section 8',
      given: { ...a([1, 2, 3, 4]), ttlSeconds: 2 ** 31 },
      want: 'bad-ttl',
    },
    {
      name: 'a TTL that is no number',
      given: { ...a([1, 2, 3, 4]), ttlSeconds: Number.NaN },
      want: 'bad-ttl',
    },
    {
      name: 'more than a message holds',
      given: {
        owner,
        type: 65_400,
        ttlSeconds: 1,
        rdatas: [new Uint8Array(40_000), new Uint8Array(40_000).fill(1)],
      },
      want: 'rrset-too-large',
    },
    {
      name: 'an SOA below the apex',
      given: { ...(zoneSource(zone('')).rrsets[0] as RRsetSource), owner },
      want: 'soa-below-apex',
    },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    const source = zoneSource(zone('y A 192.0.2.1'));
    const { image, problems } = compileZone({ ...source, rrsets: [given, ...source.rrsets] });
    expect(problems.map(({ code }) => code)).toEqual([want]);
    expect(openZoneDirectory([image]).images).toHaveLength(1);
  });

  it('serves a record once that two writers brought, in whatever case its names are', () => {
    const source = zoneSource(zone('')).rrsets;
    const mx = (owner: string, ...texts: readonly string[]): RRsetSource => ({
      owner: name(owner),
      type: 15,
      ttlSeconds: 300,
      rdatas: texts.map((text) => Uint8Array.of(0, 5, ...name(text))),
    });
    const rrsets = [
      ...source,
      mx('a.example.org', 'mail.example.net', 'MAIL.example.net'),
      mx('A.example.org', 'mail.example.net', 'other.example.net'),
    ];
    const { image, problems } = compileZone({ apex: name('example.org'), rrsets, steeredNames: [] });
    expect(problems).toEqual([]);
    expect(ask(worldOf(image), 'a.example.org MX')).toEqual([
      'NOERROR aa',
      'an a.example.org. 300 MX 5 mail.example.net.',
      'an a.example.org. 300 MX 5 other.example.net.',
    ]);
  });

  it('merges two RRsets of one name and type, with the lower TTL', () => {
    const source = zoneSource(zone('y 600 A 192.0.2.1'));
    const more: RRsetSource = {
      owner: name('Y.example.org.'),
      type: 1,
      ttlSeconds: 60,
      rdatas: [Uint8Array.of(192, 0, 2, 2)],
    };
    const { image } = compileZone({ ...source, rrsets: [...source.rrsets, more] });
    expect(ask(worldOf(image), 'y.example.org A')).toEqual([
      'NOERROR aa',
      'an y.example.org. 60 A 192.0.2.1',
      'an y.example.org. 60 A 192.0.2.2',
    ]);
  });
});

/** A world of this one zone. */
function worldOf(image: SharedArrayBuffer): World {
  const world = createWorld({ zones: [] });
  return { ...world, snapshot: { ...world.snapshot, zones: openZoneDirectory([image]) } };
}

describe('many names', () => {
  it('finds each of 20,000, and nothing between them', () => {
    const lines = Array.from(
      { length: 20_000 },
      (_, i) => `h${i}.d${i % 97} A 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
    );
    const world = createWorld({ zones: [zone(lines.join('\n'))] });
    expect(world.problems).toEqual([]);
    const wrong: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      const [, answer] = ask(world, `h${i}.d${i % 97}.example.org A`);
      const [missing] = ask(world, `h${i}.d${(i + 1) % 97}.example.org A`);
      if (!answer?.endsWith(`A 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`) || missing !== 'NXDOMAIN aa')
        wrong.push(i);
    }
    expect(wrong).toEqual([]);
  });
});

describe('the zone directory', () => {
  it('takes the longest apex', () => {
    const apexes = [
      '.',
      'org.',
      'example.org.',
      'a.b.c.d.example.org.',
      ...Array.from({ length: 200 }, (_, i) => `z${i}.example.net.`),
    ];
    const world = createWorld({
      zones: apexes.map(
        (origin, i) => `$ORIGIN ${origin}\n$TTL 60\n@ SOA ns h ${i} 1 1 1 1\n@ NS ns.example.net.\n`,
      ),
    });
    const serial = (line: string): string | undefined =>
      ask(world, line)
        .find((record) => record.includes('SOA'))
        ?.split(' ')[6];
    const wrong = apexes.filter(
      (origin, i) => serial(`${origin === '.' ? '' : 'x.y.'}${origin} TXT`) !== String(i),
    );
    expect(wrong).toEqual([]);
    expect(serial('x.b.c.d.example.org TXT')).toBe('2');
    expect(serial('com TXT')).toBe('0');
  });
});
