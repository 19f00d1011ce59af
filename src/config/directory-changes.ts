import { previewConfig } from './apply-changes.ts';
import { checkConfig } from './check.ts';
import { writeRefusals } from './introduced-problems.ts';
import {
  type Change,
  type ClusterCollection,
  type Collection,
  type Config,
  collections,
  type Owner,
  type Resources,
  type Stored,
} from './model.ts';
import { type Parsed, type Problem, parsed, type SourceLine } from './problem.ts';
import { resourcePath } from './resource-path.ts';
import { sameValue } from './same-value.ts';
import type { ZoneShape } from './zone-shape.ts';

/** Collections that YAML files may have; zones come from zone files, and the cluster's own from the cluster. */
export type FileCollection = Exclude<Collection, 'zones' | ClusterCollection>;

/** One resource as a configuration directory has it. */
export type DirectoryResource = {
  readonly [C in FileCollection]: {
    readonly collection: C;
    readonly key: string;
    readonly value: Resources[C];
    readonly file: string;
    readonly line: number;
  };
}[FileCollection];

/** One zone file, parsed and written anew in canonical form. */
export interface DirectoryZone {
  /** Canonical: lower case, with the final dot. */
  readonly apex: string;
  /** Canonical zone-file text, in UTF-8: the blob's bytes. Undefined where the store has that blob already. */
  readonly text: Uint8Array | undefined;
  /** SHA-256 of these bytes, hex. */
  readonly blob: string;
  readonly rrsetCount: number;
  readonly shape: ZoneShape;
  readonly file: string;
  /** Line of the SOA record. */
  readonly line: number;
}

/** What a configuration directory says, whole and free of mistakes of its own. */
export interface DirectoryContents {
  readonly resources: readonly DirectoryResource[];
  readonly zones: readonly DirectoryZone[];
  /** File and line of every path within a resource, for problems that are found later. */
  readonly lines: ReadonlyMap<string, SourceLine>;
}

/**
 * The changes that make everything owned by a directory equal to its contents: added, changed, moved to another
 * line, removed. What the API owns stays; where the directory has something of the same name, `directoryConflicts`
 * says so, and the changes must not be applied.
 */
export function directoryChanges(config: Config, contents: DirectoryContents): Change[] {
  const changes: Change[] = [];
  const wanted = new Set<string>();
  for (const change of wantedChanges(contents)) {
    wanted.add(resourcePath(change.collection, change.key));
    const stored: Stored<unknown> | undefined = config[change.collection].get(change.key);
    if (stored === undefined || !isAsWanted(stored, change)) changes.push(change);
  }
  for (const collection of collections) {
    for (const [key, { owner }] of config[collection]) {
      if (owner.kind !== 'directory' || wanted.has(resourcePath(collection, key))) continue;
      changes.push({ collection, key, owner, value: undefined });
    }
  }
  return changes;
}

/** A problem for each name that the directory has and the API owns already. */
export function directoryConflicts(config: Config, contents: DirectoryContents): Problem[] {
  const problems: Problem[] = [];
  for (const { collection, key, owner } of wantedChanges(contents)) {
    if (config[collection].get(key)?.owner.kind !== 'api' || owner.kind !== 'directory') continue;
    const path = resourcePath(collection, key);
    problems.push({
      code: 'owned-by-api',
      path,
      message: `${path} was made by the API and exists already; delete it there, or remove it from this file.`,
      source: { file: owner.file, line: owner.line },
    });
  }
  return problems;
}

/**
 * The changes to apply, or every reason not to: names that the API owns, and what is wrong with the configuration
 * that would come out, in the directory's own resources or because of them.
 */
export function planDirectory(config: Config, contents: DirectoryContents): Parsed<readonly Change[]> {
  const problems = checkDirectory(config, contents, new Set());
  return problems.length > 0 ? { ok: false, problems } : parsed(directoryChanges(config, contents));
}

/** As `planDirectory`, for contents of which some resources did not parse and are known by their paths only. */
export function checkDirectory(
  config: Config,
  contents: DirectoryContents,
  broken: ReadonlySet<string>,
): Problem[] {
  const conflicts = directoryConflicts(config, contents);
  const taken = new Set(conflicts.map(({ path }) => path));
  const changes = directoryChanges(config, contents).filter(
    // A resource that is there but does not parse is not removed.
    (change) => change.collection === 'rrsets' || !taken.has(resourcePath(change.collection, change.key)),
  );
  const shapes = new Map(contents.zones.map(({ apex, shape }) => [apex, shape]));
  const before = checkConfig(config, { shapes });
  const after = checkConfig(previewConfig(config, changes), { broken, shapes });
  const introduced = new Set(writeRefusals(before, after, changes));
  const refusals = after.filter((problem) => problem.source !== undefined || introduced.has(problem));
  return [...conflicts, ...refusals.map((problem) => withLine(problem, contents.lines))];
}

/** The problem at the line of its very field, where its path or one above it is known. */
export function withLine(problem: Problem, lines: ReadonlyMap<string, SourceLine>): Problem {
  let path = problem.path;
  for (;;) {
    const source = lines.get(path);
    if (source !== undefined) return { ...problem, source };
    const slash = path.lastIndexOf('/');
    if (slash < 0) return problem;
    path = path.slice(0, slash);
  }
}

type ResourceChange = Extract<Change, { collection: Collection }>;

function* wantedChanges({ resources, zones }: DirectoryContents): Generator<ResourceChange> {
  for (const { file, line, ...resource } of resources) {
    yield { ...resource, owner: { kind: 'directory', file, line } };
  }
  for (const { apex, blob, rrsetCount, file, line } of zones) {
    yield {
      collection: 'zones',
      key: apex,
      owner: { kind: 'directory', file, line },
      value: { kind: 'blob', name: apex, blob, rrsetCount },
    };
  }
}

function isAsWanted(stored: Stored<unknown>, { value, owner }: { value: unknown; owner: Owner }): boolean {
  return sameValue(stored.owner, owner) && sameValue(stored.value, value);
}
