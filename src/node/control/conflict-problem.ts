import type { Problem } from '../../config/problem.ts';
import type { Conflict } from '../../store/conflicts/conflict.ts';

/** Conflicts that the problem names. */
const MAX_NAMED = 3;

/** One problem for all of them: who is told of each apart has no eyes for anything else. */
export function conflictProblems(conflicts: readonly Conflict[]): readonly Problem[] {
  if (conflicts.length === 0) return [];
  const named = conflicts.slice(0, MAX_NAMED).map(({ id }) => id);
  const more = conflicts.length > MAX_NAMED ? ` and ${conflicts.length - MAX_NAMED} more` : '';
  const message =
    `${conflicts.length === 1 ? 'One thing was' : `${conflicts.length} things were`} written on several nodes without knowledge of each other: ` +
    `${named.join(', ')}${more}. One value of each is in use; choose with "meridian conflicts".`;
  return [{ code: 'unresolved-conflicts', path: 'conflicts', message }];
}
