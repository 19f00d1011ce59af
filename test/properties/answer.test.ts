import { Packet } from 'dns2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { respond } from '../../src/answer/respond.ts';
import { decodeMessage } from '../../src/dns/message.ts';
import { formatName } from '../../src/dns/name.ts';
import { rdataKinds } from '../../src/dns/rdata/index.ts';
import { TYPE_OPT } from '../../src/dns/type.ts';
import { compileZone } from '../../src/snapshot/compile-zone.ts';
import { openZoneDirectory } from '../../src/snapshot/zone-directory.ts';
import type { RRsetSource } from '../../src/snapshot/zone-source.ts';
import {
  answerPacket,
  ask,
  createWorld,
  digPacket,
  name,
  ordered,
  scratch,
  type Verdict,
} from '../answer/world.ts';
import { packetVectors } from '../vectors/packets.ts';
import { rdataOf } from './dns-arbitraries.ts';

const world = createWorld({
  zones: [
    `$ORIGIN example.org.
$TTL 300
@        SOA   ns1 hostmaster 1 7200 900 1209600 60
@        NS    ns1
ns1      A     192.0.2.53
@        MX    10 mail
mail     A     192.0.2.25
alias    CNAME www
loop     CNAME pool
*.wild   CNAME alias
*.wild   TXT   "lost"
sub      NS    ns.sub
ns.sub   AAAA  2001:db8::61
a.b.c.d  TXT   "${'x'.repeat(250)}" "${'y'.repeat(250)}" "${'z'.repeat(250)}"
`,
    `$ORIGIN .\n$TTL 60\n. SOA a. b. 1 1 1 1 1\n. NS a.root.\nsafe. CNAME www.example.org.\n`,
  ],
  steered: [
    {
      name: 'www.example.org.',
      pool: ['fra A 192.0.2.1', 'nyc AAAA 2001:db8::1', 'sin CNAME mail.example.org.'],
      answers: 3,
    },
    { name: 'pool.example.org.', pool: ['fra CNAME loop.example.org.', 'sin CNAME www.example.org.'] },
  ],
  serverId: 'fra',
});

const lines = [
  'www.example.org A +subnet=198.51.100.0/24',
  'www.example.org AAAA +subnet=2001:db8:1::/48 +do +nsid',
  'loop.example.org A +subnet=::ffff:198.51.100.0/120',
  'x.wild.example.org MX +edns',
  'host.sub.example.org A',
  'a.b.c.d.example.org TXT +bufsize=600',
  'no.such.name.example.org ANY +nsid',
  'example.org MX +bufsize=1232',
  'safe A +edns',
];

const validPacket = fc.constantFrom(
  ...lines.map((line) => digPacket(line).packet),
  ...packetVectors.map(({ given }) => Uint8Array.from(Buffer.from(given.replaceAll(' ', ''), 'hex'))),
);

/** A packet that is nearly one: octets changed, cut out, put in, or cut off. */
const mutatedPacket = fc
  .tuple(
    validPacket,
    fc.array(fc.tuple(fc.constantFrom('set', 'cut', 'insert', 'end'), fc.nat(600), fc.nat(255)), {
      maxLength: 6,
    }),
  )
  .map(([packet, edits]) => {
    const octets = [...packet];
    for (const [edit, position, value] of edits) {
      const at = position % (octets.length + 1);
      if (edit === 'set' && at < octets.length) octets[at] = value;
      else if (edit === 'cut') octets.splice(at, value % 8);
      else if (edit === 'insert') octets.splice(at, 0, value);
      else if (edit === 'end' && value < 64) octets.length = at;
    }
    return Uint8Array.from(octets);
  });

/** What holds of every answer, whatever was asked. */
function expectSound(packet: Uint8Array, transport: 'udp' | 'tcp'): void {
  const answer = answerPacket(world, packet, { transport, resolver: '2001:db8:1::53' });
  if (packet.length < 12 || ((packet[2] ?? 0) & 0x80) !== 0) {
    expect(answer.length).toBe(0);
    return;
  }
  const limit = transport === 'tcp' ? 65_535 : 1232;
  expect(answer.length).toBeGreaterThanOrEqual(12);
  expect(answer.length).toBeLessThanOrEqual(limit);
  expect([...answer.subarray(0, 2)]).toEqual([...packet.subarray(0, 2)]);
  expect((answer[2] ?? 0) & 0xf8).toBe(0x80 | ((packet[2] ?? 0) & 0x78));
  const message = decodeMessage(answer);
  if (!message.ok) throw new Error(message.problems[0]?.message);
  const { questions, answers, authorities, additionals, edns, rcode } = message.value;
  expect(rcode).toBe(scratch.decision.rcode);
  expect(questions.length).toBeLessThanOrEqual(1);
  if (edns === undefined && transport === 'udp') expect(answer.length).toBeLessThanOrEqual(512);
  // An independent decoder reads the same records; it gives up on an OPT with some client subnets.
  const other = Packet.parse(Buffer.from(answer));
  const records = other.additionals.filter((record: { type: number }) => record.type !== TYPE_OPT);
  expect([other.answers.length, other.authorities.length, records.length]).toEqual([
    answers.length,
    authorities.length,
    additionals.length,
  ]);
  // No answer makes us answer.
  expect(answerPacket(world, answer, { transport }).length).toBe(0);
}

