import { createHash } from 'node:crypto';
import { decodeText, MAX_ZONE_FILE_OCTETS, readConfigOctets } from '../../directory/config-files.ts';
import { expectedApex, parseZone } from '../../directory/zone-files.ts';
import { rrsetCount } from '../../dns/rrset-columns.ts';
import { formatColumns } from '../../dns/zone-file.ts';
import type { ZoneFileJob, ZoneFileResult } from '../compile/compile-job.ts';
import { compileFileZone } from '../compile/compile-zone-job.ts';
import { keepParsed } from './parsed-zones.ts';

/** Reads, checks and compiles a zone file, on the compile thread. Never rejects for what is wrong with the file. */
export async function readZoneFileJob({ directory, file, known }: ZoneFileJob): Promise<ZoneFileResult> {
  const octets = await readConfigOctets(directory, file, MAX_ZONE_FILE_OCTETS);
  if (!octets.ok) return { kind: 'refused', apex: expectedApex(file), problems: octets.problems };
  // The file's name is the first origin.
  const content = createHash('sha256').update(`${file}\n`).update(octets.value).digest('hex');
  if (content === known) return { kind: 'same' };
  const text = decodeText(file, octets.value);
  if (!text.ok) return { kind: 'refused', apex: expectedApex(file), problems: text.problems };
  const zone = parseZone(directory, file, text.value);
  if (!zone.ok) return { kind: 'refused', apex: zone.apex, problems: zone.problems };
  const { apex, apexWire, columns, line } = zone;
  const canonical = formatColumns(columns);
  const blob = createHash('sha256').update(canonical).digest('hex');
  const compiled = compileFileZone(
    { apex, steeredNames: [] },
    { apex: apexWire, columns, steeredNames: [] },
    blob,
  );
  keepParsed(blob, columns);
  const reading = {
    content: /^\$include/im.test(text.value) ? undefined : content,
    apex,
    blob,
    rrsetCount: rrsetCount(columns),
    line,
  };
  return { kind: 'read', reading, text: canonical, compiled };
}
