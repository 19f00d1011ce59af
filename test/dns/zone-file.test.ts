import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/config/problem.ts';
import { formatName, parseName } from '../../src/dns/name.ts';
import {
  formatZone,
  MAX_INCLUDE_DEPTH,
  MAX_ZONE_PROBLEMS,
  type ParsedZone,
  parseZoneFile,
} from '../../src/dns/zone-file.ts';

const apexLines = '$ORIGIN example.org.\n$TTL 60\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1.example.net.\n';
const apexWant =
  'example.org. 60 IN SOA ns1.example.org. host.example.org. 1 2 3 4 5\nexample.org. 60 IN NS ns1.example.net.\n';

function read(text: string, files: Readonly<Record<string, string>> = {}, origin?: string): ParsedZone {
  const name = origin === undefined ? undefined : parseName(origin);
  return parseZoneFile({
    file: 'zones/example.org.zone',
    text,
    origin: name?.ok ? name.value : undefined,
    include: (file) => files[file] ?? { code: 'no-file', path: file, message: `There is no file ${file}.` },
  });
}

function told(problem: Problem): string {
  return `${problem.source?.file}:${problem.source?.line} ${problem.code}: ${problem.message}`;
}

/** The zone's canonical text, then its problems. */
function outcome(zone: ParsedZone): string {
  return formatZone(zone.rrsets) + zone.problems.map(told).join('\n');
}

it('reads every form of RFC 1035 section 5', () => {
  const zone = read(readFileSync(new URL('../vectors/zones/rfc-1035.zone', import.meta.url), 'utf8'));
  expect(zone.problems).toEqual([]);
  expect(formatName(zone.apex ?? new Uint8Array())).toBe('example.org.');
  expect(formatZone(zone.rrsets)).toBe(
    readFileSync(new URL('../vectors/zones/rfc-1035.want', import.meta.url), 'utf8'),
  );
});

