import type { z } from 'zod';
import { didYouMean } from './did-you-mean.ts';
import type { Problem } from './problem.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** What the schema library says of a value, as problems in our words: one for each field, in whole sentences. */
export function problemsOfIssues(issues: readonly Issue[], value: unknown, path: string): Problem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, issues, value, path, []));
}

function problemsOfIssue(
  issue: Issue,
  siblings: readonly Issue[],
  value: unknown,
  root: string,
  above: Path,
): Problem[] {
  const place = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const hint = didYouMean(key, missingFields(siblings, issue.path));
      return problem(root, value, [...place, key], `"${key}" is not a field here.${hint}`);
    });
  }
  const branch = issue.code === 'invalid_union' ? likeliestBranch(issue) : undefined;
  if (branch !== undefined) {
    return branch.flatMap((inner) => problemsOfIssue(inner, branch, value, root, place));
  }
  return [problem(root, value, place, sentence(subjectOf(value, place), predicateOf(issue)))];
}

function problem(root: string, value: unknown, place: Path, message: string): Problem {
  const path = [root, ...namedSegments(value, place)].filter((part) => part !== '').join('/');
  return { code: 'invalid-value', path, message };
}

/** List positions become the names of what stands there, where it has one: `endpoints/fra-v4`, not `endpoints/0`. */
function namedSegments(value: unknown, place: Path): readonly string[] {
  let current: unknown = value;
  return place.map((segment) => {
    const isElement = Array.isArray(current);
    current = fieldOf(current, segment);
    const name = isElement ? fieldOf(current, 'name') : undefined;
    return typeof name === 'string' && /^[\w.-]+$/.test(name) ? name : String(segment);
  });
}

function fieldOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<PropertyKey, unknown>>)[key];
}

function missingFields(siblings: readonly Issue[], path: Path): readonly string[] {
  return siblings
    .filter((other) => isMissing(other) && other.path.length === path.length + 1)
    .filter((other) => path.every((segment, i) => other.path[i] === segment))
    .map((other) => String(other.path.at(-1)));
}

function isMissing(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
}

/** Of a union without a custom message, the branch that got furthest: its problems are what was meant. */
function likeliestBranch(issue: Extract<Issue, { code: 'invalid_union' }>): readonly Issue[] | undefined {
  if (issue.message !== 'Invalid input' || issue.errors.length === 0) return undefined;
  const depth = (branch: readonly Issue[]): number => Math.max(...branch.map(({ path }) => path.length));
  return [...issue.errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
}

function subjectOf(value: unknown, place: Path): string {
  const last = place.at(-1);
  if (last === undefined) return 'This';
  const name = namedSegments(value, place).at(-1) ?? '';
  if (typeof last === 'number' && name === String(last)) {
    return `Item ${last + 1} of "${String(place.at(-2) ?? 'the list')}"`;
  }
  return `"${name}"`;
}

function sentence(subject: string, predicate: string): string {
  const end = /[.!?]$/.test(predicate) ? '' : '.';
  return /^[a-z]/.test(predicate) && /^(must|is|has|needs|does|cannot|may)\b/.test(predicate)
    ? `${subject} ${predicate}${end}`
    : `${predicate.charAt(0).toUpperCase()}${predicate.slice(1)}${end}`;
}

function predicateOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typePredicate(issue.expected, issue.message);
    case 'too_big':
      return `must ${issue.inclusive === false ? 'be less than' : boundWord(issue.origin, 'at most')} ${issue.maximum}${unitOf(issue.origin)}`;
    case 'too_small':
      return `must ${issue.inclusive === false ? 'be more than' : boundWord(issue.origin, 'at least')} ${issue.minimum}${unitOf(issue.origin)}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'invalid_union':
      return unionPredicate(issue);
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'must be a time as RFC 3339 writes it, such as 2030-01-31T12:00:00Z'
        : issue.message;
    case 'invalid_key':
      return `is not a possible name here: ${issue.issues.map(({ message }) => message).join(', ')}`;
    default:
      return issue.message;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object with named fields',
  record: 'an object with named fields',
  null: 'nothing',
};

function typePredicate(expected: string, message: string): string {
  const received = /received (\w+)$/.exec(message)?.[1] ?? '';
  if (received === 'undefined') return 'is missing';
  const given = typeNames[received];
  const wanted = `must be ${typeNames[expected] ?? expected}`;
  return given === undefined || received === expected ? wanted : `${wanted}, not ${given}`;
}

function boundWord(origin: string, bound: string): string {
  return `${origin === 'string' || origin === 'array' ? 'have' : 'be'} ${bound}`;
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' items' : '';
}

function unionPredicate(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  if (!('discriminator' in issue) || issue.discriminator === undefined)
    return issue.message === 'Invalid input' ? 'has a form that is not possible here' : issue.message;
  const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
  return options.length === 0
    ? 'is not a known kind'
    : `must be one of ${options.map((option) => JSON.stringify(option)).join(', ')}`;
}
