import { describe, expect, it } from 'vitest';
import { rrsetKey } from '../../../src/config/model.ts';
import { imageShape, readPage, readRRset } from '../../../src/node/zones/read-zone-image.ts';
import { compileZone } from '../../../src/snapshot/compile-zone.ts';
import { zoneSource } from '../../answer/world.ts';

const text = `$ORIGIN example.org.
$TTL 300
@ SOA ns1 hostmaster 1 7200 900 1209600 60
@ NS ns1
@ NS ns.example.net.
ns1 A 192.0.2.53
@ MX 10 mail
@ MX 20 mail.example.net.
a\\.b TXT "one" "two"
*.wild CNAME www
deep.er.down A 192.0.2.7
_sip._tcp SRV 1 2 5060 mail
mail A 192.0.2.25
mail AAAA 2001:db8::25
sub NS ns.sub
ns.sub A 192.0.2.61
www 60 A 192.0.2.1
www 60 A 192.0.2.2
`;
const { image } = compileZone(zoneSource(text));

const all = [
  '*.wild.example.org. CNAME',
  '_sip._tcp.example.org. SRV',
  'a\\.b.example.org. TXT',
  'deep.er.down.example.org. A',
  'example.org. MX',
  'example.org. NS',
  'example.org. SOA',
  'mail.example.org. A',
  'mail.example.org. AAAA',
  'ns.sub.example.org. A',
  'ns1.example.org. A',
  'sub.example.org. NS',
  'www.example.org. A',
];

describe('an image, read RRset by RRset', () => {
  const cases: readonly { key: string; want: readonly string[] | undefined }[] = [
    { key: 'www.example.org. A', want: ['192.0.2.1', '192.0.2.2'] },
    { key: 'example.org. MX', want: ['10 mail.example.org.', '20 mail.example.net.'] },
    { key: 'example.org. SOA', want: ['ns1.example.org. hostmaster.example.org. 1 7200 900 1209600 60'] },
    { key: 'sub.example.org. NS', want: ['ns.sub.example.org.'] },
    { key: '_sip._tcp.example.org. SRV', want: ['1 2 5060 mail.example.org.'] },
    { key: 'a\\.b.example.org. TXT', want: ['"one" "two"'] },
    { key: 'www.example.org. AAAA', want: undefined },
    { key: 'er.down.example.org. A', want: undefined },
    { key: 'www.example.net. A', want: undefined },
    { key: 'no key', want: undefined },
  ];
  for (const { key, want } of cases) {
    it(`has ${want === undefined ? 'no' : 'the'} ${key}`, () => {
      expect(readRRset(image, key)?.records).toEqual(want);
    });
  }

  it('tells TTLs', () => {
    expect(readRRset(image, 'www.example.org. A')?.ttlSeconds).toBe(60);
  });
});

describe('pages of an image', () => {
  it('follow each other in the order of keys, of any size', () => {
    for (const limit of [1, 2, 3, 5, 100]) {
      const keys: string[] = [];
      let after: string | undefined;
      for (;;) {
        const { rrsets, more } = readPage({ image, zone: 'example.org. 1', after, limit });
        keys.push(...rrsets.map(({ name, type }) => rrsetKey(name, type)));
        after = keys.at(-1);
        if (!more) break;
        expect(rrsets).toHaveLength(limit);
      }
      expect(keys).toEqual(all);
    }
  });

  it('may begin anywhere, also behind what is not there', () => {
    const { rrsets } = readPage({ image, zone: 'example.org. 1', after: 'mail.example.org. AAA', limit: 1 });
    expect(rrsets.map(({ name, type }) => rrsetKey(name, type))).toEqual(['mail.example.org. AAAA']);
    expect(readPage({ image, zone: 'example.org. 1', after: 'zzz', limit: 1 })).toEqual({
      rrsets: [],
      more: false,
    });
  });
});

describe('the shape of an image', () => {
  it('has the types at each name and the zone cuts', () => {
    const { typesAt, cuts } = imageShape(image);
    expect(typesAt.get('mail.example.org.')).toEqual([1, 28]);
    expect(typesAt.get('er.down.example.org.')).toBeUndefined();
    expect(typesAt.get('absent.example.org.')).toBeUndefined();
    expect([
      cuts.has('sub.example.org.'),
      cuts.has('ns.sub.example.org.'),
      cuts.has('www.example.org.'),
    ]).toEqual([true, false, false]);
  });
});
