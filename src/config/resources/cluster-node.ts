import { z } from 'zod';
import { resourceName } from './fields.ts';

/** What a node is there for; `delayed` applies configuration an hour late, as a last resort. */
export const nodeRoles = ['full', 'delayed'] as const;

/** As many as a machine has addresses that others reach it by. */
export const MAX_NODE_ADDRESSES = 8;

/**
 * Serial numbers that a node remembers as revoked. Each counts only until its certificate would have ended anyway, and
 * nobody changes a certificate more often than this within its lifetime.
 */
export const MAX_REVOKED_SERIALS = 64;

/** Host and port, an IPv6 address in brackets. */
export const peerAddress = z
  .string()
  .max(259)
  .regex(
    /^(\[[0-9a-fA-F:.]{2,45}\]|[0-9a-zA-Z]([0-9a-zA-Z.-]{0,251}[0-9a-zA-Z])?):[1-9][0-9]{0,4}$/,
    'must be a host and a port, such as node-1.example.net:7053 or [2001:db8::1]:7053',
  )
  .refine((text) => !(Number(/:(\d+)$/.exec(text)?.[1]) > 65_535), 'must have a port up to 65535');

/** 128 bits in lower case hexadecimal, as certificates show them. */
export const certificateSerial = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'must be 32 lower case hexadecimal digits');

/** Names one membership: a machine that comes back under the same name has another. */
export const membershipId = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 lower case hexadecimal digits');

/** A member of the cluster. Written by the node that lets it in, by itself, and by whoever removes it. */
export const clusterNodeSchema = z
  .strictObject({
    name: resourceName,
    region: resourceName,
    /** Where peers reach it; empty where only it calls others. */
    addresses: z.array(peerAddress).max(MAX_NODE_ADDRESSES),
    role: z.enum(nodeRoles),
    membership: membershipId,
    certificateSerial,
    revokedSerials: z.array(certificateSerial).max(MAX_REVOKED_SERIALS),
    joinedAt: z.iso.datetime({ offset: true }),
    removed: z.literal(true).optional(),
  })
  .meta({ id: 'ClusterNode' });

export type ClusterNode = Readonly<z.infer<typeof clusterNodeSchema>>;

/**
 * Says for good that a membership has ended. It is apart from the node itself because the two may be written on two
 * sides of a partition, and a node that renews its certificate there must not undo its removal here.
 */
export const nodeRemovalSchema = z
  .strictObject({
    membership: membershipId,
    node: resourceName,
    revokedSerials: z.array(certificateSerial).max(MAX_REVOKED_SERIALS),
    removedAt: z.iso.datetime({ offset: true }),
  })
  .meta({ id: 'NodeRemoval' });

export type NodeRemoval = Readonly<z.infer<typeof nodeRemovalSchema>>;