describe('any packet', () => {
  it('gets a sound answer or none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (packet) => expectSound(packet, 'udp')),
      { numRuns: 500 },
    );
  });

  it('that is nearly a query gets a sound answer or none', () => {
    fc.assert(fc.property(mutatedPacket, fc.constantFrom('udp', 'tcp'), expectSound), { numRuns: 3000 });
  });

  it('is not read past its length', () => {
    fc.assert(
      fc.property(mutatedPacket, fc.uint8Array({ minLength: 64, maxLength: 64 }), (packet, rest) => {
        const whole = Uint8Array.from([...packet, ...rest]);
        const client = { family: 4 as const, octets: Uint8Array.of(198, 51, 100, 1) };
        const response = new Uint8Array(65_535);
        const length = respond(scratch, world.snapshot, whole, packet.length, client, 'udp', response);
        if (scratch.decision.tier === 'none')
          expect(response.slice(0, length)).toEqual(answerPacket(world, packet));
      }),
      { numRuns: 300 },
    );
  });
});

describe('any zone', () => {
  const label = fc.constantFrom('a', 'b', '*', 'example', '\\000', 'x'.repeat(40));
  const owner = fc
    .tuple(
      fc.array(label, { maxLength: 4 }),
      fc.constantFrom('example.org.', 'example.org.', 'example.com.', 'org.'),
    )
    .map(([labels, origin]) => name([...labels, origin].join('.')));
  const rrset: fc.Arbitrary<RRsetSource> = fc.constantFrom(...rdataKinds).chain((kind) =>
    fc.record({
      owner,
      type: fc.constant(kind.type),
      ttlSeconds: fc.nat(100),
      rdatas: fc.array(
        fc.oneof({ weight: 9, arbitrary: rdataOf(kind) }, { weight: 1, arbitrary: fc.uint8Array() }),
        { maxLength: 3 },
      ),
    }),
  );
  const target = fc.record({
    owner,
    type: fc.constantFrom(2, 5),
    ttlSeconds: fc.nat(9),
    rdatas: fc.tuple(owner),
  });

  it('compiles, and answers any question about its names soundly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(rrset, target), { maxLength: 25 }),
        owner,
        fc.constantFrom('A', 'NS', 'TXT', 'ANY', 'DS'),
        (rrsets, asked, type) => {
          const { image } = compileZone({ apex: name('example.org.'), rrsets, steeredNames: [] });
          const zones = openZoneDirectory([image]);
          const compiled = { ...world, snapshot: { ...world.snapshot, zones } };
          for (const { owner: each } of [...rrsets.slice(0, 8), { owner: asked }]) {
            const { packet } = digPacket(`${formatName(each)} ${type} +tcp`);
            const message = decodeMessage(answerPacket(compiled, packet, { transport: 'tcp' }));
            if (!message.ok) throw new Error(message.problems[0]?.message);
            if (message.value.rcode === 3)
              expect(message.value.answers.every((record) => record.type === 5)).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('steering', () => {
  const verdict: fc.Arbitrary<Verdict> = fc.constantFrom('up', 'down', 'unknown', 'drained', 'last-known');
  const dataCenter = fc.constantFrom('fra', 'nyc', 'sin');

  it('never answers an endpoint that is down while another of the pool that the policy names is up or unknown', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(dataCenter, fc.constantFrom('A', 'A', 'AAAA', 'CNAME'), verdict), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.uniqueArray(dataCenter, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('A', 'AAAA', 'MX', 'CNAME'),
        fc.constantFrom('fail-open', 'last-known', 'nodata', 'servfail'),
        (endpoints, named, type, allDown) => {
          const pool = endpoints.map(([at, kind], i) => {
            if (kind === 'CNAME') return `${at} CNAME host-${i}.example.net.`;
            return kind === 'A' ? `${at} A 192.0.2.${i}` : `${at} AAAA 2001:db8::${i}`;
          });
          const steered = { name: 'www.example.org.', pool, policy: ordered(...named), allDown, answers: 8 };
          const zone = '$ORIGIN example.org.\n$TTL 60\n@ SOA ns h 1 1 1 1 1\n@ NS ns.example.net.\n';
          const small = createWorld({ zones: [zone], steered: [steered] });
          for (const [slot, [, , each]] of endpoints.entries()) small.setVerdict(slot, each);
          ask(small, `www.example.org ${type}`);
          const { decision } = scratch;
          const usable = (slot: number): boolean => ['up', 'unknown'].includes(endpoints[slot]?.[2] ?? '');
          const others = endpoints.some(([at], slot) => named.includes(at as 'fra') && usable(slot));
          const chosen = [...decision.endpointSlots.subarray(0, decision.endpointCount)];
          for (const slot of chosen) {
            expect(named).toContain(endpoints[slot]?.[0]);
            expect(usable(slot)).toBe(others);
          }
          if (decision.tier === 'unknown') {
            const up = endpoints.some(
              ([at, kind, each]) => named.includes(at as 'fra') && kind === type && each === 'up',
            );
            expect(up).toBe(false);
          }
          expect(new Set(chosen).size).toBe(chosen.length);
        },
      ),
      { numRuns: 400 },
    );
  });
});
