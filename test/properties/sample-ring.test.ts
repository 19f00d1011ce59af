import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  createSampleRing,
  HEAD,
  NO_RECORD,
  RingReader,
  RingWriter,
  TAIL,
} from '../../src/observe/samples/sample-ring.ts';

const RING_OCTETS = 512;
const MAX_RECORD_OCTETS = 120;

type Step =
  | { readonly kind: 'write'; readonly octets: number }
  | { readonly kind: 'abandon'; readonly octets: number }
  | { readonly kind: 'read'; readonly most: number }
  | { readonly kind: 'restart' };

const length = fc.integer({ min: 1, max: MAX_RECORD_OCTETS });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), octets: length }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abandon' as const), octets: length }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), most: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

it('what is read is what was written, in its order, whole; what does not fit is refused', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer(), (steps, start) => {
      const memory = createSampleRing(RING_OCTETS);
      // Anywhere in the count of units, also right before it goes around.
      const words = new Int32Array(memory);
      words[HEAD] = start & ~63;
      words[TAIL] = start & ~63;
      let writer = new RingWriter(memory);
      const reader = new RingReader(memory);
      const waiting: { readonly octets: number; readonly fill: number }[] = [];
      let written = 0;
      for (const one of steps) {
        if (one.kind === 'restart') writer = new RingWriter(memory);
        else if (one.kind === 'read') {
          for (let count = 0; count < one.most; count++) {
            const offset = reader.next();
            const want = waiting.shift();
            expect(offset === NO_RECORD).toBe(want === undefined);
            if (want === undefined) break;
            const got = reader.octets.slice(offset, offset + want.octets);
            expect([...got].every((octet) => octet === want.fill)).toBe(true);
          }
          reader.release();
        } else {
          const offset = writer.reserve(MAX_RECORD_OCTETS);
          // Half of the ring and one record are always enough room for a record.
          const used = waiting.reduce((sum, { octets }) => sum + 8 + octets + 8, 0);
          if (used + 2 * MAX_RECORD_OCTETS + 32 < RING_OCTETS) expect(offset).not.toBe(NO_RECORD);
          if (offset === NO_RECORD) continue;
          const fill = written++ & 0xff;
          writer.octets.fill(fill, offset, offset + one.octets);
          if (one.kind === 'abandon') continue;
          writer.commit(one.octets);
          waiting.push({ octets: one.octets, fill });
        }
      }
      for (const want of waiting) {
        const offset = reader.next();
        expect(offset).not.toBe(NO_RECORD);
        expect(reader.octets[offset]).toBe(want.fill);
        expect(reader.octets[offset + want.octets - 1]).toBe(want.fill);
      }
      expect(reader.next()).toBe(NO_RECORD);
    }),
    { numRuns: 300 },
  );
});

it('does not give the room of a record away before it is released', () => {
  const memory = createSampleRing(256);
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  let records = 0;
  while (writer.reserve(56) !== NO_RECORD) {
    writer.commit(56);
    records++;
  }
  expect(records).toBe(4);
  reader.next();
  expect(writer.reserve(56)).toBe(NO_RECORD);
  reader.release();
  expect(writer.reserve(56)).not.toBe(NO_RECORD);
});
