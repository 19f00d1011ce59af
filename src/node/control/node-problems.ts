import type { Problem } from '../../config/problem.ts';
import { allDownProblems } from './all-down.ts';
import { conflictProblems } from './conflict-problem.ts';
import type { ControlPlaneParts } from './control-plane.ts';

/** Everything that is wrong at present: of the files that were read, the configuration, and the parts of the node. */
export function nodeProblems(
  { store, publisher, health, moreProblems }: ControlPlaneParts,
  found: { readonly read: readonly Problem[]; readonly config: readonly Problem[] },
): readonly Problem[] {
  // A problem that a check has told already is not told again by the compiler.
  const told = new Set(found.config.map(({ path }) => path));
  return [
    ...found.read,
    ...found.config,
    ...publisher.problems().filter(({ path }) => !told.has(path)),
    ...allDownProblems(store.config, health.health()),
    ...health.problems(),
    ...store.problems(),
    ...conflictProblems(store.conflicts()),
    ...moreProblems(),
  ];
}