describe('records', () => {
  const cases = [
    { name: 'nothing more than an apex', given: '', want: '' },
    {
      name: 'an origin that a name does not use',
      given: 'a.example.org. A 192.0.2.1',
      want: 'a.example.org. 60 IN A 192.0.2.1\n',
    },
    {
      name: 'the owner in its first case, collated whatever the case',
      given: 'A A 192.0.2.1\nb A 192.0.2.3\na A 192.0.2.2',
      want: 'A.example.org. 60 IN A 192.0.2.1\nA.example.org. 60 IN A 192.0.2.2\nb.example.org. 60 IN A 192.0.2.3\n',
    },
    {
      name: 'a record that differs in the case of a name counts once',
      given: 'a MX 1 B\na MX 1 b\na MX 1 c',
      want: 'a.example.org. 60 IN MX 1 B.example.org.\na.example.org. 60 IN MX 1 c.example.org.\n',
    },
    {
      name: 'a text that differs in case is another',
      given: 'a TXT b\na TXT B',
      want: 'a.example.org. 60 IN TXT "b"\na.example.org. 60 IN TXT "B"\n',
    },
    { name: 'a number as owner', given: '10 A 192.0.2.1', want: '10.example.org. 60 IN A 192.0.2.1\n' },
    { name: 'a type as owner', given: 'MX MX 1 @', want: 'MX.example.org. 60 IN MX 1 example.org.\n' },
    { name: 'units in a TTL', given: 'a 1h30m A 192.0.2.1', want: 'a.example.org. 5400 IN A 192.0.2.1\n' },
    {
      name: 'a known type by number',
      given: 'a TYPE1 \\# 4 c0000201',
      want: 'a.example.org. 60 IN A 192.0.2.1\n',
    },
    { name: 'a type known by name only', given: 'a DS \\# 1 00', want: 'a.example.org. 60 IN DS \\# 1 00\n' },
    {
      name: 'data below a zone cut',
      given: 'a NS ns.a\nns.a A 192.0.2.1',
      want: 'a.example.org. 60 IN NS ns.a.example.org.\nns.a.example.org. 60 IN A 192.0.2.1\n',
    },
    {
      name: 'a target that is an alias',
      given: 'a CNAME b\nc MX 1 a',
      want: 'a.example.org. 60 IN CNAME b.example.org.\nc.example.org. 60 IN MX 1 a.example.org.\n',
    },
    {
      name: 'a signature beside an alias',
      given: 'a CNAME b\na RRSIG \\# 1 00',
      want: 'a.example.org. 60 IN CNAME b.example.org.\na.example.org. 60 IN RRSIG \\# 1 00\n',
    },
    {
      name: 'an escaped dollar',
      given: '\\$ORIGIN A 192.0.2.1',
      want: '\\$ORIGIN.example.org. 60 IN A 192.0.2.1\n',
    },
  ];
  it.each(cases)('$name', ({ given, want }) =>
    expect(outcome(read(apexLines + given))).toBe(apexWant + want),
  );

  it('drops duplicates in a large RRset, and keeps its order', () => {
    const lines = Array.from({ length: 300 }, (_, i) => `big A 192.0.2.${i % 100}\n`).join('');
    const big = read(apexLines + lines).rrsets.at(-1);
    expect(big?.rdatas.map((rdata) => rdata[3])).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('takes relative names from the caller\u2019s origin', () => {
    const zone = read('@ 60 SOA ns1 host 1 2 3 4 5\n NS ns1.example.net.', {}, 'example.org');
    expect(outcome(zone)).toBe(apexWant);
  });
});

describe('the TTL of a record without one', () => {
  const soa = 'example.org. SOA . . 1 2 3 4 300\n';
  const ns = 'example.org. NS ns1.example.net.\n';
  const cases = [
    { name: 'is that of $TTL', given: `$TTL 7\n${soa}${ns}`, want: [7, 7] },
    {
      name: '$TTL outranks the last TTL',
      given: `$TTL 7\nexample.org. 9 SOA . . 1 2 3 4 300\n${ns}`,
      want: [9, 7],
    },
    { name: 'is the last TTL', given: `example.org. 9 SOA . . 1 2 3 4 300\n${ns}`, want: [9, 9] },
    { name: 'is the SOA\u2019s minimum', given: soa + ns, want: [300, 300] },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    const zone = read(given);
    expect(zone.problems).toEqual([]);
    expect(zone.rrsets.map((rrset) => rrset.ttlSeconds)).toEqual(want);
  });

  it('is missed before the SOA', () => {
    expect(read(ns + soa).problems.map(told)).toContainEqual(
      'zones/example.org.zone:1 no-ttl: The record has no TTL, and none precedes it; set $TTL before it.',
    );
  });
});

describe('problems of a line', () => {
  const cases = [
    { name: 'rdata', given: 'a MX x mail', want: '5 bad-rdata: MX preference must be 0 to 65535, got "x"' },
    {
      name: 'a record type in its own form',
      given: 'a DS 1 8 2 ab',
      want: '5 bad-rdata: DS rdata is not known by its fields yet; write it as TYPE43 \\# LENGTH HEX',
    },
    { name: 'an unknown type', given: 'a FOO bar', want: '5 bad-type: "FOO" is not a record type we know' },
    { name: 'a quoted type', given: 'a "A" 192.0.2.1', want: '5 bad-type: "A" is not a record type we know' },
    { name: 'no type', given: 'a 60 IN', want: '5 no-type: The record has no type' },
    { name: 'a type of questions', given: 'a ANY \\# 0', want: '5 bad-type: ANY belongs to messages' },
    { name: 'OPT', given: 'a TYPE41 \\# 0', want: '5 bad-type: OPT belongs to messages' },
    {
      name: 'another class',
      given: 'a CH TXT b',
      want: '5 bad-class: The class "CH" is not served; the only one is IN',
    },
    {
      name: 'a TTL too large',
      given: 'a 2147483648 A 192.0.2.1',
      want: '5 bad-ttl: The TTL must be 0 to 2147483647 seconds',
    },
    { name: 'two TTLs', given: 'a 1 2 A 192.0.2.1', want: '5 bad-type: "2" is not a record type' },
    { name: 'an owner', given: 'a..b A 192.0.2.1', want: '5 bad-name: The name "a..b" has an empty label' },
    {
      name: 'a quoted owner',
      given: '"a" A 192.0.2.1',
      want: '5 bad-name: The name "a" must not be in quotes',
    },
    {
      name: 'an unknown directive',
      given: '$GENERATE 1-2 a A 192.0.2.$',
      want: '5 bad-directive: The directive "$GENERATE" is not known',
    },
    {
      name: '$ORIGIN without a name',
      given: '$ORIGIN',
      want: '5 bad-directive: $ORIGIN needs exactly one value, got 0',
    },
    { name: '$TTL of two', given: '$TTL 1 2', want: '5 bad-directive: $TTL needs exactly one value, got 2' },
    { name: '$TTL of words', given: '$TTL soon', want: '5 bad-ttl: The TTL must be' },
    {
      name: 'an entry over lines',
      given: 'a SOA (\n. .\n1 2 3 x )',
      want: '5 bad-rdata: SOA needs 7 fields',
    },
    {
      name: 'a parenthesis',
      given: '\n\na A ( 192.0.2.1\n',
      want: '7 bad-syntax: This entry has a parenthesis that is never closed',
    },
    {
      name: 'the TTL of an RRset',
      given: 'a 1 A 192.0.2.1\na 2 A 192.0.2.2',
      want: '6 ttl-mismatch: a.example.org. A has TTL 2 here and 1 of its first record (zones/example.org.zone:5)',
    },
    {
      name: 'a name outside',
      given: 'a.example.net. A 192.0.2.1',
      want: '5 outside-zone: a.example.net. A is outside the zone example.org.',
    },
    {
      name: 'a second SOA',
      given: '@ SOA . . 1 2 3 4 5',
      want: '3 many-soas: example.org. has 2 SOA records',
    },
    {
      name: 'another SOA',
      given: 'a SOA . . 1 2 3 4 5',
      want: '5 many-soas: A second SOA record stands at a.example.org.',
    },
    {
      name: 'two aliases',
      given: 'a CNAME b\na CNAME c',
      want: '5 many-cnames: a.example.org. has 2 CNAME records',
    },
    {
      name: 'an RRset that fits no message',
      given: `a TYPE65400 \\# 65000 ${'00'.repeat(65_000)}`,
      want: '5 rrset-too-large: a.example.org. TYPE65400 takes 65012 octets',
    },
    {
      name: 'DNAME, which is not followed',
      given: 'a TYPE39 \\# 1 00',
      want: '5 unserved-type: a.example.org. DNAME: names below it are not redirected',
    },
    {
      name: 'an alias beside data',
      given: 'a A 192.0.2.1\nA CNAME b',
      want: '6 cname-and-other-data: a.example.org. has a CNAME record and also A (zones/example.org.zone:5)',
    },
    {
      name: 'an alias at the apex',
      given: '@ CNAME a',
      want: '5 cname-and-other-data: example.org. has a CNAME record and also SOA',
    },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    const { problems } = read(apexLines + given);
    expect(problems).toHaveLength(1);
    expect(problems.map(told).join()).toContain(`zones/example.org.zone:${want}`);
  });
});

