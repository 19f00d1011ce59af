import { type Prefix, parseExactPrefix, prefixHolds } from '../geo/prefix.ts';
import { policyKindOf } from './policies/index.ts';
import type { PolicyNode } from './policy.ts';

/**
 * The prefix rules of one family, cut into regions where the same rules hold.
 *
 *     rules     10.0.0.0/8 [--------------------]
 *                    10.1.0.0/16 [----]
 *     regions  ......[-----------][----][-------].....
 *     set       none      /8     /16 /8    /8    none
 */
export interface PrefixRegions {
  readonly count: number;
  /** Ascending, the first is 0; as many words each as the family's addresses have. */
  readonly starts: Uint32Array;
  /** By region: position in `sets`. */
  readonly setOf: Uint32Array;
  /** Texts of the rules that hold, as written, longest first. Set 0 is empty. */
  readonly sets: readonly (readonly string[])[];
}

interface Rule {
  readonly text: string;
  readonly prefix: Prefix;
}

/** All prefix rules of a tree, by family, each text once. Texts that are no prefix are left out. */
export function prefixRulesOf(node: PolicyNode, family: 4 | 6): readonly Rule[] {
  const texts = new Set<string>();
  collectTexts(node, texts);
  return [...texts].flatMap((text) => {
    const prefix = parseExactPrefix(text);
    return prefix?.family === family ? [{ text, prefix }] : [];
  });
}

function collectTexts(node: PolicyNode, texts: Set<string>): void {
  const kind = policyKindOf(node);
  for (const text of kind.prefixes(node)) texts.add(text);
  for (const child of kind.children(node)) collectTexts(child, texts);
}

/** Texts of the rules that hold an address, longest first; the address is an integer of 32 or 128 bits. */
export function heldPrefixes(rules: readonly Rule[], address: bigint): readonly string[] {
  return rules
    .filter((rule) => prefixHolds(rule.prefix, address))
    .toSorted((one, other) => other.prefix.length - one.prefix.length)
    .map((rule) => rule.text);
}

/** Cuts the address space of a family where its rules begin and end. */
export function prefixRegions(rules: readonly Rule[], family: 4 | 6): PrefixRegions {
  const bits = family === 4 ? 32 : 128;
  const edges = new Set([0n]);
  for (const { prefix } of rules) {
    edges.add(prefix.start);
    edges.add(prefix.start + (1n << BigInt(bits - prefix.length)));
  }
  edges.delete(1n << BigInt(bits));
  const ascending = [...edges].sort((one, other) => (one < other ? -1 : 1));
  const setNumbers = new Map<string, number>([['', 0]]);
  const sets: (readonly string[])[] = [[]];
  const holding = openRules(rules, ascending, bits);
  const setOf = holding.map((texts) => {
    const key = texts.join(' ');
    const known = setNumbers.get(key);
    if (known !== undefined) return known;
    setNumbers.set(key, sets.length);
    return sets.push(texts) - 1;
  });
  const starts = Uint32Array.from(ascending.flatMap((edge) => wordsOf(edge, bits)));
  return { count: ascending.length, starts, setOf: Uint32Array.from(setOf), sets };
}

/** For each edge, the rules that hold from there on. Prefixes nest or are apart, so a stack keeps what is open. */
function openRules(rules: readonly Rule[], edges: readonly bigint[], bits: number): (readonly string[])[] {
  const sorted = rules.toSorted(
    (one, other) =>
      Number(one.prefix.start > other.prefix.start) - Number(one.prefix.start < other.prefix.start) ||
      one.prefix.length - other.prefix.length,
  );
  const open: Rule[] = [];
  let next = 0;
  return edges.map((edge) => {
    for (let last = open.at(-1); last !== undefined && endOf(last.prefix, bits) <= edge; last = open.at(-1))
      open.pop();
    for (let rule = sorted[next]; rule !== undefined && rule.prefix.start === edge; rule = sorted[next]) {
      open.push(rule);
      next += 1;
    }
    return open.map((rule) => rule.text).reverse();
  });
}

function endOf(prefix: Prefix, bits: number): bigint {
  return prefix.start + (1n << BigInt(bits - prefix.length));
}

function wordsOf(address: bigint, bits: number): number[] {
  const words: number[] = [];
  for (let shift = bits - 32; shift >= 0; shift -= 32)
    words.push(Number((address >> BigInt(shift)) & 0xffffffffn));
  return words;
}
