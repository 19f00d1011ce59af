import type { Contract } from '../../config/contract.ts';
import { type Config, rrsetKey, type Stored } from '../../config/model.ts';
import { rrsetPath } from '../../config/resource-path.ts';
import type { RRset } from '../../config/resources/rrset.ts';
import type { Zone } from '../../config/resources/zone.ts';
import { formatName, lowercaseName, parseName } from '../../dns/name.ts';
import { formatRdata } from '../../dns/rdata/index.ts';
import { formatType } from '../../dns/type.ts';
import { parseZoneFile } from '../../dns/zone-file.ts';
import { API_OWNER, type ApiCollection, type Shelf } from '../collection.ts';
import type { ControlPlane } from '../control-plane.ts';
import { canonicalName, rrsetIdentity } from '../identities.ts';
import { type ProblemReply, refuse } from '../reply.ts';
import type { Params } from '../route.ts';
import { ZONE_PARAMETER_TEXT } from './zones.ts';

type Entries = ReadonlyMap<string, Stored<RRset>>;

const NO_ENTRIES: Entries = new Map();

/** `/v1/zones/{zone}/rrsets`; of a zone that lives in a zone file they can be read, but not written. */
export function rrsetCollection(contract: Contract, plane: ControlPlane): ApiCollection<RRset, RRset> {
  const ofBlob = createBlobReader(plane);
  return {
    tag: 'zones',
    noun: 'RRset',
    one: 'RRset',
    many: 'RRsets',
    path: '/v1/zones/{zone}/rrsets',
    itemPath: '/v1/zones/{zone}/rrsets/{name}/{type}',
    parameters: {
      zone: ZONE_PARAMETER_TEXT,
      name: 'Owner name, absolute, with or without the final dot; a wildcard is written `*.example.org`.',
      type: 'Record type, such as A or TYPE65400.',
    },
    identity: [
      { field: 'name', parameter: 'name' },
      { field: 'type', parameter: 'type' },
    ],
    schema: contract.rrsetSchema,
    valueSchema: contract.rrsetSchema,
    identify: rrsetIdentity,
    lane: (params, key) => rrsetPath(apexOf(params), key),
    problemPath: (params, key) => rrsetPath(apexOf(params), key ?? ''),
    open: (config, params) => openZone(config, params, ofBlob),
  };
}

/** The apex as the URL names it; canonical where it is a domain name at all. */
function apexOf(params: Params): string {
  const text = params.zone ?? '';
  const apex = canonicalName(text);
  return apex.ok ? apex.value : text;
}

function openZone(
  config: Config,
  params: Params,
  ofBlob: (zone: Stored<Zone>) => Entries,
): Shelf<RRset, RRset> | ProblemReply {
  const apex = canonicalName(params.zone ?? '');
  if (!apex.ok) return refuse('bad-parameter', 'The zone is not a domain name.', apex.problems);
  const zone = config.zones.get(apex.value);
  if (zone === undefined) return refuse('not-found', `There is no zone ${apex.value}`);
  return {
    entries: zone.value.kind === 'blob' ? ofBlob(zone) : (config.rrsets.get(apex.value) ?? NO_ENTRIES),
    toValue: (rrset) => rrset,
    toBody: (rrset) => rrset,
    changes: (key, value) => [{ collection: 'rrsets', zone: apex.value, key, owner: API_OWNER, value }],
  };
}

/**
 * Reads the RRsets of a zone that lives in a blob. The last zone read is kept, because pages of one zone are read
 * one after the other; only one, because a blob may hold hundreds of thousands of records.
 */
function createBlobReader(plane: ControlPlane): (zone: Stored<Zone>) => Entries {
  let last: { readonly zone: Stored<Zone>; readonly entries: Entries } | undefined;
  return (zone) => {
    if (last?.zone === zone) return last.entries;
    const entries = parseBlob(zone, plane.zoneText(zone.value.name) ?? '');
    last = { zone, entries };
    return entries;
  };
}

function parseBlob(zone: Stored<Zone>, text: string): Entries {
  const apex = parseName(zone.value.name);
  const { rrsets } = parseZoneFile({
    file: zone.value.name,
    text,
    origin: apex.ok ? apex.value : undefined,
    include: (file) => ({ code: 'no-include', path: file, message: 'A stored zone includes nothing.' }),
  });
  return new Map(
    rrsets.map(({ owner, type, ttlSeconds, rdatas }) => {
      const name = formatName(lowercaseName(owner));
      const mnemonic = formatType(type);
      const records = rdatas.map((rdata) => formatRdata(type, rdata));
      return [rrsetKey(name, mnemonic), { ...zone, value: { name, type: mnemonic, ttlSeconds, records } }];
    }),
  );
}
