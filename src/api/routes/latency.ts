import { z } from 'zod';
import { parseBody } from '../../config/contract.ts';
import type { Parsed } from '../../config/problem.ts';
import { type Address, normalise, parseAddress } from '../../dns/address.ts';
import { parseCsvBatch, type SentLine } from '../../latency/check-batch.ts';
import type { ClientLatency, LatencySummary } from '../../latency/latency-state.ts';
import { MAX_BATCH_MEASUREMENTS, MAX_MILLISECONDS, MIN_MILLISECONDS } from '../../latency/limits.ts';
import { MEASUREMENTS_PATH } from '../push-tokens.ts';
import { CSV_MEDIA_TYPE } from '../read-body.ts';
import { JSON_MEDIA_TYPE, json, type Reply, refuse } from '../reply.ts';
import type { ApiRequest, Route } from '../route.ts';

/** What the node knows of measured latency, and how it is told. */
export interface LatencySource {
  take(
    lines: readonly SentLine[],
    sender: Address | undefined,
  ):
    | { readonly kind: 'taken'; readonly count: number }
    | { readonly kind: 'refused'; readonly parsed: Extract<Parsed<never>, { readonly ok: false }> }
    | { readonly kind: 'too-many'; readonly waitMs: number };
  /** Counts measurements that could not be read at all. */
  countInvalid(count: number): void;
  summary(): LatencySummary;
  client(address: Address): ClientLatency;
}

const MAX_TEXT_LENGTH = 64;

const batchSchema = z
  .strictObject({
    measurements: z
      .array(
        z.strictObject({
          client: z
            .string()
            .max(MAX_TEXT_LENGTH)
            .meta({ description: 'Address of who measured, or `self` for the sender of the batch.' }),
          dataCenter: z.string().max(MAX_TEXT_LENGTH),
          milliseconds: z
            .number()
            .meta({ description: `The round trip: ${MIN_MILLISECONDS} to ${MAX_MILLISECONDS}.` }),
          atSeconds: z
            .number()
            .optional()
            .meta({ description: 'Seconds since 1970, of the last 24 hours; now where it is missing.' }),
        }),
      )
      .min(1)
      .max(MAX_BATCH_MEASUREMENTS),
  })
  .meta({ id: 'LatencyMeasurements' });

const counts = z.object({ prefix: z.int(), asn: z.int(), country: z.int() });

const groupSchema = z
  .object({
    group: z.string(),
    kind: z.enum(['prefix', 'asn', 'country']),
    unit: z.enum(['round-trip', 'detour']),
    steers: z.boolean(),
    since: z.iso.datetime().optional(),
    why: z.string(),
    dataCenters: z.array(
      z.object({
        dataCenter: z.string(),
        samples: z.int(),
        weight: z.number(),
        medianMilliseconds: z.number(),
        steersBy: z.number().optional(),
        newestAt: z.iso.datetime(),
        why: z.string(),
      }),
    ),
  })
  .meta({ id: 'LatencyGroup' });

const latencySchema = z
  .object({
    groups: counts,
    steering: counts,
    limits: counts,
    sketches: z.int(),
    cells: z.int(),
    measurements: z.object({ taken: z.int(), invalid: z.int(), tooMany: z.int() }),
    newestAt: z.iso.datetime().optional(),
    decidedAt: z.iso.datetime().optional(),
    publishedAt: z.iso.datetime().optional(),
    ranks: z.boolean(),
    client: z
      .object({
        client: z.string(),
        asn: z.int(),
        country: z.string(),
        decidedBy: z.string().nullable(),
        why: z.string(),
        groups: z.array(groupSchema),
      })
      .optional(),
  })
  .meta({ id: 'Latency' });

const latencyQuery = z.strictObject({
  client: z
    .string()
    .max(MAX_TEXT_LENGTH)
    .optional()
    .meta({ description: 'Address of a client: tells what decides for it, and why.' }),
});

const pushQuery = z.strictObject({
  client: z.literal('self').optional().meta({
    description:
      'Takes only measurements of `self`: for what forwards batches of strangers, who must not speak for others.',
  }),
});

