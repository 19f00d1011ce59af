import { describe, expect, it } from 'vitest';
import { ask, createWorld, scratch } from './world.ts';

const world = createWorld({
  zones: [
    `$ORIGIN example.org.
$TTL 300
@           SOA   ns1 hostmaster 1 7200 900 1209600 60
@           NS    ns1
@           NS    ns.example.net.
@           MX    10 mail
@           MX    20 mail.example.net.
ns1         A     192.0.2.53
ns1         AAAA  2001:db8::53
mail        A     192.0.2.25
www     60  A     192.0.2.1
www     60  A     192.0.2.2
www         TXT   "hello"
alias       CNAME www
far         CNAME www.example.net.
gone        CNAME nothing.example.org.
outside     CNAME www.example.com.
_sip._udp   SRV   1 2 5060 mail
a.b.ent     A     192.0.2.9
sub         NS    ns.sub
sub         NS    ns.other
sub         NS    ns.example.net.
sub         DS    12345 8 2 0000000000000000000000000000000000000000000000000000000000000000
ns.sub      A     192.0.2.61
ns.sub      AAAA  2001:db8::61
other       NS    ns.other
ns.other    A     192.0.2.62
toward      CNAME host.sub
only-txt    TXT   "x"
caa         CAA   0 issue "ca.example.net"
odd         TYPE65400 \\# 3 010203
`.replace(/DS {4}12345.*/, 'TYPE43 \\# 4 30390802'),
    `$ORIGIN example.net.
$TTL 400
@     SOA ns hostmaster 1 7200 900 1209600 600
@     NS  ns
ns    A   192.0.2.54
www   A   192.0.2.80
back  CNAME alias.example.org.
`,
    `$ORIGIN child.example.org.
$TTL 500
@     SOA ns hostmaster 1 7200 900 1209600 600
@     NS  ns
ns    A   192.0.2.55
to-parent CNAME www.example.org.
`,
  ],
});

const orgSoa = 'ns example.org. 60 SOA ns1.example.org. hostmaster.example.org. 1 7200 900 1209600 60';
const netSoa = 'ns example.net. 400 SOA ns.example.net. hostmaster.example.net. 1 7200 900 1209600 600';

