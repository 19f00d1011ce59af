/*
 * Parse and compile times, image sizes and peak memory for zones of 10,000, 100,000 and 1,000,000 RRsets; each in a
 * process of its own, for the peak is the process's.
 *
 *     node bench/compile-zone.ts
 */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { lowercaseName } from '../src/dns/name.ts';
import { type RRsetValue, rrsetCount } from '../src/dns/rrset-columns.ts';
import { TYPE_A } from '../src/dns/type.ts';
import { parseZoneColumns } from '../src/dns/zone-file.ts';
import { compileColumns, compileEditable } from '../src/snapshot/compile-zone.ts';
import { ZoneEditor } from '../src/snapshot/edit-zone.ts';
import { wireName } from './respond-world.ts';

const COUNTS = [10_000, 100_000, 1_000_000];
const EDITS = 100;

const [, , given] = process.argv;
if (given === undefined) {
  console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`);
  for (const count of COUNTS) {
    const argv = [...process.execArgv, import.meta.filename, String(count)];
    process.stdout.write(execFileSync(process.execPath, argv, { encoding: 'utf8' }));
  }
} else {
  measure(Number(given));
}

function measure(count: number): void {
  const text = zoneText(count);
  const [parseMs, zone] = timed(() =>
    parseZoneColumns({
      file: 'example.org.zone',
      text,
      origin: wireName('example.org.'),
      include: (file) => ({ code: 'no-include', path: file, message: 'There are no includes here.' }),
    }),
  );
  const apex = lowercaseName(zone.apex ?? new Uint8Array());
  const source = { apex, columns: zone.columns, steeredNames: [] };
  const [compileMs, compiled] = timed(() => compileColumns(source));
  const peak = `peak ${mebibytes(process.resourceUsage().maxRSS * 1024)}`;
  const octets = compiled.image.byteLength;
  const size = `image ${mebibytes(octets)}, ${(octets / rrsetCount(zone.columns)).toFixed(0)} octets per RRset`;
  const { image, room } = compileEditable(source);
  const editor = new ZoneEditor(apex, image, room);
  const [editsMs] = timed(() => {
    for (let i = 0; i < EDITS; i++) editor.edit([{ owner: wireName(hostName(i)), rrsets: [host(i)] }], i);
  });
  const head = `${count.toLocaleString('en').padStart(9)} RRsets`;
  const times = `parse ${parseMs.toFixed(0)} ms, compile ${compileMs.toFixed(0)} ms, edit ${(editsMs / EDITS).toFixed(2)} ms`;
  console.log(`${head}: ${times}; ${size}; ${peak}`);
}

function zoneText(count: number): string {
  const lines = ['@ 3600 SOA ns1 hostmaster 1 7200 900 1209600 300', '@ 3600 NS ns1', 'ns1 300 A 192.0.2.53'];
  for (let i = 0; i < count; i++) lines.push(`${hostName(i)} 300 A 192.0.2.${i & 0xff}`);
  return lines.join('\n');
}

function hostName(i: number): string {
  return `host-${i}.example.org.`;
}

function host(i: number): RRsetValue {
  const rdatas = [Uint8Array.of(198, 51, 100, i & 0xff)];
  return { owner: wireName(hostName(i)), type: TYPE_A, ttlSeconds: 300, rdatas };
}

function timed<T>(work: () => T): readonly [number, T] {
  const start = performance.now();
  const result = work();
  return [performance.now() - start, result];
}

function mebibytes(octets: number): string {
  return `${(octets / 2 ** 20).toFixed(0)} MiB`;
}
