import fc from 'fast-check';
import { MAX_NAME_LENGTH, parseName } from '../../src/dns/name.ts';
import { type RdataKind, rdataKind, rdataKinds } from '../../src/dns/rdata/index.ts';
import type { ParsedRRset } from '../../src/dns/zone-file.ts';

/** A name in wire form with any octets, at most `longest` octets long. */
export function wireName(longest: number = MAX_NAME_LENGTH): fc.Arbitrary<Uint8Array> {
  const label = fc.uint8Array({ minLength: 1, maxLength: 63 });
  return fc.array(label, { maxLength: 8 }).map((labels) => {
    const octets: number[] = [];
    for (const content of labels) {
      if (octets.length + content.length + 2 > longest) break;
      octets.push(content.length, ...content);
    }
    return Uint8Array.from([...octets, 0]);
  });
}

const seconds = fc.nat(0x7fff_ffff).map((value) => Buffer.from(value.toString(16).padStart(8, '0'), 'hex'));
const characterString = fc
  .uint8Array({ maxLength: 255 })
  .map((octets) => Uint8Array.from([octets.length, ...octets]));

function octets(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

function joined(...parts: readonly fc.Arbitrary<Uint8Array>[]): fc.Arbitrary<Uint8Array> {
  return fc.tuple(...parts).map((values) => Uint8Array.from(values.flatMap((value) => [...value])));
}

const tag = fc
  .stringMatching(/^[A-Za-z0-9]{1,15}$/)
  .map((text) => Uint8Array.from([text.length, ...Buffer.from(text)]));

const rdataByMnemonic: ReadonlyMap<string, fc.Arbitrary<Uint8Array>> = new Map([
  ['A', octets(4)],
  ['AAAA', octets(16)],
  ['NS', wireName()],
  ['CNAME', wireName()],
  ['PTR', wireName()],
  ['SOA', joined(wireName(), wireName(), octets(4), seconds, seconds, seconds, seconds)],
  ['MX', joined(octets(2), wireName())],
  [
    'TXT',
    fc
      .array(characterString, { minLength: 1, maxLength: 4 })
      .map((strings) => Uint8Array.from(strings.flatMap((s) => [...s]))),
  ],
  ['SRV', joined(octets(6), wireName())],
  ['CAA', joined(octets(1), tag, fc.uint8Array({ maxLength: 300 }))],
]);

/** Well-formed rdata of a kind; every kind in the registry has its own. */
export function rdataOf(kind: RdataKind): fc.Arbitrary<Uint8Array> {
  const arbitrary = rdataByMnemonic.get(kind.mnemonic);
  if (arbitrary === undefined) throw new Error(`no arbitrary rdata of type ${kind.mnemonic}`);
  return arbitrary;
}

/** A kind that may stand anywhere in a zone, with well-formed rdata. */
const typedRdata = fc.oneof(
  ...rdataKinds
    .filter((kind) => kind.mnemonic !== 'SOA' && kind.mnemonic !== 'CNAME')
    .map((kind) => rdataOf(kind).map((rdata) => ({ type: kind.type, rdata }))),
  fc.uint8Array({ maxLength: 40 }).map((rdata) => ({ type: rdataKind(65_400).type, rdata })),
);

export const apex = ((): Uint8Array => {
  const name = parseName('example.org.');
  if (!name.ok) throw new Error('example.org. is a name');
  return name.value;
})();

/** The RRsets of a valid zone, apex first; each RRset has one record. */
export const zoneRRsets: fc.Arbitrary<Omit<ParsedRRset, 'source'>[]> = fc
  .tuple(
    rdataOf(rdataKind(6)),
    fc.array(fc.tuple(wireName(MAX_NAME_LENGTH - apex.length + 1), fc.nat(0x7fff_ffff), typedRdata), {
      maxLength: 12,
    }),
  )
  .map(([soa, others]) => {
    const rrsets: Omit<ParsedRRset, 'source'>[] = [
      { owner: apex, type: 6, ttlSeconds: 60, rdatas: [soa] },
      { owner: apex, type: 2, ttlSeconds: 60, rdatas: [apex] },
    ];
    const taken = new Set<string>([`${key(apex)} 2`]);
    for (const [prefix, ttlSeconds, { type, rdata }] of others) {
      const owner = Uint8Array.from([...prefix.subarray(0, -1), ...apex]);
      if (taken.has(`${key(owner)} ${type}`)) continue;
      taken.add(`${key(owner)} ${type}`);
      rrsets.push({ owner, type, ttlSeconds, rdatas: [rdata] });
    }
    return rrsets;
  });

function key(name: Uint8Array): string {
  return Buffer.from(name)
    .toString('latin1')
    .replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
