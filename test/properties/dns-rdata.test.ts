import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wireNameLength } from '../../src/dns/name.ts';
import { formatRdata, parseRdata, rdataKinds } from '../../src/dns/rdata/index.ts';
import { rdataOf } from './dns-arbitraries.ts';

describe.each(rdataKinds)('$mnemonic', (kind) => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(rdataOf(kind), (rdata) => {
        expect(kind.validate(rdata)).toBe(true);
        expect(parseRdata(kind.type, kind.format(rdata))).toEqual({ ok: true, value: rdata });
      }),
    );
  });

  it('names stand where it says', () => {
    fc.assert(
      fc.property(rdataOf(kind), (rdata) => {
        for (const { offset, length } of kind.names(rdata))
          expect(wireNameLength(rdata, offset)).toBe(length);
      }),
    );
  });

  it('takes any octets and any text without a throw', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.string({ unit: 'binary', maxLength: 80 }),
        (octets, text) => {
          const back = parseRdata(kind.type, formatRdata(kind.type, octets));
          expect(back.ok).toBe(kind.validate(octets));
          const rdata = parseRdata(kind.type, text);
          if (rdata.ok) expect(kind.validate(rdata.value)).toBe(true);
        },
      ),
    );
  });
});

it('opaque rdata reads back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (rdata) => {
      expect(parseRdata(65_400, formatRdata(65_400, rdata))).toEqual({ ok: true, value: rdata });
    }),
  );
});
