import type { IRouter, Request, RequestHandler } from 'express';
import { readBody } from './read-body.ts';
import { refuse, sendReply } from './reply.ts';
import type { ApiRequest, Params, Route } from './route.ts';

/** Puts routes into an Express router; a path answers every other method with 405 and what it allows. */
export function mountRoutes(router: IRouter, routes: readonly Route[]): void {
  const byPath = Map.groupBy(routes, (route) => route.path);
  for (const [path, operations] of byPath) {
    const at = router.route(expressPath(path));
    for (const operation of operations) {
      at[operation.method](...bodyReader(operation), run(operation));
    }
    at.all(refuseMethod(operations));
  }
}

function bodyReader({ body }: Route): readonly RequestHandler[] {
  return body === undefined ? [] : readBody(body.mediaTypes, body.maxBytes);
}

/** `/v1/pools/{pool}` of OpenAPI is `/v1/pools/:pool` of Express. */
function expressPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

function run(route: Route): RequestHandler {
  return async (request, response) => {
    const reply = await route.run(apiRequest(request));
    // What is shown is state: a cache has to ask again, and does so with the ETag.
    response.set('Cache-Control', 'no-cache');
    // Express answers HEAD by the GET route; a stream to HEAD would have no body and no end.
    if (reply.kind === 'stream' && request.method === 'HEAD') response.end();
    else sendReply(response, reply, request.path);
  };
}

function apiRequest(request: Request): ApiRequest {
  return {
    params: textParams(request.params),
    query: request.query,
    header: (name) => request.get(name),
    sender: request.socket.remoteAddress,
    body: request.body,
  };
}

function textParams(params: Request['params']): Params {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
}

function refuseMethod(operations: readonly Route[]): RequestHandler {
  const methods = operations.map((route) => route.method.toUpperCase());
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  return (request, response) => {
    if (request.method === 'OPTIONS') {
      response.status(204).set('Allow', allow).end();
      return;
    }
    const detail = `${request.method} is not among the methods of ${request.path}: ${allow}.`;
    sendReply(response, refuse('method-not-allowed', detail, [], { Allow: allow }), request.path);
  };
}
