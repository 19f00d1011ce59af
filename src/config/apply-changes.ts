import type { Change, Collection, Config, Owner, Stored } from './model.ts';
import { RRsetEdit, type RRsets } from './rrset-map.ts';

/** What every written resource is marked with. */
export interface Stamp {
  readonly revision: string;
  readonly author: string;
  readonly reason: string;
  /** RFC 3339, UTC. */
  readonly updatedAt: string;
}

/** For previews, whose stamps nobody sees. */
export const PREVIEW_STAMP: Stamp = { revision: 'preview', author: '', reason: '', updatedAt: '' };

type Collections = Pick<Config, Collection>;
type RRsetsByZone = Map<string, RRsets>;

/**
 * The configuration after the changes; the given one stays as it is.
 * Everything that no change touches keeps its identity, so that what was derived from it can be kept as well.
 * A zone that is deleted, or whose records move to a blob, takes its RRsets with it.
 */
export function applyChanges(config: Config, changes: readonly Change[], stamp: Stamp): Config {
  const copies = new Map<Collection, Map<string, Stored<unknown>>>();
  let rrsets: RRsetsByZone | undefined;
  const edits = new Map<string, RRsetEdit>();

  for (const change of changes) {
    if (change.collection === 'rrsets') {
      rrsets ??= new Map(config.rrsets);
      let edit = edits.get(change.zone);
      if (edit === undefined) {
        edit = new RRsetEdit(rrsets.get(change.zone));
        edits.set(change.zone, edit);
      }
      if (change.value === undefined) edit.delete(change.key);
      else edit.set(change.key, { value: change.value, owner: change.owner, ...stamp });
      continue;
    }
    let copy = copies.get(change.collection);
    if (copy === undefined) {
      copy = new Map<string, Stored<unknown>>(config[change.collection]);
      copies.set(change.collection, copy);
    }
    put(copy, change.key, change.value, change.owner, stamp);
    if (
      change.collection === 'zones' &&
      change.value?.kind !== 'rrsets' &&
      ((rrsets ?? config.rrsets).has(change.key) || edits.has(change.key))
    ) {
      rrsets ??= new Map(config.rrsets);
      rrsets.delete(change.key);
      edits.delete(change.key);
    }
  }
  for (const [apex, edit] of edits) rrsets?.set(apex, edit.finish());
  // Each copy was made from the collection of the same name, and a change's value has that collection's type.
  const changed = Object.fromEntries(copies) as Partial<Collections>;
  return { ...config, ...changed, rrsets: rrsets ?? config.rrsets, generation: config.generation + 1 };
}

/** The configuration that the changes would give. */
export function previewConfig(config: Config, changes: readonly Change[]): Config {
  return applyChanges(config, changes, PREVIEW_STAMP);
}

/** A configuration of nothing, before the first commit. */
export function emptyConfig(): Config {
  return {
    dataCenters: new Map(),
    pools: new Map(),
    monitors: new Map(),
    policies: new Map(),
    zones: new Map(),
    steeredNames: new Map(),
    overrides: new Map(),
    maintenanceWindows: new Map(),
    alertChannels: new Map(),
    nodes: new Map(),
    invitations: new Map(),
    removals: new Map(),
    rrsets: new Map(),
    zoneSerials: new Map(),
    generation: 0,
  };
}

function put<T>(
  map: Map<string, Stored<T>>,
  key: string,
  value: T | undefined,
  owner: Owner,
  stamp: Stamp,
): void {
  if (value === undefined) map.delete(key);
  else map.set(key, { value, owner, ...stamp });
}
