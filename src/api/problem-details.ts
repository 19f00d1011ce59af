import type { Problem } from '../config/problem.ts';

/** RFC 9457 section 3. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** Most problems told in one answer, so that a hostile body cannot make the answer larger than itself. */
export const MAX_PROBLEMS_TOLD = 1000;

/**
 * Every way in which the API refuses, with its status (RFC 9110 section 15) and a title that never varies.
 * Clients match on the code; it is also the end of the problem type's URI.
 */
export const httpProblems = {
  'bad-request': { status: 400, title: 'The request cannot be read' },
  'malformed-json': { status: 400, title: 'The body is not acceptable JSON' },
  'bad-parameter': { status: 400, title: 'A parameter of the request is not valid' },
  unauthorized: { status: 401, title: 'A bearer token is needed' },
  'cross-origin': { status: 403, title: 'Writes from another origin are refused' },
  'forbidden-path': { status: 403, title: 'The path is refused' },
  'not-found': { status: 404, title: 'There is no such resource' },
  'method-not-allowed': { status: 405, title: 'The resource has no such method' },
  'already-exists': { status: 409, title: 'The resource exists already' },
  'owned-by-directory': { status: 409, title: 'The resource belongs to the configuration directory' },
  'precondition-failed': { status: 412, title: 'The resource is not in the state the request asks for' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'wrong-content-type': { status: 415, title: 'The body has the wrong content type' },
  'misdirected-request': { status: 421, title: 'The Host header names another server' },
  'not-valid': { status: 422, title: 'The write would make the configuration wrong' },
  'too-many-reports': { status: 429, title: 'The endpoint reports too often' },
  'too-many-measurements': { status: 429, title: 'Measurements come faster than they are taken' },
  'too-many-failures': { status: 429, title: 'Too many failed authentications' },
  'internal-error': { status: 500, title: 'The server has met an unexpected condition' },
  overloaded: { status: 503, title: 'The server has too much to do' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type HttpProblemCode = keyof typeof httpProblems;

/** The body of every refusal (RFC 9457), with all reasons at once. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: HttpProblemCode;
  readonly problems: readonly Problem[];
}

/** Makes the body; the type's URI is a stable name and leads nowhere. */
export function problemDetails(
  code: HttpProblemCode,
  detail: string,
  problems: readonly Problem[],
  instance: string,
): ProblemDetails {
  const { status, title } = httpProblems[code];
  return {
    type: `urn:meridian:problem:${code}`,
    title,
    status,
    detail,
    instance,
    code,
    problems: problems.slice(0, MAX_PROBLEMS_TOLD),
  };
}
