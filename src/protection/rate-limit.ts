import { getInt32 } from '../dns/get-integer.ts';
import { holdsAddress, openPrefixSet, type PrefixSet } from './prefix-set.ts';
import { halfSipHash13 } from './siphash.ts';

/**
 * Response rate limiting: an account for each pair of client prefix and response, in one table that all workers share.
 * An account gains `responsesPerSecond` each second, up to that number, and pays one for each response, sent or not; in
 * debt, it gets nothing but the slips, and debt goes down to `windowSeconds` worth, so that it takes as long to be out
 * of it again once the flood has ended.
 *
 *     set = hash & mask            one set = one cache line = 4 accounts
 *     ... | tag second balance limited | tag second balance limited | 2 more | ...
 *
 * `tag` is the hash of what the account is for; of the four, a new one takes the place of the one that was used least
 * recently, and of several in this second of the one furthest from debt.
 *
 * Workers read and write without locks: two that meet in one account may lose one payment, or open the same account
 * twice, which lets a response or two more through in a second; a set that is read while another worker gives one of its
 * accounts away may charge the wrong one once. Nothing is read beyond the set, and nothing adds up.
 *
 * The hash has a random key, so that nobody can choose addresses that share an account with somebody else's.
 */
export interface RateLimiter {
  readonly cells: Int32Array;
  readonly key: Int32Array;
  readonly message: Int32Array;
  readonly responsesPerSecond: number;
  readonly maxDebt: number;
  readonly windowSeconds: number;
  /** Every so many limited responses go out truncated; 0 for none. */
  readonly slip: number;
  readonly ipv4Mask: number;
  readonly ipv6HighMask: number;
  readonly ipv6LowMask: number;
  /** Undefined for nobody. */
  readonly exempt: PrefixSet | undefined;
}

/** The same as it is sent to workers. */
export interface RateLimitMessage {
  /** From `createLimiterTable`; one for all workers. */
  readonly table: SharedArrayBuffer;
  /** 8 random octets. */
  readonly key: Uint8Array;
  /** 1 to 100,000. */
  readonly responsesPerSecond: number;
  /** 1 to 3600. */
  readonly windowSeconds: number;
  /** 0 to 10; 0 for none. */
  readonly slip: number;
  /** 8 to 32. */
  readonly ipv4PrefixLength: number;
  /** 16 to 64. */
  readonly ipv6PrefixLength: number;
  /** A prefix set: clients that are never limited; undefined for nobody. */
  readonly exempt: SharedArrayBuffer | undefined;
}

/**
 * Which responses count as the same: those with records by node and type, empty ones by node, referrals by the zone
 * cut, NXDOMAIN by the zone, since there is no end of names, and errors all alike.
 */
export type ResponseClass = 'records' | 'nodata' | 'referral' | 'nxdomain' | 'error';

/** `slip`: it goes out truncated, so that who is no forged address can ask again over TCP. */
export type LimitOutcome = 'none' | 'slip' | 'drop';

/** Octets of the random key of the table. */
export const LIMITER_KEY_OCTETS = 8;

/** 4 MiB: four accounts for each of 65,536 sets, as many as prefixes are active at once on a busy server. */
const SETS = 65_536;
const ACCOUNTS_PER_SET = 4;
const ACCOUNT_WORDS = 4;
const SET_WORDS = ACCOUNTS_PER_SET * ACCOUNT_WORDS;

/** Words of an account. */
const SECOND = 1;
const BALANCE = 2;
const LIMITED = 3;

/** Client prefix, two words; type, class and family; zone; node. */
const MESSAGE_WORDS = 5;

/** An empty table; it can serve several publications, whose accounts then go on. */
export function createLimiterTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(SETS * SET_WORDS * Int32Array.BYTES_PER_ELEMENT);
}

