import { z } from 'zod';
import { resourceName } from './fields.ts';

/** More vantages than a cluster has nodes would never be heard. */
export const MAX_VANTAGES = 64;

/** Vantages of one endpoint where a monitor says nothing: two may be lost, and three still agree or not. */
export const DEFAULT_VANTAGES = 5;

/** A region that weighs a hundred times another decides alone; more changes nothing. */
const MAX_REGION_WEIGHT = 100;

/** How many vantages must agree on a verdict. */
export const quorumSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('majority') }),
  /** So many vantages must be heard, and so many must say down. */
  z.strictObject({ kind: z.literal('at-least'), vantages: z.int().min(1).max(MAX_VANTAGES) }),
  /** A majority in which a vantage counts as much as its region; one in a region that is not named counts once. */
  z.strictObject({
    kind: z.literal('weighted'),
    regions: z.record(resourceName, z.int().min(0).max(MAX_REGION_WEIGHT)),
  }),
]);

export type Quorum =
  | { readonly kind: 'majority' }
  | { readonly kind: 'at-least'; readonly vantages: number }
  | { readonly kind: 'weighted'; readonly regions: Readonly<Record<string, number>> };

/** What is meant where a monitor says nothing. */
export const MAJORITY: Quorum = { kind: 'majority' };
