import { TYPE_A, TYPE_AAAA, TYPE_CNAME } from '../dns/type.ts';

/**
 * The endpoints of one pool as words of a zone image, grouped by data center so that a policy's order finds them:
 *
 *     pool      [ types ] [ groups ] then the groups, then the endpoints
 *     group     [ data center ] [ first A ] [ first AAAA ] [ first CNAME ] [ end ]    sorted by data center
 *     endpoint  [ verdict slot ] [ weight ] [ rdata ]
 *
 * Firsts and end are positions in the pool's endpoints, so the endpoints of one type in one group stand side by side.
 * `rdata` belongs to whoever holds the pool: where an address stands, or which CNAME RRset it is.
 */
export const POOL_TYPES = 0;
const POOL_GROUP_COUNT = 1;
const POOL_HEADER_WORDS = 2;

const GROUP_WORDS = 5;
export const ENDPOINT_WORDS = 3;

/** An endpoint to be written into an image. */
export interface PoolEndpoint {
  readonly slot: number;
  readonly dataCenter: number;
  /** 1 to 65,535. */
  readonly weight: number;
  readonly type: 1 | 28 | 5;
  readonly rdata: number;
}

/** The words of a pool; see the drawing. */
export function encodePool(endpoints: readonly PoolEndpoint[]): Int32Array {
  const sorted = [...endpoints].sort(
    (a, b) => a.dataCenter - b.dataCenter || typeRank(a.type) - typeRank(b.type),
  );
  const dataCenters = [...new Set(sorted.map((endpoint) => endpoint.dataCenter))];
  const firstEndpoint = POOL_HEADER_WORDS + GROUP_WORDS * dataCenters.length;
  const words = new Int32Array(firstEndpoint + ENDPOINT_WORDS * sorted.length);
  words[POOL_GROUP_COUNT] = dataCenters.length;
  let position = 0;
  let types = 0;
  for (const [group, dataCenter] of dataCenters.entries()) {
    const at = POOL_HEADER_WORDS + GROUP_WORDS * group;
    words[at] = dataCenter;
    const end = sorted.findLastIndex((endpoint) => endpoint.dataCenter === dataCenter) + 1;
    for (const rank of [0, 1, 2]) {
      words[at + 1 + rank] = position;
      while (position < end && typeRank(sorted[position]?.type ?? 0) === rank) position++;
      if (position > (words[at + 1 + rank] ?? 0)) types |= 1 << rank;
    }
    words[at + 4] = end;
  }
  words[POOL_TYPES] = types;
  for (const [i, endpoint] of sorted.entries()) {
    words.set([endpoint.slot, endpoint.weight, endpoint.rdata], firstEndpoint + ENDPOINT_WORDS * i);
  }
  return words;
}

/** Word offset of an endpoint of the pool at word offset `pool`. */
export function endpointWords(words: Int32Array, pool: number, position: number): number {
  return (
    pool +
    POOL_HEADER_WORDS +
    GROUP_WORDS * wordAt(words, pool + POOL_GROUP_COUNT) +
    ENDPOINT_WORDS * position
  );
}

/** Word offset of a data center's group; -1 where the pool has no endpoint there. */
export function findGroup(words: Int32Array, pool: number, dataCenter: number): number {
  let low = 0;
  let high = wordAt(words, pool + POOL_GROUP_COUNT) - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const group = pool + POOL_HEADER_WORDS + GROUP_WORDS * middle;
    const found = wordAt(words, group);
    if (found === dataCenter) return group;
    if (found < dataCenter) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Word within a group where the endpoints of a type begin; the next word is where they end. -1 for other types. */
export function groupField(type: number): number {
  const rank = typeRank(type);
  return rank < 0 ? -1 : 1 + rank;
}

/** The bit of a type in `POOL_TYPES`; 0 for types that no endpoint has. */
export function poolTypeBit(type: number): number {
  const rank = typeRank(type);
  return rank < 0 ? 0 : 1 << rank;
}

function typeRank(type: number): number {
  switch (type) {
    case TYPE_A:
      return 0;
    case TYPE_AAAA:
      return 1;
    case TYPE_CNAME:
      return 2;
    default:
      return -1;
  }
}

function wordAt(words: Int32Array, at: number): number {
  return words[at] as number;
}
