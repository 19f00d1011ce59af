import { isIP } from 'node:net';
import type { RequestHandler } from 'express';
import { refuse, sendReply } from './reply.ts';
import { isWrite } from './route.ts';

/**
 * A name in the Host header that is not ours means: a foreign page has made its own name point here (DNS
 * rebinding). Addresses and localhost cannot be made to, so they pass, and so do the operator's own names.
 */
export function guardHost(hostNames: readonly string[]): RequestHandler {
  const own = new Set(['localhost', ...hostNames.map((name) => name.toLowerCase())]);
  return (request, response, next) => {
    const host = hostOf(request.headers.host ?? '');
    if (own.has(host) || isIP(host) !== 0) {
      next();
      return;
    }
    const detail = 'Use an address or localhost as the host; without a token no other name is answered.';
    sendReply(response, refuse('misdirected-request', detail), request.path);
  };
}

/**
 * Refuses writes that a browser sends on behalf of another origin (cross-site request forgery). Browsers send
 * Origin with every write and Sec-Fetch-Site with every request to a trustworthy host; other clients send neither.
 */
export function guardOrigin(): RequestHandler {
  return (request, response, next) => {
    const site = request.headers['sec-fetch-site'];
    const fetchedHere = site === undefined || site === 'same-origin' || site === 'none';
    const origin = request.headers.origin;
    const sentHere = origin === undefined || isOwnOrigin(origin, request.headers.host ?? '');
    if (!isWrite(request.method) || (fetchedHere && sentHere)) {
      next();
      return;
    }
    const detail = 'A page of another origin asked for this write; open the dashboard of this very node.';
    sendReply(response, refuse('cross-origin', detail), request.path);
  };
}

/** The host of a Host header, without port, brackets and a final dot, in lower case. */
export function hostOf(header: string): string {
  const host = /^\[([^\]]*)\](?::\d*)?$/.exec(header) ?? /^([^:]*)(?::\d*)?$/.exec(header);
  return (host?.[1] ?? '').toLowerCase().replace(/\.$/, '');
}

/** The scheme is not compared: a proxy may end TLS before us. `null`, the origin of a sandbox, is never ours. */
function isOwnOrigin(origin: string, host: string): boolean {
  const own = /^https?:\/\/(.+)$/i.exec(origin)?.[1];
  return own !== undefined && own.toLowerCase() === host.toLowerCase();
}
