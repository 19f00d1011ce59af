import { z } from 'zod';
import { parseBody } from '../../config/contract.ts';
import {
  MAX_TRAFFIC_ENTRIES,
  MAX_TRAFFIC_MINUTES,
  MAX_TRAFFIC_PREFIXES,
  type PrefixReport,
  type PrefixTraffic,
  type TrafficReport,
  type TrafficSource,
} from '../../observe/traffic/traffic-report.ts';
import { canonicalName } from '../identities.ts';
import { JSON_MEDIA_TYPE, json, type Reply, refuse, refuseParameters, text } from '../reply.ts';
import type { ApiRequest, Route } from '../route.ts';

const MAX_NAME_TEXT_LENGTH = 1016;
const MAX_DATA_CENTER_TEXT_LENGTH = 63;

const minutes = z.coerce
  .number()
  .int()
  .min(1)
  .max(MAX_TRAFFIC_MINUTES)
  .default(MAX_TRAFFIC_MINUTES)
  .meta({ description: 'The last so many minutes, the one under way among them.' });

const trafficQuery = z.strictObject({
  minutes,
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_TRAFFIC_ENTRIES)
    .default(10)
    .meta({ description: 'Most entries of each list.' }),
  name: z
    .string()
    .min(1)
    .max(MAX_NAME_TEXT_LENGTH)
    .optional()
    .meta({ description: 'Only this name, in `names` and `nameDataCenters`.' }),
  dataCenter: z
    .string()
    .min(1)
    .max(MAX_DATA_CENTER_TEXT_LENGTH)
    .optional()
    .meta({ description: 'Only this data center, in `dataCenters` and `nameDataCenters`.' }),
});

const prefixQuery = z.strictObject({
  minutes,
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_TRAFFIC_PREFIXES)
    .default(1000)
    .meta({ description: 'Most prefixes in the answer.' }),
  of: z.enum(['clients', 'resolvers']).default('clients').meta({
    description: 'Located clients of steered names, or whoever sent the packets.',
  }),
});

const estimate = {
  queries: z.int().meta({ description: 'Estimated from samples; some may be missing.' }),
  missingAtMost: z
    .int()
    .meta({ description: 'So many more it may be, because only the heaviest entries are kept.' }),
  samplingError: z
    .int()
    .meta({ description: 'The true number lies within this, 19 times in 20; 0 when all are sampled.' }),
};

const span = {
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  sampling: z.object({ every: z.int(), samples: z.int(), dropped: z.int() }),
  total: z.object(estimate),
};

const prefixTraffic: z.ZodType<PrefixTraffic> = z
  .object({ prefix: z.string(), ...estimate })
  .meta({ id: 'PrefixTraffic' });

const trafficReport: z.ZodType<TrafficReport> = z
  .object({
    ...span,
    names: z.array(z.object({ name: z.string(), steered: z.boolean(), ...estimate })),
    clients: z.array(prefixTraffic),
    resolvers: z.array(prefixTraffic),
    dataCenters: z.array(z.object({ dataCenter: z.string(), share: z.number(), ...estimate })),
    nameDataCenters: z.array(z.object({ name: z.string(), dataCenter: z.string(), ...estimate })),
  })
  .meta({ id: 'TrafficReport' });

const prefixReport: z.ZodType<PrefixReport> = z
  .object({ ...span, counted: z.object(estimate), items: z.array(prefixTraffic) })
  .meta({ id: 'PrefixReport' });

/** `/v1/traffic`: what this node was asked lately, estimated from samples. */
export function trafficRoutes(source: TrafficSource | undefined): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/v1/traffic',
      operationId: 'readTraffic',
      tag: 'state',
      summary: 'The heaviest names, clients, resolvers and data centers of up to an hour, from samples.',
      query: trafficQuery,
      answers: [
        { status: 200, description: 'The traffic.', mediaType: JSON_MEDIA_TYPE, schema: trafficReport },
      ],
      refusals: ['bad-parameter', 'not-found'],
      run: (request) => trafficRequest(source, request),
    },
    {
      method: 'get',
      path: '/v1/traffic/prefixes',
      operationId: 'listTrafficPrefixes',
      tag: 'state',
      summary: 'Client prefixes with their queries: weights for what-if questions.',
      query: prefixQuery,
      answers: [
        { status: 200, description: 'The prefixes.', mediaType: JSON_MEDIA_TYPE, schema: prefixReport },
      ],
      refusals: ['bad-parameter', 'not-found'],
      run: (request) => prefixRequest(source, request, (report) => json(report)),
    },
    {
      method: 'get',
      path: '/v1/traffic/prefixes.csv',
      operationId: 'exportTrafficPrefixes',
      tag: 'state',
      summary: 'The same as comma-separated values, with a line of column names.',
      query: prefixQuery,
      answers: [{ status: 200, description: 'The prefixes.', mediaType: 'text/csv', schema: z.string() }],
      refusals: ['bad-parameter', 'not-found'],
      run: (request) => prefixRequest(source, request, (report) => text('text/csv', csvOf(report.items))),
    },
  ];
}

function trafficRequest(source: TrafficSource | undefined, request: ApiRequest): Reply {
  const query = parseBody(trafficQuery, request.query, '');
  if (!query.ok) return refuseParameters(query.problems);
  const { minutes, limit, dataCenter } = query.value;
  const name = query.value.name === undefined ? undefined : canonicalName(query.value.name);
  if (name?.ok === false) return refuseParameters(name.problems);
  if (source === undefined) return notSampled();
  return json(source.traffic({ minutes, limit, name: name?.value, dataCenter }));
}

function prefixRequest(
  source: TrafficSource | undefined,
  request: ApiRequest,
  reply: (report: PrefixReport) => Reply,
): Reply {
  const query = parseBody(prefixQuery, request.query, '');
  if (!query.ok) return refuseParameters(query.problems);
  return source === undefined ? notSampled() : reply(source.prefixes(query.value));
}

function csvOf(items: readonly PrefixTraffic[]): string {
  const lines = items.map(
    ({ prefix, queries, missingAtMost, samplingError }) =>
      `${prefix},${queries},${missingAtMost},${samplingError}\n`,
  );
  return `prefix,queries,missing_at_most,sampling_error\n${lines.join('')}`;
}

function notSampled(): Reply {
  return refuse(
    'not-found',
    'This node samples no queries (--sample 0), so it has no figures of its traffic.',
  );
}
