import type { Change, Config, Owner } from './model.ts';
import type { Problem, SourceLine } from './problem.ts';
import { changePath } from './resource-path.ts';

/** The file and line of what a directory owns. */
export function sourceOf(owner: Owner): SourceLine | undefined {
  return owner.kind === 'directory' ? { file: owner.file, line: owner.line } : undefined;
}

/** Who owns what a change would write, as of now; RRsets without an owner of their own belong to their zone's. */
export function currentOwner(config: Config, change: Change): Owner | undefined {
  if (change.collection !== 'rrsets') return config[change.collection].get(change.key)?.owner;
  const zone = config.zones.get(change.zone);
  if (zone?.owner.kind === 'directory') return zone.owner;
  return config.rrsets.get(change.zone)?.get(change.key)?.owner;
}

/** One problem for each change by which the API would edit what a configuration directory owns. */
export function refuseForeignEdits(config: Config, changes: readonly Change[]): Problem[] {
  const problems: Problem[] = [];
  for (const change of changes) {
    if (change.owner.kind !== 'api') continue;
    const owner = currentOwner(config, change);
    if (owner?.kind !== 'directory') continue;
    problems.push({
      code: 'owned-by-directory',
      path: changePath(change),
      message: `${subjectOf(change)} is owned by ${owner.file} line ${owner.line}; edit that file and reload.`,
      source: { file: owner.file, line: owner.line },
    });
  }
  return problems;
}

function subjectOf(change: Change): string {
  return change.collection === 'rrsets' ? `The zone ${change.zone}` : `${change.collection}/${change.key}`;
}
