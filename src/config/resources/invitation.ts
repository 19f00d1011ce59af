import { z } from 'zod';
import { membershipId } from './cluster-node.ts';
import { resourceName } from './fields.ts';

/** Lets one node in, once. Its id becomes that node's membership. */
export const invitationSchema = z
  .strictObject({
    id: membershipId,
    /**
     * Public key, made from the secret by a one-way function: who has read it can tell whether somebody knows the
     * secret, and cannot join with it. Ed25519, base64url. Never shown.
     */
    verifier: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 octets in base64url'),
    expiresAt: z.iso.datetime({ offset: true }),
    createdBy: z.string().max(200),
    /** The node that came with it. */
    usedBy: resourceName.optional(),
    usedAt: z.iso.datetime({ offset: true }).optional(),
  })
  .meta({ id: 'Invitation' });

export type Invitation = Readonly<z.infer<typeof invitationSchema>>;

/** What readers are told of an invitation. */
export const shownInvitationSchema = invitationSchema
  .omit({ verifier: true })
  .meta({ id: 'ShownInvitation' });
