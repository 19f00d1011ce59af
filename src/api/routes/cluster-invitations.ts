import type { Bodies, Contract } from '../../config/contract.ts';
import { type Invitation, shownInvitationSchema } from '../../config/resources/invitation.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import { plainIdentity } from '../identities.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** `/v1/cluster/invitations`: who may come in, and who came; nothing that helps anybody to come. */
export function invitationCollection(contract: Contract): ApiCollection<Invitation, Bodies['invitations']> {
  return topLevelCollection({
    noun: 'invitation',
    one: 'Invitation',
    many: 'Invitations',
    segment: 'cluster/invitations',
    parameter: 'invitation',
    parameterText: 'Id of the invitation.',
    field: 'id',
    schema: contract.schemas.invitations,
    valueSchema: shownInvitationSchema,
    identify: plainIdentity('id'),
    collection: 'invitations',
    entries: (config) => config.invitations,
    toValue: (body) => body,
    toBody: (value) => value,
    show: ({ verifier: _, ...shown }) => shown,
    changes: (key, value) => [{ collection: 'invitations', key, owner: API_OWNER, value }],
  });
}
