import { constants, inflateRawSync } from 'node:zlib';
import { columnRows, MAX_COUNTER } from './column-rows.ts';
import { excessive, malformed, OctetReader } from './octet-reader.ts';

/**
 * Holds a peer's sync message against limits before the engine sees it. What comes over the link is bounded, but it
 * unfolds: columns are deflated, and a run of a million rows takes three octets.
 *
 *     sync message   0x42 or 0x43, heads, need, [last heads, bloom filter]..., [chunks]..., whatever
 *     chunk          85 6f 4a 83, checksum, type, length, contents
 *     contents       0 document, 1 change, 2 change of which all is deflated; columns with the bit 0x08 are, too
 *
 * Nothing else is checked: whether it is a message at all, the engine says.
 */

/** Octets that all of a message may unfold to: half a million changes of a leaf. */
export const MAX_UNFOLDED_OCTETS = 134_217_728;

/** A leaf has some hundred octets of text, so that no honest change has more rows than this many octets each. */
const OCTETS_PER_ROW = 16;

/** What genesis changes have without a leaf, and room for a message with little in it. */
const FREE_ROWS = 1024;

/** The engine's own filters have 10 bits for each entry and 7 probes; with 2^32 of them it would look for hours. */
const MAX_FILTER_FIGURE = 64;

const FIRST_OCTETS: readonly number[] = [0x42, 0x43];
const MAGIC = Buffer.from('856f4a83', 'hex');
const CHECKSUM_OCTETS = 4;
const HASH_OCTETS = 32;
const DOCUMENT_CHUNK = 0;
const CHANGE_CHUNK = 1;
const DEFLATED_CHANGE_CHUNK = 2;
const DEFLATED_COLUMN = 0x08;

interface Column {
  readonly specification: number;
  readonly length: number;
}

/** What a message has unfolded to so far. */
interface Tally {
  octets: number;
  rows: number;
}

/** @throws StoreError `refused` for a message that is malformed, or unfolds to more than it may. */
export function checkSyncBounds(message: Uint8Array): void {
  const reader = new OctetReader(message);
  const [first] = reader.octets(1);
  if (first === undefined || !FIRST_OCTETS.includes(first)) throw malformed('it is of an unknown kind');
  skipHashes(reader);
  skipHashes(reader);
  for (let filters = reader.unsigned(); filters > 0; filters -= 1) {
    skipHashes(reader);
    checkFilter(reader.counted());
  }
  const tally: Tally = { octets: 0, rows: 0 };
  for (let parts = reader.unsigned(); parts > 0; parts -= 1) {
    const chunks = new OctetReader(reader.counted());
    while (!chunks.isAtEnd) checkChunk(chunks, tally);
  }
}

function checkFilter(octets: Uint8Array): void {
  if (octets.length === 0) return;
  const reader = new OctetReader(octets);
  const entries = reader.unsigned();
  const bits = reader.unsigned();
  const probes = reader.unsigned();
  if (bits === 0 || bits > MAX_FILTER_FIGURE || probes > MAX_FILTER_FIGURE)
    throw excessive('its filter asks for too many looks');
  if (Math.ceil((entries * bits) / 8) > reader.left) throw malformed('a filter is too short');
}

function checkChunk(reader: OctetReader, tally: Tally): void {
  if (!MAGIC.equals(reader.octets(MAGIC.length))) throw malformed('a chunk does not begin as one');
  reader.octets(CHECKSUM_OCTETS);
  const [type] = reader.octets(1);
  const contents = reader.counted();
  if (type === DOCUMENT_CHUNK) checkDocument(new OctetReader(contents), tally);
  else if (type === CHANGE_CHUNK) checkChange(new OctetReader(contents), tally);
  else if (type === DEFLATED_CHANGE_CHUNK) checkChange(new OctetReader(unfold(contents, tally)), tally);
  else throw malformed('a chunk is of an unknown kind');
  add(tally, contents.length, 0);
  if (tally.rows > FREE_ROWS + tally.octets / OCTETS_PER_ROW)
    throw excessive(`${tally.rows} rows in ${tally.octets} octets`);
}

function checkDocument(reader: OctetReader, tally: Tally): void {
  for (let actors = reader.unsigned(); actors > 0; actors -= 1) reader.counted();
  skipHashes(reader);
  const changes = readColumns(reader);
  const operations = readColumns(reader);
  checkColumns(reader, changes, tally);
  checkColumns(reader, operations, tally);
}

function checkChange(reader: OctetReader, tally: Tally): void {
  skipHashes(reader);
  reader.counted();
  reader.unsigned();
  if (reader.unsigned() > MAX_COUNTER) throw excessive(`a counter goes beyond ${MAX_COUNTER}`);
  reader.signed();
  reader.counted();
  for (let actors = reader.unsigned(); actors > 0; actors -= 1) reader.counted();
  checkColumns(reader, readColumns(reader), tally);
}

function readColumns(reader: OctetReader): readonly Column[] {
  const columns: Column[] = [];
  for (let count = reader.unsigned(); count > 0; count -= 1)
    columns.push({ specification: reader.unsigned(), length: reader.unsigned() });
  return columns;
}

function checkColumns(reader: OctetReader, columns: readonly Column[], tally: Tally): void {
  let most = 0;
  for (const { specification, length } of columns) {
    const octets = reader.octets(length);
    const isDeflated = (specification & DEFLATED_COLUMN) !== 0;
    most = Math.max(most, columnRows(specification, isDeflated ? unfold(octets, tally) : octets));
  }
  add(tally, 0, most);
}

/** @throws StoreError `refused` as soon as there is more than may be left. */
function unfold(octets: Uint8Array, tally: Tally): Uint8Array {
  let unfolded: Uint8Array;
  try {
    unfolded = inflateRawSync(octets, {
      maxOutputLength: Math.max(1, MAX_UNFOLDED_OCTETS - tally.octets),
      finishFlush: constants.Z_SYNC_FLUSH,
    });
  } catch (thrown) {
    if (thrown instanceof RangeError)
      throw excessive(`it unfolds to more than ${MAX_UNFOLDED_OCTETS} octets`);
    throw malformed('it cannot be inflated');
  }
  add(tally, unfolded.length, 0);
  return unfolded;
}

function add(tally: Tally, octets: number, rows: number): void {
  tally.octets += octets;
  tally.rows += rows;
  if (tally.octets > MAX_UNFOLDED_OCTETS)
    throw excessive(`it unfolds to more than ${MAX_UNFOLDED_OCTETS} octets`);
}

function skipHashes(reader: OctetReader): void {
  reader.octets(reader.unsigned() * HASH_OCTETS);
}
