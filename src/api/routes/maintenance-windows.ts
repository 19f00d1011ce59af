import type { Bodies, Contract } from '../../config/contract.ts';
import type { MaintenanceWindow } from '../../config/resources/maintenance-window.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import { plainIdentity } from '../identities.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** `/v1/maintenance-windows` */
export function maintenanceWindowCollection(
  contract: Contract,
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
    changes: (key, value) => [{ collection: 'maintenanceWindows', key, owner: API_OWNER, value }],
  });
}
