/*
 * SipHash-2-4 and HalfSipHash-1-3 (Aumasson and Bernstein) over messages that stand packed in 32-bit words, little end
 * first. SipHash's messages end as the algorithm wants it, with a word of remaining octets and the length in the highest
 * octet. HalfSipHash is given messages of one fixed length, which need no such word to be told apart.
 *
 * A 64-bit word of SipHash is a pair of 32-bit halves, low before high, because numbers of 64 bits would be allocated.
 * The carry of an addition is computed from the top bits, without a comparison: it is random, and a branch on it would
 * be guessed wrong half the time.
 */

/** Words of a SipHash key: 128 bits. */
export const SIPHASH_KEY_WORDS = 4;

/**
 * Hashes `blocks` 64-bit words of `message` under `key` into `hash`: 64 bits as two words, the low one first.
 * Allocates nothing.
 */
export function sipHash24(key: Int32Array, message: Int32Array, blocks: number, hash: Int32Array): void {
  let al = (key[0] as number) ^ 0x70736575;
  let ah = (key[1] as number) ^ 0x736f6d65;
  let bl = (key[2] as number) ^ 0x6e646f6d;
  let bh = (key[3] as number) ^ 0x646f7261;
  let cl = (key[0] as number) ^ 0x6e657261;
  let ch = (key[1] as number) ^ 0x6c796765;
  let dl = (key[2] as number) ^ 0x79746573;
  let dh = (key[3] as number) ^ 0x74656462;
  let sum = 0;
  let low = 0;
  let high = 0;
  for (let block = 0; block <= blocks; block++) {
    // Two rounds for each block, and four to finish.
    let rounds = 2;
    if (block === blocks) {
      rounds = 4;
      cl ^= 0xff;
    } else {
      low = message[2 * block] as number;
      high = message[2 * block + 1] as number;
      dl ^= low;
      dh ^= high;
    }
    for (let round = 0; round < rounds; round++) {
      // a += b; b <<<= 13; b ^= a; a <<<= 32
      sum = (al + bl) | 0;
      ah = (ah + bh + (((al & bl) | ((al | bl) & ~sum)) >>> 31)) | 0;
      const b = ((bl << 13) | (bh >>> 19)) ^ sum;
      bh = ((bh << 13) | (bl >>> 19)) ^ ah;
      bl = b;
      al = ah;
      ah = sum;
      // c += d; d <<<= 16; d ^= c
      sum = (cl + dl) | 0;
      ch = (ch + dh + (((cl & dl) | ((cl | dl) & ~sum)) >>> 31)) | 0;
      cl = sum;
      const d = ((dl << 16) | (dh >>> 16)) ^ cl;
      dh = ((dh << 16) | (dl >>> 16)) ^ ch;
      dl = d;
      // a += d; d <<<= 21; d ^= a
      sum = (al + dl) | 0;
      ah = (ah + dh + (((al & dl) | ((al | dl) & ~sum)) >>> 31)) | 0;
      al = sum;
      const e = ((dl << 21) | (dh >>> 11)) ^ al;
      dh = ((dh << 21) | (dl >>> 11)) ^ ah;
      dl = e;
      // c += b; b <<<= 17; b ^= c; c <<<= 32
      sum = (cl + bl) | 0;
      ch = (ch + bh + (((cl & bl) | ((cl | bl) & ~sum)) >>> 31)) | 0;
      const f = ((bl << 17) | (bh >>> 15)) ^ sum;
      bh = ((bh << 17) | (bl >>> 15)) ^ ch;
      bl = f;
      cl = ch;
      ch = sum;
    }
    if (block < blocks) {
      al ^= low;
      ah ^= high;
    }
  }
  hash[0] = al ^ bl ^ cl ^ dl;
  hash[1] = ah ^ bh ^ ch ^ dh;
}

/**
 * Hashes the first `length` words of `message` under the two words of `key` to a signed 32-bit number. One round for
 * each word and three to finish: what a hash table needs that strangers fill, at a fifth of the cost of SipHash.
 */
export function halfSipHash13(key: Int32Array, message: Int32Array, length: number): number {
  let a = key[0] as number;
  let b = key[1] as number;
  let c = a ^ 0x6c796765;
  let d = b ^ 0x74656462;
  // The finishing rounds come after the last word, with no word of their own.
  const rounds = length + 3;
  for (let round = 0; round < rounds; round++) {
    const word = round < length ? (message[round] as number) : 0;
    if (round === length) c ^= 0xff;
    d ^= word;
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
    a ^= word;
  }
  return b ^ d;
}
