import type { MeasuredFigures } from './measured.ts';
import { policyKindOf } from './policies/index.ts';
import type { LatencyNode } from './policies/latency.ts';
import type { PolicyNode } from './policy.ts';

/** Whether the tree, references resolved, ranks by what was measured. */
export function ranksByLatency(node: PolicyNode): boolean {
  const kind = policyKindOf(node);
  return kind.kind === 'latency' || kind.children(node).some(ranksByLatency);
}

/** The tree with these figures in its nodes that rank by latency. */
export function fillMeasured(node: PolicyNode, measured: MeasuredFigures): PolicyNode {
  const kind = policyKindOf(node);
  if (kind.kind === 'latency') {
    const filled: LatencyNode = { ...(node as LatencyNode), measured };
    return filled;
  }
  return kind.withChildren(
    node,
    kind.children(node).map((child) => fillMeasured(child, measured)),
  );
}

/** Digests of the tokens that allow measurements. */
export function latencyTokenHashes(node: PolicyNode): readonly string[] {
  const kind = policyKindOf(node);
  const { tokenHash } = kind.kind === 'latency' ? (node as LatencyNode) : {};
  return [
    ...(tokenHash === undefined ? [] : [tokenHash]),
    ...kind.children(node).flatMap(latencyTokenHashes),
  ];
}
