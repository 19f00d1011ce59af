import type { NodeStatus } from '../../api/control-plane.ts';
import type { IdentityFiles } from '../../cluster/identity/identity-files.ts';
import { MAX_STATUS_ADDRESSES, MAX_STATUS_TEXT_LENGTH } from '../../cluster/members/member-status.ts';
import type { OwnStatus } from '../../cluster/members/membership.ts';

/**
 * What the node tells its peers of itself. Endpoints without a verdict are not among its conditions: they are no reason
 * to ask another node, which may know no more.
 */
export function ownStatus(
  { generation, conditions, dns, version }: Pick<NodeStatus, 'generation' | 'conditions' | 'dns' | 'version'>,
  { settings: { region, role } }: IdentityFiles,
  known: { readonly startedAtMs: number; readonly certificateExpiresAtMs: number },
): OwnStatus {
  const unmet = conditions.find(({ holds }) => !holds);
  return {
    version,
    region,
    role,
    generation,
    isReady: unmet === undefined,
    reason: (unmet?.detail ?? '').slice(0, MAX_STATUS_TEXT_LENGTH),
    dns: dns.slice(0, MAX_STATUS_ADDRESSES),
    ...known,
  };
}