describe('problems of a zone', () => {
  const cases = [
    {
      name: 'no SOA',
      given: '$TTL 1\nexample.org. NS ns1.example.net.',
      want: ':1 no-soa: The zone has no SOA record',
    },
    {
      name: 'no NS at the apex',
      given: 'example.org. 1 SOA . . 1 2 3 4 5\na.example.org. NS ns1.example.net.',
      want: ':1 no-apex-ns: The apex example.org. has no NS record',
    },
    {
      name: 'no origin',
      given: 'example.org. 1 SOA . . 1 2 3 4 5\nexample.org. NS ns1',
      want: ':2 bad-rdata: NS name server: The name "ns1" is relative, and no $ORIGIN is set',
    },
    {
      name: 'no owner to take',
      given: ' 1 A 192.0.2.1\n A 192.0.2.2',
      want: ':1 no-owner: The line begins with a blank',
    },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    expect(read(given).problems.map(told)).toContainEqual(expect.stringContaining(want));
  });

  it('reports all of them, and reads on behind each', () => {
    const zone = read(
      `${apexLines}a MX x y z\nb..c A 192.0.2.1\n  AAAA nonsense\n"\n@ SOA ( x\nlast A 192.0.2.9\n`,
    );
    expect(zone.problems.map((problem) => `${problem.source?.line} ${problem.code}`)).toEqual([
      '5 bad-rdata',
      '6 bad-name',
      '7 bad-rdata',
      '8 bad-syntax',
      '9 bad-syntax',
    ]);
    expect(zone.rrsets.map((rrset) => formatName(rrset.owner))).toContain('last.example.org.');
  });

  it('leaves out what follows an owner that is refused', () => {
    const zone = read(`${apexLines}a A 192.0.2.1\nb..c A 192.0.2.2\n A 192.0.2.3\n`);
    expect(zone.rrsets.at(-1)?.rdatas).toHaveLength(1);
    expect(zone.problems).toHaveLength(1);
  });

  it('stops listing after a bound', () => {
    const { problems } = read('x\n'.repeat(10 * MAX_ZONE_PROBLEMS));
    expect(problems).toHaveLength(MAX_ZONE_PROBLEMS + 1);
    expect(problems.at(-1)?.message).toBe(
      `More than ${MAX_ZONE_PROBLEMS} problems were found; the rest is not listed.`,
    );
  });
});

