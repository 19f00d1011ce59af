import { describe, expect, it } from 'vitest';
import { createAnswerScratch, respond } from '../../src/answer/respond.ts';
import { answerPacket, createWorld, dig, digPacket, scratch, seededRandom } from './world.ts';

/** Header, the question `x.example.org`, and its type and class. */
const QUESTION_END = 12 + 15 + 4;
/** Owner, type, class, TTL and rdlength, and the length octet of a TXT string. */
const TXT_OVERHEAD = 13;
const OPT_LENGTH = 11;

/** A zone in which the answer to `x.example.org TXT` has exactly so many octets without OPT. */
function worldOf(answerLength: number): ReturnType<typeof createWorld> {
  const records: string[] = [];
  let left = answerLength - QUESTION_END;
  for (let i = 0; left > 0; i++) {
    // What is left must be nothing or enough for another record.
    const length = left <= TXT_OVERHEAD + 255 ? left : Math.min(TXT_OVERHEAD + 200, left - TXT_OVERHEAD - 10);
    // Records of one RRset differ, so each begins with its number.
    records.push(
      `x TXT "${String(i)
        .padStart(4, '0')
        .padEnd(length - TXT_OVERHEAD, 'x')}"`,
    );
    left -= length;
  }
  return createWorld({
    zones: [
      `$ORIGIN example.org.\n$TTL 300\n@ SOA ns h 1 7200 900 1209600 60\n@ NS ns.example.net.\n${records.join('\n')}\n`,
    ],
  });
}

describe('the answer section at the limit', () => {
  it('has a TTL in the decision where it is whole, and none where nothing of it is left', () => {
    dig(worldOf(512), 'x.example.org TXT');
    expect(scratch.decision.ttlSeconds).toBe(300);
    dig(worldOf(513), 'x.example.org TXT');
    expect(scratch.decision.ttlSeconds).toBe(0);
  });

  it.each([
    { name: '512 octets without EDNS', length: 512, given: '', want: 'whole' },
    { name: '513 octets without EDNS', length: 513, given: '', want: 'truncated' },
    { name: '1232 octets with OPT', length: 1232 - OPT_LENGTH, given: '+bufsize=1232', want: 'whole' },
    { name: '1233 octets with OPT', length: 1233 - OPT_LENGTH, given: '+bufsize=1232', want: 'truncated' },
    {
      name: 'a payload size above ours counts as 1232',
      length: 1232 - OPT_LENGTH,
      given: '+bufsize=4096',
      want: 'whole',
    },
    { name: 'and no more', length: 1233 - OPT_LENGTH, given: '+bufsize=4096', want: 'truncated' },
    { name: 'a payload size between', length: 900 - OPT_LENGTH, given: '+bufsize=900', want: 'whole' },
    { name: 'and one octet more', length: 901 - OPT_LENGTH, given: '+bufsize=900', want: 'truncated' },
    {
      name: 'a payload size below 512 counts as 512',
      length: 512 - OPT_LENGTH,
      given: '+bufsize=100',
      want: 'whole',
    },
    { name: 'and no more than that', length: 513 - OPT_LENGTH, given: '+bufsize=100', want: 'truncated' },
    {
      name: 'the client subnet takes its room',
      length: 1232 - OPT_LENGTH - 11,
      given: '+subnet=192.0.2.0/24',
      want: 'whole',
    },
    {
      name: 'to the last octet',
      length: 1233 - OPT_LENGTH - 11,
      given: '+subnet=192.0.2.0/24',
      want: 'truncated',
    },
    { name: 'TCP', length: 1233, given: '+tcp', want: 'whole' },
    { name: 'much over TCP', length: 60_000, given: '+tcp', want: 'whole' },
  ])('$name', ({ length, given, want }) => {
    const world = worldOf(length);
    const line = `x.example.org TXT ${given}`.trim();
    const { packet, options } = digPacket(line);
    const octets = answerPacket(world, packet, options);
    const message = dig(world, line);
    expect(message.truncated ? 'truncated' : 'whole').toBe(want);
    expect(message.edns !== undefined).toBe(given.includes('bufsize') || given.includes('subnet'));
    if (want === 'truncated') expect(message.answers).toEqual([]);
    else {
      const opt = octets.length - length;
      expect(opt).toBe(
        given.includes('subnet') ? OPT_LENGTH + 11 : given.includes('bufsize') ? OPT_LENGTH : 0,
      );
    }
  });
});

