import { emptyConfig } from '../config/apply-changes.ts';
import type { Collection, Config, Stored } from '../config/model.ts';
import type { Problem } from '../config/problem.ts';
import type { RRset } from '../config/resources/rrset.ts';
import { RRsetEdit, type RRsets } from '../config/rrset-map.ts';
import { type Conflicts, noConflicts } from './conflicts/conflict.ts';
import { findConflicts } from './conflicts/find-conflicts.ts';
import { ROOT_DOCUMENT, zoneDocument } from './document.ts';
import type { Documents } from './documents.ts';
import { type Leaf, parseLeaf, storedOf } from './leaf.ts';
import type { LeafSource } from './leaf-source.ts';
import { joinPool, poolKeys } from './pool-leaves.ts';
import { missingSealKeys } from './seal/sealed-leaf.ts';
import { Touched } from './touched.ts';
import { readRRsetLeaf, rrsetKeys, type ZoneHome, zoneHomeOf } from './zone-leaves.ts';
import { noSerials, readSerials, type ZoneSerials } from './zone-serials.ts';

/**
 * The configuration as the documents give it. Whatever was not touched keeps its identity, down to the single
 * resource, so that others see what changed by comparing references.
 */
export interface Projection {
  readonly config: Config;
  /** The document that each entry of `config.rrsets` was read from. */
  readonly zoneDocuments: ReadonlyMap<string, string>;
  readonly conflicts: Conflicts;
  readonly zoneSerials: ZoneSerials;
  /** What is left out of the configuration, by path. */
  readonly problems: ReadonlyMap<string, Problem>;
}

const nothing: Projection = {
  config: emptyConfig(),
  zoneDocuments: new Map(),
  conflicts: noConflicts,
  zoneSerials: noSerials,
  problems: new Map(),
};

/** Reads everything. */
export function projectAll(documents: Documents, generation: number): Projection {
  const touched = new Touched();
  for (const collection of touched.resources.keys()) {
    for (const key of documents.keys(ROOT_DOCUMENT, collection)) touched.leaf(ROOT_DOCUMENT, collection, key);
  }
  return project(nothing, touched, documents, generation);
}

/** Reads again what was touched. */
export function project(
  previous: Projection,
  touched: Touched,
  documents: Documents,
  generation: number,
): Projection {
  const read = readConfig(previous, touched, documents, generation);
  const conflicts = findConflicts(previous.conflicts, touched, documents, (apex) => ({
    home: homeOf(apex, read.config.zones, documents),
    moved: read.zoneDocuments.get(apex) !== previous.zoneDocuments.get(apex),
  }));
  return { ...read, conflicts };
}

/** Reads the configuration again where it was touched. */
export function readConfig(
  previous: Projection,
  touched: Touched,
  documents: LeafSource,
  generation: number,
): Omit<Projection, 'conflicts'> {
  const { config } = previous;
  const plain = <T>(
    collection: Collection,
    before: ReadonlyMap<string, Stored<T>>,
  ): ReadonlyMap<string, Stored<T>> =>
    rebuilt(before, touched.resources.get(collection), (key) =>
      whole<T>({ collection, key }, parseLeaf(documents.read(ROOT_DOCUMENT, collection, key)), problems),
    );
  const problems = new Map(previous.problems);
  const zones = plain('zones', config.zones);
  const zoneSerials = readSerials(previous.zoneSerials, touched, documents, zones);
  const { rrsets, zoneDocuments } = projectRRsets(previous, touched, documents, zones);
  return {
    config: {
      dataCenters: plain('dataCenters', config.dataCenters),
      pools: rebuilt(config.pools, touched.resources.get('pools'), poolReader(documents)),
      monitors: plain('monitors', config.monitors),
      policies: plain('policies', config.policies),
      zones,
      steeredNames: plain('steeredNames', config.steeredNames),
      overrides: plain('overrides', config.overrides),
      maintenanceWindows: plain('maintenanceWindows', config.maintenanceWindows),
      alertChannels: plain('alertChannels', config.alertChannels),
      nodes: plain('nodes', config.nodes),
      invitations: plain('invitations', config.invitations),
      removals: plain('removals', config.removals),
      rrsets,
      zoneSerials: zoneSerials.serials,
      generation,
    },
    zoneSerials,
    zoneDocuments,
    problems,
  };
}

