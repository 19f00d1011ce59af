import { z } from 'zod';
import type { Bodies, Contract } from '../../config/contract.ts';
import { type Zone, zoneSchema } from '../../config/resources/zone.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import type { ControlPlane } from '../control-plane.ts';
import { canonicalName, domainIdentity } from '../identities.ts';
import { type Reply, refuse, text } from '../reply.ts';
import type { ApiRequest, Route } from '../route.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** RFC 4027. */
const ZONE_FILE_MEDIA_TYPE = 'text/dns';

export const ZONE_PARAMETER_TEXT = 'Apex of the zone, with or without the final dot.';

/** A zone as stored; `kind` tells where its records live. */
const zoneValueSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ ...zoneSchema.shape, kind: z.literal('rrsets') }),
    z.strictObject({ kind: z.literal('blob'), name: z.string(), blob: z.string(), rrsetCount: z.int() }),
  ])
  .meta({ id: 'ZoneValue' });

/** `/v1/zones` */
export function zoneCollection(contract: Contract): ApiCollection<Zone, Bodies['zones']> {
  return topLevelCollection<Zone, Bodies['zones']>({
    noun: 'zone',
    one: 'Zone',
    many: 'Zones',
    segment: 'zones',
    parameter: 'zone',
    parameterText: ZONE_PARAMETER_TEXT,
    field: 'name',
    schema: contract.schemas.zones,
    valueSchema: zoneValueSchema,
    identify: domainIdentity,
    collection: 'zones',
    entries: (config) => config.zones,
    toValue: (body) => ({ ...body, kind: 'rrsets' }),
    toBody: withoutKind,
    // A deleted zone takes its RRsets with it.
    changes: (key, value) => [{ collection: 'zones', key, owner: API_OWNER, value }],
  });
}

/** `/v1/zones/{zone}/file`: all records of a zone as zone-file text. */
export function zoneFileRoute(plane: ControlPlane): Route {
  return {
    method: 'get',
    path: '/v1/zones/{zone}/file',
    operationId: 'readZoneFile',
    tag: 'zones',
    summary: 'Reads a zone as zone-file text (RFC 1035 section 5).',
    parameters: { zone: ZONE_PARAMETER_TEXT },
    answers: [
      { status: 200, description: 'One record a line.', mediaType: ZONE_FILE_MEDIA_TYPE, schema: z.string() },
    ],
    refusals: ['bad-parameter', 'not-found'],
    run: (request) => readZoneFile(plane, request),
  };
}

function readZoneFile(plane: ControlPlane, request: ApiRequest): Reply {
  const apex = canonicalName(request.params.zone ?? '');
  if (!apex.ok) return refuse('bad-parameter', 'The zone is not a domain name.', apex.problems);
  const content = plane.zoneText(apex.value);
  if (content === undefined) return refuse('not-found', `There is no zone text of ${apex.value}.`);
  return text(ZONE_FILE_MEDIA_TYPE, content);
}

function withoutKind(zone: Zone): unknown {
  const { kind: _, ...body } = zone;
  return body;
}
