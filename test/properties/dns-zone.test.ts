import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatZone, parseZoneFile } from '../../src/dns/zone-file.ts';
import { apex, zoneRRsets } from './dns-arbitraries.ts';

function read(text: string): ReturnType<typeof parseZoneFile> {
  return parseZoneFile({ file: 'zone', text, origin: undefined, include: () => text });
}

it('a zone reads back from its text', () => {
  fc.assert(
    fc.property(zoneRRsets, (rrsets) => {
      const zone = read(formatZone(rrsets));
      expect(zone.problems).toEqual([]);
      expect(zone.apex).toEqual(apex);
      expect(zone.rrsets.map(({ source: _, ...rrset }) => rrset)).toEqual(rrsets);
    }),
  );
});

/** Text that looks enough like a zone to get past the first field. */
const zoneLike = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '$ORIGIN',
        '$TTL',
        '$INCLUDE',
        '@',
        'IN',
        'CH',
        'SOA',
        'NS',
        'A',
        'TXT',
        'MX',
        'TYPE43',
        '\\#',
      ),
      fc.constantFrom(
        '(',
        ')',
        '"',
        ';',
        '\\',
        '\n',
        '\n',
        '\n ',
        ' ',
        '\t',
        '\r\n',
        '\\032',
        '.',
        '..',
        '4',
        '1h',
      ),
      fc.constantFrom('example.org.', 'www', '192.0.2.1', '2001:db8::1', 'c0000201', '99999999999'),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 120 },
  )
  .map((pieces) => pieces.join(' '));

it('any text is a zone or problems, each with its line', () => {
  fc.assert(
    fc.property(fc.oneof(zoneLike, fc.string({ unit: 'binary', maxLength: 400 })), (text) => {
      const lines = text.split('\n').length;
      const { problems, rrsets } = read(text);
      for (const { source, message } of problems) {
        expect(source?.line).toBeGreaterThanOrEqual(1);
        expect(source?.line).toBeLessThanOrEqual(lines);
        expect(message).toMatch(/\.$/);
      }
      if (problems.length === 0) expect(rrsets.length).toBeGreaterThanOrEqual(2);
    }),
    { numRuns: 500 },
  );
});

it('what reads without problems means the same once written again', () => {
  fc.assert(
    fc.property(zoneLike, (text) => {
      const head = '$ORIGIN example.org.\n$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS ns1\n';
      const zone = read(head + text);
      const again = read(formatZone(zone.rrsets));
      expect(formatZone(again.rrsets)).toBe(formatZone(zone.rrsets));
      if (zone.problems.length === 0) expect(again.problems).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
