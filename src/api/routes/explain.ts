import { z } from 'zod';
import { explain } from '../../answer/explain.ts';
import { parseBody } from '../../config/contract.ts';
import type { Problem } from '../../config/problem.ts';
import { parseAddress, parsePrefix } from '../../dns/address.ts';
import { explanationSchema } from '../answer-schemas.ts';
import type { ControlPlane, ExplainQuestion } from '../control-plane.ts';
import { canonicalName, canonicalType } from '../identities.ts';
import { JSON_MEDIA_TYPE, json, type Reply, refuseParameters } from '../reply.ts';
import type { ApiRequest, Route } from '../route.ts';

const DEFAULT_RESOLVER = '127.0.0.1';
const MAX_NAME_TEXT_LENGTH = 1016;
const MAX_ADDRESS_TEXT_LENGTH = 64;

const explainQuery = z.strictObject({
  name: z.string().min(1).max(MAX_NAME_TEXT_LENGTH).meta({ description: 'The name asked for, absolute.' }),
  type: z.string().min(1).max(20).default('A').meta({ description: 'The record type asked for.' }),
  client: z
    .string()
    .max(MAX_ADDRESS_TEXT_LENGTH)
    .optional()
    .meta({ description: 'Address or prefix of the client, sent as EDNS client subnet.' }),
  resolver: z
    .string()
    .max(MAX_ADDRESS_TEXT_LENGTH)
    .default(DEFAULT_RESOLVER)
    .meta({ description: 'Address that the query comes from.' }),
});

/** `/v1/explain`: why a query gets the answer it gets, by the code that answers packets. */
export function explainRoute(plane: ControlPlane): Route {
  return {
    method: 'get',
    path: '/v1/explain',
    operationId: 'explain',
    tag: 'state',
    summary: 'Why a query gets the answer it gets, step by step.',
    query: explainQuery,
    answers: [
      { status: 200, description: 'The decision.', mediaType: JSON_MEDIA_TYPE, schema: explanationSchema },
    ],
    refusals: ['bad-parameter'],
    run: (request) => explainRequest(plane, request),
  };
}

function explainRequest(plane: ControlPlane, request: ApiRequest): Reply {
  const query = parseBody(explainQuery, request.query, '');
  if (!query.ok) return refuseParameters(query.problems);
  const question = readQuestion(query.value);
  if (Array.isArray(question)) return refuseParameters(question);
  const { config } = plane;
  const decided = plane.decide(question);
  const { geo } = plane.status();
  return json(
    explain({
      ...decided,
      question,
      config,
      health: plane.health(),
      attribution: [geo.attribution, geo.attributionUrl].filter((part) => part !== '').join(', '),
    }),
  );
}

function readQuestion(query: z.infer<typeof explainQuery>): ExplainQuestion | Problem[] {
  const problems: Problem[] = [];
  const name = canonicalName(query.name);
  if (!name.ok) problems.push(...name.problems);
  const type = canonicalType(query.type);
  if (!type.ok) problems.push(...type.problems);
  const { resolver, client } = query;
  if (parseAddress(resolver) === undefined) problems.push(notAnAddress('resolver', resolver, 'an address'));
  if (client !== undefined && parseAddress(client) === undefined && parsePrefix(client) === undefined) {
    problems.push(notAnAddress('client', client, 'an address or a prefix'));
  }
  if (!name.ok || !type.ok || problems.length > 0) return problems;
  return { name: name.value, type: type.value, client, resolver };
}

function notAnAddress(path: string, text: string, wanted: string): Problem {
  return { code: 'invalid-value', path, message: `${JSON.stringify(text)} is not ${wanted}.` };
}
