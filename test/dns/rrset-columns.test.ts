import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  columnsOf,
  GatheredRRsets,
  joinColumns,
  type RRsetColumns,
  type RRsetValue,
  rdataLength,
  recordCount,
  rrsetCount,
  rrsetValue,
} from '../../src/dns/rrset-columns.ts';

const rrset = fc.record<RRsetValue>({
  owner: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  type: fc.integer({ min: 0, max: 0xffff }),
  ttlSeconds: fc.integer({ min: 0, max: 0x7fff_ffff }),
  rdatas: fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 4 }),
});

function valuesOf(columns: RRsetColumns): readonly RRsetValue[] {
  return Array.from({ length: rrsetCount(columns) }, (_, i) => rrsetValue(columns, i));
}

describe('RRsets in columns', () => {
  it('read back as they were put in', () => {
    fc.assert(
      fc.property(fc.array(rrset, { maxLength: 20 }), (rrsets) => {
        expect(valuesOf(columnsOf(rrsets))).toEqual(rrsets);
      }),
    );
  });

  it('read back one after the other when they are joined', () => {
    fc.assert(
      fc.property(fc.array(fc.array(rrset, { maxLength: 5 }), { maxLength: 5 }), (parts) => {
        expect(valuesOf(joinColumns(parts.map(columnsOf)))).toEqual(parts.flat());
      }),
    );
  });

  it('take records in any order, and RRsets that share an owner', () => {
    const gathered = new GatheredRRsets();
    const first = gathered.addRRset(Uint8Array.of(1, 97, 0), 1, 60);
    const second = gathered.addRRsetBeside(first, 16, 70);
    gathered.addRecord(first, Uint8Array.of(1));
    gathered.addRecord(second, Uint8Array.of(2, 2));
    gathered.addRecord(first, Uint8Array.of(3, 3, 3));
    const columns = gathered.finish();
    const owner = Uint8Array.of(1, 97, 0);
    expect(valuesOf(columns)).toEqual([
      { owner, type: 1, ttlSeconds: 60, rdatas: [Uint8Array.of(1), Uint8Array.of(3, 3, 3)] },
      { owner, type: 16, ttlSeconds: 70, rdatas: [Uint8Array.of(2, 2)] },
    ]);
    expect([recordCount(columns, first), rdataLength(columns, first)]).toEqual([2, 4]);
  });

  it('keep a TTL that is none recognisable', () => {
    for (const ttlSeconds of [-1, 2 ** 31, 2 ** 32, Number.NaN]) {
      const columns = columnsOf([{ owner: Uint8Array.of(0), type: 1, ttlSeconds, rdatas: [] }]);
      expect(rrsetValue(columns, 0).ttlSeconds).toBeLessThan(0);
    }
  });
});
