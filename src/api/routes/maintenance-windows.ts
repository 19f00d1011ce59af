import { z } from 'zod';
import type { Bodies, Contract } from '../../config/contract.ts';
import type { MaintenanceWindow } from '../../config/resources/maintenance-window.ts';
import { type WindowFigures, windowFigures } from '../../health/overrides/override-figures.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import type { ControlPlane } from '../control-plane.ts';
import { plainIdentity } from '../identities.ts';
import { type ProblemReply, refuse } from '../reply.ts';
import { topLevelCollection } from '../top-level-collection.ts';
import { effectFigures, effectShape } from './overrides.ts';

const figuresShape = {
  open: z.boolean(),
  endsAt: z.iso.datetime().optional().meta({ description: 'While it is open.' }),
  nextOpensAt: z.iso.datetime().optional().meta({ description: 'The first opening that is yet to come.' }),
  ...effectShape,
} satisfies Record<keyof WindowFigures, z.ZodType>;

/** `/v1/maintenance-windows`; each is told with whether it is open. One that is over already is refused. */
export function maintenanceWindowCollection(
  contract: Contract,
  plane: Pick<ControlPlane, 'health'>,
  now: () => Date,
): ApiCollection<MaintenanceWindow, Bodies['maintenanceWindows']> {
  return topLevelCollection({
    noun: 'maintenance window',
    one: 'MaintenanceWindow',
    many: 'MaintenanceWindows',
    segment: 'maintenance-windows',
    parameter: 'window',
    parameterText: 'Name of the maintenance window.',
    field: 'name',
    schema: contract.schemas.maintenanceWindows,
    valueSchema: contract.schemas.maintenanceWindows,
    identify: plainIdentity('name'),
    collection: 'maintenanceWindows',
    entries: (config) => config.maintenanceWindows,
    toValue: (body) => body,
    toBody: (value) => value,
    figuresShape,
    figures: effectFigures(plane, now, windowFigures),
    changes: (key, value) => [{ collection: 'maintenanceWindows', key, owner: API_OWNER, value }],
    refuse: (value) => refuseOver(value, now()),
  });
}

function refuseOver({ name, schedule }: MaintenanceWindow, now: Date): ProblemReply | undefined {
  if (schedule.kind !== 'once' || Date.parse(schedule.endsAt) > now.getTime()) return undefined;
  const message = `endsAt is ${schedule.endsAt}, which is over; the window would never open.`;
  const path = `maintenanceWindows/${name}/schedule/endsAt`;
  return refuse('not-valid', message, [{ code: 'already-over', path, message }]);
}
