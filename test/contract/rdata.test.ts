import { describe, expect, it } from 'vitest';
import { formatRdata, parseRdata, rdataKind, rdataKinds } from '../../src/dns/rdata/index.ts';
import { formatType, parseType } from '../../src/dns/type.ts';
import { rdataVectors, refusedRdata } from '../vectors/rdata.ts';

/** What every record type in the registry must keep; a new type needs its vectors in test/vectors/rdata.ts. */

function typeOf(mnemonic: string): number {
  const type = parseType(mnemonic);
  if (type === undefined) throw new Error(`no type ${mnemonic}`);
  return type;
}

/** Hex of the rdata, or all sentences. */
function parse(mnemonic: string, text: string): string {
  const rdata = parseRdata(typeOf(mnemonic), text);
  return rdata.ok
    ? Buffer.from(rdata.value).toString('hex')
    : rdata.problems.map((problem) => problem.message).join(' ');
}

describe.each(rdataKinds)('$mnemonic', (kind) => {
  const vectors = rdataVectors.filter((vector) => vector.mnemonic === kind.mnemonic);

  it('is registered under its own type, once', () => {
    expect(rdataKind(kind.type)).toBe(kind);
    expect(formatType(kind.type)).toBe(kind.mnemonic);
    expect(rdataKinds.filter((other) => other.type === kind.type)).toHaveLength(1);
  });

  it('has vectors, good and bad', () => {
    expect(vectors).not.toHaveLength(0);
    expect(refusedRdata.some((vector) => vector.mnemonic === kind.mnemonic)).toBe(true);
  });

  it('accepts its vectors and neither longer nor shorter octets than they are', () => {
    for (const { wire } of vectors) {
      const rdata = Buffer.from(wire, 'hex');
      expect(kind.validate(rdata), wire).toBe(true);
      const form = kind.fields.at(-1)?.label;
      // A string that ends the rdata, or may stand again, has no length of its own.
      if (form === 'value' || form === 'string') continue;
      expect(kind.validate(Buffer.concat([rdata, Buffer.of(0)])), `${wire} 00`).toBe(false);
      expect(kind.validate(rdata.subarray(0, -1)), `${wire} cut`).toBe(false);
    }
  });

  it('reads opaque form as its own octets', () => {
    for (const { wire } of vectors) {
      expect(parse(kind.mnemonic, `\\# ${wire.length / 2} ${wire}`)).toBe(wire);
    }
  });

  it('refuses one field too few and says what it needs', () => {
    expect(parse(kind.mnemonic, '')).toMatch(new RegExp(`^${kind.mnemonic} needs .*, got 0\\.$`));
  });
});

describe('vectors', () => {
  it.each(rdataVectors)('$mnemonic $text', ({ mnemonic, text, wire, canonical = text, names = [] }) => {
    expect(parse(mnemonic, text)).toBe(wire);
    const type = typeOf(mnemonic);
    const rdata = Buffer.from(wire, 'hex');
    expect(formatRdata(type, rdata)).toBe(canonical);
    const found = rdataKind(type)
      .names(rdata)
      .map(({ offset, length, compressible, additional }) =>
        `${offset} ${length} ${compressible ? 'c' : ''}${additional ? 'a' : ''}`.trim(),
      );
    expect(found).toEqual(names);
  });

  it.each(refusedRdata)('$mnemonic refuses $text', ({ mnemonic, text, sentence }) => {
    expect(parse(mnemonic, text)).toContain(sentence);
  });
});

it('reports every bad field of a record', () => {
  const soa = parseRdata(6, 'a..b c 1 x 2 3 4w4');
  expect(soa.ok ? 0 : soa.problems.length).toBe(3);
});

it('shows octets that are not their type as opaque', () => {
  expect(formatRdata(1, Uint8Array.of(1, 2, 3))).toBe('\\# 3 010203');
});