/** `/v1/latency`: round-trip times that clients have measured, and what they decide. */
export function latencyRoutes(
  source: LatencySource | undefined,
  clientHeader: string | undefined,
): readonly Route[] {
  if (source === undefined) return [];
  return [
    {
      method: 'get',
      path: '/v1/latency',
      operationId: 'readLatency',
      tag: 'state',
      summary: 'What is known of measured latency; for one client, what decides and why.',
      query: latencyQuery,
      answers: [
        {
          status: 200,
          description: 'All of it, and the client that was asked for.',
          mediaType: JSON_MEDIA_TYPE,
          schema: latencySchema,
        },
      ],
      refusals: ['bad-parameter'],
      run: (request) => readLatency(source, request),
    },
    {
      method: 'post',
      path: MEASUREMENTS_PATH,
      operationId: 'pushMeasurements',
      tag: 'state',
      summary: `Pushes up to ${MAX_BATCH_MEASUREMENTS} round-trip times: all of them or none. CSV has client,dataCenter,milliseconds[,atSeconds].`,
      query: pushQuery,
      body: { schema: batchSchema, mediaTypes: [JSON_MEDIA_TYPE, CSV_MEDIA_TYPE] },
      answers: [
        {
          status: 200,
          description: 'Taken.',
          mediaType: JSON_MEDIA_TYPE,
          schema: z.object({ taken: z.int() }).meta({ id: 'LatencyMeasurementsTaken' }),
        },
      ],
      refusals: [
        'bad-parameter',
        'not-valid',
        'malformed-json',
        'wrong-content-type',
        'body-too-large',
        'too-many-measurements',
      ],
      run: (request) => takeBatch(source, request, clientHeader),
    },
  ];
}

function readLatency(source: LatencySource, request: ApiRequest): Reply {
  const query = parseBody(latencyQuery, request.query, '');
  if (!query.ok) return refuse('bad-parameter', 'A parameter is not as it should be.', query.problems);
  const { client } = query.value;
  if (client === undefined) return json(source.summary());
  const address = addressOf(client);
  if (address === undefined)
    return refuse('bad-parameter', `client: ${JSON.stringify(client)} is not an address.`);
  return json({ ...source.summary(), client: source.client(address) });
}

function takeBatch(source: LatencySource, request: ApiRequest, clientHeader: string | undefined): Reply {
  const query = parseBody(pushQuery, request.query, '');
  if (!query.ok) return refuse('bad-parameter', 'A parameter is not as it should be.', query.problems);
  const read = linesOf(request.body);
  const lines = read.ok && query.value.client === 'self' ? onlySelf(read.value) : read;
  if (!lines.ok) {
    source.countInvalid(1);
    return refuse('not-valid', NOTHING_TAKEN, lines.problems);
  }
  const outcome = source.take(lines.value, senderOf(request, clientHeader));
  switch (outcome.kind) {
    case 'taken':
      return json({ taken: outcome.count });
    case 'refused':
      return refuse('not-valid', NOTHING_TAKEN, outcome.parsed.problems);
    case 'too-many': {
      const seconds = Math.max(1, Math.ceil(outcome.waitMs / 1000));
      const detail = `Measurements come faster than they are taken; send these again in ${seconds} s.`;
      return refuse('too-many-measurements', detail, [], { 'Retry-After': String(seconds) });
    }
  }
}

const NOTHING_TAKEN = 'The batch has mistakes; nothing of it was taken.';

function linesOf(body: unknown): Parsed<readonly SentLine[]> {
  if (typeof body === 'string') return parseCsvBatch(body);
  const batch = parseBody(batchSchema, body, '');
  if (!batch.ok) return batch;
  return {
    ok: true,
    value: batch.value.measurements.map((sent, at) => ({ path: `measurements/${at}`, sent })),
  };
}

function onlySelf(lines: readonly SentLine[]): Parsed<readonly SentLine[]> {
  const others = lines.filter(({ sent }) => sent.client !== 'self');
  if (others.length === 0) return { ok: true, value: lines };
  const problems = others.map(({ path }) => ({
    code: 'invalid-value',
    path: `${path}/client`,
    message: `${path}/client must be self here.`,
  }));
  return { ok: false, problems };
}

/**
 * Who sent the batch. Where a proxy is configured, only its header counts: the last address, which is the one that the
 * proxy itself has seen.
 */
function senderOf(request: ApiRequest, clientHeader: string | undefined): Address | undefined {
  if (clientHeader === undefined) return addressOf(request.sender ?? '');
  return addressOf(request.header(clientHeader)?.split(',').at(-1)?.trim() ?? '');
}

function addressOf(text: string): Address | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : normalise(address);
}
