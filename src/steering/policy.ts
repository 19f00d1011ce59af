import type { z } from 'zod';
import type { ClientLocation } from '../geo/location.ts';
import type { Program } from './program.ts';

/** A node of a policy tree; each kind narrows it in `policies/<kind>.ts`. */
export interface PolicyNode {
  readonly kind: string;
}

/** A data center as a policy sees it: a place and a number, never its health. */
export interface Candidate {
  /** The data center's number in every image and map of this node. */
  readonly index: number;
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
}

/** What a policy may use while it ranks. */
export interface RankContext {
  readonly candidates: readonly Candidate[];
  /** Ranks a child node for the same client. */
  readonly rank: (child: PolicyNode, client: ClientLocation) => Program;
}

/**
 * The seam of steering: one file per kind in `policies/` and one line in its index.
 * A policy ranks and never sees health, so that a new policy cannot break failover.
 */
export interface PolicyKind<N extends PolicyNode> {
  readonly kind: N['kind'];
  /** One sentence for documentation and explain. */
  readonly summary: string;
  /** The node's shape; `child` is the schema of any policy node. */
  readonly schema: (child: z.ZodType<PolicyNode>) => z.ZodType<N>;
  readonly children: (node: N) => readonly PolicyNode[];
  /** Names of data centers that the node itself mentions. */
  readonly dataCenters: (node: N) => readonly string[];
  /** Address prefixes where the node's ranking may change, as text. */
  readonly prefixes: (node: N) => readonly string[];
  /** Ranks the candidates for one client. Names no candidate twice; those it leaves out are never answered. */
  readonly rank: (node: N, client: ClientLocation, context: RankContext) => Program;
}
