import { formatType, TYPE_A, TYPE_AAAA, TYPE_CNAME } from '../../dns/type.ts';
import { closestZone, parentName } from '../closest-zone.ts';
import type { Stored } from '../model.ts';
import type { Pool } from '../resources/pool.ts';
import type { SteeredName } from '../resources/steered-name.ts';
import type { ZoneShape } from '../zone-shape.ts';
import { checkDomainName } from './domain-names.ts';
import { createReachCheck, type ReachCheck } from './policies.ts';
import { type CheckScope, checkReference, exists, report } from './scope.ts';
import { shapeOf } from './zones.ts';

/** Types that a steered name answers itself. */
const steeredTypes: readonly number[] = [TYPE_A, TYPE_AAAA, TYPE_CNAME];

/** Steered names that lead nowhere, or that stand where their zone cannot answer them. */
export function checkSteeredNames(scope: CheckScope): void {
  const reach = createReachCheck(scope.config);
  for (const [name, stored] of scope.config.steeredNames) {
    const path = `steeredNames/${name}`;
    const { value, owner } = stored;
    checkReference(scope, owner, `${path}/pool`, 'The steered name', 'pools', value.pool);
    checkReference(scope, owner, `${path}/policy`, 'The steered name', 'policies', value.policy);
    checkReach(scope, path, stored, reach);
    if (checkDomainName(scope, owner, `${path}/name`, name)) checkPlace(scope, path, name, stored);
  }
}

/** Whether any client can get an answer at all. */
function checkReach(
  scope: CheckScope,
  path: string,
  { value, owner }: Stored<SteeredName>,
  reach: ReachCheck,
): void {
  const pool = scope.config.pools.get(value.pool)?.value;
  if (pool === undefined) return;
  if (pool.endpoints.length === 0) {
    const message = `The steered name has nothing to answer: its pool "${pool.name}" has no endpoints.`;
    report(scope, owner, 'empty-pool', `${path}/pool`, message);
  } else if (!reach(value.policy, pool)) {
    const message = `The policy "${value.policy}" ranks none of the data centers of the pool "${pool.name}", so nobody would get an answer.`;
    report(scope, owner, 'policy-reaches-no-endpoint', `${path}/policy`, message);
  }
}

function checkPlace(scope: CheckScope, path: string, name: string, stored: Stored<SteeredName>): void {
  const { value, owner } = stored;
  const apex = closestZone(name, (candidate) => exists(scope, 'zones', candidate));
  if (apex === undefined) {
    const message = `The steered name ${name} is in none of our zones; add its zone first.`;
    report(scope, owner, 'outside-every-zone', `${path}/name`, message);
    return;
  }
  const pool = scope.config.pools.get(value.pool)?.value;
  checkCanonicalNames(scope, path, apex, stored, pool);
  const shape = shapeOf(scope, apex);
  if (shape === undefined) return;
  const conflict = steeredConflict(name, apex, shape, pool);
  if (conflict !== undefined) report(scope, owner, conflict.code, `${path}/name`, conflict.message);
}

function checkCanonicalNames(
  scope: CheckScope,
  path: string,
  apex: string,
  { value, owner }: Stored<SteeredName>,
  pool: Pool | undefined,
): void {
  if (pool === undefined || !answersCanonicalNames(pool)) return;
  if (value.name === apex) {
    const message = `The apex ${apex} cannot be a CNAME (RFC 1034 section 3.6.2), but its pool "${pool.name}" has endpoints with a canonicalName.`;
    report(scope, owner, 'cname-at-apex', `${path}/pool`, message);
  }
  if (pool.endpoints.some(({ canonicalName }) => canonicalName === value.name)) {
    const message = `An endpoint of the pool "${pool.name}" has the canonicalName ${value.name}, which is the steered name itself.`;
    report(scope, owner, 'cname-loop', `${path}/pool`, message);
  }
}

/** Why a name cannot be steered where it stands in its zone; undefined where it can. */
export function steeredConflict(
  name: string,
  apex: string,
  shape: ZoneShape,
  pool: Pool | undefined,
): { readonly code: string; readonly message: string } | undefined {
  const cut = cutAbove(name, apex, shape);
  if (cut !== undefined) {
    const message = `The steered name ${name} is at or below ${cut}, which the zone ${apex} delegates to other name servers.`;
    return { code: 'below-zone-cut', message };
  }
  const types = shape.typesAt.get(name);
  if (types === undefined) return undefined;
  const alsoStatic = types.filter((type) => steeredTypes.includes(type));
  if (alsoStatic.length > 0) {
    const list = alsoStatic.map(formatType).join(' and ');
    const message = `The zone ${apex} has ${list} records at ${name} already; delete them, or do not steer the name.`;
    return { code: 'steered-beside-records', message };
  }
  if (name !== apex && pool !== undefined && answersCanonicalNames(pool)) {
    const list = types.map(formatType).join(' and ');
    const message = `The name ${name} would be a CNAME by its pool "${pool.name}" and has ${list} records in the zone ${apex} as well; a CNAME stands alone (RFC 1034 section 3.6.2).`;
    return { code: 'cname-and-other-data', message };
  }
  return undefined;
}

function cutAbove(name: string, apex: string, { cuts }: ZoneShape): string | undefined {
  if (cuts.size === 0) return undefined;
  let candidate: string | undefined = name;
  while (candidate !== undefined && candidate !== apex) {
    if (cuts.has(candidate)) return candidate;
    candidate = parentName(candidate);
  }
  return undefined;
}

function answersCanonicalNames(pool: Pool): boolean {
  return pool.endpoints.some(({ canonicalName }) => canonicalName !== undefined);
}