/** The resource in a leaf; undefined, with a problem, when its secrets cannot be opened. */
function whole<T>(
  place: { readonly collection: Collection; readonly key: string },
  leaf: Leaf | undefined,
  problems: Map<string, Problem>,
): Stored<T> | undefined {
  const { collection, key } = place;
  const path = `${collection}/${key}`;
  problems.delete(path);
  const [missing] = missingSealKeys(collection, leaf?.value);
  if (missing === undefined) return storedOf<T>(leaf);
  const message =
    `The secrets of ${path} were sealed with the key ${missing}, which this node does not have, or were changed since; ` +
    'it is left out here. Give the node the cluster’s seal.key, or write the resource anew.';
  problems.set(path, { code: 'unknown-seal-key', path, message });
  return undefined;
}

/** The same map when nothing in it changed, else a copy with the touched keys read again. */
function rebuilt<T>(
  previous: ReadonlyMap<string, Stored<T>>,
  keys: ReadonlySet<string> | undefined,
  read: (key: string) => Stored<T> | undefined,
): ReadonlyMap<string, Stored<T>> {
  let copy: Map<string, Stored<T>> | undefined;
  for (const key of keys ?? []) {
    const before = previous.get(key);
    const now = read(key);
    if (now?.revision === before?.revision) continue;
    copy ??= new Map(previous);
    if (now === undefined) copy.delete(key);
    else copy.set(key, now);
  }
  return copy ?? previous;
}

function poolReader(documents: LeafSource): (pool: string) => ReturnType<typeof joinPool> {
  let grouped: ReadonlyMap<string, readonly string[]> | undefined;
  return (pool) => {
    grouped ??= poolKeys(documents.keys(ROOT_DOCUMENT, 'pools'));
    const leaves = new Map<string, Leaf>();
    for (const key of grouped.get(pool) ?? []) {
      const leaf = parseLeaf(documents.read(ROOT_DOCUMENT, 'pools', key));
      if (leaf !== undefined) leaves.set(key, leaf);
    }
    return joinPool(pool, leaves);
  };
}

function projectRRsets(
  previous: Projection,
  touched: Touched,
  documents: LeafSource,
  zones: Config['zones'],
): { readonly rrsets: Config['rrsets']; readonly zoneDocuments: Projection['zoneDocuments'] } {
  const apexes = new Set([...touched.rrsets.keys(), ...(touched.resources.get('zones') ?? [])]);
  if (apexes.size === 0) return { rrsets: previous.config.rrsets, zoneDocuments: previous.zoneDocuments };
  const rrsets = new Map(previous.config.rrsets);
  const zoneDocuments = new Map(previous.zoneDocuments);
  let changed = false;
  for (const apex of apexes) {
    const before = rrsets.get(apex);
    const home = homeOf(apex, zones, documents);
    const document = home === undefined ? undefined : zoneDocument(apex, home.life);
    const whole = document !== zoneDocuments.get(apex);
    const now =
      home === undefined
        ? undefined
        : editedRRsets(
            documents,
            home,
            whole ? undefined : before,
            whole ? rrsetKeys(documents, home) : touched.rrsets.get(apex),
          );
    if (now === before) continue;
    changed = true;
    setOrDelete(rrsets, apex, now);
    setOrDelete(zoneDocuments, apex, document);
  }
  return changed
    ? { rrsets, zoneDocuments }
    : { rrsets: previous.config.rrsets, zoneDocuments: previous.zoneDocuments };
}

function editedRRsets(
  documents: LeafSource,
  home: ZoneHome,
  before: RRsets | undefined,
  keys: ReadonlySet<string> | undefined,
): RRsets {
  const edit = new RRsetEdit(before);
  for (const key of keys ?? []) {
    const now = storedOf<RRset>(readRRsetLeaf(documents, home, key)?.leaf);
    if (now?.revision === before?.get(key)?.revision) continue;
    if (now === undefined) edit.delete(key);
    else edit.set(key, now);
  }
  return edit.finish();
}

function homeOf(apex: string, zones: Config['zones'], documents: LeafSource): ZoneHome | undefined {
  if (zones.get(apex)?.value.kind !== 'rrsets') return undefined;
  return zoneHomeOf(documents, apex);
}

function setOrDelete<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
