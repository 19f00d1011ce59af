import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { channels, decodeFrame, encodeFrame, MAX_FRAME_OCTETS } from '../../src/cluster/frame.ts';

function octets(...values: readonly (number | readonly number[])[]): Uint8Array {
  return Uint8Array.from(values.flat());
}

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
})).value;

describe('frames', () => {
  it('come back as they were sent, on their channel', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(channels) as (keyof typeof channels)[])),
        plain,
        (channel, value) => {
          const decoded = decodeFrame(encodeFrame(channel, value));
          expect(decoded).toEqual({ ok: true, frame: { channel, value } });
        },
      ),
    );
  });

  it('of any octets give a value, and never throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 4, 9), fc.uint8Array({ maxLength: 200 }), (channel, bytes) => {
        expect([true, false]).toContain(decodeFrame(octets(channel, [...bytes])).ok);
      }),
      { numRuns: 5000 },
    );
  });

  it('with octets changed give a value, and never throw', () => {
    fc.assert(
      fc.property(plain, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), (value, edits) => {
        const frame = encodeFrame('members', value);
        for (const [at, octet] of edits) frame[at % frame.length] = octet;
        expect([true, false]).toContain(decodeFrame(frame).ok);
      }),
      { numRuns: 2000 },
    );
  });

  it('hold octets of their own', () => {
    const frame = encodeFrame('blobs', { part: Buffer.alloc(100, 7) });
    const decoded = decodeFrame(frame);
    frame.fill(0);
    expect(decoded).toEqual({
      ok: true,
      frame: { channel: 'blobs', value: { part: new Uint8Array(100).fill(7) } },
    });
  });

  it('keep a key that would change a prototype from doing so', () => {
    const decoded = decodeFrame(
      octets(1, [0x81, 0xa9], [...Buffer.from('__proto__')], [0x81, 0xa1, 0x61, 0x01]),
    );
    expect(decoded.ok && Object.getPrototypeOf(decoded.frame.value)).toBe(Object.prototype);
  });

  it('over the bound are not made', () => {
    expect(() => encodeFrame('blobs', Buffer.alloc(MAX_FRAME_OCTETS))).toThrow(RangeError);
  });
});

describe('a frame is refused', () => {
  const cases: readonly { readonly name: string; readonly given: Uint8Array; readonly want: string }[] = [
    { name: 'without anything', given: octets(), want: 'malformed' },
    { name: 'without a value', given: octets(1), want: 'malformed' },
    { name: 'of a channel of the future', given: octets(200, 0xc0), want: 'unknown-channel' },
    { name: 'that goes on after its value', given: octets(1, 0xc0, 0xc0), want: 'malformed' },
    {
      name: 'that claims 4 billion elements',
      given: octets(1, 0xdd, [255, 255, 255, 255], 0),
      want: 'malformed',
    },
    {
      name: 'that claims 4 billion pairs',
      given: octets(1, 0xdf, [255, 255, 255, 255], 0),
      want: 'malformed',
    },
    {
      name: 'that claims a long string',
      given: octets(1, 0xdb, [255, 255, 255, 255], 0x61),
      want: 'malformed',
    },
    { name: 'with a key that is no string', given: octets(1, 0x81, 1, 1), want: 'malformed' },
    { name: 'with half a pair', given: octets(1, 0x81, 0xa1, 0x61), want: 'malformed' },
    { name: 'with a record of this library', given: octets(1, 0xd4, 0x72, 0x40, 0x90), want: 'malformed' },
    {
      name: 'nested without end',
      given: octets(1, new Array<number>(100_000).fill(0x91)),
      want: 'malformed',
    },
    {
      name: 'of a million empty arrays',
      given: Uint8Array.from([1, 0xdd, 0, 0x0f, 0x42, 0x40, ...new Array<number>(1_000_000).fill(0x90)]),
      want: 'malformed',
    },
    {
      name: 'with a date',
      given: octets(1, [...new Packr().pack(new Date(0))]),
      want: 'malformed',
    },
    { name: 'too long', given: new Uint8Array(MAX_FRAME_OCTETS + 1).fill(1), want: 'malformed' },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    const decoded = decodeFrame(given);
    expect(decoded.ok ? 'taken' : decoded.reason).toBe(want);
  });
});
