import { timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { digestOf } from './push-tokens.ts';
import { refuse, sendReply } from './reply.ts';
import { isWrite } from './route.ts';

/** Wrong tokens from one address in one window; more are refused unseen, so that tokens cannot be guessed. */
export const MAX_FAILED_AUTHENTICATIONS = 20;
const FAILURE_WINDOW_MS = 60_000;

/** Addresses of one IPv6 customer count as one: /56 is what a customer commonly gets. */
const IPV6_CUSTOMER_PREFIX_LENGTH = 56;

/** Whether a token that is not the node's allows one write all the same. */
export type OtherAllowance = (method: string, path: string, token: string) => boolean;

/**
 * Lets writes pass that carry the token, or one that `allowance` knows. `token` undefined lets none of the first pass.
 * Reads always pass.
 * Only wrong tokens count as failures: a page that has none yet cannot lock its operator out.
 */
export function authorise(token: string | undefined, allowance: OtherAllowance): RequestHandler {
  const expected = token === undefined ? undefined : digestOf(token);
  const failures = rateLimit({
    windowMs: FAILURE_WINDOW_MS,
    limit: MAX_FAILED_AUTHENTICATIONS,
    standardHeaders: false,
    legacyHeaders: false,
    keyGenerator: keyOf,
    // Reached only by failures that arrive together; those that come later are refused before they are compared.
    handler: (request, response) => refuseTooMany(request, response, undefined),
    // The peer's own address counts; what a proxy says of another is not believed, and need not be complained of.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
  });

  return async (request, response, next) => {
    if (!isWrite(request.method)) {
      next();
      return;
    }
    const client = await failures.getKey(keyOf(request));
    if (client !== undefined && client.totalHits >= MAX_FAILED_AUTHENTICATIONS) {
      refuseTooMany(request, response, client.resetTime);
      return;
    }
    const given = bearerToken(request.headers.authorization);
    if (given !== undefined && expected !== undefined && timingSafeEqual(digestOf(given), expected)) {
      next();
      return;
    }
    if (given !== undefined && allowance(request.method, request.path, given)) {
      next();
      return;
    }
    if (given === undefined) refuseUnauthorized(request, response, expected !== undefined);
    else
      await failures(request, response, () => refuseUnauthorized(request, response, expected !== undefined));
  };
}

/** RFC 6750 section 2.1; undefined where the header is missing or of another scheme. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
}

function keyOf(request: Request): string {
  return ipKeyGenerator(request.ip ?? '', IPV6_CUSTOMER_PREFIX_LENGTH);
}

function refuseUnauthorized(request: Request, response: Response, configured: boolean): void {
  const detail = configured
    ? 'Send the token of this node as "Authorization: Bearer TOKEN".'
    : 'This node has no token, so that nothing may be written to it from beyond loopback; configure one.';
  const headers = { 'WWW-Authenticate': 'Bearer realm="meridian"' };
  sendReply(response, refuse('unauthorized', detail, [], headers), request.path);
}

function refuseTooMany(request: Request, response: Response, resetTime: Date | undefined): void {
  const waitMs = resetTime === undefined ? FAILURE_WINDOW_MS : resetTime.getTime() - Date.now();
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  const detail = `Too many wrong tokens came from this address; try again in ${seconds} seconds.`;
  const headers = { 'Retry-After': String(seconds) };
  sendReply(response, refuse('too-many-failures', detail, [], headers), request.path);
}
