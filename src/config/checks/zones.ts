import { parseName } from '../../dns/name.ts';
import { mayStandBesideCname, parseType, TYPE_CNAME } from '../../dns/type.ts';
import type { Config, Owner, Stored } from '../model.ts';
import { rrsetKey } from '../model.ts';
import type { Problem } from '../problem.ts';
import { rrsetPath } from '../resource-path.ts';
import type { RRset } from '../resources/rrset.ts';
import type { Zone } from '../resources/zone.ts';
import { type ZoneShape, zoneShape } from '../zone-shape.ts';
import { checkDomainName } from './domain-names.ts';
import { checkRRset } from './rrsets.ts';
import { type CheckScope, problemAt, report } from './scope.ts';

type RRsets = ReadonlyMap<string, Stored<RRset>>;

interface CheckedZone {
  readonly apex: string;
  readonly problems: readonly Problem[];
  readonly shape: ZoneShape;
}

/** By the identity of a zone's map of RRsets, which is immutable: a zone that nobody edited is not looked at again. */
const checkedZones = new WeakMap<RRsets, CheckedZone>();

const NO_RRSETS: RRsets = new Map();
const NOBODY: Owner = { kind: 'api' };

/** Zones' own names, and everything of the RRsets that the API edits. */
export function checkZones(scope: CheckScope): void {
  for (const [apex, { value, owner }] of scope.config.zones) checkZoneFields(scope, apex, value, owner);
  for (const [apex, rrsets] of scope.config.rrsets) {
    if (rrsets.size === 0) continue;
    const zone = scope.config.zones.get(apex);
    if (zone?.value.kind === 'rrsets') scope.problems.push(...checkApiZone(apex, rrsets).problems);
    else
      report(
        scope,
        zone?.owner ?? NOBODY,
        'records-without-zone',
        `zones/${apex}/rrsets`,
        homelessSentence(apex, rrsets, zone),
      );
  }
}

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
  const apexWire = parseName(apex);
  const shape = zoneShape(apex, shapesOf(rrsets));
  const problems: Problem[] = [];
  if (apexWire.ok) {
    for (const [key, stored] of rrsets) problems.push(...checkRRset(apex, apexWire.value, key, stored));
  }
  problems.push(...checkCompany(apex, rrsets, shape));
  const checked = { apex, problems, shape };
  checkedZones.set(rrsets, checked);
  return checked;
}

function* shapesOf(rrsets: RRsets): Generator<{ owner: string; type: number }> {
  for (const { value } of rrsets.values()) {
    const type = parseType(value.type);
    if (type !== undefined) yield { owner: value.name, type };
  }
}

/** A CNAME stands alone at its owner (RFC 1034 section 3.6.2). */
function checkCompany(apex: string, rrsets: RRsets, { typesAt }: ZoneShape): Problem[] {
  const problems: Problem[] = [];
  for (const [name, types] of typesAt) {
    if (types.length < 2 || !types.includes(TYPE_CNAME)) continue;
    if (!types.some((type) => type !== TYPE_CNAME && !mayStandBesideCname(type))) continue;
    const key = rrsetKey(name, 'CNAME');
    const owner = rrsets.get(key)?.owner ?? NOBODY;
    const message = `The name ${name} has a CNAME beside other records; a CNAME stands alone (RFC 1034 section 3.6.2).`;
    problems.push(problemAt(owner, 'cname-and-other-data', rrsetPath(apex, key), message));
  }
  return problems;
}
