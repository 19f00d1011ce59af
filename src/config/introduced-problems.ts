import type { Change } from './model.ts';
import type { Problem } from './problem.ts';
import { changePath } from './resource-path.ts';

/**
 * Problems that may follow from somebody else's write without harm: an override whose target has gone holds for
 * nothing. They refuse only the write of the resource itself, where they are a typing mistake.
 */
const harmlessCodes: ReadonlySet<string> = new Set(['unknown-override-target']);

/** Those of `after` that `before` has not: same code and path are the same problem. */
export function introducedProblems(before: readonly Problem[], after: readonly Problem[]): Problem[] {
  const known = new Set(before.map(identityOf));
  return after.filter((problem) => !known.has(identityOf(problem)));
}

/**
 * The problems for which a write is refused: all that its changes introduce.
 * What was wrong before does not stand in the way of mending something else.
 */
export function writeRefusals(
  before: readonly Problem[],
  after: readonly Problem[],
  changes: readonly Change[],
): Problem[] {
  const introduced = introducedProblems(before, after);
  if (!introduced.some(({ code }) => harmlessCodes.has(code))) return introduced;
  const written = new Set(changes.map(changePath));
  return introduced.filter(({ code, path }) => !harmlessCodes.has(code) || isWithin(path, written));
}

function isWithin(path: string, written: ReadonlySet<string>): boolean {
  for (const resource of written) if (path === resource || path.startsWith(`${resource}/`)) return true;
  return false;
}

function identityOf(problem: Problem): string {
  return `${problem.code} ${problem.path}`;
}
