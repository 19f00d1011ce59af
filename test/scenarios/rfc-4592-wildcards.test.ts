import { describe, expect, it } from 'vitest';
import { ask, createWorld } from '../answer/world.ts';

/* The example zone of RFC 4592 section 2.2.1, under a documentation name, and what the section says of it. */
const world = createWorld({
  zones: [
    `$ORIGIN example.
$TTL 3600
example.                 SOA   ns hostmaster 1 7200 900 1209600 300
example.                 NS    ns.example.com.
example.                 NS    ns.example.net.
*.example.               TXT   "this is a wildcard"
*.example.               MX    10 host1.example.
sub.*.example.           TXT   "this is not a wildcard"
host1.example.           A     192.0.2.1
_ssh._tcp.host1.example. SRV   0 0 22 host1.example.
_ssh._tcp.host2.example. SRV   0 0 22 host2.example.
subdel.example.          NS    ns.example.com.
subdel.example.          NS    ns.example.net.
`,
    // Section 4.4 and more of our own: wildcards that are aliases, deeper, or empty non-terminals themselves.
    `$ORIGIN example.org.
$TTL 3600
@              SOA   ns hostmaster 1 7200 900 1209600 300
@              NS    ns.example.net.
*.alias        CNAME target
target         A     192.0.2.7
*.chain        CNAME gone
*.a.b          A     192.0.2.8
below.*.empty  A     192.0.2.9
*.cut          A     192.0.2.10
del.cut        NS    ns.example.net.
*              AAAA  2001:db8::1
`,
  ],
});

const soa = 'ns example. 300 SOA ns.example. hostmaster.example. 1 7200 900 1209600 300';
const orgSoa = 'ns example.org. 300 SOA ns.example.org. hostmaster.example.org. 1 7200 900 1209600 300';
const subdel = [
  'NOERROR',
  'ns subdel.example. 3600 NS ns.example.com.',
  'ns subdel.example. 3600 NS ns.example.net.',
];

describe('RFC 4592 section 2.2.1: answers that are synthesised', () => {
  it.each([
    {
      given: 'host3.example MX',
      want: [
        'NOERROR aa',
        'an host3.example. 3600 MX 10 host1.example.',
        'ad host1.example. 3600 A 192.0.2.1',
      ],
    },
    { given: 'host3.example A', want: ['NOERROR aa', soa] },
    {
      given: 'foo.bar.example TXT',
      want: ['NOERROR aa', 'an foo.bar.example. 3600 TXT "this is a wildcard"'],
    },
  ])('$given', ({ given, want }) => expect(ask(world, given)).toEqual(want));
});

describe('RFC 4592 section 2.2.1: answers that are not synthesised', () => {
  it.each([
    { given: 'host1.example MX', because: 'host1.example. exists', want: ['NOERROR aa', soa] },
    { given: 'sub.*.example MX', because: 'sub.*.example. exists', want: ['NOERROR aa', soa] },
    {
      given: '_telnet._tcp.host1.example SRV',
      because: '_tcp.host1.example. exists, without data',
      want: ['NXDOMAIN aa', soa],
    },
    { given: 'host.subdel.example A', because: 'subdel.example. is a zone cut', want: subdel },
    { given: 'ghost.*.example MX', because: '*.example. exists', want: ['NXDOMAIN aa', soa] },
  ])('$given, because $because', ({ given, want }) => expect(ask(world, given)).toEqual(want));
});

describe('RFC 4592 sections 2.2.2 and 3.3: closest enclosers', () => {
  it.each([
    {
      name: 'the asterisk itself can be asked for',
      given: '*.example TXT',
      want: ['NOERROR aa', 'an *.example. 3600 TXT "this is a wildcard"'],
    },
    { name: 'an empty non-terminal blocks', given: '_tcp.host2.example TXT', want: ['NOERROR aa', soa] },
    { name: 'so does one that only descendants make', given: 'host2.example TXT', want: ['NOERROR aa', soa] },
    {
      name: 'a wildcard below an existing name does not reach',
      given: 'x.host1.example TXT',
      want: ['NXDOMAIN aa', soa],
    },
    {
      name: 'a wildcard alias, section 4.3',
      given: 'any.alias.example.org A',
      want: [
        'NOERROR aa',
        'an any.alias.example.org. 3600 CNAME target.example.org.',
        'an target.example.org. 3600 A 192.0.2.7',
      ],
    },
    {
      name: 'a wildcard alias asked for by its own type',
      given: 'any.alias.example.org CNAME',
      want: ['NOERROR aa', 'an any.alias.example.org. 3600 CNAME target.example.org.'],
    },
    {
      name: 'a wildcard alias whose target another wildcard gives',
      given: 'any.chain.example.org AAAA',
      want: [
        'NOERROR aa',
        'an any.chain.example.org. 3600 CNAME gone.example.org.',
        'an gone.example.org. 3600 AAAA 2001:db8::1',
      ],
    },
    {
      name: 'wildcard NODATA at the end of a chain',
      given: 'any.chain.example.org A',
      want: ['NOERROR aa', 'an any.chain.example.org. 3600 CNAME gone.example.org.', orgSoa],
    },
    {
      name: 'several labels below',
      given: 'x.y.z.a.b.example.org A',
      want: ['NOERROR aa', 'an x.y.z.a.b.example.org. 3600 A 192.0.2.8'],
    },
    {
      name: 'the name above the asterisk is an empty non-terminal',
      given: 'a.b.example.org AAAA',
      want: ['NOERROR aa', orgSoa],
    },
    {
      name: 'a wildcard without data gives NODATA',
      given: 'x.empty.example.org A',
      want: ['NOERROR aa', orgSoa],
    },
    {
      name: 'a cut beside a wildcard wins below itself',
      given: 'x.del.cut.example.org A',
      want: ['NOERROR', 'ns del.cut.example.org. 3600 NS ns.example.net.'],
    },
    {
      name: 'ANY through a wildcard',
      given: 'x.cut.example.org ANY',
      want: ['NOERROR aa', 'an x.cut.example.org. 3600 A 192.0.2.10'],
    },
    { name: 'DS below a wildcard', given: 'x.cut.example.org DS', want: ['NOERROR aa', orgSoa] },
  ])('$name: $given', ({ given, want }) => expect(ask(world, given)).toEqual(want));
});
