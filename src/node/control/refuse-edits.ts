import type { Change, Config } from '../../config/model.ts';
import { refuseForeignEdits } from '../../config/owners.ts';
import type { Problem } from '../../config/problem.ts';
import { changePath } from '../../config/resource-path.ts';

/** Why the API may not make these changes, whatever they come to. `problems`: what the store leaves out. */
export function refuseEdits(
  config: Config,
  problems: readonly Problem[],
  changes: readonly Change[],
): Problem[] {
  return [...refuseForeignEdits(config, changes), ...refuseHiddenEdits(problems, changes)];
}

/**
 * One problem for each change of a resource that this node cannot read: it would make anew, in ignorance of what is
 * there, what the other nodes use.
 */
function refuseHiddenEdits(problems: readonly Problem[], changes: readonly Change[]): Problem[] {
  const hidden = new Set(problems.map(({ path }) => path));
  return changes
    .map(changePath)
    .filter((path) => hidden.has(path))
    .map((path) => ({
      code: 'sealed-elsewhere',
      path,
      message:
        `${path} exists, but this node does not have the key with which its secrets were sealed, so it does not know what ` +
        'it would replace. Write it on a node that has it, or give this node the cluster’s seal.key and start it again.',
    }));
}
