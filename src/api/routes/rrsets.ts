import type { Contract } from '../../config/contract.ts';
import { type Config, rrsetKey, type Stored } from '../../config/model.ts';
import { rrsetPath } from '../../config/resource-path.ts';
import type { RRset } from '../../config/resources/rrset.ts';
import type { Zone } from '../../config/resources/zone.ts';
import type { RRsets } from '../../config/rrset-map.ts';
import { API_OWNER, type ApiCollection, type Shelf } from '../collection.ts';
import type { ControlPlane, ZoneRRsets } from '../control-plane.ts';
import { canonicalName, rrsetIdentity } from '../identities.ts';
import { pageOf } from '../page.ts';
import { type ProblemReply, refuse } from '../reply.ts';
import type { Params } from '../route.ts';
import { ZONE_PARAMETER_TEXT } from './zones.ts';

const NO_ENTRIES: RRsets = new Map();

/** `/v1/zones/{zone}/rrsets`; of a zone that lives in a zone file they can be read, but not written. */
export function rrsetCollection(contract: Contract, plane: ControlPlane): ApiCollection<RRset, RRset> {
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
    open: (config, params) => openZone(config, params, plane),
  };
}

/** The apex as the URL names it; canonical where it is a domain name at all. */
function apexOf(params: Params): string {
  const text = params.zone ?? '';
  const apex = canonicalName(text);
  return apex.ok ? apex.value : text;
}

function openZone(config: Config, params: Params, plane: ControlPlane): Shelf<RRset, RRset> | ProblemReply {
  const apex = canonicalName(params.zone ?? '');
  if (!apex.ok) return refuse('bad-parameter', 'The zone is not a domain name.', apex.problems);
  const zone = config.zones.get(apex.value);
  if (zone === undefined) return refuse('not-found', `There is no zone ${apex.value}`);
  return {
    ...(zone.value.kind === 'blob'
      ? fromZoneFile(zone, plane.zoneRRsets(apex.value))
      : fromStore(config.rrsets.get(apex.value) ?? NO_ENTRIES)),
    toValue: (rrset) => rrset,
    toBody: (rrset) => rrset,
    changes: (key, value) => [{ collection: 'rrsets', zone: apex.value, key, owner: API_OWNER, value }],
  };
}

type Contents = Pick<Shelf<RRset, RRset>, 'entries' | 'page'>;

function fromStore(entries: RRsets): Contents {
  return { entries, page: (query) => pageOf(entries, query) };
}

/** Every RRset of a zone file is whose the zone is, and as old. */
function fromZoneFile(zone: Stored<Zone>, rrsets: ZoneRRsets | undefined): Contents {
  const stored = (value: RRset): Stored<RRset> => ({ ...zone, value });
  return {
    entries: {
      get: (key) => {
        const rrset = rrsets?.get(key);
        return rrset === undefined ? undefined : stored(rrset);
      },
    },
    page: async ({ owner, after, limit }) => {
      if (rrsets === undefined || (owner !== undefined && owner !== zone.owner.kind)) return { items: [] };
      const page = await rrsets.page(after, limit);
      const items = page.rrsets.map(stored);
      const last = page.rrsets.at(-1);
      return page.more && last !== undefined ? { items, next: rrsetKey(last.name, last.type) } : { items };
    },
  };
}
