import { z } from 'zod';
import type { Bodies, Contract } from '../../config/contract.ts';
import type { Override } from '../../config/resources/override.ts';
import {
  type HealthIndex,
  indexHealth,
  MAX_ENDPOINTS_NAMED,
  type OverrideFigures,
  overrideFigures,
} from '../../health/overrides/override-figures.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import type { ControlPlane } from '../control-plane.ts';
import { plainIdentity } from '../identities.ts';
import { type ProblemReply, refuse } from '../reply.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** What overrides and maintenance windows have in common, for the OpenAPI document. */
export const effectShape = {
  endpoints: z.array(z.string()).meta({
    description: `The endpoints that it is about, as pool/endpoint; the first ${MAX_ENDPOINTS_NAMED}.`,
  }),
  endpointCount: z.int(),
  safeToRebootAt: z.iso
    .datetime()
    .optional()
    .meta({ description: 'When the last resolver that honours TTLs has let go of the last of them.' }),
  rebootNote: z.string().optional().meta({ description: 'One sentence: when it is safe, or why not.' }),
};

const figuresShape = {
  inForce: z.boolean(),
  ...effectShape,
} satisfies Record<keyof OverrideFigures, z.ZodType>;

/** `/v1/overrides`; an override that has expired already is a mistake and is refused. */
export function overrideCollection(
  contract: Contract,
  plane: Pick<ControlPlane, 'health'>,
  now: () => Date,
): ApiCollection<Override, Bodies['overrides']> {
  return topLevelCollection({
    noun: 'override',
    one: 'Override',
    many: 'Overrides',
    segment: 'overrides',
    parameter: 'id',
    parameterText: 'Id of the override.',
    field: 'id',
    schema: contract.schemas.overrides,
    valueSchema: contract.schemas.overrides,
    identify: plainIdentity('id'),
    collection: 'overrides',
    entries: (config) => config.overrides,
    toValue: (body) => body,
    toBody: (value) => value,
    changes: (key, value) => [{ collection: 'overrides', key, owner: API_OWNER, value }],
    figuresShape,
    figures: effectFigures(plane, now, overrideFigures),
    refuse: (value) => refuseExpired(value, now()),
  });
}

/** Figures of what holds for endpoints: health is indexed once for a whole page, and not for what is only written to. */
export function effectFigures<T, F>(
  plane: Pick<ControlPlane, 'health'>,
  now: () => Date,
  figuresOf: (value: T, health: HealthIndex, nowMs: number) => F,
): () => (value: T) => F {
  return () => {
    const nowMs = now().getTime();
    let health: HealthIndex | undefined;
    return (value) => {
      health ??= indexHealth(plane.health());
      return figuresOf(value, health, nowMs);
    };
  };
}

function refuseExpired(override: Override, now: Date): ProblemReply | undefined {
  if (override.expiresAt === undefined || Date.parse(override.expiresAt) > now.getTime()) return undefined;
  const message = `expiresAt is ${override.expiresAt}, which is over; the override would hold for nothing.`;
  const path = `overrides/${override.id}/expiresAt`;
  return refuse('not-valid', message, [{ code: 'already-expired', path, message }]);
}
