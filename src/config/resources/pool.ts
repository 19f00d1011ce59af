import { z } from 'zod';
import { MAX_DATA_CENTERS } from '../limits.ts';
import { capacity, domainName, ipAddress, resourceName } from './fields.ts';

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
    /** The load that it can take. Its data center takes as much as its endpoints that are up, unless it says itself. */
    capacity: capacity.optional(),
    /** Overrides the pool's monitor. */
    monitor: resourceName.optional(),
    /** Where probes go, when not to `address` itself. */
    probeAddress: ipAddress.optional(),
  })
  .refine((endpoint) => (endpoint.address === undefined) !== (endpoint.canonicalName === undefined), {
    error: 'must have exactly one of address and canonicalName',
  })
  .meta({ id: 'Endpoint' });

/** What an endpoint without a verdict counts as. */
export const unknownRules = ['last-resort', 'serve', 'withhold'] as const;

export type UnknownRule = (typeof unknownRules)[number];

/** How far probes and overrides may go before they are held back. */
const guardRails = z
  .strictObject({
    /** So many endpoints stay in service. */
    minimumUp: z.int().min(1).max(MAX_ENDPOINTS_PER_POOL).optional(),
    /** At most so many data centers go out of service at a time. */
    maxLostDataCenters: z.int().min(0).max(MAX_DATA_CENTERS).optional(),
  })
  .refine((rails) => rails.minimumUp !== undefined || rails.maxLostDataCenters !== undefined, {
    error: 'must have minimumUp, maxLostDataCenters or both',
  });

export type GuardRails = Readonly<z.infer<typeof guardRails>>;

/** The endpoints, over data centers, that serve one steered name. */
export const poolSchema = z
  .strictObject({
    name: resourceName,
    description: z.string().max(200).optional(),
    /** Checks every endpoint that names no monitor of its own; without one, endpoints count as up. */
    monitor: resourceName.optional(),
    /**
     * An endpoint without a verdict is answered when none is up (`last-resort`), as if it were up (`serve`), or as if
     * it were down (`withhold`).
     */
    unknown: z.enum(unknownRules).optional(),
    guardRails: guardRails.optional(),
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
