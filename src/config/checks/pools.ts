import { formatAddress, normalise, parseAddress } from '../../dns/address.ts';
import { isProbing } from '../health-rule.ts';
import type { Owner, Stored } from '../model.ts';
import type { Endpoint, Pool } from '../resources/pool.ts';
import { checkDomainName } from './domain-names.ts';
import { type CheckScope, checkReference, onlyWhenChanged, report } from './scope.ts';

/** Endpoints that refer to nothing, that exist twice, or that nobody could probe. */
export const checkPools = onlyWhenChanged(['pools', 'monitors', 'dataCenters'], (scope): void => {
  for (const [name, stored] of scope.config.pools) checkPool(scope, `pools/${name}`, stored);
});

function checkPool(scope: CheckScope, path: string, { value: pool, owner }: Stored<Pool>): void {
  if (pool.monitor !== undefined) {
    checkReference(scope, owner, `${path}/monitor`, 'The pool', 'monitors', pool.monitor);
  }
  const names = new Set<string>();
  const nameByTarget = new Map<string, string>();
  for (const endpoint of pool.endpoints) {
    const endpointPath = `${path}/endpoints/${endpoint.name}`;
    checkEndpoint(scope, owner, endpointPath, pool, endpoint);
    if (names.has(endpoint.name)) {
      const message = `Two endpoints of the pool are named "${endpoint.name}"; give each its own name.`;
      report(scope, owner, 'duplicate-endpoint', endpointPath, message);
      continue;
    }
    names.add(endpoint.name);
    const target = targetOf(endpoint);
    const twin = nameByTarget.get(target);
    if (twin !== undefined) {
      const message = `The endpoints "${twin}" and "${endpoint.name}" of the pool have the same address, ${target}; keep one of them.`;
      report(scope, owner, 'duplicate-address', `${endpointPath}/address`, message);
    }
    nameByTarget.set(target, endpoint.name);
  }
  checkMixture(scope, path, pool, owner);
}

function checkEndpoint(scope: CheckScope, owner: Owner, path: string, pool: Pool, endpoint: Endpoint): void {
  const subject = `The endpoint "${endpoint.name}"`;
  checkReference(scope, owner, `${path}/dataCenter`, subject, 'dataCenters', endpoint.dataCenter);
  if (endpoint.monitor !== undefined) {
    checkReference(scope, owner, `${path}/monitor`, subject, 'monitors', endpoint.monitor);
  }
  if (endpoint.canonicalName === undefined) return;
  checkDomainName(scope, owner, `${path}/canonicalName`, endpoint.canonicalName);
  const monitor = scope.config.monitors.get(endpoint.monitor ?? pool.monitor ?? '')?.value;
  if (monitor !== undefined && isProbing(monitor) && endpoint.probeAddress === undefined) {
    const message = `${subject} has a monitor but no address to probe; give it a probeAddress.`;
    report(scope, owner, 'nothing-to-probe', `${path}/probeAddress`, message);
  }
}

/** An owner of a CNAME has no other records (RFC 1034 section 3.6.2), so a data center answers one or the other. */
function checkMixture(scope: CheckScope, path: string, pool: Pool, owner: Owner): void {
  if (!pool.endpoints.some(({ canonicalName }) => canonicalName !== undefined)) return;
  const byName = new Map<string, boolean>();
  const mixed = new Set<string>();
  for (const { dataCenter, canonicalName } of pool.endpoints) {
    const isName = canonicalName !== undefined;
    if ((byName.get(dataCenter) ?? isName) !== isName) mixed.add(dataCenter);
    byName.set(dataCenter, isName);
  }
  for (const dataCenter of mixed) {
    const message = `The pool has both addresses and canonical names in the data center "${dataCenter}"; one data center answers either (RFC 1034 section 3.6.2).`;
    report(scope, owner, 'mixed-endpoints', `${path}/endpoints`, message);
  }
}

/** Addresses that are written differently may still be the same. */
function targetOf(endpoint: Endpoint): string {
  if (endpoint.address === undefined) return endpoint.canonicalName ?? '';
  const address = parseAddress(endpoint.address);
  return address === undefined ? endpoint.address : formatAddress(normalise(address).octets);
}
