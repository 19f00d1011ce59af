import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../src/dns/address.ts';
import {
  formatName,
  isSubdomain,
  labelCount,
  lowercaseName,
  namesEqual,
  parseName,
  wireNameLength,
} from '../../src/dns/name.ts';
import { hashLabel, hashName } from '../../src/dns/name-hash.ts';
import { wireName } from './dns-arbitraries.ts';

it('any name reads back from its text, with and without an origin', () => {
  fc.assert(
    fc.property(wireName(), fc.option(wireName(), { nil: undefined }), (name, origin) => {
      expect(parseName(formatName(name), origin)).toEqual({ ok: true, value: name });
    }),
  );
});

it('any text is a well-formed name or a problem', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.option(wireName(), { nil: undefined }),
      (text, origin) => {
        const name = parseName(text, origin);
        if (name.ok) expect(wireNameLength(name.value, 0)).toBe(name.value.length);
        else expect(name.problems).toHaveLength(1);
      },
    ),
  );
});

it('case never counts, and every name is below each of its suffixes', () => {
  fc.assert(
    fc.property(wireName(), (name) => {
      const lower = lowercaseName(name);
      expect(namesEqual(name, lower)).toBe(true);
      let offset = 0;
      let labels = labelCount(name);
      let below = hashName(lower);
      for (; (name[offset] ?? 0) !== 0; offset += (name[offset] ?? 0) + 1, labels -= 1) {
        const suffix = lower.subarray(offset);
        expect(isSubdomain(name, suffix)).toBe(true);
        expect(labelCount(suffix)).toBe(labels);
        const rest = hashName(lower.subarray(offset + (name[offset] ?? 0) + 1));
        below = hashLabel(rest, lower, offset);
        expect(hashName(suffix)).toBe(below);
      }
    }),
  );
});

it('any address reads back from its text', () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    // Runs of zeros, which the text shortens.
    fc.array(fc.constantFrom(0, 0, 1), { minLength: 16, maxLength: 16 }).map((list) => Uint8Array.from(list)),
  );
  fc.assert(
    fc.property(octets, (address) => {
      expect(parseAddress(formatAddress(address))?.octets).toEqual(address);
    }),
  );
});