describe('what does not fit beside the answer', () => {
  const servers = Array.from({ length: 13 }, (_, i) => `server-number-${i}`);
  const world = createWorld({
    zones: [
      `$ORIGIN example.org.
$TTL 300
@ SOA ns h 1 7200 900 1209600 60
@ NS ns.example.net.
${servers.map((server) => `sub NS ${server}.sub`).join('\n')}
${servers.map((server) => `${server}.sub AAAA 2001:db8::1`).join('\n')}
${servers.map((server) => `sib NS ${server}.other`).join('\n')}
other NS ns.example.net.
${servers.map((server) => `${server}.other AAAA 2001:db8::1`).join('\n')}
${servers.map((server, i) => `mx MX ${i} ${server}`).join('\n')}
${servers.map((server) => `${server} AAAA 2001:db8::1`).join('\n')}
`,
    ],
  });
  it.each([
    {
      name: 'in-domain glue: TC, RFC 9471 section 3.1',
      given: 'a.sub.example.org A',
      want: { tc: true, sections: [0, 13] },
    },
    {
      name: 'sibling glue is left out, section 3.2',
      given: 'a.sib.example.org A',
      want: { tc: false, sections: [0, 13] },
    },
    {
      name: 'additional data is left out',
      given: 'mx.example.org MX',
      want: { tc: false, sections: [13, 0] },
    },
  ])('$name', ({ given, want }) => {
    const small = dig(world, given);
    expect({ tc: small.truncated, sections: [small.answers.length, small.authorities.length] }).toEqual(want);
    expect(small.additionals.length).toBeLessThan(13);
    const large = dig(world, `${given} +bufsize=1232`);
    expect([large.truncated, large.additionals.length]).toEqual([false, 13]);
  });

  it('sets TC where the NS RRset of a referral does not fit', () => {
    const many = Array.from(
      { length: 40 },
      (_, i) => `sub NS a-name-server-with-a-long-name-${i}.example.net.`,
    );
    const zone = `$ORIGIN example.org.\n$TTL 300\n@ SOA ns h 1 7200 900 1209600 60\n@ NS ns.example.net.\n${many.join('\n')}\n`;
    const message = dig(createWorld({ zones: [zone] }), 'a.sub.example.org A');
    expect([message.truncated, message.authorities.length]).toEqual([true, 0]);
  });

  it('sets TC where the SOA of a negative answer does not fit', () => {
    const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.example.net.`;
    const zone = `$ORIGIN example.org.\n$TTL 300\n@ SOA ${long} ${long} 1 7200 900 1209600 60\n@ NS ns.example.net.\n`;
    const world = createWorld({ zones: [zone] });
    expect(dig(world, `${'d'.repeat(63)}.${'e'.repeat(63)}.example.org A`).truncated).toBe(true);
    expect(dig(world, 'd.example.org A').truncated).toBe(false);
  });
});

describe('compression in a large answer', () => {
  it('leaves out additional data whose name no pointer can reach', () => {
    const count = 1100;
    const lines = Array.from({ length: count }, (_, i) => `mx MX ${i} m${i}`);
    const addresses = Array.from({ length: count }, (_, i) => `m${i} A 192.0.2.1`);
    const zone = `$ORIGIN example.org.\n$TTL 300\n@ SOA ns h 1 7200 900 1209600 60\n@ NS ns.example.net.\n${lines.join('\n')}\n${addresses.join('\n')}\n`;
    const message = dig(createWorld({ zones: [zone] }), 'mx.example.org MX +tcp');
    expect(message.answers.length).toBe(count);
    expect(message.additionals.length).toBeGreaterThan(700);
    expect(message.additionals.length).toBeLessThan(count);
  });
});

describe('one buffer for request and response', () => {
  it.each([
    'x.example.org TXT +subnet=192.0.2.0/24',
    'nothing.example.org A +do',
    'x.example.com A',
    'x.example.org OPT',
  ])('gives the same answer: %s', (line) => {
    const world = worldOf(300);
    const { packet, options } = digPacket(line);
    const buffer = new Uint8Array(2048);
    buffer.set(packet);
    const scratch = createAnswerScratch(seededRandom());
    const client = { family: 4 as const, octets: Uint8Array.of(198, 51, 100, 1) };
    const length = respond(scratch, world.snapshot, buffer, packet.length, client, 'udp', buffer);
    expect(buffer.slice(0, length)).toEqual(answerPacket(world, packet, options));
  });
});
