import type { Parsed, Problem } from '../config/problem.ts';
import { MAX_POLICY_DEPTH, MAX_POLICY_NODES } from './limits.ts';
import { policyKindOf } from './policies/index.ts';
import type { ReferenceNode } from './policies/reference.ts';
import type { PolicyNode } from './policy.ts';

/**
 * Puts the named policies in the place of references, so that a map is compiled from one tree.
 * Returns every loop, dangling name and excess of a bound at once.
 */
export function resolvePolicy(name: string, policies: ReadonlyMap<string, PolicyNode>): Parsed<PolicyNode> {
  const root = policies.get(name);
  if (root === undefined) {
    const problem = {
      code: 'unknown-policy',
      path: `policies/${name}`,
      message: `There is no policy ${name}.`,
    };
    return { ok: false, problems: [problem] };
  }
  const resolution = new Resolution(policies);
  const value = resolution.resolve(root, [name], 1);
  return resolution.problems.length > 0 ? { ok: false, problems: resolution.problems } : { ok: true, value };
}

/** Fills a place that has a problem; the tree it stands in is not used. */
const nothing: PolicyNode = { kind: 'order' };

class Resolution {
  readonly problems: Problem[] = [];
  readonly #policies: ReadonlyMap<string, PolicyNode>;
  readonly #told = new Set<string>();
  #nodeCount = 0;

  constructor(policies: ReadonlyMap<string, PolicyNode>) {
    this.#policies = policies;
  }

  /** `trail`: names of the policies that led here, the one that holds the node last. */
  resolve(node: PolicyNode, trail: readonly string[], depth: number): PolicyNode {
    const kind = policyKindOf(node);
    // References count too, so that a long chain of them cannot exhaust the stack.
    this.#nodeCount += 1;
    if (this.#nodeCount > MAX_POLICY_NODES)
      return this.#refuse('policy-too-large', trail, `has more than ${MAX_POLICY_NODES} nodes`);
    if (kind.kind === 'policy') return this.#follow(node as ReferenceNode, trail, depth);
    if (depth > MAX_POLICY_DEPTH)
      return this.#refuse('policy-too-deep', trail, `nests more than ${MAX_POLICY_DEPTH} levels`);
    const children = kind.children(node).map((child) => this.resolve(child, trail, depth + 1));
    return kind.withChildren(node, children);
  }

  #follow(node: ReferenceNode, trail: readonly string[], depth: number): PolicyNode {
    const target = this.#policies.get(node.name);
    const holder = trail.at(-1) ?? '';
    if (target === undefined) {
      const message = `The policy ${holder} names the policy ${node.name}, which does not exist.`;
      return this.#tell('unknown-policy', holder, message);
    }
    if (trail.includes(node.name)) {
      const loop = [...trail.slice(trail.indexOf(node.name)), node.name].join(' > ');
      return this.#tell('policy-loop', holder, `The policy ${node.name} names itself: ${loop}.`);
    }
    return this.resolve(target, [...trail, node.name], depth);
  }

  #refuse(code: string, trail: readonly string[], what: string): PolicyNode {
    const root = trail[0] ?? '';
    return this.#tell(code, root, `The policy ${root}, with the policies it names, ${what}.`);
  }

  #tell(code: string, policy: string, message: string): PolicyNode {
    if (!this.#told.has(message)) this.problems.push({ code, path: `policies/${policy}/rank`, message });
    this.#told.add(message);
    return nothing;
  }
}
