import { expect, it } from 'vitest';
import { HASH_SEED, hashLabel, hashName } from '../../src/dns/name-hash.ts';
import { wire } from './wire.ts';

it('hashes from the root outwards', () => {
  const name = wire('www.example.org');
  const org = hashLabel(HASH_SEED, name, 12);
  const example = hashLabel(org, name, 4);
  expect(hashName(wire('.'))).toBe(HASH_SEED);
  expect(hashName(wire('org'))).toBe(org);
  expect(hashName(wire('example.org'))).toBe(example);
  expect(hashName(name)).toBe(hashLabel(example, name, 0));
});

it('tells labels from one another, not only octets', () => {
  const names = ['ab.c', 'a.bc', 'abc', 'c.ab', 'a.b.c', '\\001a', 'a', 'a.a', '\\000', '.'];
  expect(new Set(names.map((text) => hashName(wire(text)))).size).toBe(names.length);
});

it('spreads similar names over the low bits', () => {
  const buckets = new Uint16Array(1024);
  for (let i = 0; i < 8192; i += 1) {
    const hash = hashName(wire(`host${i}.example.org`));
    expect(hash).toBe(hash >>> 0);
    const bucket = hash & 1023;
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  // 8 on average; a random function leaves hardly a bucket above 25 or more than a few empty.
  expect(Math.max(...buckets)).toBeLessThan(30);
  expect(buckets.filter((count) => count === 0).length).toBeLessThan(10);
});
