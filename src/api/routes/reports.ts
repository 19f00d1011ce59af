import { z } from 'zod';
import { parseBody } from '../../config/contract.ts';
import { leaseSeconds } from '../../config/resources/push-monitor.ts';
import { pushSources } from '../../health/push-sources.ts';
import { bearerToken } from '../authorise.ts';
import type { ControlPlane, EndpointReport } from '../control-plane.ts';
import { sourcesOfToken } from '../push-tokens.ts';
import { JSON_MEDIA_TYPE, json, type Reply, refuse } from '../reply.ts';
import type { ApiRequest, Route } from '../route.ts';

/** A report is a few numbers and a sentence. */
const MAX_REPORT_BYTES = 4096;

const reportSchema: z.ZodType<EndpointReport> = z
  .strictObject({
    up: z.boolean(),
    /** Why, for people. */
    reason: z.string().max(200).optional(),
    /** How much the endpoint has to do, in the units of its capacity. */
    load: z.number().min(0).optional(),
    capacity: z.number().positive().optional(),
    /** How long the report counts; the monitor's own lease without it. */
    leaseSeconds: leaseSeconds.optional(),
  })
  .meta({ id: 'EndpointReport' });

const takenSchema = z
  .object({ leases: z.array(z.object({ key: z.string(), endsAt: z.iso.datetime() })) })
  .meta({ id: 'EndpointReportTaken' });

/** `/v1/pools/{pool}/endpoints/{endpoint}/report`: an endpoint, or whoever speaks for it, says how it is. */
export function reportRoute(plane: ControlPlane): Route {
  return {
    method: 'put',
    path: '/v1/pools/{pool}/endpoints/{endpoint}/report',
    operationId: 'reportEndpoint',
    tag: 'pools',
    summary:
      'Report the state and load of an endpoint whose monitor is of kind push; silence counts as failure.',
    parameters: { pool: 'Name of the pool.', endpoint: 'Name of the endpoint within its pool.' },
    body: { schema: reportSchema, mediaTypes: [JSON_MEDIA_TYPE], maxBytes: MAX_REPORT_BYTES },
    answers: [
      {
        status: 200,
        description: 'The report counts until the leases end.',
        mediaType: JSON_MEDIA_TYPE,
        schema: takenSchema,
      },
    ],
    refusals: ['not-found', 'not-valid', 'too-many-reports'],
    run: (request) => report(plane, request),
  };
}

function report(plane: ControlPlane, request: ApiRequest): Reply {
  const { pool = '', endpoint = '' } = request.params;
  const name = `${pool}/${endpoint}`;
  const sources = pushSources(plane.config, pool, endpoint);
  if (sources === undefined) return refuse('not-found', `There is no endpoint ${name}.`);
  if (sources.length === 0)
    return refuse('not-valid', `No monitor of kind push waits for reports of the endpoint ${name}.`);
  const parsed = parseBody(reportSchema, request.body, `pools/${pool}/endpoints/${endpoint}/report`);
  if (!parsed.ok) return refuse('not-valid', 'The report is not as it should be.', parsed.problems);
  const outcome = plane.report(permitted(sources, request), parsed.value);
  if (outcome.kind === 'taken') return json({ leases: outcome.leases });
  const seconds = Math.max(1, Math.ceil(outcome.waitMs / 1000));
  return refuse(
    'too-many-reports',
    `The endpoint ${name} reports too often; report again in ${seconds} s.`,
    [],
    {
      'Retry-After': String(seconds),
    },
  );
}

/** A push token allows what it is for; whoever came here otherwise may write everything. */
function permitted(sources: ReturnType<typeof sourcesOfToken>, request: ApiRequest): typeof sources {
  const token = bearerToken(request.header('authorization'));
  const allowed = token === undefined ? [] : sourcesOfToken(sources, token);
  return allowed.length > 0 ? allowed : sources;
}
