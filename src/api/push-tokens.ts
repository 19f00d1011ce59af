import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config/model.ts';
import { policyTrees } from '../config/policy-trees.ts';
import { type PushSource, pushSources } from '../health/push-sources.ts';
import { latencyTokenHashes } from '../steering/fill-measured.ts';

/** Names of resources need no escapes, and what is written otherwise is no report. */
const REPORT_PATH = /^\/v1\/pools\/([a-z0-9-]{1,63})\/endpoints\/([a-z0-9-]{1,63})\/report$/;

export const MEASUREMENTS_PATH = '/v1/latency/measurements';

/**
 * Whether a token that is not the node's allows a write all the same: the report of an endpoint whose push monitor has
 * the token's digest, or measurements where a policy that ranks by latency has it; nothing else.
 */
export function allowsPush(config: Config, method: string, path: string, token: string): boolean {
  if (method === 'POST' && path === MEASUREMENTS_PATH) return allowsMeasurements(config, token);
  return allowsReport(config, method, path, token);
}

function allowsMeasurements(config: Config, token: string): boolean {
  const digest = digestOf(token);
  return [...policyTrees(config).values()]
    .flatMap((tree) => latencyTokenHashes(tree))
    .some((hash) => isDigest(hash, digest));
}

function allowsReport(config: Config, method: string, path: string, token: string): boolean {
  if (method !== 'PUT') return false;
  const [, pool, endpoint] = REPORT_PATH.exec(path) ?? [];
  if (pool === undefined || endpoint === undefined) return false;
  return sourcesOfToken(pushSources(config, pool, endpoint) ?? [], token).length > 0;
}

/** The sources whose push token this is. */
export function sourcesOfToken(sources: readonly PushSource[], token: string): readonly PushSource[] {
  const digest = digestOf(token);
  return sources.filter(
    ({ settings: { tokenHash } }) => tokenHash !== undefined && isDigest(tokenHash, digest),
  );
}

/** Digests have one length, as the comparison needs, and tell nothing of the token's. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function isDigest(hash: string, digest: Buffer): boolean {
  const expected = Buffer.from(hash, 'hex');
  return expected.length === digest.length && timingSafeEqual(digest, expected);
}
