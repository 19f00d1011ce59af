import { formatName, isSubdomain, labelCount, parseName } from '../../dns/name.ts';
import { octetKey } from '../../dns/octet-key.ts';
import { canonicalRdata } from '../../dns/rdata/canonical.ts';
import { parseRdata, rdataKind } from '../../dns/rdata/index.ts';
import { MAX_RRSET_LENGTH, RECORD_HEAD_LENGTH } from '../../dns/rdata/kind.ts';
import {
  isMetaType,
  parseType,
  TYPE_CNAME,
  TYPE_DNAME,
  TYPE_NS,
  TYPE_SOA,
  TYPE_TXT,
} from '../../dns/type.ts';
import { DNAME_SENTENCE } from '../../dns/zone-collation.ts';
import type { Stored } from '../model.ts';
import type { Problem } from '../problem.ts';
import { rrsetPath } from '../resource-path.ts';
import type { RRset } from '../resources/rrset.ts';
import { problemAt } from './scope.ts';

interface Checked {
  readonly apex: string;
  readonly problems: readonly Problem[];
}

/** A stored RRset never changes, so what was found stays true; rdata is by far the dearest thing to check. */
const checkedRRsets = new WeakMap<Stored<RRset>, Checked>();

/** What is wrong with one RRset of a zone that is edited RRset by RRset, whatever else the zone has. */
export function checkRRset(
  apex: string,
  apexWire: Uint8Array,
  key: string,
  stored: Stored<RRset>,
): readonly Problem[] {
  const known = checkedRRsets.get(stored);
  if (known?.apex === apex) return known.problems;
  const problems = findProblems(apex, apexWire, key, stored);
  checkedRRsets.set(stored, { apex, problems });
  return problems;
}

function findProblems(apex: string, apexWire: Uint8Array, key: string, stored: Stored<RRset>): Problem[] {
  const { value: rrset, owner } = stored;
  const path = rrsetPath(apex, key);
  const problems: Problem[] = [];
  const add = (code: string, place: string, message: string): void => {
    problems.push(problemAt(owner, code, place, message));
  };

  const name = parseName(rrset.name);
  if (!name.ok) {
    for (const problem of name.problems) add(problem.code, `${path}/name`, problem.message);
  } else if (!isSubdomain(name.value, apexWire)) {
    add('outside-zone', `${path}/name`, `The name ${rrset.name} is not in the zone ${apex}.`);
  }

  const type = parseType(rrset.type);
  if (type === undefined || isMetaType(type)) {
    add('bad-type', `${path}/type`, typeSentence(rrset.type, type));
    return problems;
  }
  if (type === TYPE_SOA || (type === TYPE_NS && rrset.name === apex)) {
    add('made-from-zone', path, madeFromZoneSentence(apex, type));
    return problems;
  }
  if (type === TYPE_DNAME) add('unserved-type', `${path}/type`, `The type DNAME: ${DNAME_SENTENCE}`);
  if (type === TYPE_CNAME) checkCname(apex, path, rrset, add);
  checkRecords(path, type, rrset, add);
  return problems;
}

function typeSentence(text: string, type: number | undefined): string {
  return type === undefined
    ? `The record type ${text} is not known; write its number as TYPE65400 (RFC 3597).`
    : `The type ${text} is only for questions and messages, never for records of a zone.`;
}

function madeFromZoneSentence(apex: string, type: number): string {
  return type === TYPE_SOA
    ? `The SOA record of ${apex} is made from the zone's own fields; change contact, ttlSeconds or negativeTtlSeconds of the zone.`
    : `The NS records of the apex ${apex} are made from the zone's own fields; change nameServers of the zone.`;
}

type Add = (code: string, place: string, message: string) => void;

function checkCname(apex: string, path: string, rrset: RRset, add: Add): void {
  if (rrset.records.length > 1) {
    add(
      'many-cnames',
      `${path}/records`,
      `The name ${rrset.name} has ${rrset.records.length} CNAME records; a name has at most one (RFC 2181 section 10.1).`,
    );
  }
  if (rrset.name === apex) {
    add(
      'cname-at-apex',
      path,
      `The apex ${apex} has SOA and NS records and so cannot have a CNAME (RFC 1034 section 3.6.2).`,
    );
  }
}

function checkRecords(path: string, type: number, rrset: RRset, add: Add): void {
  const seen = new Set<string>();
  let octets = 0;
  for (const [i, text] of rrset.records.entries()) {
    const rdata = parseRdata(type, text);
    if (!rdata.ok) {
      for (const problem of rdata.problems) add(problem.code, `${path}/records/${i}`, problem.message);
      continue;
    }
    checkZoneFileHabits(`${path}/records/${i}`, type, text, rdata.value, add);
    octets += rdata.value.length + RECORD_HEAD_LENGTH;
    if (rrset.records.length === 1) break;
    const content = octetKey(canonicalRdata(rdataKind(type), rdata.value));
    if (seen.has(content)) {
      add(
        'duplicate-record',
        `${path}/records/${i}`,
        `The record ${text} is there twice; an RRset has each only once (RFC 2181 section 5).`,
      );
    }
    seen.add(content);
  }
  if (octets > MAX_RRSET_LENGTH) {
    add(
      'rrset-too-large',
      `${path}/records`,
      `The RRset takes ${octets} octets and does not fit a message; at most ${MAX_RRSET_LENGTH} do.`,
    );
  }
}

/** What means something else here than in a zone file would be published without anybody noticing. */
function checkZoneFileHabits(place: string, type: number, text: string, rdata: Uint8Array, add: Add): void {
  if (type === TYPE_TXT && !text.includes('"') && /\s/.test(text.trim())) {
    const quoted = `"${text.trim()}"`;
    add('unquoted-text', place, `Without quotes each word is a string of its own; write it as ${quoted}.`);
  }
  for (const { offset, length } of rdataKind(type).names(rdata)) {
    const name = rdata.subarray(offset, offset + length);
    const written = formatName(name);
    if (labelCount(name) !== 1 || text.includes(written)) continue;
    const bare = written.slice(0, -1);
    const message = `Names are absolute here, so "${bare}" would be a top-level domain; write the whole name, or "${written}" if that is meant.`;
    add('bare-name', place, message);
  }
}
