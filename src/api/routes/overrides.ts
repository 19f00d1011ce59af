import type { Bodies, Contract } from '../../config/contract.ts';
import type { Override } from '../../config/resources/override.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import { plainIdentity } from '../identities.ts';
import { type ProblemReply, refuse } from '../reply.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** `/v1/overrides`; an override that has expired already is a mistake and is refused. */
export function overrideCollection(
  contract: Contract,
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
    refuse: (value) => refuseExpired(value, now()),
  });
}

function refuseExpired(override: Override, now: Date): ProblemReply | undefined {
  if (override.expiresAt === undefined || Date.parse(override.expiresAt) > now.getTime()) return undefined;
  const message = `expiresAt is ${override.expiresAt}, which is over; the override would hold for nothing.`;
  const path = `overrides/${override.id}/expiresAt`;
  return refuse('not-valid', message, [{ code: 'already-expired', path, message }]);
}
