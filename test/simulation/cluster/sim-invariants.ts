import type { Config } from '../../../src/config/model.ts';
import { lowercaseName, parseName } from '../../../src/dns/name.ts';
import { joinColumns } from '../../../src/dns/rrset-columns.ts';
import { zoneJobs } from '../../../src/node/zones/zone-sources.ts';
import { compileColumns } from '../../../src/snapshot/compile-zone.ts';
import { ROOT_DOCUMENT, zoneDocument, zoneOfDocument } from '../../../src/store/document.ts';
import { DocumentHistory, type LeafHistory } from './sim-history.ts';
import type { SimNode } from './sim-node.ts';
import { KEPT_LABEL } from './sim-writes.ts';

/** A write that was answered: what the documents were at on its node then. */
export interface Acknowledged {
  readonly tag: string;
  readonly node: string;
  readonly heads: ReadonlyMap<string, readonly string[]>;
}

/** What is wrong with a configuration that a node is about to publish; nothing in the best case. */
export function emptyAnswers(node: string, config: Config): readonly string[] {
  const problems: string[] = [];
  for (const [apex, { value }] of config.zones) {
    if (value.kind === 'rrsets' && config.rrsets.get(apex)?.has(`${KEPT_LABEL}.${apex} TXT`) !== true)
      problems.push(`${node} would serve ${apex} without the RRset that nobody deletes`);
  }
  for (const [name, { value }] of config.pools) {
    if (value.endpoints.length === 0) problems.push(`${node} would serve pool ${name} without endpoints`);
  }
  return problems;
}

/** What is wrong once all nodes have met. */
export function brokenInvariants(
  nodes: readonly SimNode[],
  acknowledged: readonly Acknowledged[],
): readonly string[] {
  const [first, ...others] = nodes;
  if (first === undefined) return [];
  const problems: string[] = [];
  const [config, images] = [describe(inOrder(first.store.config)), imagesOf(first.store.config)];
  for (const other of others) {
    if (describe(inOrder(other.store.config)) !== config)
      problems.push(`${other.name} has another configuration`);
    if (!sameImages(imagesOf(other.store.config), images)) problems.push(`${other.name} has other images`);
  }
  for (const node of nodes) problems.push(...emptyAnswers(node.name, node.store.config), ...node.refusals);
  const histories = new Map(
    [...first.store.heads().keys()].map((id) => [id, new DocumentHistory(first.disk, id)]),
  );
  const zones = zoneDocuments(histories.get(ROOT_DOCUMENT), first.store.config);
  for (const { tag, node, heads } of acknowledged)
    for (const [document, hashes] of heads)
      if (!hashes.every((hash) => histories.get(document)?.has(hash) === true))
        problems.push(`${tag}, acknowledged by ${node}, is missing in ${document}`);
  for (const history of histories.values())
    for (const leaf of history.leaves)
      problems.push(...lostWrites(history, leaf), ...wronglyShown(leaf, first.store.config, zones));
  const conflicts = new Set(first.store.conflicts().map(({ id }) => id));
  for (const history of histories.values())
    for (const leaf of history.leaves) problems.push(...hiddenConflict(leaf, conflicts));
  for (const other of others)
    if (describe(other.store.conflicts()) !== describe(first.store.conflicts()))
      problems.push(`${other.name} lists other conflicts`);
  return problems;
}

/** Different values that stand beside each other are listed; which of zones' records are depends on their lives. */
function hiddenConflict(leaf: LeafHistory, listed: ReadonlySet<string>): readonly string[] {
  const { document, map, key, writes, visible } = leaf;
  // A pool's parts are in conflict together or not, by rules that the store's own tests check.
  if (document !== ROOT_DOCUMENT || map === 'pools') return [];
  const values = writes.filter(({ author }) => visible.includes(author)).map(({ value }) => value);
  if (new Set(values).size < 2 || listed.has(`${map}/${key}`)) return [];
  return [`${map}/${key} has ${visible.join(' and ')}, and is no conflict`];
}

/** Every write counts, or was overwritten by somebody who had seen it, or stands beside others as a conflict. */
function lostWrites(history: DocumentHistory, leaf: LeafHistory): readonly string[] {
  return leaf.writes
    .filter(({ author }) => !leaf.visible.includes(author))
    .filter((write) => !leaf.writes.some((later) => history.saw(later.change, write.change)))
    .map(({ author }) => `${author} of ${leaf.map}/${leaf.key} has vanished`);
}

