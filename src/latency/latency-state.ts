import type { DescribedGroup } from './describe.ts';
import type { GroupCounts } from './pass.ts';

/** What is known of measured latency as a whole; JSON as it stands. */
export interface LatencySummary {
  /** Groups that something is known of, as of the last decision. */
  readonly groups: GroupCounts;
  /** Groups whose figures steer. */
  readonly steering: GroupCounts;
  /** Most groups that steer. */
  readonly limits: GroupCounts;
  readonly sketches: number;
  /** Counted cells of all sketches. */
  readonly cells: number;
  /** Measurements since the start. */
  readonly measurements: MeasurementCounts;
  /** RFC 3339, UTC; when the last measurement was made that was taken since the start. */
  readonly newestAt?: string | undefined;
  /** RFC 3339, UTC; when figures were last decided over. */
  readonly decidedAt?: string | undefined;
  /** RFC 3339, UTC; since when these figures steer. */
  readonly publishedAt?: string | undefined;
  /** Whether any policy ranks by latency; without one, nothing of this steers. */
  readonly ranks: boolean;
}

export interface MeasurementCounts {
  readonly taken: number;
  /** Those of batches with a mistake. */
  readonly invalid: number;
  /** Those that came faster than they are taken. */
  readonly tooMany: number;
}

/** What decides for one client, and why. */
export interface ClientLatency {
  readonly client: string;
  /** 0 where the geo table does not know. */
  readonly asn: number;
  /** Empty where the geo table does not know. */
  readonly country: string;
  /** The narrowest group that steers; null where distance does. */
  readonly decidedBy: string | null;
  /** One sentence. */
  readonly why: string;
  /** Narrowest first. */
  readonly groups: readonly DescribedGroup[];
}
