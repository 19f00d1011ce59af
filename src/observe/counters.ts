import type { Decision } from '../answer/decision.ts';
import { MAX_DATA_CENTERS, outcomes } from '../answer/decision.ts';
import type { Transport } from '../answer/respond.ts';
import { formatType } from '../dns/type.ts';

/**
 * Counters of one worker: numbers in shared memory, one cell per label of every block of the table below.
 *
 *     | udpQueries | tcpQueries | responses | outcomes | dataCenters | ... |
 *     | A | NS | . | A | NS | . | NOERROR . | answer . | 0 1 ... 255 | ... |
 *
 * Each cell has one writer and is exact up to 2^53, so plain stores suffice: a reader on another thread sees a
 * count that is at most a moment old. `tcpConnections` goes down as well as up; all others only count up.
 */

/** Types that are counted by name; all others share a cell, so that a stranger cannot grow the metrics. */
const countedTypes = [
  1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 43, 46, 47, 48, 50, 64, 65, 251, 252, 255, 257,
] as const;
const otherType = 'other';
const typeLabels = [...countedTypes.map(formatType), otherType];

/** RFC 6895 section 2.3, by number; those without a name are unassigned. */
const rcodeLabels = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
  'DSOTYPENI',
  'RCODE12',
  'RCODE13',
  'RCODE14',
  'RCODE15',
  'BADVERS',
  'BADKEY',
  'BADTIME',
  'BADMODE',
  'BADNAME',
  'BADALG',
  'BADTRUNC',
  'BADCOOKIE',
  'other',
] as const;
const otherRcode = rcodeLabels.length - 1;

const counterLabels = {
  udpQueries: typeLabels,
  tcpQueries: typeLabels,
  responses: rcodeLabels,
  outcomes,
  dataCenters: Array.from({ length: MAX_DATA_CENTERS }, (_, index) => String(index)),
  truncated: ['udp', 'tcp'],
  drops: [
    'source-port-zero',
    'too-short',
    'too-long',
    'unknown-source',
    'unanswerable',
    'receive-queue-full',
    'send-queue-full',
    'send-failed',
  ],
  udpSends: ['segmented'],
  samples: ['taken', 'dropped'],
  queryLog: ['written', 'dropped', 'failed'],
  dnstap: ['sent', 'dropped', 'connected', 'failed'],
  protection: ['cookie-new', 'cookie-valid', 'cookie-bad', 'limited-slipped', 'limited-dropped', 'denied'],
  errors: ['bug', 'udp-socket', 'tcp-socket'],
  tcpConnections: ['open'],
  tcpEvents: [
    'accepted',
    'accept-failed',
    'refused-client',
    'closed-for-newer',
    'closed-idle',
    'closed-partial-message',
    'closed-slow-reader',
    'closed-bad-frame',
    'closed-lingering',
  ],
  worker: ['restarts'],
} as const satisfies Record<string, readonly string[]>;

export type CounterBlock = keyof typeof counterLabels;
export type CounterLabel<B extends CounterBlock> = (typeof counterLabels)[B][number];

let cellCount = 0;
const blockStarts = Object.fromEntries(
  Object.entries(counterLabels).map(([block, labels]) => {
    const start = cellCount;
    cellCount += labels.length;
    return [block, start];
  }),
) as Readonly<Record<CounterBlock, number>>;

const UDP_QUERIES = blockStarts.udpQueries;
const TCP_QUERIES = blockStarts.tcpQueries;
const RESPONSES = blockStarts.responses;
const DATA_CENTERS = blockStarts.dataCenters;
const TRUNCATED = blockStarts.truncated;
const UNANSWERABLE = cellOf('drops', 'unanswerable');
const SAMPLES_TAKEN = cellOf('samples', 'taken');
const SAMPLES_DROPPED = cellOf('samples', 'dropped');

const PROTECTION = blockStarts.protection;
const LIMITED_SLIPPED = cellOf('protection', 'limited-slipped');
const LIMITED_DROPPED = cellOf('protection', 'limited-dropped');
const DENIED = cellOf('protection', 'denied');

const OUTCOMES = blockStarts.outcomes;

/** By type number up to CAA, the largest that is counted by name: the offset in a block of types. */
const typeOffsets = new Uint8Array(Math.max(...countedTypes) + 1).fill(typeLabels.indexOf(otherType));
for (const [offset, type] of countedTypes.entries()) typeOffsets[type] = offset;

/** Shared memory for the counters of one worker, all zero. */
export function createCounters(): SharedArrayBuffer {
  return new SharedArrayBuffer(cellCount * Float64Array.BYTES_PER_ELEMENT);
}

