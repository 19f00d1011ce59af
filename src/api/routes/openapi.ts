import { z } from 'zod';
import { openApiDocument } from '../openapi-document.ts';
import { JSON_MEDIA_TYPE, json } from '../reply.ts';
import type { Route } from '../route.ts';

/** `/v1/openapi.json`: the document of all given routes and of itself. */
export function openApiRoute(others: readonly Route[], version: string): Route {
  let document: unknown;
  const route: Route = {
    method: 'get',
    path: '/v1/openapi.json',
    operationId: 'readOpenApi',
    tag: 'state',
    summary: 'This document (OpenAPI 3.1).',
    answers: [
      {
        status: 200,
        description: 'The document.',
        mediaType: JSON_MEDIA_TYPE,
        schema: z.record(z.string(), z.unknown()),
      },
    ],
    refusals: [],
    run: () => {
      // Made once, when first asked for: it takes tens of milliseconds.
      document ??= openApiDocument([...others, route], version);
      return json(document);
    },
  };
  return route;
}
