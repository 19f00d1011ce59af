import type { Problem, SourceLine } from '../config/problem.ts';
import { excerpt } from './excerpt.ts';
import { GrowingOctets } from './growing.ts';
import { formatName, NO_ORIGIN, parseName } from './name.ts';
import { type Field, formatRdata, parseRdataFields, soaMinimumSeconds } from './rdata/index.ts';
import { type RRsetColumns, type RRsetValue, rrsetCount, rrsetValue } from './rrset-columns.ts';
import { parseTtl, TTL_SENTENCE } from './ttl.ts';
import { CLASS_IN, formatType, isMetaType, parseClass, parseType, TYPE_SOA } from './type.ts';
import { type CollatedZone, type ParsedRRset, ZoneCollation } from './zone-collation.ts';
import { type Entry, ZoneLexer } from './zone-lexer.ts';

export type { ParsedRRset } from './zone-collation.ts';

/** Deeper nesting of $INCLUDE is a loop in all likelihood. */
export const MAX_INCLUDE_DEPTH = 8;
/** Characters of a zone with its includes: several million records, and well below the longest string. */
export const MAX_ZONE_TEXT_LENGTH = 256 * 1024 * 1024;
/** Nobody mends more at once, and a file that is no zone file at all has one on every line. */
export const MAX_ZONE_PROBLEMS = 1000;

/** Characters that are made at once when a zone is written. */
const FORMATTED_AT_ONCE = 65_536;

/** A guess, so that the text of a large zone seldom has to be moved while it grows. */
const TYPICAL_RRSET_TEXT_LENGTH = 48;

/** A zone file to parse. Pure: the texts of includes are asked for. */
export interface ZoneFileSource {
  /** As it shall appear in problems. */
  readonly file: string;
  readonly text: string;
  /** The name that relative names are relative to before any $ORIGIN; without it, the file must set one. */
  readonly origin: Uint8Array | undefined;
  /** The text of a file named in $INCLUDE, or why there is none. */
  readonly include: (file: string) => string | Problem;
  /** The name under which problems tell an included file; as it is written unless given. */
  readonly nameOf?: (file: string) => string;
}

/** Serve the zone only when there are no problems; the RRsets are then complete. */
export interface ParsedZone {
  readonly rrsets: ParsedRRset[];
  /** The owner of the first SOA record. */
  readonly apex: Uint8Array | undefined;
  readonly problems: Problem[];
}

/** The same for zones of any size, without an object for each RRset. */
export interface ParsedColumns extends CollatedZone {
  readonly problems: Problem[];
}

/**
 * Parses a master file (RFC 1035 section 5, RFC 2308 section 4 for $TTL, RFC 3597 section 5 for unknown types).
 *
 * Any text gives a value, in linear time. Every mistake is a problem with its file and line, and reading goes on
 * behind it. A record that stands twice counts once, without a problem. A record without a TTL takes that of $TTL,
 * else the last TTL that was written, else the SOA's minimum. After $INCLUDE the origin and the last owner are as
 * before it; a TTL set in the included file stays.
 */
export function parseZoneFile(source: ZoneFileSource): ParsedZone {
  const { columns, apex, outside, sourceOf, problems } = parseZoneColumns(source);
  const rrsets: ParsedRRset[] = [];
  for (let rrset = 0; rrset < rrsetCount(columns); rrset += 1) {
    if (!outside.has(rrset)) rrsets.push({ ...rrsetValue(columns, rrset), source: sourceOf(rrset) });
  }
  return { rrsets, apex, problems };
}

/** As `parseZoneFile`. */
export function parseZoneColumns(source: ZoneFileSource): ParsedColumns {
  return new ZoneReader(source).read();
}

/** One line per record, names absolute, in the order given: `parseZoneFile` reads it back with no origin. */
export function formatZone(rrsets: Iterable<RRsetValue>): string {
  let text = '';
  for (const rrset of rrsets) text += formatRRset(rrset);
  return text;
}

/** As `formatZone`, in octets: the text of a million RRsets is long, and never needed as a whole. */
export function formatColumns(columns: RRsetColumns): Uint8Array {
  const count = rrsetCount(columns);
  const octets = new GrowingOctets(TYPICAL_RRSET_TEXT_LENGTH * count);
  const encoder = new TextEncoder();
  let text = '';
  for (let rrset = 0; rrset < count; rrset += 1) {
    text += formatRRset(rrsetValue(columns, rrset));
    if (text.length < FORMATTED_AT_ONCE && rrset < count - 1) continue;
    const piece = encoder.encode(text);
    octets.append(piece, 0, piece.length);
    text = '';
  }
  return octets.view().slice();
}

function formatRRset({ owner, type, ttlSeconds, rdatas }: RRsetValue): string {
  const head = `${formatName(owner)} ${ttlSeconds} IN ${formatType(type)}`;
  let text = '';
  for (const rdata of rdatas) text += `${head} ${formatRdata(type, rdata)}\n`;
  return text;
}

