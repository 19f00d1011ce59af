import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeMessage, encodeQuery } from '../../src/dns/message.ts';
import { wireNameLength } from '../../src/dns/name.ts';
import { wireName } from './dns-arbitraries.ts';

const draft = fc.record({
  name: wireName(),
  type: fc.nat(65_535),
  id: fc.nat(65_535),
  recursionDesired: fc.boolean(),
  edns: fc.record({
    payloadSize: fc.nat(65_535),
    dnssecOk: fc.boolean(),
    nsid: fc.boolean(),
    clientSubnet: fc.oneof(
      fc.record({
        family: fc.constant(4 as const),
        octets: fc.uint8Array({ minLength: 4, maxLength: 4 }),
        sourcePrefixLength: fc.nat(32),
      }),
      fc.record({
        family: fc.constant(6 as const),
        octets: fc.uint8Array({ minLength: 16, maxLength: 16 }),
        sourcePrefixLength: fc.nat(128),
      }),
    ),
  }),
});

it('a query decodes to what was asked', () => {
  fc.assert(
    fc.property(draft, (query) => {
      const message = decodeMessage(encodeQuery(query));
      if (!message.ok) return expect.unreachable(message.problems[0]?.message);
      const { questions, id, recursionDesired, isResponse, edns } = message.value;
      expect(questions).toEqual([{ name: query.name, type: query.type, class: 1 }]);
      expect({ id, recursionDesired, isResponse }).toEqual({
        id: query.id,
        recursionDesired: query.recursionDesired,
        isResponse: false,
      });
      expect(edns).toMatchObject({
        payloadSize: query.edns.payloadSize,
        dnssecOk: query.edns.dnssecOk,
        version: 0,
      });
      expect(edns?.nsid !== undefined).toBe(query.edns.nsid);
      const { family, sourcePrefixLength, octets } = query.edns.clientSubnet;
      expect(edns?.clientSubnet).toMatchObject({ family, sourcePrefixLength, scopePrefixLength: 0 });
      for (let bit = 0; bit < octets.length * 8; bit += 1) {
        const sent = ((edns?.clientSubnet?.octets[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
        const asked = ((octets[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
        expect(sent).toBe(bit < sourcePrefixLength ? asked : 0);
      }
    }),
  );
});

/** Octets that are likelier than chance to be labels, pointers and counts. */
const hostile = fc
  .tuple(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
    fc.array(
      fc.oneof(
        fc.constantFrom(
          [0],
          [1, 0x61],
          [0xc0, 12],
          [0xc0, 14],
          [0xc0, 20],
          [0xc0, 255],
          [0xff, 0xff],
          [0x40],
          [63],
        ),
        fc.constantFrom(
          [0, 1, 0, 1],
          [0, 2, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12],
          [0, 6, 0, 1, 0, 0, 0, 9, 0, 26],
        ),
        fc.constantFrom([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 8, 0, 8, 0, 4, 0, 1, 0, 0]),
        fc.array(fc.nat(255), { maxLength: 6 }),
      ),
      { maxLength: 60 },
    ),
  )
  .map(([head, counts, body]) =>
    Uint8Array.from([...head, ...counts.flatMap((n) => [0, n]), ...body.flat()]),
  );

it('any octets are a message or a problem, and every name that comes out is whole', () => {
  fc.assert(
    fc.property(fc.oneof(hostile, fc.uint8Array({ maxLength: 600 })), (octets) => {
      const message = decodeMessage(octets);
      if (!message.ok) {
        expect(message.problems).toHaveLength(1);
        return;
      }
      const { questions, answers, authorities, additionals } = message.value;
      const names = [
        ...questions.map((question) => question.name),
        ...[...answers, ...authorities, ...additionals].map((record) => record.owner),
      ];
      for (const name of names) expect(wireNameLength(name, 0)).toBe(name.length);
    }),
    { numRuns: 1000 },
  );
});

it('a query with one octet changed or cut is a message or a problem', () => {
  fc.assert(
    fc.property(draft, fc.nat(400), fc.nat(255), fc.nat(400), (query, at, octet, length) => {
      const octets = encodeQuery(query);
      expect(decodeMessage(octets.subarray(0, length % octets.length)).ok).toBe(false);
      octets[at % octets.length] = octet;
      expect(typeof decodeMessage(octets).ok).toBe('boolean');
    }),
    { numRuns: 300 },
  );
});
