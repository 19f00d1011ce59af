import { didYouMean } from '../did-you-mean.ts';
import type { Collection, Config, Owner } from '../model.ts';
import { sourceOf } from '../owners.ts';
import type { Problem } from '../problem.ts';
import { resourcePath } from '../resource-path.ts';
import type { ZoneShape } from '../zone-shape.ts';

/** What every check gets: the configuration, what is known beyond it, and where to put what it finds. */
export interface CheckScope {
  readonly config: Config;
  /** Paths of resources that are there but did not parse: references to them do not dangle. */
  readonly broken: ReadonlySet<string>;
  /** Shapes of zones whose records are not in the configuration but in a blob, by apex. */
  readonly shapes: ReadonlyMap<string, ZoneShape>;
  readonly problems: Problem[];
}

/**
 * A check that is not done again, only its problems told again, while the parts of the configuration that it reads
 * are the same objects. Most writes change one part of it.
 */
export function onlyWhenChanged(
  reads: readonly (keyof Config)[],
  check: (scope: CheckScope) => void,
): (scope: CheckScope) => void {
  let last: { readonly inputs: readonly unknown[]; readonly problems: readonly Problem[] } | undefined;
  return (scope) => {
    const inputs = [scope.broken, ...reads.map((part) => scope.config[part])];
    if (last === undefined || inputs.some((input, i) => input !== last?.inputs[i])) {
      const problems: Problem[] = [];
      check({ ...scope, problems });
      last = { inputs, problems };
    }
    for (const problem of last.problems) scope.problems.push(problem);
  };
}

/** Adds a problem, with the file and line where a directory says so. */
export function report(scope: CheckScope, owner: Owner, code: string, path: string, message: string): void {
  scope.problems.push(problemAt(owner, code, path, message));
}

/** A problem with the file and line of its owner, where a directory is. */
export function problemAt(owner: Owner, code: string, path: string, message: string): Problem {
  const source = sourceOf(owner);
  return source === undefined ? { code, path, message } : { code, path, message, source };
}

export function exists(scope: CheckScope, collection: Collection, key: string): boolean {
  return scope.config[collection].has(key) || scope.broken.has(resourcePath(collection, key));
}

/** What each collection's resources are called in sentences. */
const nouns: Readonly<Record<Collection, string>> = {
  dataCenters: 'data center',
  pools: 'pool',
  monitors: 'monitor',
  policies: 'policy',
  zones: 'zone',
  steeredNames: 'steered name',
  overrides: 'override',
  maintenanceWindows: 'maintenance window',
  alertChannels: 'alert channel',
  nodes: 'node',
  invitations: 'invitation',
  removals: 'removal',
};

/** Reports a reference to a resource that is not there. */
export function checkReference(
  scope: CheckScope,
  owner: Owner,
  path: string,
  subject: string,
  collection: 'dataCenters' | 'pools' | 'monitors' | 'policies',
  key: string,
): void {
  if (exists(scope, collection, key)) return;
  const noun = nouns[collection];
  report(
    scope,
    owner,
    `unknown-${noun.replace(' ', '-')}`,
    path,
    `${subject} names the ${noun} "${key}", which does not exist.${didYouMean(key, scope.config[collection].keys())}`,
  );
}
