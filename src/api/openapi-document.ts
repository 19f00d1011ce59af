import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { problemSchema } from './answer-schemas.ts';
import { type HttpProblemCode, httpProblems, PROBLEM_MEDIA_TYPE } from './problem-details.ts';
import { type Answer, type HeaderText, isWrite, type Route } from './route.ts';

const ALWAYS: readonly HttpProblemCode[] = ['bad-request', 'misdirected-request', 'internal-error'];
const WITH_WRITES: readonly HttpProblemCode[] = ['unauthorized', 'cross-origin', 'too-many-failures'];

/** Headers that a refusal brings along. */
const refusalHeaders: Readonly<Partial<Record<HttpProblemCode, HeaderText>>> = {
  unauthorized: { name: 'WWW-Authenticate', description: 'Bearer.' },
  'too-many-failures': { name: 'Retry-After', description: 'Seconds.' },
  overloaded: { name: 'Retry-After', description: 'Seconds.' },
};

type Responses = RouteConfig['responses'];

/** The OpenAPI 3.1 document of the routes, from the very schemas that check requests. */
export function openApiDocument(routes: readonly Route[], version: string): unknown {
  const registry = new OpenAPIRegistry();
  const problem = problemDetailsSchema();
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  for (const route of routes) registry.registerPath(pathOf(route, problem));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Meridian',
      version,
      description:
        'The administration of one node. Refusals are problem+json (RFC 9457) with every reason at once.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
  });
}

function pathOf(route: Route, problem: z.ZodType): RouteConfig {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  const params = names.map((name) => ({ name, description: route.parameters?.[name] ?? '' }));
  return {
    method: route.method,
    path: route.path,
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    // The empty requirement: on loopback, without a token, writes need none.
    ...(isWrite(route.method) ? { security: [{ bearer: [] }, {}] } : {}),
    request: {
      ...(params.length > 0 ? { params: textFields(params, false) } : {}),
      ...(route.query === undefined ? {} : { query: route.query }),
      ...(route.headers === undefined ? {} : { headers: textFields(route.headers, true) }),
      ...(route.body === undefined ? {} : { body: bodyOf(route.body) }),
    },
    responses: { ...answersOf(route.answers), ...refusalsOf(route, problem) },
  };
}

function bodyOf(body: NonNullable<Route['body']>): NonNullable<NonNullable<RouteConfig['request']>['body']> {
  const content = Object.fromEntries(
    body.mediaTypes.map((mediaType) => [mediaType, { schema: body.schema }]),
  );
  return { content, required: true };
}

function answersOf(answers: readonly Answer[]): Responses {
  return Object.fromEntries(
    answers.map(({ status, description, mediaType, schema, headers }) => [
      status,
      {
        description,
        ...(mediaType === undefined || schema === undefined ? {} : { content: { [mediaType]: { schema } } }),
        ...(headers === undefined ? {} : { headers: textFields(headers, false) }),
      },
    ]),
  );
}

/** One response for each status; several codes may share one. */
function refusalsOf(route: Route, problem: z.ZodType): Responses {
  const codes = new Set([...ALWAYS, ...(isWrite(route.method) ? WITH_WRITES : []), ...route.refusals]);
  const byStatus = Map.groupBy(codes, (code) => httpProblems[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => {
      const headers = group.flatMap((code) => refusalHeaders[code] ?? []);
      return [
        status,
        {
          description: group.map((code) => `${code}: ${httpProblems[code].title}.`).join(' '),
          content: { [PROBLEM_MEDIA_TYPE]: { schema: problem } },
          ...(headers.length > 0 ? { headers: textFields(headers, false) } : {}),
        },
      ];
    }),
  );
}

function textFields(fields: readonly HeaderText[], optional: boolean): z.ZodObject {
  return z.object(
    Object.fromEntries(
      fields.map(({ name, description }) => {
        const field = z.string().meta({ description });
        return [name, optional ? field.optional() : field];
      }),
    ),
  );
}

function problemDetailsSchema(): z.ZodType {
  return z
    .object({
      type: z.string().meta({ description: '`urn:meridian:problem:` and the code.' }),
      title: z.string(),
      status: z.int(),
      detail: z.string(),
      instance: z.string(),
      code: z.enum(Object.keys(httpProblems)),
      problems: z.array(problemSchema),
    })
    .meta({ id: 'ProblemDetails' });
}