/** The cells of such memory. */
export function openCounters(memory: SharedArrayBuffer): Float64Array {
  return new Float64Array(memory);
}

/** Counts what was decided. Called after every `respond`; allocates nothing. */
export function count(counters: Float64Array, decision: Decision, transport: Transport): void {
  add(counters, OUTCOMES + outcomeOffset(decision.outcome));
  if (decision.outcome === 'dropped' && decision.limited === 'none') {
    // A denied sender, or a response, or too broken to be a query: no type, no code.
    add(counters, decision.access === 'denied' ? DENIED : UNANSWERABLE);
    return;
  }
  const type = decision.queryType < typeOffsets.length ? decision.queryType : 0;
  add(counters, (transport === 'udp' ? UDP_QUERIES : TCP_QUERIES) + (typeOffsets[type] as number));
  countProtection(counters, decision);
  if (decision.outcome === 'dropped') return;
  add(counters, RESPONSES + Math.min(decision.rcode, otherRcode));
  if (decision.dataCenter >= 0) add(counters, DATA_CENTERS + decision.dataCenter);
  if (decision.truncated) add(counters, TRUNCATED + (transport === 'udp' ? 0 : 1));
}

function countProtection(counters: Float64Array, { access, cookie, limited }: Decision): void {
  if (cookie !== 'none') add(counters, PROTECTION + (cookie === 'new' ? 0 : cookie === 'valid' ? 1 : 2));
  if (limited !== 'none') add(counters, limited === 'slip' ? LIMITED_SLIPPED : LIMITED_DROPPED);
  if (access === 'denied') add(counters, DENIED);
}

/** Position in `outcomes`. Not a look-up by name, which with so many names is a search in a hash table. */
export function outcomeOffset(outcome: Decision['outcome']): number {
  switch (outcome) {
    case 'answer':
      return 0;
    case 'nodata':
      return 1;
    case 'nxdomain':
      return 2;
    case 'delegation':
      return 3;
    case 'refused':
      return 4;
    case 'formerr':
      return 5;
    case 'notimp':
      return 6;
    case 'badvers':
      return 7;
    case 'servfail':
      return 8;
    case 'dropped':
      return 9;
    case 'cookie':
      return 10;
    case 'badcookie':
      return 11;
  }
}

/** Mnemonic of a response code (RFC 6895 section 2.3); the number itself where it has none. */
export function formatRcode(rcode: number): string {
  return rcode < otherRcode ? (rcodeLabels[rcode] ?? String(rcode)) : String(rcode);
}

/** Adds one to the named cell. */
export function countOne<B extends CounterBlock>(
  counters: Float64Array,
  block: B,
  label: CounterLabel<B>,
): void {
  add(counters, cellOf(block, label));
}

/** Counts a query that was sampled. */
export function countSampleTaken(counters: Float64Array): void {
  add(counters, SAMPLES_TAKEN);
}

/** Counts a query that was to be sampled and found no room. */
export function countSampleDropped(counters: Float64Array): void {
  add(counters, SAMPLES_DROPPED);
}

/** Adds to the named cell what was counted elsewhere. */
export function countMany<B extends CounterBlock>(
  counters: Float64Array,
  block: B,
  label: CounterLabel<B>,
  more: number,
): void {
  const cell = cellOf(block, label);
  counters[cell] = (counters[cell] as number) + more;
}

/** Sets the number of open TCP connections, which goes down as well. */
export function setOpenConnections(counters: Float64Array, open: number): void {
  counters[blockStarts.tcpConnections] = open;
}

/** Every label of a block with its count, summed over the workers, in the order of the table. */
export function readCounters<B extends CounterBlock>(
  workers: readonly Float64Array[],
  block: B,
): { label: CounterLabel<B>; value: number }[] {
  const labels: readonly CounterLabel<B>[] = counterLabels[block];
  return labels.map((label, offset) => ({
    label,
    value: workers.reduce((sum, cells) => sum + (cells[blockStarts[block] + offset] ?? 0), 0),
  }));
}

/** One count, summed over the workers. */
export function readCounter<B extends CounterBlock>(
  workers: readonly Float64Array[],
  block: B,
  label: CounterLabel<B>,
): number {
  const cell = cellOf(block, label);
  return workers.reduce((sum, cells) => sum + (cells[cell] ?? 0), 0);
}

function cellOf<B extends CounterBlock>(block: B, label: CounterLabel<B>): number {
  const labels: readonly string[] = counterLabels[block];
  return blockStarts[block] + labels.indexOf(label);
}

function add(counters: Float64Array, cell: number): void {
  counters[cell] = (counters[cell] as number) + 1;
}
