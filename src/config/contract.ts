import type { z } from 'zod';
import type { Collection, Resources } from './model.ts';
import type { Parsed } from './problem.ts';
import { alertChannelSchema } from './resources/alert-channel.ts';
import { clusterNodeSchema, nodeRemovalSchema } from './resources/cluster-node.ts';
import { composedMonitor } from './resources/composed-monitor.ts';
import { dataCenterSchema } from './resources/data-center.ts';
import { invitationSchema } from './resources/invitation.ts';
import { maintenanceWindowSchema } from './resources/maintenance-window.ts';
import { monitorSchemaFor, type ProbeKindContract } from './resources/monitor.ts';
import { overrideSchema } from './resources/override.ts';
import { policySchema } from './resources/policy.ts';
import { poolSchema } from './resources/pool.ts';
import { pushMonitor } from './resources/push-monitor.ts';
import { rrsetSchema } from './resources/rrset.ts';
import { steeredNameSchema } from './resources/steered-name.ts';
import { type ApiZone, zoneSchema } from './resources/zone.ts';
import { problemsOfIssues } from './zod-sentence.ts';

/** What a caller may send for each collection; a zone's `kind` is ours to set. */
export type Bodies = Omit<Resources, 'zones'> & { zones: ApiZone };

/** The one contract that gives validation, OpenAPI and types. */
export interface Contract {
  readonly schemas: { readonly [C in Collection]: z.ZodType<Bodies[C]> };
  readonly rrsetSchema: typeof rrsetSchema;
}

/** Joins the resource schemas with the probe kinds that the shell brings, and the two kinds that send no probe. */
export function createContract(probeKinds: readonly ProbeKindContract[]): Contract {
  return {
    schemas: {
      dataCenters: dataCenterSchema,
      pools: poolSchema,
      monitors: monitorSchemaFor([...probeKinds, pushMonitor, composedMonitor]),
      policies: policySchema,
      zones: zoneSchema,
      steeredNames: steeredNameSchema,
      overrides: overrideSchema,
      maintenanceWindows: maintenanceWindowSchema,
      alertChannels: alertChannelSchema,
      nodes: clusterNodeSchema,
      invitations: invitationSchema,
      removals: nodeRemovalSchema,
    },
    rrsetSchema,
  };
}

/** Checks an unknown value; `path` is put before the path of every problem. */
export function parseBody<T>(schema: z.ZodType<T>, value: unknown, path: string): Parsed<T> {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problems: problemsOfIssues(result.error.issues, value, path) };
}
