import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { GroupFigures } from '../../latency/decide-group.ts';
import type { LatencyLedger } from '../../latency/ledger.ts';

/**
 * What was measured, and what steers, on disk between starts:
 *
 *     chunks    the first holds what steers, each other the sketches of some groups
 *     digest    SHA-256 of all chunks
 *
 *     chunk     length of the text | number of cells | text in JSON, padded to 8 octets | cells
 *     cells     float64 each, sketch by sketch, in this machine's byte order
 *
 * It is written chunk by chunk, so that others have their turn, while measurements go on: every sketch is whole, and
 * that is all that matters. The file is replaced as a whole. One that is damaged, or of another layout, is as good as
 * none: measurements come again.
 */
export const LATENCY_FILE = 'latency';

/** Counts up with every change of the layout. */
const FORMAT = 1;
const DIGEST_OCTETS = 32;
const CHUNK_HEAD_OCTETS = 8;
const CELL_OCTETS = 8;
/** About a millisecond's work. */
const GROUPS_PER_CHUNK = 250;

interface SteeringText {
  readonly format: number;
  /** Group, since when, and data centers with their milliseconds. */
  readonly steering: readonly (readonly [string, number, readonly (readonly [string, number])[]])[];
}

/** Group, and data centers with how many cells their sketches have. */
type GroupText = readonly [string, readonly (readonly [string, number])[]];

/** The ledger and what steers, as the pieces of a file. */
export function* formatLedger(
  ledger: LatencyLedger,
  steering: ReadonlyMap<string, GroupFigures>,
): Generator<Uint8Array> {
  const hash = createHash('sha256');
  const hashed = (chunk: Uint8Array): Uint8Array => {
    hash.update(chunk);
    return chunk;
  };
  const text: SteeringText = {
    format: FORMAT,
    steering: Array.from(steering, ([group, { sinceMs, milliseconds }]) => [
      group,
      sinceMs,
      [...milliseconds],
    ]),
  };
  yield hashed(formatChunk(text, []));
  let groups: GroupText[] = [];
  let cells: number[] = [];
  for (const [group, sketches] of ledger.entries()) {
    groups.push([group, Array.from(sketches, ([dataCenter, sketch]) => [dataCenter, sketch.length])]);
    for (const sketch of sketches.values()) for (const cell of sketch) cells.push(cell);
    if (groups.length < GROUPS_PER_CHUNK) continue;
    yield hashed(formatChunk(groups, cells));
    groups = [];
    cells = [];
  }
  yield hashed(formatChunk(groups, cells));
  yield hash.digest();
}

function formatChunk(value: SteeringText | readonly GroupText[], cells: readonly number[]): Uint8Array {
  const text = Buffer.from(JSON.stringify(value));
  const from = CHUNK_HEAD_OCTETS + padded(text.length);
  const octets = new Uint8Array(from + cells.length * CELL_OCTETS);
  new Uint32Array(octets.buffer, 0, 2).set([text.length, cells.length]);
  octets.set(text, CHUNK_HEAD_OCTETS);
  new Float64Array(octets.buffer, from).set(cells);
  return octets;
}

function padded(length: number): number {
  return Math.ceil(length / CELL_OCTETS) * CELL_OCTETS;
}

/** Puts what a file holds into an empty ledger and returns what steered; undefined where there is no whole file. */
export function readLedger(
  path: string,
  ledger: LatencyLedger,
): ReadonlyMap<string, GroupFigures> | undefined {
  try {
    return parseLedger(readFileSync(path), ledger);
  } catch {
    return undefined;
  }
}

/** The same of octets. */
export function parseLedger(
  octets: Uint8Array,
  ledger: LatencyLedger,
): ReadonlyMap<string, GroupFigures> | undefined {
  if (octets.length < DIGEST_OCTETS) return undefined;
  const body = octets.subarray(0, octets.length - DIGEST_OCTETS);
  const digest = createHash('sha256').update(body).digest();
  if (!digest.equals(octets.subarray(body.length))) return undefined;
  // The digest says that we wrote it, so that only another layout is to be expected. A copy is aligned for the cells.
  const chunks = readChunks(Uint8Array.from(body));
  const first = chunks.next().value?.value as SteeringText | undefined;
  if (first?.format !== FORMAT) return undefined;
  for (const { value, cells } of chunks) {
    let at = 0;
    for (const [group, sketches] of value as readonly GroupText[])
      for (const [dataCenter, count] of sketches) {
        ledger.restore(group, dataCenter, Array.from(cells.subarray(at, at + count)));
        at += count;
      }
  }
  return new Map(
    first.steering.map(([group, sinceMs, figures]) => [group, { sinceMs, milliseconds: new Map(figures) }]),
  );
}

function* readChunks(body: Uint8Array): Generator<{ readonly value: unknown; readonly cells: Float64Array }> {
  for (let at = 0; at < body.length; ) {
    const [length = 0, count = 0] = new Uint32Array(body.buffer, at, 2);
    const text = new TextDecoder().decode(
      body.subarray(at + CHUNK_HEAD_OCTETS, at + CHUNK_HEAD_OCTETS + length),
    );
    at += CHUNK_HEAD_OCTETS + padded(length);
    yield { value: JSON.parse(text), cells: new Float64Array(body.buffer, at, count) };
    at += count * CELL_OCTETS;
  }
}