/** The part of a record before its rdata. */
interface RecordHead {
  readonly type: number;
  readonly ttlSeconds: number | undefined;
  readonly rdata: readonly Field[];
}

class ZoneReader {
  readonly #source: ZoneFileSource;
  readonly #collation: ZoneCollation;
  readonly #problems: Problem[] = [];
  /** Files from the zone file down to the one being read. */
  readonly #files: string[] = [];
  #textLength = 0;
  #origin: Uint8Array;
  #lastOwner: Uint8Array | undefined;
  /** The last owner was refused: the records that would inherit it are checked and left out. */
  #lastOwnerBroken = false;
  /** Of $TTL. */
  #defaultTtlSeconds: number | undefined;
  #lastTtlSeconds: number | undefined;
  #soaMinimumSeconds: number | undefined;

  constructor(source: ZoneFileSource) {
    this.#source = source;
    this.#origin = source.origin ?? NO_ORIGIN;
    this.#collation = new ZoneCollation(source.file, (problem) => this.#report(problem), source.text.length);
  }

  read(): ParsedColumns {
    this.#readFile(this.#source.file, this.#source.text);
    return { ...this.#collation.finish(this.#source.file), problems: this.#problems };
  }

  #readFile(file: string, text: string): void {
    this.#textLength += text.length;
    this.#files.push(file);
    const lexer = new ZoneLexer(text);
    while (this.#problems.length <= MAX_ZONE_PROBLEMS) {
      const entry = lexer.next();
      if (entry === undefined) break;
      this.#readEntry(entry, { file, line: entry.line });
    }
    this.#files.pop();
  }

