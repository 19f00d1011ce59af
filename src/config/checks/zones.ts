import { parseName } from '../../dns/name.ts';
import { mayStandBesideCname, parseType, TYPE_CNAME } from '../../dns/type.ts';
import type { Config, Owner, Stored } from '../model.ts';
import { rrsetKey } from '../model.ts';
import type { Problem } from '../problem.ts';
import { rrsetPath } from '../resource-path.ts';
import type { Zone } from '../resources/zone.ts';
import { type RRsets, shardOf, shardsOf } from '../rrset-map.ts';
import type { ZoneShape } from '../zone-shape.ts';
import { checkDomainName } from './domain-names.ts';
import { checkRRset } from './rrsets.ts';
import { type CheckScope, onlyWhenChanged, problemAt, report } from './scope.ts';

interface CheckedShard {
  readonly apex: string;
  readonly problems: readonly Problem[];
  /** Owner names of NS RRsets below the apex. */
  readonly cuts: readonly string[];
}

interface CheckedZone {
  readonly apex: string;
  readonly problems: readonly Problem[];
  readonly shape: ZoneShape;
}

/** By identity, for maps of RRsets are immutable: a part of a zone that nobody edited is not looked at again. */
const checkedShards = new WeakMap<RRsets, CheckedShard>();
const checkedZones = new WeakMap<RRsets, CheckedZone>();

const NO_RRSETS: RRsets = new Map();
const NOBODY: Owner = { kind: 'api' };

/** Zones' own names, and everything of the RRsets that the API edits. */
export function checkZones(scope: CheckScope): void {
  checkAllFields(scope);
  for (const [apex, rrsets] of scope.config.rrsets) {
    if (rrsets.size === 0) continue;
    const zone = scope.config.zones.get(apex);
    if (zone?.value.kind === 'rrsets') {
      for (const problem of checkApiZone(apex, rrsets).problems) scope.problems.push(problem);
    } else
      report(
        scope,
        zone?.owner ?? NOBODY,
        'records-without-zone',
        `zones/${apex}/rrsets`,
        homelessSentence(apex, rrsets, zone),
      );
  }
}

const checkAllFields = onlyWhenChanged(['zones'], (scope) => {
  for (const [apex, { value, owner }] of scope.config.zones) checkZoneFields(scope, apex, value, owner);
});

/** The shape of a zone: from its RRsets, or as the caller knows it from its blob; undefined where nobody knows. */
export function shapeOf(scope: CheckScope, apex: string): ZoneShape | undefined {
  const zone = scope.config.zones.get(apex);
  if (zone?.value.kind !== 'rrsets') return scope.shapes.get(apex);
  return apiZoneShape(scope.config, apex);
}

/** The shape of a zone that is edited RRset by RRset. */
export function apiZoneShape(config: Config, apex: string): ZoneShape {
  return checkApiZone(apex, config.rrsets.get(apex) ?? NO_RRSETS).shape;
}

function checkZoneFields(scope: CheckScope, apex: string, zone: Zone, owner: Owner): void {
  const path = `zones/${apex}`;
  checkDomainName(scope, owner, `${path}/name`, zone.name);
  if (zone.kind === 'blob') return;
  checkDomainName(scope, owner, `${path}/contact`, zone.contact);
  const seen = new Set<string>();
  for (const [i, nameServer] of zone.nameServers.entries()) {
    checkDomainName(scope, owner, `${path}/nameServers/${i}`, nameServer);
    if (seen.has(nameServer)) {
      report(
        scope,
        owner,
        'duplicate-record',
        `${path}/nameServers/${i}`,
        `The name server ${nameServer} is listed twice.`,
      );
    }
    seen.add(nameServer);
  }
}

function homelessSentence(apex: string, rrsets: RRsets, zone: Stored<Zone> | undefined): string {
  return zone === undefined
    ? `There are ${rrsets.size} RRsets of the zone ${apex}, which does not exist; create the zone or delete them.`
    : `The zone ${apex} comes from a zone file, so its ${rrsets.size} RRsets made by the API are not served; delete them.`;
}

function checkApiZone(apex: string, rrsets: RRsets): CheckedZone {
  const known = checkedZones.get(rrsets);
  if (known?.apex === apex) return known;
  const shards = shardsOf(rrsets);
  const checkedParts = shards.map((shard) => checkShard(apex, shard));
  const checked = {
    apex,
    problems: checkedParts.flatMap(({ problems }) => problems),
    shape: {
      typesAt: { get: (name: string) => typesOf(shardOf(rrsets, name)).get(name) },
      cuts: new Set(checkedParts.flatMap(({ cuts }) => cuts)),
    },
  };
  checkedZones.set(rrsets, checked);
  return checked;
}

/** Made only where somebody asks: most zones have no steered names, or few. */
const typesOfShards = new WeakMap<RRsets, ReadonlyMap<string, readonly number[]>>();

function typesOf(shard: RRsets): ReadonlyMap<string, readonly number[]> {
  const known = typesOfShards.get(shard);
  if (known !== undefined) return known;
  const typesByName = new Map<string, number[]>();
  for (const { value } of shard.values()) {
    const type = parseType(value.type);
    if (type === undefined) continue;
    const types = typesByName.get(value.name);
    if (types === undefined) typesByName.set(value.name, [type]);
    else types.push(type);
  }
  typesOfShards.set(shard, typesByName);
  return typesByName;
}

function checkShard(apex: string, rrsets: RRsets): CheckedShard {
  const known = checkedShards.get(rrsets);
  if (known?.apex === apex) return known;
  const apexWire = parseName(apex);
  const problems: Problem[] = [];
  const cuts: string[] = [];
  let hasCname = false;
  for (const [key, stored] of rrsets) {
    const { name, type } = stored.value;
    if (type === 'CNAME') hasCname = true;
    else if (type === 'NS' && name !== apex) cuts.push(name);
    if (apexWire.ok)
      for (const problem of checkRRset(apex, apexWire.value, key, stored)) problems.push(problem);
  }
  if (hasCname) for (const problem of checkCompany(apex, rrsets)) problems.push(problem);
  const checked = { apex, problems, cuts };
  checkedShards.set(rrsets, checked);
  return checked;
}

/** A CNAME stands alone at its owner (RFC 1034 section 3.6.2). */
function checkCompany(apex: string, rrsets: RRsets): Problem[] {
  const problems: Problem[] = [];
  for (const [name, types] of typesOf(rrsets)) {
    if (types.length < 2 || !types.includes(TYPE_CNAME)) continue;
    if (!types.some((type) => type !== TYPE_CNAME && !mayStandBesideCname(type))) continue;
    const key = rrsetKey(name, 'CNAME');
    const owner = rrsets.get(key)?.owner ?? NOBODY;
    const message = `The name ${name} has a CNAME beside other records; a CNAME stands alone (RFC 1034 section 3.6.2).`;
    problems.push(problemAt(owner, 'cname-and-other-data', rrsetPath(apex, key), message));
  }
  return problems;
}
