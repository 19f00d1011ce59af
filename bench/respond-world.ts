/* The world that `bench/respond.ts` asks: 100,000 static names, and a steered name over the shipped geo table. */
import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { encodeQuery } from '../src/dns/message.ts';
import { parseName } from '../src/dns/name.ts';
import { parseType } from '../src/dns/type.ts';
import { decodeShippedTable } from '../src/geo/shipped-table.ts';
import { openGeoTable } from '../src/geo/table.ts';
import { compileZone } from '../src/snapshot/compile-zone.ts';
import { openSnapshot, type Snapshot } from '../src/snapshot/snapshot.ts';
import { createVerdictTable, VERDICT_UP } from '../src/snapshot/verdict-table.ts';
import type { EndpointSource, RRsetSource } from '../src/snapshot/zone-source.ts';
import { compileMap } from '../src/steering/compile-map.ts';
import { ninePlaces } from './ground/places.ts';

const STATIC_NAMES = 100_000;

export function wireName(text: string): Uint8Array {
  const name = parseName(text);
  if (!name.ok) throw new Error(`${text} is no name`);
  return name.value;
}

export function soa(apex: string): RRsetSource {
  const numbers = [0, 0, 0, 1, 0, 0, 28, 32, 0, 0, 3, 132, 0, 18, 117, 0, 0, 0, 1, 44];
  const rdata = Uint8Array.from([...wireName(`ns1.${apex}`), ...wireName(`hostmaster.${apex}`), ...numbers]);
  return { owner: wireName(apex), type: 6, ttlSeconds: 3600, rdatas: [rdata] };
}

/** A zone's worth of A records, with the apex. */
export function staticRRsets(count: number): RRsetSource[] {
  const rrsets: RRsetSource[] = [
    soa('example.org.'),
    { owner: wireName('example.org.'), type: 2, ttlSeconds: 3600, rdatas: [wireName('ns1.example.net.')] },
  ];
  for (let i = rrsets.length; i < count; i++) {
    const rdatas = [Uint8Array.of(192, 0, 2, i & 255)];
    rrsets.push({ owner: wireName(`host-${i}.example.org.`), type: 1, ttlSeconds: 300, rdatas });
  }
  return rrsets;
}

export function benchWorld(): Snapshot {
  const cname = (from: string, to: string): RRsetSource => ({
    owner: wireName(from),
    type: 5,
    ttlSeconds: 300,
    rdatas: [wireName(to)],
  });
  const endpoints = ninePlaces.map(
    ([,], dataCenter): EndpointSource => ({
      slot: dataCenter,
      dataCenter,
      weight: 1,
      type: 1,
      rdata: Uint8Array.of(192, 0, 2, dataCenter),
    }),
  );
  const owner = wireName('www.example.org.');
  const steered = {
    owner,
    ttlSeconds: 30,
    answers: 1,
    allDown: 'fail-open' as const,
    map: 0,
    endpoints,
    fallback: [],
  };
  const { image } = compileZone({
    apex: wireName('example.org.'),
    rrsets: [
      ...staticRRsets(STATIC_NAMES),
      cname('a.example.org.', 'b.example.org.'),
      cname('b.example.org.', 'c.example.org.'),
      cname('c.example.org.', 'host-7.example.org.'),
    ],
    steeredNames: [steered],
  });
  const file = readFileSync(new URL('../geoip/geo-table.bin', import.meta.url));
  const table = decodeShippedTable(brotliDecompressSync(file), 'bench');
  if (!table.ok) throw new Error(table.problems[0]?.message);
  const candidates = ninePlaces.map(([name, latitude, longitude], index) => ({
    index,
    name,
    latitude,
    longitude,
  }));
  const verdicts = createVerdictTable();
  verdicts.fill(VERDICT_UP, 0, ninePlaces.length);
  const map = compileMap({ policy: { kind: 'nearest' }, candidates }, openGeoTable(table.value));
  return openSnapshot({ generation: 1, zones: [image], maps: [map], verdicts, serverId: new Uint8Array(0) });
}

const PACKETS = 4096;

/** Packets that ask as `given` says for each number; one flat buffer per packet, made before the clock starts. */
export function packetsOf(
  given: (i: number) => { name: string; type: string; subnet?: Uint8Array },
): Uint8Array[] {
  return Array.from({ length: PACKETS }, (_, i) => {
    const { name, type, subnet } = given(i);
    return encodeQuery({
      name: wireName(name),
      type: parseType(type) ?? 0,
      id: i,
      recursionDesired: false,
      edns: {
        payloadSize: 1232,
        dnssecOk: false,
        ...(subnet && { clientSubnet: { family: 4, octets: subnet, sourcePrefixLength: 24 } }),
      },
    });
  });
}