  #readEntry(entry: Entry, source: SourceLine): void {
    const { mistake, fields } = entry;
    const [first, ...rest] = fields;
    if (mistake !== undefined) {
      this.#refuse(
        'bad-syntax',
        { file: source.file, line: mistake.line },
        `This entry ${mistake.sentence}.`,
      );
    } else if (first !== undefined && !first.quoted && !entry.startsBlank && first.text.startsWith('$')) {
      this.#readDirective(first.text, rest, source);
    } else {
      this.#readRecord(entry, source);
    }
  }

  #readDirective(directive: string, fields: readonly Field[], source: SourceLine): void {
    const [first, second] = fields;
    const name = directive.toUpperCase();
    const most = name === '$INCLUDE' ? 2 : 1;
    if (name !== '$ORIGIN' && name !== '$TTL' && name !== '$INCLUDE') {
      const known = '$ORIGIN, $TTL and $INCLUDE are';
      this.#refuse('bad-directive', source, `The directive ${excerpt(directive)} is not known; ${known}.`);
    } else if (first === undefined || fields.length > most) {
      const needs = name === '$INCLUDE' ? 'a file name and at most an origin' : 'exactly one value';
      this.#refuse('bad-directive', source, `${name} needs ${needs}, got ${fields.length} fields.`);
    } else if (name === '$ORIGIN') {
      this.#origin = this.#parseName(first, source) ?? this.#origin;
    } else if (name === '$TTL') {
      this.#defaultTtlSeconds = this.#parseTtl(first.text, source) ?? this.#defaultTtlSeconds;
    } else {
      this.#include(first.text, second, source);
    }
  }

  #include(file: string, originField: Field | undefined, source: SourceLine): void {
    const origin = originField === undefined ? this.#origin : this.#parseName(originField, source);
    if (origin === undefined) return;
    const name = this.#source.nameOf?.(file) ?? file;
    if (this.#files.includes(name)) {
      this.#refuse('include-loop', source, `$INCLUDE ${excerpt(file)} includes itself.`);
      return;
    }
    if (this.#files.length > MAX_INCLUDE_DEPTH) {
      this.#refuse('include-depth', source, `$INCLUDE is nested more than ${MAX_INCLUDE_DEPTH} deep.`);
      return;
    }
    const text = this.#source.include(file);
    if (typeof text !== 'string') {
      this.#report({ ...text, source: text.source ?? source });
      return;
    }
    if (this.#textLength + text.length > MAX_ZONE_TEXT_LENGTH) {
      const limit = `${MAX_ZONE_TEXT_LENGTH} characters`;
      this.#refuse(
        'zone-too-long',
        source,
        `With $INCLUDE ${excerpt(file)} the zone is longer than ${limit}.`,
      );
      return;
    }
    const before = { origin: this.#origin, owner: this.#lastOwner, broken: this.#lastOwnerBroken };
    this.#origin = origin;
    this.#readFile(name, text);
    this.#origin = before.origin;
    this.#lastOwner = before.owner;
    this.#lastOwnerBroken = before.broken;
  }

  #readRecord(entry: Entry, source: SourceLine): void {
    const owner = this.#readOwner(entry, source);
    const head = this.#readHead(entry.startsBlank ? entry.fields : entry.fields.slice(1), source);
    if (head === undefined) return;
    const rdata = parseRdataFields(head.type, head.rdata, this.#origin);
    if (!rdata.ok) {
      for (const { code, message } of rdata.problems) this.#refuse(code, source, message);
      return;
    }
    const { type } = head;
    if (type === TYPE_SOA) this.#soaMinimumSeconds ??= soaMinimumSeconds(rdata.value);
    const ttlSeconds =
      head.ttlSeconds ?? this.#defaultTtlSeconds ?? this.#lastTtlSeconds ?? this.#soaMinimumSeconds;
    if (ttlSeconds === undefined) {
      this.#refuse('no-ttl', source, 'The record has no TTL, and none precedes it; set $TTL before it.');
      return;
    }
    if (owner !== undefined) this.#collation.add({ owner, type, ttlSeconds, rdata: rdata.value, source });
  }

  /** The record's owner, undefined where it is refused. */
  #readOwner(entry: Entry, source: SourceLine): Uint8Array | undefined {
    const [field] = entry.fields;
    if (!entry.startsBlank && field !== undefined) {
      this.#lastOwner = this.#parseName(field, source);
      this.#lastOwnerBroken = this.#lastOwner === undefined;
    } else if (this.#lastOwner === undefined && !this.#lastOwnerBroken) {
      this.#refuse(
        'no-owner',
        source,
        'The line begins with a blank, and no record precedes it to take the owner from.',
      );
      this.#lastOwnerBroken = true;
    }
    return this.#lastOwner;
  }

  /** TTL and class, in either order and both optional, then the type. */
  #readHead(fields: readonly Field[], source: SourceLine): RecordHead | undefined {
    let at = 0;
    let ttlSeconds: number | undefined;
    let hasTtl = false;
    let recordClass: number | undefined;
    for (; at < fields.length; at += 1) {
      const text = plainText(fields[at]);
      if (!hasTtl && isDigit(text.charCodeAt(0))) {
        hasTtl = true;
        ttlSeconds = this.#parseTtl(text, source);
        if (ttlSeconds === undefined) return undefined;
        this.#lastTtlSeconds = ttlSeconds;
      } else if (recordClass === undefined && parseClass(text) !== undefined) {
        recordClass = parseClass(text);
      } else {
        break;
      }
    }
    if (recordClass !== undefined && recordClass !== CLASS_IN) {
      const text = excerpt(plainText(fields.find((field) => parseClass(plainText(field)) !== undefined)));
      this.#refuse('bad-class', source, `The class ${text} is not served; the only one is IN.`);
      return undefined;
    }
    const type = this.#readType(fields[at], source);
    return type === undefined ? undefined : { type, ttlSeconds, rdata: fields.slice(at + 1) };
  }

  #readType(field: Field | undefined, source: SourceLine): number | undefined {
    if (field === undefined) {
      this.#refuse('no-type', source, 'The record has no type.');
      return undefined;
    }
    const type = field.quoted ? undefined : parseType(field.text);
    if (type === undefined) {
      const sentence = `${excerpt(field.text)} is not a record type we know`;
      this.#refuse('bad-type', source, `${sentence}; write other types as TYPEn \\# LENGTH HEX (RFC 3597).`);
      return undefined;
    }
    if (isMetaType(type)) {
      this.#refuse(
        'bad-type',
        source,
        `${formatType(type)} belongs to messages, and never stands in a zone.`,
      );
      return undefined;
    }
    return type;
  }

  #parseName(field: Field, source: SourceLine): Uint8Array | undefined {
    if (field.quoted) {
      this.#refuse('bad-name', source, `The name ${excerpt(field.text)} must not be in quotes.`);
      return undefined;
    }
    const name = parseName(field.text, this.#origin);
    if (name.ok) return name.value;
    for (const { code, message } of name.problems) this.#refuse(code, source, message);
    return undefined;
  }

  #parseTtl(text: string, source: SourceLine): number | undefined {
    const seconds = parseTtl(text);
    if (seconds === undefined)
      this.#refuse('bad-ttl', source, `The TTL ${TTL_SENTENCE}, got ${excerpt(text)}.`);
    return seconds;
  }

  #refuse(code: string, source: SourceLine, message: string): void {
    this.#report({ code, path: this.#source.file, message, source });
  }

  #report(problem: Problem): void {
    if (this.#problems.length < MAX_ZONE_PROBLEMS) {
      this.#problems.push(problem);
    } else if (this.#problems.length === MAX_ZONE_PROBLEMS) {
      const message = `More than ${MAX_ZONE_PROBLEMS} problems were found; the rest is not listed.`;
      this.#problems.push({ ...problem, code: 'too-many-problems', message });
    }
  }
}

function plainText(field: Field | undefined): string {
  return field === undefined || field.quoted ? '' : field.text;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
