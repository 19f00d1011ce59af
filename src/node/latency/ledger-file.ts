import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { GroupFigures } from '../../latency/decide-group.ts';
import type { LatencyLedger } from '../../latency/ledger.ts';

/**
 * What was measured, and what steers, on disk between starts:
 *
 *     octets    SHA-256 of the rest | length of the text | text, padded to 8 | cells
 *     text      JSON: data centers, groups, sketches as [group, data center, cells] in one row, what steers
 *     cells     float64 each, sketch by sketch, in this machine's byte order
 *
 * The file is replaced whole. One that is damaged, or of another layout, is as good as none: measurements come again.
 */
export const LATENCY_FILE = 'latency';

/** Counts up with every change of the layout. */
const FORMAT = 1;
const DIGEST_OCTETS = 32;
const HEAD_OCTETS = DIGEST_OCTETS + 8;
const NUMBERS_PER_SKETCH = 3;

interface LedgerText {
  readonly format: number;
  readonly dataCenters: readonly string[];
  readonly groups: readonly string[];
  readonly sketches: readonly number[];
  readonly steering: readonly SteeringText[];
}

/** Group, since when, and data centers with their milliseconds. */
type SteeringText = readonly [string, number, readonly (readonly [string, number])[]];

/** The ledger and what steers, as octets. */
export function formatLedger(ledger: LatencyLedger, steering: ReadonlyMap<string, GroupFigures>): Uint8Array {
  const numbers = new Map<string, number>();
  const numberOf = (dataCenter: string): number => {
    const known = numbers.get(dataCenter) ?? numbers.size;
    numbers.set(dataCenter, known);
    return known;
  };
  const groups: string[] = [];
  const sketches: number[] = [];
  const cells = new Float64Array(ledger.size.cells);
  let filled = 0;
  for (const [group, ofGroup] of ledger.entries()) {
    for (const [dataCenter, sketch] of ofGroup) {
      sketches.push(groups.length, numberOf(dataCenter), sketch.length);
      cells.set(sketch, filled);
      filled += sketch.length;
    }
    groups.push(group);
  }
  const text: LedgerText = {
    format: FORMAT,
    dataCenters: [...numbers.keys()],
    groups,
    sketches,
    steering: Array.from(steering, ([group, { sinceMs, milliseconds }]) => [
      group,
      sinceMs,
      [...milliseconds],
    ]),
  };
  return layOut(Buffer.from(JSON.stringify(text)), cells);
}

function layOut(text: Buffer, cells: Float64Array): Uint8Array {
  const padded = Math.ceil(text.length / 8) * 8;
  const octets = Buffer.alloc(HEAD_OCTETS + padded + cells.byteLength);
  octets.writeBigUInt64LE(BigInt(text.length), DIGEST_OCTETS);
  octets.set(text, HEAD_OCTETS);
  octets.set(new Uint8Array(cells.buffer, 0, cells.byteLength), HEAD_OCTETS + padded);
  createHash('sha256').update(octets.subarray(DIGEST_OCTETS)).digest().copy(octets);
  return octets;
}

/** Puts what a file holds into an empty ledger and returns what steered; undefined where there is no whole file. */
export function readLedger(
  path: string,
  ledger: LatencyLedger,
): ReadonlyMap<string, GroupFigures> | undefined {
  let octets: Buffer;
  try {
    octets = readFileSync(path);
  } catch {
    return undefined;
  }
  return parseLedger(octets, ledger);
}

/** The same of octets. */
export function parseLedger(
  octets: Uint8Array,
  ledger: LatencyLedger,
): ReadonlyMap<string, GroupFigures> | undefined {
  const file = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  if (file.length < HEAD_OCTETS) return undefined;
  const digest = createHash('sha256').update(file.subarray(DIGEST_OCTETS)).digest();
  if (!digest.equals(file.subarray(0, DIGEST_OCTETS))) return undefined;
  const length = Number(file.readBigUInt64LE(DIGEST_OCTETS));
  // The digest says that we wrote it, so that only an older layout is to be expected.
  const text = JSON.parse(file.toString('utf8', HEAD_OCTETS, HEAD_OCTETS + length)) as LedgerText;
  if (text.format !== FORMAT) return undefined;
  const from = HEAD_OCTETS + Math.ceil(length / 8) * 8;
  const cells = new Float64Array(file.buffer.slice(file.byteOffset + from, file.byteOffset + file.length));
  let at = 0;
  for (let row = 0; row < text.sketches.length; row += NUMBERS_PER_SKETCH) {
    const [group = 0, dataCenter = 0, count = 0] = text.sketches.slice(row, row + NUMBERS_PER_SKETCH);
    const sketch = Array.from(cells.subarray(at, at + count));
    ledger.restore(text.groups[group] ?? '', text.dataCenters[dataCenter] ?? '', sketch);
    at += count;
  }
  return new Map(
    text.steering.map(([group, sinceMs, figures]) => [group, { sinceMs, milliseconds: new Map(figures) }]),
  );
}
