import { z } from 'zod';
import { type Parsed, parsed, refused } from '../../config/problem.ts';

/** Longest text of a status that is kept of a peer; what is longer is no status of ours. */
export const MAX_STATUS_TEXT_LENGTH = 256;

/** More addresses than anybody serves on. */
export const MAX_STATUS_ADDRESSES = 64;

const shortText = z.string().max(MAX_STATUS_TEXT_LENGTH);
const moment = z.number().min(0).max(8.64e15);

/**
 * What a node says of itself to its peers, every few seconds and when it changes. A peer of another version may say
 * more: what is not known here is passed over.
 */
const statusSchema = z.object({
  type: z.literal('status'),
  version: shortText,
  region: shortText,
  role: z.enum(['full', 'delayed']),
  startedAtMs: moment,
  /** By the node's own wall clock: tells how far it is off. */
  clockMs: moment,
  /** How many commits and merges it has seen. */
  generation: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
  /** Whether it answers from a complete snapshot. */
  isReady: z.boolean(),
  /** Why it is not ready, or why it wants no queries; empty where all is well. */
  reason: shortText,
  dns: z.array(shortText).max(MAX_STATUS_ADDRESSES),
  /** What it asks for and what it has: see `withdrawal.ts`. */
  withdrawal: z.enum(['none', 'wanted', 'taken']),
});

/** A node's word about itself. Times are milliseconds since the epoch by its own clock. */
export type MemberStatus = Readonly<z.infer<typeof statusSchema>>;

/** Reads a peer's status out of a decoded frame. */
export function parseMemberStatus(value: unknown): Parsed<MemberStatus> {
  const result = statusSchema.safeParse(value);
  if (result.success) return parsed(result.data);
  const [issue] = result.error.issues;
  return refused('not-a-status', issue?.path.join('/') ?? '', issue?.message ?? 'It is no status.');
}
