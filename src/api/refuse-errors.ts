import type { ErrorRequestHandler } from 'express';
import type { HttpProblemCode } from './problem-details.ts';
import { MAX_BODY_BYTES } from './read-body.ts';
import { type ProblemReply, refuse, sendReply } from './reply.ts';

/** Where the API writes what an operator has to see. */
export type Log = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

/** The outermost error function: what the readers of requests refuse is told, what is a bug is logged and hidden. */
export function refuseErrors(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const known = refusalOf(error);
    if (known === undefined)
      log('error', 'request failed', { method: request.method, path: request.path, err: error });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const hidden = 'The reason is in the log of this node.';
    sendReply(response, known ?? refuse('internal-error', hidden), request.path);
  };
}

/** The errors that Express and its readers of bodies and files throw on bad requests, by their stable `type`. */
function refusalOf(error: unknown): ProblemReply | undefined {
  if (!(error instanceof Error)) return undefined;
  switch ('type' in error ? error.type : undefined) {
    case 'entity.too.large':
      return refuse('body-too-large', `The body is larger than ${limitOf(error)} octets.`);
    case 'entity.parse.failed':
      return refuse('malformed-json', `The body is not JSON: ${error.message}`);
    case 'encoding.unsupported':
      return refuse('wrong-content-type', 'The body must not be compressed.');
    case 'charset.unsupported':
      return refuse('wrong-content-type', 'The body must be UTF-8.');
  }
  const status = 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status in byStatus
    ? refuse(...(byStatus[status] ?? UNREADABLE))
    : undefined;
}

/** Some routes take less than the others. */
function limitOf(error: Error): number {
  return 'limit' in error && typeof error.limit === 'number' ? error.limit : MAX_BODY_BYTES;
}

const UNREADABLE: readonly [HttpProblemCode, string] = ['bad-request', 'The request cannot be read.'];

const byStatus: Readonly<Record<number, readonly [HttpProblemCode, string]>> = {
  400: UNREADABLE,
  403: ['forbidden-path', 'The path leads out of what is served.'],
  404: ['not-found', 'There is no such resource.'],
};
