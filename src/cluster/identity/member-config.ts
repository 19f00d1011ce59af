import { z } from 'zod';
import type { Authorship, Change, Config, Owner } from '../../config/model.ts';
import { type Parsed, type Problem, parsed, reasonOf, refused } from '../../config/problem.ts';
import {
  type ClusterNode,
  clusterNodeSchema,
  MAX_REVOKED_SERIALS,
  nodeRemovalSchema,
} from '../../config/resources/cluster-node.ts';
import type { Invitation } from '../../config/resources/invitation.ts';

/** What the configuration says of the cluster's members. */
export type MemberConfig = Pick<Config, 'nodes' | 'invitations' | 'removals'>;

/** Where members are read and written; a write is on disk when it resolves. */
export interface MemberStore {
  readonly config: MemberConfig;
  write(
    changes: readonly Change[],
    authorship: Authorship,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly problems: readonly Problem[] }>;
}

/** A store that fails is something to tell, not a reason to end. */
export async function tryToWrite(
  members: MemberStore,
  changes: readonly Change[],
  authorship: Authorship,
): Promise<Parsed<undefined>> {
  try {
    const outcome = await members.write(changes, authorship);
    return outcome.ok ? parsed(undefined) : outcome;
  } catch (error) {
    const why = reasonOf(error);
    return refused('not-written', 'nodes', `The change could not be written: ${why}.`);
  }
}

/** Files own nothing of the cluster. */
const owner: Owner = { kind: 'api' };

/** Invitations that ended are told for a while, to answer who came with which. */
const KEEP_ENDED_INVITATIONS_MS = 30 * 24 * 60 * 60 * 1000;

/** Without the fields that a later version may add, which stay in what is written again. */
const readableNode = z.looseObject(clusterNodeSchema.shape);
const readableRemoval = z.looseObject(nodeRemovalSchema.shape);

/** What was found of a value; documents come from peers, and values stay the same objects while they do not change. */
const readable = new WeakMap<object, boolean>();

function isReadable(schema: z.ZodType, value: object): boolean {
  let known = readable.get(value);
  if (known === undefined) {
    known = schema.safeParse(value).success;
    readable.set(value, known);
  }
  return known;
}

/** A member, or one that was; undefined where there is none, or what there is cannot be read. */
export function nodeNamed(config: MemberConfig, name: string): ClusterNode | undefined {
  const node = config.nodes.get(name)?.value;
  return node !== undefined && isReadable(readableNode, node) && node.name === name ? node : undefined;
}

/** All members, and those that were. */
function knownNodes(config: MemberConfig): readonly ClusterNode[] {
  return [...config.nodes.keys()].flatMap((name) => nodeNamed(config, name) ?? []);
}

/** Whether a membership has ended, said here or on the other side of a partition. */
export function isRemoved(config: MemberConfig, node: ClusterNode): boolean {
  return node.removed === true || config.removals.has(node.membership);
}

/** Who belongs to the cluster at present. */
export function liveNodes(config: MemberConfig): readonly ClusterNode[] {
  return knownNodes(config).filter((node) => !isRemoved(config, node));
}

/** Serial numbers, as resources write them, of certificates that count no more. */
export function revokedSerials(config: MemberConfig): ReadonlySet<string> {
  const serials = new Set<string>();
  for (const node of knownNodes(config)) {
    for (const serial of node.revokedSerials) serials.add(serial);
    if (isRemoved(config, node)) serials.add(node.certificateSerial);
  }
  for (const { value } of config.removals.values())
    if (isReadable(readableRemoval, value)) for (const serial of value.revokedSerials) serials.add(serial);
  return serials;
}

export function nodeChange(node: ClusterNode): Change {
  return { collection: 'nodes', key: node.name, owner, value: node };
}

export function invitationChange(id: string, invitation: Invitation | undefined): Change {
  return { collection: 'invitations', key: id, owner, value: invitation };
}

/** The first node of a new cluster, in the place of all that an earlier one has left in the configuration. */
export function foundingChanges(config: MemberConfig, first: ClusterNode): readonly Change[] {
  const gone = (collection: 'nodes' | 'invitations' | 'removals'): readonly Change[] =>
    [...config[collection].keys()]
      .filter((key) => key !== first.name)
      .map((key) => ({ collection, key, owner, value: undefined }));
  return [...gone('nodes'), ...gone('invitations'), ...gone('removals'), nodeChange(first)];
}

/** Ends a membership, in the node and apart from it. */
export function removalChanges(node: ClusterNode, now: Date): readonly Change[] {
  const serials = withSerial(node.revokedSerials, node.certificateSerial);
  const removedAt = now.toISOString();
  const removal = { membership: node.membership, node: node.name, revokedSerials: serials, removedAt };
  return [
    nodeChange({ ...node, revokedSerials: serials, removed: true }),
    { collection: 'removals', key: node.membership, owner, value: removal },
  ];
}

/** The node with another certificate in the place of the one it had. */
export function withCertificate(node: ClusterNode, serial: string): ClusterNode {
  if (node.certificateSerial === serial) return node;
  return {
    ...node,
    certificateSerial: serial,
    revokedSerials: withSerial(node.revokedSerials, node.certificateSerial),
  };
}

/** Deletes invitations that ended long ago. */
export function oldInvitationChanges(config: MemberConfig, nowMs: number): readonly Change[] {
  return [...config.invitations.values()]
    .filter(({ value }) => Date.parse(value.expiresAt) + KEEP_ENDED_INVITATIONS_MS < nowMs)
    .map(({ value }) => invitationChange(value.id, undefined));
}

/** The newest stay: the oldest have ended by themselves. */
export function withSerial(serials: readonly string[], serial: string): string[] {
  return [...serials.filter((known) => known !== serial), serial].slice(-MAX_REVOKED_SERIALS);
}
