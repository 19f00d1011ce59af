import { encodeQuery } from '../../src/dns/message.ts';
import { parseName } from '../../src/dns/name.ts';
import { parseType } from '../../src/dns/type.ts';
import { parseZoneFile } from '../../src/dns/zone-file.ts';
import { compileZone } from '../../src/snapshot/compile-zone.ts';
import type { SnapshotMessage } from '../../src/snapshot/snapshot.ts';
import { createVerdictTable } from '../../src/snapshot/verdict-table.ts';

/** `big` needs more than one UDP answer may have. */
const zoneText = (address: string): string => `
$TTL 300
@     IN SOA  ns1 hostmaster 1 3600 600 86400 60
@     IN NS   ns1
ns1   IN A    192.0.2.53
www   IN A    ${address}
www   IN AAAA 2001:db8::1
alias IN CNAME www
*.any IN TXT  "from a wildcard"
big   IN TXT  ${Array.from({ length: 60 }, (_, index) => `"${`text ${index} `.repeat(6)}"`).join(' ')}
`;

/** A whole snapshot of the zone example.org, in which www has the given address. */
export function testSnapshot(generation = 1, address = '192.0.2.1'): SnapshotMessage {
  const origin = wireName('example.org');
  const { rrsets, problems } = parseZoneFile({
    file: 'example.org.zone',
    text: zoneText(address),
    origin,
    include: (file) => ({ code: 'no-include', path: file, message: 'no files here' }),
  });
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const { image } = compileZone({ apex: origin, rrsets, steeredNames: [] });
  return { generation, zones: [image], maps: [], verdicts: createVerdictTable(), serverId: new Uint8Array() };
}

export function queryFor(name: string, type: string, id = 1): Uint8Array {
  return encodeQuery({ name: wireName(name), type: parseType(type) ?? 0, id, recursionDesired: false });
}

function wireName(text: string): Uint8Array {
  const name = parseName(text);
  if (!name.ok) throw new Error(`not a name: ${text}`);
  return name.value;
}
