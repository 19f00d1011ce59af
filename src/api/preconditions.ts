import { type ProblemReply, refuse } from './reply.ts';
import type { ApiRequest } from './route.ts';

/** The strong entity tag (RFC 9110 section 8.8.3) of a stored resource. */
export function entityTag(revision: string): string {
  // Revisions are opaque; what an entity tag cannot hold is escaped.
  return `"${encodeURIComponent(revision)}"`;
}

/**
 * Checks If-Match and If-None-Match (RFC 9110 section 13.1) against the resource's revision, undefined where
 * there is none. Returns the refusal, or undefined where the write may go on.
 */
export function refusePrecondition(
  request: ApiRequest,
  revision: string | undefined,
): ProblemReply | undefined {
  const ifMatch = request.header('if-match');
  if (ifMatch !== undefined && !matches(ifMatch, revision)) {
    const state = revision === undefined ? 'does not exist' : 'has changed since it was read';
    return refuse('precondition-failed', `The resource ${state}; read it again and repeat the write.`);
  }
  const ifNoneMatch = request.header('if-none-match');
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, revision)) {
    return refuse('precondition-failed', 'The resource exists, and If-None-Match asks that it does not.');
  }
  return undefined;
}

/** Strong comparison: a weak tag (`W/"…"`) never matches. */
function matches(header: string, revision: string | undefined): boolean {
  if (revision === undefined) return false;
  if (header.trim() === '*') return true;
  const own = entityTag(revision);
  return header.split(',').some((tag) => tag.trim() === own);
}