describe('$INCLUDE', () => {
  const a = 'a.example.org. 60 IN A 192.0.2.1\n';
  const cases = [
    { name: 'reads under the same origin', given: '$INCLUDE f', files: { f: 'a A 192.0.2.1' }, want: a },
    { name: 'reads under another origin', given: '$INCLUDE f a', files: { f: '@ A 192.0.2.1' }, want: a },
    {
      name: 'gives the origin and the owner back',
      given: 'a TXT x\n$INCLUDE f sub\n A 192.0.2.1\nb A 192.0.2.2',
      files: { f: '$ORIGIN other.example.org.\nc A 192.0.2.3' },
      want: `a.example.org. 60 IN TXT "x"\nc.other.example.org. 60 IN A 192.0.2.3\n${a}b.example.org. 60 IN A 192.0.2.2\n`,
    },
    { name: 'reads a quoted file name', given: '$INCLUDE "f g"', files: { 'f g': 'a A 192.0.2.1' }, want: a },
    {
      name: 'names the included file in problems',
      given: '$INCLUDE f',
      files: { f: '\na A x' },
      want: 'f:2 bad-rdata: A address must be an IPv4 address, got "x".',
    },
    {
      name: 'passes on why there is no file, with the line that wants it',
      given: '\n$INCLUDE nope',
      files: {},
      want: 'zones/example.org.zone:6 no-file: There is no file nope.',
    },
    {
      name: 'refuses a loop',
      given: '$INCLUDE f',
      files: { f: '$INCLUDE g', g: '\n$INCLUDE f' },
      want: 'g:2 include-loop: $INCLUDE "f" includes itself.',
    },
    {
      name: 'refuses a bad origin',
      given: '$INCLUDE f a..b',
      files: { f: 'a A 192.0.2.1' },
      want: 'zones/example.org.zone:5 bad-name: The name "a..b" has an empty label.',
    },
  ];
  it.each(cases)('$name', ({ given, files, want }) =>
    expect(outcome(read(apexLines + given, files))).toBe(apexWant + want),
  );

  it('bounds the nesting', () => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, `$INCLUDE f${i + 1}`]));
    const { problems } = read(`${apexLines}$INCLUDE f0`, files);
    expect(problems.map(told)).toEqual([
      `f${MAX_INCLUDE_DEPTH - 1}:1 include-depth: $INCLUDE is nested more than ${MAX_INCLUDE_DEPTH} deep.`,
    ]);
  });

  it('bounds the total length', () => {
    const long = ';'.repeat(100 * 1024 * 1024);
    const { problems } = read(`${apexLines}$INCLUDE f\n$INCLUDE f\n$INCLUDE f`, { f: long });
    expect(problems.map((problem) => `${problem.source?.line} ${problem.code}`)).toEqual(['7 zone-too-long']);
  });
});
