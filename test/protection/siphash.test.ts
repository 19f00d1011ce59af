import { describe, expect, it } from 'vitest';
import { halfSipHash13, sipHash24 } from '../../src/protection/siphash.ts';

/** Of the reference implementation: key 00 01 ... 0f, message 00 01 02 ... of as many octets as the position says. */
const reference = [
  '310e0edd47db6f72',
  'fd67dc93c539f874',
  '5a4fa9d909806c0d',
  '2d7efbd796666785',
  'b7877127e09427cf',
  '8da699cd64557618',
  'cee3fe586e46c9cb',
  '37d1018bf50002ab',
  '6224939a79f5f593',
  'b0e4a90bdf82009e',
  'f3b9dd94c5bb5d7a',
  'a7ad6b22462fb3f4',
  'fbe50e86bc8f1e75',
  '903d84c02756ea14',
  'eef27a8e90ca23f7',
  'e545be4961ca29a1',
];

const key = Int32Array.of(0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c);

/** The message with its length as SipHash wants it, and the number of its 64-bit blocks. */
function padded(octets: Uint8Array): { readonly words: Int32Array; readonly blocks: number } {
  const blocks = (octets.length >> 3) + 1;
  const bytes = new Uint8Array(8 * blocks);
  bytes.set(octets);
  bytes[bytes.length - 1] = octets.length;
  return { words: new Int32Array(bytes.buffer), blocks };
}

function sipHashHex(octets: Uint8Array): string {
  const { words, blocks } = padded(octets);
  const hash = new Int32Array(2);
  sipHash24(key, words, blocks, hash);
  return Buffer.from(hash.buffer).toString('hex');
}

describe('SipHash-2-4', () => {
  it.each(reference.map((want, length) => ({ length, want })))(
    'of $length octets is $want',
    ({ length, want }) => {
      expect(sipHashHex(Uint8Array.from({ length }, (_, octet) => octet))).toBe(want);
    },
  );
});

describe('HalfSipHash-1-3', () => {
  const message = [1, 2, 3, 4, 5, 6];
  const hash = (words: readonly number[], keyWords = [0x1234, 0x5678]): number =>
    halfSipHash13(Int32Array.from(keyWords), Int32Array.from(words), words.length);

  it('depends on every word of the message and of the key', () => {
    const changed = [
      hash(message),
      ...message.map((_, i) => hash(message.map((word, at) => (at === i ? word ^ 0x10000 : word)))),
      hash(message, [0x1235, 0x5678]),
      hash(message, [0x1234, 0x5679]),
    ];
    expect(new Set(changed).size).toBe(changed.length);
  });

  it('spreads neighbouring messages evenly over a table', () => {
    const cells = new Uint32Array(256);
    for (let i = 0; i < 65_536; i++) {
      const cell = hash([i, 0, 0, 7, 0, 1]) & 255;
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    // 256 in each on average; seven standard deviations away is no accident.
    expect(Math.min(...cells)).toBeGreaterThan(256 - 7 * 16);
    expect(Math.max(...cells)).toBeLessThan(256 + 7 * 16);
  });
});
