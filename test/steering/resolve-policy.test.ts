import { expect, it } from 'vitest';
import { MAX_POLICY_DEPTH, MAX_POLICY_NODES } from '../../src/steering/limits.ts';
import type { PolicyNode } from '../../src/steering/policy.ts';
import { resolvePolicy } from '../../src/steering/resolve-policy.ts';
import { choice, failover as levels, nearest, rule, reference as to, weighted } from './policy-nodes.ts';

const nest = (depth: number): unknown => (depth === 1 ? nearest : levels(nest(depth - 1)));
const chain = (length: number) =>
  Object.fromEntries(
    Array.from({ length }, (_, at): [string, unknown] => [
      `p${at}`,
      at === length - 1 ? nearest : to(`p${at + 1}`),
    ]),
  );

const cases: readonly { name: string; given: Record<string, unknown>; want: string }[] = [
  { name: 'without references', given: { a: nearest }, want: '{"kind":"nearest"}' },
  { name: 'a reference', given: { a: to('b'), b: nearest }, want: '{"kind":"nearest"}' },
  {
    name: 'references in every kind that has children',
    given: {
      a: {
        kind: 'geo',
        rules: [rule({ countries: ['FR'] }, to('b'))],
        otherwise: weighted(choice(2, levels(to('b')))),
      },
      b: nearest,
    },
    want:
      '{"kind":"geo","rules":[{"match":{"countries":["FR"]},"then":{"kind":"nearest"}}],' +
      '"otherwise":{"kind":"weighted","choices":[{"weight":2,"then":{"kind":"failover","levels":[{"kind":"nearest"}]}}]}}',
  },
  { name: 'no such policy', given: {}, want: 'unknown-policy policies/a' },
  {
    name: 'a dangling name',
    given: { a: levels(to('b')), b: to('nowhere') },
    want: 'unknown-policy policies/b/rank',
  },
  { name: 'a loop of one', given: { a: to('a') }, want: 'policy-loop policies/a/rank' },
  {
    name: 'a loop of three, and a dangling name beside it: all at once',
    given: { a: levels(to('b'), to('gone')), b: levels(to('c')), c: levels(to('a')) },
    want: 'policy-loop policies/c/rank, unknown-policy policies/a/rank',
  },
  {
    name: 'the same policy twice is no loop',
    given: { a: levels(to('b'), to('b')), b: nearest },
    want: '{"kind":"failover","levels":[{"kind":"nearest"},{"kind":"nearest"}]}',
  },
  {
    name: 'as deep as may be',
    given: { a: nest(MAX_POLICY_DEPTH) },
    want: JSON.stringify(nest(MAX_POLICY_DEPTH)),
  },
  { name: 'too deep', given: { a: nest(MAX_POLICY_DEPTH + 1) }, want: 'policy-too-deep policies/a/rank' },
  {
    name: 'too deep through references',
    given: { a: levels(to('c')), c: levels(to('d')), d: nest(MAX_POLICY_DEPTH) },
    want: 'policy-too-deep policies/a/rank',
  },
  {
    name: 'too large through references',
    given: Object.fromEntries(
      Array.from('abcdef', (name, at): [string, unknown] => [
        name,
        at === 5 ? nearest : levels(...new Array(5).fill(to('abcdef'[at + 1] ?? ''))),
      ]),
    ),
    want: 'policy-too-large policies/a/rank',
  },
  {
    name: 'an endless chain of references',
    given: { ...chain(2 * MAX_POLICY_NODES), a: to('p0') },
    want: 'policy-too-large policies/a/rank',
  },
];

it.each(cases)('$name', ({ given, want }) => {
  const policies = new Map(Object.entries(given)) as unknown as ReadonlyMap<string, PolicyNode>;
  const resolved = resolvePolicy('a', policies);
  const told = resolved.ok
    ? JSON.stringify(resolved.value)
    : resolved.problems.map(({ code, path }) => `${code} ${path}`).join(', ');
  expect(told).toBe(want);
});