export function openRateLimiter(message: RateLimitMessage): RateLimiter {
  const { table, key, responsesPerSecond, windowSeconds, slip, ipv4PrefixLength, ipv6PrefixLength } = message;
  const keyView = new DataView(key.buffer, key.byteOffset, LIMITER_KEY_OCTETS);
  return {
    cells: new Int32Array(table),
    key: Int32Array.of(keyView.getInt32(0), keyView.getInt32(4)),
    message: new Int32Array(MESSAGE_WORDS),
    responsesPerSecond,
    maxDebt: responsesPerSecond * windowSeconds,
    windowSeconds,
    slip,
    ipv4Mask: maskOf(ipv4PrefixLength),
    ipv6HighMask: maskOf(Math.min(ipv6PrefixLength, 32)),
    ipv6LowMask: maskOf(Math.max(ipv6PrefixLength - 32, 0)),
    exempt: message.exempt === undefined ? undefined : openPrefixSet(message.exempt),
  };
}

/**
 * Charges one response to the client's account for it and tells what is to become of it. `zone`, `node` and `type` say
 * which response it is, as far as the class wants them. Looks at one set of four accounts, whatever comes.
 */
export function chargeResponse(
  limiter: RateLimiter,
  family: 4 | 6,
  address: Uint8Array,
  responseClass: ResponseClass,
  zone: number,
  node: number,
  type: number,
  nowSeconds: number,
): LimitOutcome {
  if (limiter.exempt !== undefined && holdsAddress(limiter.exempt, family, address)) return 'none';
  const { cells, key, message } = limiter;
  message[0] = getInt32(address, 0) & (family === 4 ? limiter.ipv4Mask : limiter.ipv6HighMask);
  message[1] = family === 4 ? 0 : getInt32(address, 4) & limiter.ipv6LowMask;
  message[2] = (type << 4) | (classNumber(responseClass) << 1) | (family === 4 ? 0 : 1);
  message[3] = zone;
  message[4] = node;
  const hash = halfSipHash13(key, message, MESSAGE_WORDS);
  // 0 stands for an account that was never used.
  const account = findAccount(limiter, hash === 0 ? 1 : hash, nowSeconds);
  if (pay(limiter, account, nowSeconds) >= 0) return 'none';
  const limited = ((cells[account + LIMITED] as number) + 1) & 0x7fffffff;
  cells[account + LIMITED] = limited;
  return limiter.slip > 0 && limited % limiter.slip === 0 ? 'slip' : 'drop';
}

/** Where the account stands; opened, with all its credit, where there was none. */
function findAccount({ cells, responsesPerSecond }: RateLimiter, tag: number, nowSeconds: number): number {
  const start = (tag & (SETS - 1)) * SET_WORDS;
  let oldest = start;
  let oldestAge = -1;
  let richest = 0;
  for (let at = start; at < start + SET_WORDS; at += ACCOUNT_WORDS) {
    if (cells[at] === tag) return at;
    const age = (nowSeconds - (cells[at + SECOND] as number)) >>> 0;
    const balance = cells[at + BALANCE] as number;
    if (age < oldestAge || (age === oldestAge && balance <= richest)) continue;
    oldestAge = age;
    richest = balance;
    oldest = at;
  }
  cells[oldest + SECOND] = nowSeconds;
  cells[oldest + BALANCE] = responsesPerSecond;
  cells[oldest + LIMITED] = 0;
  cells[oldest] = tag;
  return oldest;
}

/** Brings the account up to now and takes one off. Returns what is left; below 0 it is in debt. */
function pay(limiter: RateLimiter, account: number, nowSeconds: number): number {
  const { cells, responsesPerSecond, windowSeconds, maxDebt } = limiter;
  const elapsed = (nowSeconds - (cells[account + SECOND] as number)) | 0;
  let balance = cells[account + BALANCE] as number;
  if (elapsed !== 0) {
    cells[account + SECOND] = nowSeconds;
    // A clock that was set back gives nothing, and takes nothing.
    if (elapsed > windowSeconds) balance = responsesPerSecond;
    else if (elapsed > 0) balance = Math.min(responsesPerSecond, balance + elapsed * responsesPerSecond);
  }
  balance = Math.max(balance - 1, -maxDebt);
  cells[account + BALANCE] = balance;
  return balance;
}

function classNumber(responseClass: ResponseClass): number {
  switch (responseClass) {
    case 'records':
      return 0;
    case 'nodata':
      return 1;
    case 'referral':
      return 2;
    case 'nxdomain':
      return 3;
    case 'error':
      return 4;
  }
}

/** The first `length` bits of 32. */
function maskOf(length: number): number {
  return length === 0 ? 0 : (-1 << (32 - length)) | 0;
}
