import dns2 from 'dns2';
import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../src/dns/address.ts';
import { decodeMessage, encodeQuery, type Message, type MessageRecord } from '../../src/dns/message.ts';
import { formatName } from '../../src/dns/name.ts';
import { formatType } from '../../src/dns/type.ts';
import { wire } from './wire.ts';

const { Packet } = dns2;

function decode(hex: string): Message {
  const message = decodeMessage(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
  if (!message.ok) throw new Error(message.problems[0]?.message);
  return message.value;
}

function refusal(hex: string): string {
  const message = decodeMessage(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
  return message.ok ? 'decoded' : (message.problems[0]?.message ?? '');
}

function line(record: MessageRecord): string {
  return `${formatName(record.owner)} ${record.ttlSeconds} ${formatType(record.type)} ${record.text}`;
}

/** www.example.org at offset 12, example.org at 16, then the question's type A and class IN. */
const question = '03777777 076578616d706c65 036f7267 00 0001 0001';

function response(counts: string, records: string): string {
  return `1234 8580 ${counts} ${question} ${records}`;
}

describe('decodeMessage', () => {
  it('reads all sections and uncompresses names in rdata', () => {
    const message = decode(
      response(
        '0001 0003 0001 0002',
        `c00c 0005 0001 0000003c 0007 04686f7374 c010
         c02d 0001 0001 0000003c 0004 c0000201
         c010 000f 0001 0000003c 0004 000a c02d
         c010 0006 0001 00000e10 001a 026e73 c010 00 00000001 00000002 00000003 00000004 00000005
         c02d 0021 0001 0000003c 0008 0001 0002 0003 c02d
         c010 ff78 0001 0000003c 0002 c00c`,
      ),
    );
    expect(message).toMatchObject({
      id: 0x1234,
      isResponse: true,
      opcode: 0,
      authoritative: true,
      truncated: false,
      recursionDesired: true,
      recursionAvailable: true,
      rcode: 0,
      edns: undefined,
    });
    expect(
      message.questions.map((asked) => `${formatName(asked.name)} ${asked.type} ${asked.class}`),
    ).toEqual(['www.example.org. 1 1']);
    expect(message.answers.map(line)).toEqual([
      'www.example.org. 60 CNAME host.example.org.',
      'host.example.org. 60 A 192.0.2.1',
      'example.org. 60 MX 10 host.example.org.',
    ]);
    expect(message.authorities.map(line)).toEqual(['example.org. 3600 SOA ns.example.org. . 1 2 3 4 5']);
    expect(message.additionals.map(line)).toEqual([
      'host.example.org. 60 SRV 1 2 3 host.example.org.',
      'example.org. 60 TYPE65400 \\# 2 c00c',
    ]);
  });

  it('reads EDNS: extended RCODE, version, flags, client subnet, name server identifier', () => {
    const message = decode(
      response(
        '0001 0000 0000 0001',
        '00 0029 04d0 01 00 8000 001a  0008 0007 0001 18 10 c63364  0003 0003 667261  000a 0004 01020304',
      ),
    );
    expect(message.rcode).toBe(16);
    expect(message.additionals).toEqual([]);
    expect(message.edns).toMatchObject({ payloadSize: 1232, version: 0, dnssecOk: true });
    expect(message.edns?.options.map((option) => option.code)).toEqual([8, 3, 10]);
    expect(Buffer.from(message.edns?.nsid ?? []).toString()).toBe('fra');
    const subnet = message.edns?.clientSubnet;
    expect(subnet).toMatchObject({ family: 4, sourcePrefixLength: 24, scopePrefixLength: 16 });
    expect(formatAddress(subnet?.octets ?? new Uint8Array())).toBe('198.51.100.0');
  });

  it('shows a client subnet that is not well-formed only as an option', () => {
    for (const option of ['0003 00 00', '0001 18 00 c633', '0001 21 00 c633640100', '0001 18']) {
      const octets = option.replaceAll(' ', '');
      const length = octets.length / 2;
      const hex = (value: number): string => value.toString(16).padStart(4, '0');
      const opt = `00 0029 04d0 00000000 ${hex(length + 4)} 0008 ${hex(length)} ${octets}`;
      const { edns } = decode(response('0001 0000 0000 0001', opt));
      expect(edns?.clientSubnet, option).toBeUndefined();
      expect(edns?.options).toHaveLength(1);
    }
  });

  it('keeps rdata that is not its type\u2019s as it is', () => {
    const records = 'c00c 0001 0001 00000000 0003 c00002 c00c 0006 00fe 00000000 0000';
    expect(decode(response('0001 0002 0000 0000', records)).answers.map(line)).toEqual([
      'www.example.org. 0 A \\# 3 c00002',
      'www.example.org. 0 SOA \\# 0',
    ]);
  });

  const cases = [
    { name: 'nothing', given: '', want: 'is shorter than its header' },
    { name: 'a header cut short', given: '12348580 00010000 000000', want: 'is shorter than its header' },
    {
      name: 'no question where one is announced',
      given: '12348580 00010000 00000000',
      want: 'breaks off in question 1',
    },
    {
      name: 'a pointer to itself',
      given: '12348580 00010000 00000000 c00c 0001 0001',
      want: 'breaks off in question 1',
    },
    {
      name: 'a pointer ahead',
      given: '12348580 00010000 00000000 c00e 0001 0001',
      want: 'breaks off in question 1',
    },
    {
      name: 'a pointer into the header',
      given: '12348580 00010000 00000000 c000 0001 0001',
      want: 'breaks off in question 1',
    },
    {
      name: 'a label and a pointer in a circle',
      given: '12348580 00010000 00000000 0161c00c 0001 0001',
      want: 'breaks off in question 1',
    },
    {
      name: 'a label type that was given up',
      given: '12348580 00010000 00000000 4161 0001 0001',
      want: 'breaks off in question 1',
    },
    {
      name: 'a missing answer',
      given: response('0001 0001 0000 0000', ''),
      want: 'has a malformed answer section',
    },
    {
      name: 'rdata past the end',
      given: response('0001 0000 0001 0000', 'c00c 0001 0001 00000000 0005 c0000201'),
      want: 'has a malformed authority section',
    },
    {
      name: 'a name that leaves its rdata',
      given: response('0001 0000 0000 0001', 'c00c 0002 0001 00000000 0001 c00c'),
      want: 'has a malformed additional section',
    },
    {
      name: 'octets behind the last record',
      given: response('0001 0000 0000 0000', '00'),
      want: 'goes on after its last record',
    },
    {
      name: 'two OPT records',
      given: response('0001 0000 0000 0002', '00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000'),
      want: 'has more than one OPT record',
    },
    {
      name: 'an option past its record',
      given: response('0001 0000 0000 0001', '00 0029 04d0 00000000 0004 00030001'),
      want: 'has malformed EDNS options',
    },
    { name: 'more than a message can be', given: '00'.repeat(65_536), want: 'is longer than 65535 octets' },
  ];
  it.each(cases)('refuses $name', ({ given, want }) => expect(refusal(given)).toContain(want));

  it('reads names of 127 labels behind 127 pointers, and no longer ones', () => {
    // One octet of label, then a pointer to the one before: the longest chain that still is a name.
    const chain = (labels: number): string => {
      let records = '00 ff78 0001 00000000 ';
      const start = 12 + 21 + 11;
      const octets: string[] = ['00'];
      let previous = start;
      for (let i = 0; i < labels; i += 1) {
        const at = start + octets.join('').length / 2;
        octets.push(`0161${(0xc000 | previous).toString(16)}`);
        previous = at;
      }
      const rdata = octets.join('');
      records += (rdata.length / 2).toString(16).padStart(4, '0') + rdata;
      return response(
        '0001 0002 0000 0000',
        `${records} ${(0xc000 | previous).toString(16)} 0001 0001 00000000 0004 c0000201`,
      );
    };
    expect(decode(chain(127)).answers[1]?.owner).toHaveLength(255);
    expect(refusal(chain(128))).toContain('has a malformed answer section');
  });
});

describe('encodeQuery', () => {
  it('writes a plain question', () => {
    const octets = encodeQuery({
      name: wire('www.example.org'),
      type: 1,
      id: 0x1234,
      recursionDesired: true,
    });
    expect(Buffer.from(octets).toString('hex')).toBe(
      `1234 0100 0001 0000 0000 0000 ${question}`.replaceAll(' ', ''),
    );
  });

  it('writes EDNS, with the client subnet cut to its prefix', () => {
    const octets = encodeQuery({
      name: wire('.'),
      type: 28,
      recursionDesired: false,
      edns: {
        payloadSize: 1232,
        dnssecOk: true,
        nsid: true,
        clientSubnet: {
          family: 6,
          octets: Buffer.from('20010db8ffff'.padEnd(32, '0'), 'hex'),
          sourcePrefixLength: 33,
        },
      },
    });
    expect(Buffer.from(octets).toString('hex')).toBe(
      `0000 0000 0001 0000 0000 0001 00 001c 0001
       00 0029 04d0 00008000 0011 0003 0000 0008 0009 0002 21 00 20010db880`.replaceAll(/\s/g, ''),
    );
  });

  it('writes a client that does not want to be located', () => {
    const clientSubnet = { family: 4, octets: Uint8Array.of(192, 0, 2, 1), sourcePrefixLength: 0 } as const;
    const edns = { payloadSize: 512, dnssecOk: false, clientSubnet };
    const octets = encodeQuery({ name: wire('.'), type: 1, recursionDesired: false, edns });
    expect(Buffer.from(octets).toString('hex').slice(-16)).toBe('0008000400010000');
  });
});

describe('against dns2', () => {
  it('our query is read', () => {
    const clientSubnet = { family: 4, octets: Uint8Array.of(192, 0, 2, 1), sourcePrefixLength: 24 } as const;
    const edns = { payloadSize: 1232, dnssecOk: false, clientSubnet };
    const octets = encodeQuery({
      name: wire('www.example.org'),
      type: 1,
      id: 7,
      recursionDesired: true,
      edns,
    });
    const packet = Packet.parse(Buffer.from(octets));
    expect(packet.errors).toEqual([]);
    expect(packet.header).toMatchObject({ id: 7, rd: 1 });
    expect(packet.questions).toMatchObject([{ name: 'www.example.org', type: 1, class: 1 }]);
    expect(packet.additionals).toHaveLength(1);
  });

  it('its answer is read', () => {
    const packet = new Packet();
    packet.header.id = 7;
    packet.header.qr = 1;
    packet.questions.push(new Packet.Question('www.example.org', 1, 1));
    const answers = [
      { type: 1, address: '192.0.2.1' },
      { type: 28, address: '2001:db8::1' },
      { type: 5, domain: 'host.example.org' },
      { type: 15, priority: 10, exchange: 'mail.example.org' },
      { type: 16, data: 'hello' },
    ];
    for (const answer of answers) {
      packet.answers.push(new Packet.Resource({ name: 'www.example.org', class: 1, ttl: 60, ...answer }));
    }
    const message = decodeMessage(packet.toBuffer());
    if (!message.ok) return expect.unreachable(message.problems[0]?.message);
    expect(message.value.answers.map((record) => `${formatType(record.type)} ${record.text}`)).toEqual([
      'A 192.0.2.1',
      'AAAA 2001:db8::1',
      'CNAME host.example.org.',
      'MX 10 mail.example.org.',
      'TXT "hello"',
    ]);
  });
});