describe('static answers', () => {
  const cases: readonly { name: string; given: string; want: readonly string[] }[] = [
    {
      name: 'an RRset',
      given: 'www.example.org A',
      want: ['NOERROR aa', 'an www.example.org. 60 A 192.0.2.1', 'an www.example.org. 60 A 192.0.2.2'],
    },
    {
      name: 'the case of the question',
      given: 'wWw.eXample.ORG A',
      want: ['NOERROR aa', 'an wWw.eXample.ORG. 60 A 192.0.2.1', 'an wWw.eXample.ORG. 60 A 192.0.2.2'],
    },
    {
      name: 'additional addresses of what is in the zone',
      given: 'example.org MX',
      want: [
        'NOERROR aa',
        'an example.org. 300 MX 10 mail.example.org.',
        'an example.org. 300 MX 20 mail.example.net.',
        'ad mail.example.org. 300 A 192.0.2.25',
      ],
    },
    {
      name: 'additional addresses of SRV, whose target is not compressed',
      given: '_sip._udp.example.org SRV',
      want: [
        'NOERROR aa',
        'an _sip._udp.example.org. 300 SRV 1 2 5060 mail.example.org.',
        'ad mail.example.org. 300 A 192.0.2.25',
      ],
    },
    {
      name: 'the name servers of the apex',
      given: 'example.org NS',
      want: [
        'NOERROR aa',
        'an example.org. 300 NS ns1.example.org.',
        'an example.org. 300 NS ns.example.net.',
        'ad ns1.example.org. 300 A 192.0.2.53',
        'ad ns1.example.org. 300 AAAA 2001:db8::53',
      ],
    },
    {
      name: 'the SOA with its own TTL',
      given: 'example.org SOA',
      want: ['NOERROR aa', orgSoa.replace('ns example.org. 60', 'an example.org. 300')],
    },
    {
      name: 'NODATA with the negative TTL, RFC 2308 section 5',
      given: 'www.example.org AAAA',
      want: ['NOERROR aa', orgSoa],
    },
    {
      name: 'the SOA TTL where it is lower than MINIMUM',
      given: 'www.example.net AAAA',
      want: ['NOERROR aa', netSoa],
    },
    { name: 'NXDOMAIN', given: 'nothing.example.org A', want: ['NXDOMAIN aa', orgSoa] },
    { name: 'NXDOMAIN far below', given: 'a.b.c.d.e.f.example.org A', want: ['NXDOMAIN aa', orgSoa] },
    { name: 'an empty non-terminal', given: 'ent.example.org A', want: ['NOERROR aa', orgSoa] },
    { name: 'an empty non-terminal two deep', given: 'b.ent.example.org TXT', want: ['NOERROR aa', orgSoa] },
    {
      name: 'NXDOMAIN beside an empty non-terminal',
      given: 'c.ent.example.org A',
      want: ['NXDOMAIN aa', orgSoa],
    },
    {
      name: 'a CNAME to the same zone',
      given: 'alias.example.org A',
      want: [
        'NOERROR aa',
        'an alias.example.org. 300 CNAME www.example.org.',
        'an www.example.org. 60 A 192.0.2.1',
        'an www.example.org. 60 A 192.0.2.2',
      ],
    },
    {
      name: 'a CNAME asked for is not followed',
      given: 'alias.example.org CNAME',
      want: ['NOERROR aa', 'an alias.example.org. 300 CNAME www.example.org.'],
    },
    {
      name: 'a CNAME to another of our zones',
      given: 'far.example.org A',
      want: [
        'NOERROR aa',
        'an far.example.org. 300 CNAME www.example.net.',
        'an www.example.net. 400 A 192.0.2.80',
      ],
    },
    {
      name: 'NODATA in another of our zones at the end of a CNAME',
      given: 'far.example.org TXT',
      want: ['NOERROR aa', 'an far.example.org. 300 CNAME www.example.net.', netSoa],
    },
    {
      name: 'a chain through two zones and back',
      given: 'back.example.net A',
      want: [
        'NOERROR aa',
        'an back.example.net. 400 CNAME alias.example.org.',
        'an alias.example.org. 300 CNAME www.example.org.',
        'an www.example.org. 60 A 192.0.2.1',
        'an www.example.org. 60 A 192.0.2.2',
      ],
    },
    {
      name: 'NXDOMAIN of the target, RFC 6604 section 2',
      given: 'gone.example.org A',
      want: ['NXDOMAIN aa', 'an gone.example.org. 300 CNAME nothing.example.org.', orgSoa],
    },
    {
      name: 'a CNAME that leaves our zones',
      given: 'outside.example.org A',
      want: ['NOERROR aa', 'an outside.example.org. 300 CNAME www.example.com.'],
    },
    {
      name: 'a CNAME from a child zone of ours to its parent',
      given: 'to-parent.child.example.org TXT',
      want: [
        'NOERROR aa',
        'an to-parent.child.example.org. 500 CNAME www.example.org.',
        'an www.example.org. 300 TXT "hello"',
      ],
    },
    {
      name: 'a referral: in-domain glue first, then that of siblings, no AA',
      given: 'host.deep.sub.example.org A',
      want: [
        'NOERROR',
        'ns sub.example.org. 300 NS ns.sub.example.org.',
        'ns sub.example.org. 300 NS ns.other.example.org.',
        'ns sub.example.org. 300 NS ns.example.net.',
        'ad ns.sub.example.org. 300 A 192.0.2.61',
        'ad ns.sub.example.org. 300 AAAA 2001:db8::61',
        'ad ns.other.example.org. 300 A 192.0.2.62',
      ],
    },
    {
      name: 'glue is not answered, but referred',
      given: 'ns.other.example.org A',
      want: [
        'NOERROR',
        'ns other.example.org. 300 NS ns.other.example.org.',
        'ad ns.other.example.org. 300 A 192.0.2.62',
      ],
    },
    {
      name: 'a referral at the end of a CNAME keeps AA for the CNAME',
      given: 'toward.example.org A',
      want: [
        'NOERROR aa',
        'an toward.example.org. 300 CNAME host.sub.example.org.',
        'ns sub.example.org. 300 NS ns.sub.example.org.',
        'ns sub.example.org. 300 NS ns.other.example.org.',
        'ns sub.example.org. 300 NS ns.example.net.',
        'ad ns.sub.example.org. 300 A 192.0.2.61',
        'ad ns.sub.example.org. 300 AAAA 2001:db8::61',
        'ad ns.other.example.org. 300 A 192.0.2.62',
      ],
    },
    {
      name: 'DS at a cut from the parent side, RFC 4035 section 3.1.4.1',
      given: 'sub.example.org DS',
      want: ['NOERROR aa', 'an sub.example.org. 300 DS \\# 4 30390802'],
    },
    {
      name: 'NODATA for DS at a cut without one',
      given: 'other.example.org DS',
      want: ['NOERROR aa', orgSoa],
    },
    {
      name: 'DS at the apex of a zone whose parent does not delegate it',
      given: 'child.example.org DS',
      want: [
        'NOERROR aa',
        'ns child.example.org. 500 SOA ns.child.example.org. hostmaster.child.example.org. 1 7200 900 1209600 600',
      ],
    },
    {
      name: 'CAA',
      given: 'caa.example.org CAA',
      want: ['NOERROR aa', 'an caa.example.org. 300 CAA 0 issue "ca.example.net"'],
    },
    {
      name: 'an unknown type, RFC 3597',
      given: 'odd.example.org TYPE65400',
      want: ['NOERROR aa', 'an odd.example.org. 300 TYPE65400 \\# 3 010203'],
    },
    {
      name: 'ANY gives one RRset, the smallest, RFC 8482 section 4.1',
      given: 'www.example.org ANY',
      want: ['NOERROR aa', 'an www.example.org. 300 TXT "hello"'],
    },
    {
      name: 'ANY at a CNAME',
      given: 'alias.example.org ANY',
      want: ['NOERROR aa', 'an alias.example.org. 300 CNAME www.example.org.'],
    },
    { name: 'ANY at an empty non-terminal', given: 'ent.example.org ANY', want: ['NOERROR aa', orgSoa] },
    { name: 'outside our zones', given: 'www.example.com A', want: ['REFUSED'] },
    { name: 'the root', given: '. NS', want: ['REFUSED'] },
    { name: 'above our zones', given: 'org A', want: ['REFUSED'] },
    { name: 'AXFR, RFC 5936 section 2.2.1', given: 'example.org AXFR', want: ['REFUSED'] },
    { name: 'OPT as a question', given: 'example.org OPT', want: ['FORMERR'] },
    { name: 'MAILB', given: 'example.org TYPE253', want: ['NOTIMP'] },
    {
      name: 'scope 0 for a static answer',
      given: 'only-txt.example.org TXT +subnet=192.0.2.0/24',
      want: ['NOERROR aa', 'an only-txt.example.org. 300 TXT "x"', 'scope /0'],
    },
    {
      name: 'scope 0 for a negative answer, RFC 7871 section 7.4',
      given: 'nothing.example.org A +subnet=2001:db8::/56',
      want: ['NXDOMAIN aa', orgSoa, 'scope /0'],
    },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    expect(ask(world, given)).toEqual(want);
  });
});

