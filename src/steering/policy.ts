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
  /** By name, ascending: the order where nothing else decides. */
  readonly candidates: readonly Candidate[];
  /** Ranks a child node for the same client. */
  readonly rank: (child: PolicyNode, client: ClientLocation) => Program;
  /** Told what each node did, for explain; absent while a map is compiled. */
  readonly trace?: ((step: RankingStep) => void) | undefined;
}

/** What one policy node did for one client. */
export interface RankingStep {
  /** The kind of the node. */
  readonly kind: string;
  /** One sentence. */
  readonly detail: string;
  /** Nearest only: best first. */
  readonly distances?: readonly RankedDistance[];
}

export interface RankedDistance {
  readonly dataCenter: string;
  /** Great-circle distance, without the bias. */
  readonly distanceKm: number;
  readonly biasKm: number;
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
  /** The same node with other children, as many as `children` gives and in the same order. */
  readonly withChildren: (node: N, children: readonly PolicyNode[]) => N;
  /** Names of data centers that the node itself mentions. */
  readonly dataCenters: (node: N) => readonly string[];
  /** Address prefixes where the node's ranking may change, as text. */
  readonly prefixes: (node: N) => readonly string[];
  /** Ranks the candidates for one client. Names no candidate twice; those it leaves out are never answered. */
  readonly rank: (node: N, client: ClientLocation, context: RankContext) => Program;
}
