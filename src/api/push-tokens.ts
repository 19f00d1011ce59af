import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config/model.ts';
import { type PushSource, pushSources } from '../health/push-sources.ts';

/** Names of resources need no escapes, and what is written otherwise is no report. */
const REPORT_PATH = /^\/v1\/pools\/([a-z0-9-]{1,63})\/endpoints\/([a-z0-9-]{1,63})\/report$/;

/**
 * Whether a token that is not the node's allows a write all the same: the report of an endpoint whose push monitor has
 * the token's digest, and nothing else.
 */
export function allowsReport(config: Config, method: string, path: string, token: string): boolean {
  if (method !== 'PUT') return false;
  const [, pool, endpoint] = REPORT_PATH.exec(path) ?? [];
  if (pool === undefined || endpoint === undefined) return false;
  return sourcesOfToken(pushSources(config, pool, endpoint) ?? [], token).length > 0;
}

/** The sources whose push token this is. */
export function sourcesOfToken(sources: readonly PushSource[], token: string): readonly PushSource[] {
  const digest = createHash('sha256').update(token).digest();
  return sources.filter(({ settings: { tokenHash } }) => {
    const expected = tokenHash === undefined ? undefined : Buffer.from(tokenHash, 'hex');
    return expected?.length === digest.length && timingSafeEqual(digest, expected);
  });
}
