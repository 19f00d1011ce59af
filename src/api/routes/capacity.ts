import { z } from 'zod';
import { parseBody } from '../../config/contract.ts';
import { capacity, resourceName } from '../../config/resources/fields.ts';
import type { DataCenterCapacity } from '../../health/capacity/capacity-report.ts';
import { notValid } from '../collection-writes.ts';
import { empty, JSON_MEDIA_TYPE, json, type Reply, refuse } from '../reply.ts';
import type { ApiRequest, Route } from '../route.ts';

/** What the node knows of capacities and loads. */
export interface CapacitySource {
  capacity(): readonly DataCenterCapacity[];
  /** False where there is no such data center. */
  report(
    dataCenter: string,
    report: { readonly load: number; readonly capacity?: number | undefined; readonly leaseSeconds: number },
  ): boolean;
}

/** Without another word a report counts for two of the usual intervals between reports. */
const DEFAULT_LEASE_SECONDS = 60;
const MAX_LEASE_SECONDS = 3600;

/** As many as a node follows data centers. */
const MAX_BATCH_REPORTS = 256;

const loadFields = {
  load: z.number().min(0).max(1e15).meta({ description: 'In the units of capacities.' }),
  capacity: capacity
    .optional()
    .meta({ description: 'Takes the place of the configured one while the lease runs.' }),
  leaseSeconds: z
    .int()
    .min(1)
    .max(MAX_LEASE_SECONDS)
    .default(DEFAULT_LEASE_SECONDS)
    .meta({ description: 'How long the report counts.' }),
};

const loadReport = z.strictObject(loadFields).meta({ id: 'LoadReport' });
const loadBatch = z
  .strictObject({
    reports: z
      .array(z.strictObject({ dataCenter: resourceName, ...loadFields }))
      .min(1)
      .max(MAX_BATCH_REPORTS),
  })
  .meta({ id: 'LoadReportBatch' });

const share = z.number().meta({ description: '0 to 1.' });

const capacityItem = z
  .object({
    dataCenter: z.string(),
    state: z.enum(['up', 'down', 'unknown']),
    capacity: z.number().optional(),
    reportedLoad: z.number().optional(),
    reportAgeSeconds: z.int().optional(),
    expectedLoad: z.number().meta({ description: 'What it is given under the present spills.' }),
    ownDemand: z.number().meta({ description: 'What those clients ask for that it is the first choice of.' }),
    room: z.number().optional().meta({ description: 'Capacity less load; negative where it is overloaded.' }),
    homeSpill: share,
    guestSpill: share,
    homeTarget: share,
    guestTarget: share,
    slowStart: share,
    why: z.array(z.string()),
  })
  .meta({ id: 'DataCenterCapacity' });

const BODY_REFUSALS = [
  'not-found',
  'not-valid',
  'malformed-json',
  'wrong-content-type',
  'body-too-large',
] as const;

/** `/v1/capacity` and `/v1/load`: what data centers can take, what they have, and what is passed on because of it. */
export function capacityRoutes(source: CapacitySource | undefined): readonly Route[] {
  if (source === undefined) return [];
  return [
    {
      method: 'get',
      path: '/v1/capacity',
      operationId: 'readCapacity',
      tag: 'state',
      summary: 'Capacity, load and spill of every data center, and why.',
      answers: [
        {
          status: 200,
          description: 'All data centers.',
          mediaType: JSON_MEDIA_TYPE,
          schema: z.object({ items: z.array(capacityItem) }),
        },
      ],
      refusals: [],
      run: () => json({ items: source.capacity() }),
    },
    {
      method: 'put',
      path: '/v1/load/data-centers/{dataCenter}',
      operationId: 'reportLoad',
      tag: 'state',
      summary: 'Reports the load of a data center; it counts until its lease ends.',
      parameters: { dataCenter: 'Name of the data center.' },
      body: { schema: loadReport, mediaTypes: [JSON_MEDIA_TYPE] },
      answers: [{ status: 204, description: 'Taken.' }],
      refusals: [...BODY_REFUSALS],
      run: (request) => reportOne(source, request),
    },
    {
      method: 'post',
      path: '/v1/load',
      operationId: 'reportLoads',
      tag: 'state',
      summary: `Reports the load of up to ${MAX_BATCH_REPORTS} data centers: all of them or none.`,
      body: { schema: loadBatch, mediaTypes: [JSON_MEDIA_TYPE] },
      answers: [{ status: 204, description: 'Taken.' }],
      refusals: [...BODY_REFUSALS],
      run: (request) => reportAll(source, request),
    },
  ];
}

function reportOne(source: CapacitySource, request: ApiRequest): Reply {
  const name = request.params.dataCenter ?? '';
  const body = parseBody(loadReport, request.body, `load/data-centers/${name}`);
  if (!body.ok) return notValid(body.problems);
  return source.report(name, body.value) ? empty() : noDataCenter(name);
}

function reportAll(source: CapacitySource, request: ApiRequest): Reply {
  const body = parseBody(loadBatch, request.body, 'load');
  if (!body.ok) return notValid(body.problems);
  const { reports } = body.value;
  const known = new Set(source.capacity().map(({ dataCenter }) => dataCenter));
  const foreign = reports.find(({ dataCenter }) => !known.has(dataCenter));
  if (foreign !== undefined) return noDataCenter(foreign.dataCenter);
  for (const { dataCenter, ...report } of reports) source.report(dataCenter, report);
  return empty();
}

function noDataCenter(name: string): Reply {
  return refuse('not-found', `There is no data center ${name}.`);
}