describe('CNAME chains that do not end', () => {
  const loops = createWorld({
    zones: [
      `$ORIGIN example.org.
$TTL 300
@ SOA ns hostmaster 1 7200 900 1209600 60
@ NS ns.example.net.
self CNAME self
a CNAME b
b CNAME a
*.w CNAME x.w
${Array.from({ length: 12 }, (_, i) => `c${i} CNAME c${i + 1}`).join('\n')}
`,
    ],
  });
  const cases = [
    { name: 'a name that is its own alias', given: 'self.example.org A', want: ['self'] },
    { name: 'two aliases of each other', given: 'a.example.org A', want: ['a', 'b'] },
    { name: 'a wildcard that leads below itself', given: 'y.w.example.org A', want: ['y.w'] },
    {
      name: 'a chain of more than eight',
      given: 'c0.example.org A',
      want: ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7'],
    },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    const [head, ...records] = ask(loops, given);
    expect(head).toBe('NOERROR aa');
    expect(records.map((line) => line.split(' ')[1]?.replace('.example.org.', ''))).toEqual(want);
    expect(scratch.decision.cnameSteps).toBe(want.length);
  });
});

describe('a CNAME to the apex of its own zone', () => {
  const soa = 'SOA ns.example.net. hostmaster.example.net. 1 7200 900 1209600 60';
  const zones = [
    `org. 300 ${soa}\norg. 300 NS ns.example.net.\nexample.org. 300 NS ns.example.net.\n`,
    `example.org. 300 ${soa}\nexample.org. 300 NS ns.example.net.\nself.example.org. 300 CNAME example.org.\n`,
  ];
  const alias = 'an self.example.org. 300 CNAME example.org.';
  const apexSoa = `60 ${soa}`;
  it.each([
    {
      name: 'has DS answered by the parent zone',
      given: 'self.example.org DS',
      want: ['NOERROR aa', alias, `ns org. ${apexSoa}`],
    },
    {
      name: 'has all else answered by the zone itself',
      given: 'self.example.org A',
      want: ['NOERROR aa', alias, `ns example.org. ${apexSoa}`],
    },
  ])('$name', ({ given, want }) => {
    expect(ask(createWorld({ zones }), given)).toEqual(want);
  });
});

describe('the root as a zone', () => {
  const root = createWorld({
    zones: [
      '. 300 SOA a.root. b.root. 1 7200 900 1209600 60\n. 300 NS a.root.\na.root. 300 A 192.0.2.1\nalias. 300 CNAME a.root.\n',
    ],
  });
  it.each([
    { given: '. NS', want: ['NOERROR aa', 'an . 300 NS a.root.', 'ad a.root. 300 A 192.0.2.1'] },
    { given: 'alias A', want: ['NOERROR aa', 'an alias. 300 CNAME a.root.', 'an a.root. 300 A 192.0.2.1'] },
    { given: 'x.y A', want: ['NXDOMAIN aa', 'ns . 60 SOA a.root. b.root. 1 7200 900 1209600 60'] },
    { given: '. DS', want: ['NOERROR aa', 'ns . 60 SOA a.root. b.root. 1 7200 900 1209600 60'] },
  ])('$given', ({ given, want }) => {
    expect(ask(root, given)).toEqual(want);
  });
});
