import { describe, expect, it } from 'vitest';
import { ask, createWorld } from '../answer/world.ts';

/*
 * The questions of RFC 1034 section 6.2, asked of a server for the root and for EDU, under names and addresses for
 * documentation. Where later RFCs changed the answer, the case says so.
 */
const world = createWorld({
  zones: [
    `$ORIGIN .
$TTL 86400
.                    SOA   a.root-servers.example. hostmaster.example. 870611 1800 300 604800 86400
.                    NS    a.isi.edu.
.                    NS    c.isi.edu.
.                    NS    sri-nic.arpa.
mil.                 NS    sri-nic.arpa.
mil.                 NS    a.isi.edu.
edu.                 NS    sri-nic.arpa.
edu.                 NS    c.isi.edu.
sri-nic.arpa.        A     192.0.2.73
sri-nic.arpa.        A     192.0.2.51
sri-nic.arpa.        MX    0 sri-nic.arpa.
acc.arpa.            A     192.0.2.65
usc-isic.arpa.       CNAME c.isi.edu.
73.2.0.192.in-addr.arpa. PTR sri-nic.arpa.
a.isi.edu.           A     192.0.2.103
c.isi.edu.           A     192.0.2.52
`,
    `$ORIGIN edu.
$TTL 86400
edu.          SOA sri-nic.arpa. hostmaster.example. 870729 1800 300 604800 86400
edu.          NS  sri-nic.arpa.
edu.          NS  c.isi.edu.
isi.edu.      NS  vaxa.isi.edu.
isi.edu.      NS  a.isi.edu.
vaxa.isi.edu. A   192.0.2.33
a.isi.edu.    A   192.0.2.103
c.isi.edu.    A   192.0.2.52
`,
  ],
});

const rootSoa = 'ns . 86400 SOA a.root-servers.example. hostmaster.example. 870611 1800 300 604800 86400';

describe('RFC 1034 section 6.2', () => {
  it.each([
    {
      name: '6.2.1: a standard query',
      given: 'SRI-NIC.ARPA A',
      want: ['NOERROR aa', 'an SRI-NIC.ARPA. 86400 A 192.0.2.73', 'an SRI-NIC.ARPA. 86400 A 192.0.2.51'],
    },
    {
      name: '6.2.2: QTYPE *, which RFC 8482 answers with one RRset',
      given: 'SRI-NIC.ARPA ANY',
      want: ['NOERROR aa', 'an SRI-NIC.ARPA. 86400 MX 0 SRI-NIC.ARPA.'],
    },
    {
      name: '6.2.3: MX with additional data',
      given: 'SRI-NIC.ARPA MX',
      want: [
        'NOERROR aa',
        'an SRI-NIC.ARPA. 86400 MX 0 sri-nic.arpa.',
        'ad sri-nic.arpa. 86400 A 192.0.2.73',
        'ad sri-nic.arpa. 86400 A 192.0.2.51',
      ],
    },
    {
      name: '6.2.4: NODATA, with the SOA since RFC 2308',
      given: 'SRI-NIC.ARPA NS',
      want: ['NOERROR aa', rootSoa],
    },
    { name: '6.2.5: a name error', given: 'SIR-NIC.ARPA A', want: ['NXDOMAIN aa', rootSoa] },
    {
      name: '6.2.6: a referral; the glue is that of our root zone',
      given: 'BRL.MIL A',
      want: [
        'NOERROR',
        'ns MIL. 86400 NS sri-nic.arpa.',
        'ns MIL. 86400 NS a.isi.edu.',
        'ad sri-nic.arpa. 86400 A 192.0.2.73',
        'ad sri-nic.arpa. 86400 A 192.0.2.51',
        'ad a.isi.edu. 86400 A 192.0.2.103',
      ],
    },
    {
      name: '6.2.7: an alias whose target is delegated, followed as far as we know',
      given: 'USC-ISIC.ARPA A',
      want: [
        'NOERROR aa',
        'an USC-ISIC.ARPA. 86400 CNAME c.isi.edu.',
        'ns isi.edu. 86400 NS vaxa.isi.edu.',
        'ns isi.edu. 86400 NS a.isi.edu.',
        'ad vaxa.isi.edu. 86400 A 192.0.2.33',
        'ad a.isi.edu. 86400 A 192.0.2.103',
      ],
    },
    {
      name: '6.2.8: an alias asked for by its type',
      given: 'USC-ISIC.ARPA CNAME',
      want: ['NOERROR aa', 'an USC-ISIC.ARPA. 86400 CNAME c.isi.edu.'],
    },
  ])('$name', ({ given, want }) => {
    // The root compresses nothing, so names in rdata keep the zone's case; those below EDU end in the question's.
    const lower = (lines: readonly string[]): string[] => lines.map((line) => line.toLowerCase());
    expect(lower(ask(world, given))).toEqual(lower(want));
  });
});
