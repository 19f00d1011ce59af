import { z } from 'zod';
import { domainName, ipAddress, resourceName } from './fields.ts';

/** One pool serves one service: a few addresses in each of at most 50 data centers. */
export const MAX_ENDPOINTS_PER_POOL = 1024;

/** One address in one data center; what a monitor checks. Exactly one of `address` and `canonicalName`. */
export const endpointSchema = z
  .strictObject({
    name: resourceName,
    dataCenter: resourceName,
    /** Answered as A or AAAA. */
    address: ipAddress.optional(),
    /** Answered as CNAME, for data centers that are reached by name. */
    canonicalName: domainName.optional(),
    /** Share of this endpoint among the healthy ones of its data center. */
    weight: z.int().min(1).max(65_535).default(1),
    /** Overrides the pool's monitor. */
    monitor: resourceName.optional(),
    /** Where probes go, when not to `address` itself. */
    probeAddress: ipAddress.optional(),
  })
  .refine((endpoint) => (endpoint.address === undefined) !== (endpoint.canonicalName === undefined), {
    error: 'must have exactly one of address and canonicalName',
  })
  .meta({ id: 'Endpoint' });

/** The endpoints, over data centers, that serve one steered name. */
export const poolSchema = z
  .strictObject({
    name: resourceName,
    description: z.string().max(200).optional(),
    /** Checks every endpoint that names no monitor of its own; without one, endpoints count as up. */
    monitor: resourceName.optional(),
    endpoints: z.array(endpointSchema).max(MAX_ENDPOINTS_PER_POOL),
  })
  .meta({ id: 'Pool' });

export type Endpoint = Readonly<z.infer<typeof endpointSchema>>;
export type Pool = Readonly<Omit<z.infer<typeof poolSchema>, 'endpoints'>> & {
  readonly endpoints: readonly Endpoint[];
};

/** The cluster-wide identity of an endpoint: `web/fra-v4`. */
export function endpointKey(pool: string, endpoint: string): string {
  return `${pool}/${endpoint}`;
}