/** Whether the configuration shows what the leaf says, deletions included; pools are told by their parts. */
function wronglyShown(leaf: LeafHistory, config: Config, zones: ZoneDocuments): readonly string[] {
  const shown = shownAuthor(leaf, config, zones);
  if (shown === 'elsewhere') return [];
  const at = `${leaf.document} ${leaf.map}/${leaf.key}`;
  const visible = leaf.writes.filter(({ author }) => leaf.visible.includes(author));
  if (shown === undefined)
    return visible.some(({ isDeletion }) => isDeletion) ? [] : [`${at} is not shown, and nobody deleted it`];
  return visible.some(({ author, isDeletion }) => author === shown && !isDeletion)
    ? []
    : [`${at} shows what ${shown} wrote, and the document has ${leaf.visible.join(' and ')}`];
}

/** Who wrote what is shown of a leaf; undefined when it is not there, `elsewhere` when it is of a zone's former life. */
function shownAuthor(
  { document, map, key }: LeafHistory,
  config: Config,
  zones: ZoneDocuments,
): string | undefined {
  if (document === ROOT_DOCUMENT) {
    // A pool is shown as one of many leaves.
    if (map === 'pools') return 'elsewhere';
    return config[map as 'zones'].get(key)?.author;
  }
  const apex = zoneOfDocument(document) ?? '';
  return zones.get(apex) === document ? config.rrsets.get(apex)?.get(key)?.author : 'elsewhere';
}

/** The document of each zone that has one, by apex. */
type ZoneDocuments = ReadonlyMap<string, string>;

function zoneDocuments(root: DocumentHistory | undefined, config: Config): ZoneDocuments {
  const documents = new Map<string, string>();
  for (const { map, key, writes } of root?.leaves ?? []) {
    const zone = map === 'zones' ? config.zones.get(key) : undefined;
    const shown = writes.find(({ author }) => author === zone?.author);
    if (zone?.value.kind === 'rrsets' && shown !== undefined)
      documents.set(key, zoneDocument(key, shown.life));
  }
  return documents;
}

function describe(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (one instanceof Map ? [...one] : one));
}

/** Everything but what is each node's own. Maps stand in the order in which things came to a node; that moves octets in an image, and no answer. */
function inOrder(config: Config): Config {
  const sorted = <T>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
  const maps = Object.entries(config).flatMap(([name, map]) =>
    map instanceof Map ? [[name, sorted(map)] as const] : [],
  );
  const rrsets = sorted(new Map([...config.rrsets].map(([apex, ofZone]) => [apex, sorted(ofZone)])));
  return { ...config, ...Object.fromEntries(maps), rrsets, generation: 0 };
}

function imagesOf(unordered: Config): ReadonlyMap<string, Uint8Array> {
  const config = inOrder(unordered);
  const endpoints = [...config.pools].flatMap(([pool, { value }]) =>
    value.endpoints.map(({ name }) => `${pool}/${name}`),
  );
  const slots = new Map(endpoints.sort().map((key, slot) => [key, slot]));
  const centers = new Map([...config.dataCenters.keys()].sort().map((name, index) => [name, index]));
  const { jobs } = zoneJobs(config, {
    slotOf: (key) => slots.get(key),
    dataCenterIndex: (name) => centers.get(name),
    mapFor: () => 0,
    hasBlob: () => false,
    serialOf: (apex) => config.zoneSerials.get(apex) ?? 0,
  });
  return new Map(
    jobs.flatMap(({ apex, records, steeredNames }) => {
      const name = parseName(apex);
      if (!name.ok || records.kind !== 'columns') return [];
      const source = { apex: lowercaseName(name.value), columns: joinColumns(records.parts), steeredNames };
      return [[apex, new Uint8Array(compileColumns(source).image)] as const];
    }),
  );
}

function sameImages(one: ReadonlyMap<string, Uint8Array>, other: ReadonlyMap<string, Uint8Array>): boolean {
  if (one.size !== other.size) return false;
  return [...one].every(([apex, image]) => {
    const same = other.get(apex);
    return same !== undefined && Buffer.compare(image, same) === 0;
  });
}
