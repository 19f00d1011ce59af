import type { NodeStatus } from '../../api/control-plane.ts';
import type { IdentityFiles } from '../../cluster/identity/identity-files.ts';
import type { OwnStatus } from '../../cluster/members/membership.ts';

/** As a peer takes it; see `cluster/members/member-status.ts`. */
const MAX_REASON_LENGTH = 256;
const MAX_DNS_TOLD = 64;

/** What the node tells its peers of itself. */
export function ownStatus(
  { generation, conditions, dns, version }: NodeStatus,
  { settings: { region, role } }: IdentityFiles,
  known: { readonly startedAtMs: number; readonly certificateExpiresAtMs: number },
): OwnStatus {
  // Endpoints without a verdict are no reason to ask another node: it may know no more.
  const unmet = conditions.find(({ name, holds }) => !holds && name !== 'verdicts');
  return {
    version,
    region,
    role,
    generation,
    isReady: unmet === undefined,
    reason: (unmet?.detail ?? '').slice(0, MAX_REASON_LENGTH),
    dns: dns.slice(0, MAX_DNS_TOLD),
    ...known,
  };
}
