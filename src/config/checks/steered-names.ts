import { parseName } from '../../dns/name.ts';
import { formatType, TYPE_A, TYPE_AAAA, TYPE_CNAME } from '../../dns/type.ts';
import { closestZone, parentName } from '../closest-zone.ts';
import type { Config, Stored } from '../model.ts';
import type { Problem } from '../problem.ts';
import type { Pool } from '../resources/pool.ts';
import type { SteeredName } from '../resources/steered-name.ts';
import type { ZoneShape } from '../zone-shape.ts';
import { checkDomainName } from './domain-names.ts';
import { createReachCheck, type ReachCheck } from './policies.ts';
import { type CheckScope, checkReference, exists, onlyWhenChanged, problemAt, report } from './scope.ts';
import { shapeOf } from './zones.ts';

/** Types that a steered name answers itself. */
const steeredTypes: readonly number[] = [TYPE_A, TYPE_AAAA, TYPE_CNAME];

/** Steered names that lead nowhere, or that stand where their zone cannot answer them. */
export function checkSteeredNames(scope: CheckScope): void {
  checkReferences(scope);
  checkApexes(scope);
  checkPlaces(scope);
}

const checkReferences = onlyWhenChanged(
  ['steeredNames', 'pools', 'policies', 'dataCenters'],
  (scope): void => {
    const reach = createReachCheck(scope.config);
    for (const [name, stored] of scope.config.steeredNames) {
      const path = `steeredNames/${name}`;
      const { value, owner } = stored;
      checkReference(scope, owner, `${path}/pool`, 'The steered name', 'pools', value.pool);
      checkReference(scope, owner, `${path}/policy`, 'The steered name', 'policies', value.policy);
      checkReach(scope, path, stored, reach);
      checkDomainName(scope, owner, `${path}/name`, name);
    }
  },
);

/** What a steered name's zone decides before its records do. */
const checkApexes = onlyWhenChanged(['steeredNames', 'pools', 'zones'], (scope): void => {
  for (const [name, stored] of scope.config.steeredNames) {
    if (!parseName(name).ok) continue;
    const path = `steeredNames/${name}`;
    const apex = closestZone(name, (candidate) => exists(scope, 'zones', candidate));
    if (apex === undefined) {
      const message = `The steered name ${name} is in none of our zones; add its zone first.`;
      report(scope, stored.owner, 'outside-every-zone', `${path}/name`, message);
    } else {
      checkCanonicalNames(scope, path, apex, stored, scope.config.pools.get(stored.value.pool)?.value);
    }
  }
});

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

/** What the records of a steered name's zone leave room for. Only the zones whose records changed are looked at. */
function checkPlaces(scope: CheckScope): void {
  const { pools } = scope.config;
  for (const [apex, names] of steeredNamesByZone(scope)) {
    const shape = shapeOf(scope, apex);
    if (shape === undefined) continue;
    const known = checkedPlaces.get(names);
    if (known?.shape === shape && known.pools === pools) {
      scope.problems.push(...known.problems);
      continue;
    }
    const problems = names.flatMap(({ value, owner }) => {
      const conflict = steeredConflict(value.name, apex, shape, pools.get(value.pool)?.value);
      if (conflict === undefined) return [];
      return [problemAt(owner, conflict.code, `steeredNames/${value.name}/name`, conflict.message)];
    });
    checkedPlaces.set(names, { shape, pools, problems });
    scope.problems.push(...problems);
  }
}

interface CheckedPlaces {
  readonly shape: ZoneShape;
  readonly pools: Config['pools'];
  readonly problems: readonly Problem[];
}

/** By the identity of a zone's list of steered names, which stays while no steered name and no zone changes. */
const checkedPlaces = new WeakMap<readonly Stored<SteeredName>[], CheckedPlaces>();

type NamesByZone = ReadonlyMap<string, readonly Stored<SteeredName>[]>;

interface Grouped {
  readonly inputs: readonly unknown[];
  readonly names: NamesByZone;
}

let lastGrouped: Grouped | undefined;

function steeredNamesByZone(scope: CheckScope): NamesByZone {
  const { config, broken } = scope;
  const inputs = [config.steeredNames, config.zones, broken];
  if (lastGrouped === undefined || inputs.some((input, i) => input !== lastGrouped?.inputs[i])) {
    const names = Map.groupBy(
      [...config.steeredNames.values()].filter(({ value }) => parseName(value.name).ok),
      ({ value }) => closestZone(value.name, (candidate) => exists(scope, 'zones', candidate)) ?? '',
    );
    names.delete('');
    lastGrouped = { inputs, names };
  }
  return lastGrouped.names;
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
