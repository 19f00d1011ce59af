import { ANSWER_COOKIE_LENGTH } from '../dns/opt.ts';
import { CLIENT_COOKIE_LENGTH, type Query } from '../dns/query.ts';
import { SIPHASH_KEY_WORDS, sipHash24 } from './siphash.ts';

/*
 * DNS cookies (RFC 7873) whose server part any server with the same secret can make and check (RFC 9018 section 4):
 *
 *     octet   0               8         9          12          16       24
 *             | client cookie | version | reserved | timestamp | hash |
 *
 *     hash = SipHash-2-4(secret, octets 0 to 15 | address of the client)
 */

/** RFC 9018 section 4: the secret is a SipHash key. */
export const COOKIE_SECRET_OCTETS = 4 * SIPHASH_KEY_WORDS;

const VERSION = 1;
/** RFC 9018 section 4.3: a cookie is good for an hour, and clocks may differ by five minutes. */
const MAX_AGE_SECONDS = 3600;
const MAX_FUTURE_SECONDS = 300;
/** RFC 9018 section 4.3: an older one is replaced, so that a client that asks now and then always has a good one. */
const RENEW_AFTER_SECONDS = 1800;

/** Words of the longest message that is hashed: cookie, IPv6 address, and the word with the length. */
const MESSAGE_WORDS = 10;
const ADDRESS_WORD = 4;
/** 64-bit blocks of a message, its length among them, and the word of the length: 20 octets, or 32. */
const V4_BLOCKS = 3;
const V4_LENGTH_WORD = 20 << 24;
const V6_BLOCKS = 5;
const V6_LENGTH_WORD = 32 << 24;

/** The secrets as every node of a cluster has them. */
export interface CookieMessage {
  /** Of 16 octets each: the one that makes cookies, then at most one more that is still, or already, good. */
  readonly secrets: readonly Uint8Array[];
  /** `over-udp`: who shows a client cookie without a good server cookie gets BADCOOKIE instead of an answer. */
  readonly required: 'never' | 'over-udp';
}

export interface Cookies {
  readonly current: Int32Array;
  readonly other: Int32Array | undefined;
  readonly required: 'never' | 'over-udp';
}

export interface CookieScratch {
  readonly message: Int32Array;
  readonly hash: Int32Array;
  /** Cookies that were found good, MEMO_WORDS for each; see `remembers`. */
  readonly memo: Int32Array;
}

/** Clients whose latest good cookie a thread remembers: more resolvers than are busy at one time, in 60 KiB. */
const MEMO_ENTRIES = 1024;
/** The secret, the number of blocks, what is hashed up to the end of the address, the hash. */
const MEMO_SECRET = 0;
const MEMO_BLOCKS = 4;
const MEMO_MESSAGE = 5;
const MEMO_HASH = 13;
const MEMO_WORDS = 15;
/** Words of a message before those that hold its length alone. */
const V4_WORDS = 5;
const V6_WORDS = 8;

/**
 * What a query showed: no cookie; a client cookie alone; a server cookie that we made for this client; or one that is
 * too old or not ours.
 */
export type CookieState = 'none' | 'new' | 'valid' | 'bad';

export function openCookies({ secrets, required }: CookieMessage): Cookies {
  const [current, other] = secrets.map(keyWords);
  if (current === undefined) throw new Error('cookies need a secret');
  return { current, other, required };
}

export function createCookieScratch(): CookieScratch {
  return {
    message: new Int32Array(MESSAGE_WORDS),
    hash: new Int32Array(2),
    memo: new Int32Array(MEMO_ENTRIES * MEMO_WORDS),
  };
}

/**
 * Checks the cookie of a query and puts the one of its answer into its place: the same while that is young.
 * `nowSeconds` counts from 1970 and wraps at 32 bits, as the timestamp does (RFC 1982). At most three hashes,
 * allocates nothing.
 */
export function answerCookie(
  cookies: Cookies,
  scratch: CookieScratch,
  query: Query,
  family: 4 | 6,
  address: Uint8Array,
  nowSeconds: number,
): CookieState {
  const { cookieLength, cookieView } = query;
  if (cookieLength === 0) return 'none';
  const { message, hash } = scratch;
  // SipHash reads little end first.
  message[0] = cookieView.getInt32(0, true);
  message[1] = cookieView.getInt32(4, true);
  const blocks = putAddress(message, family, address);

  let state: CookieState = cookieLength === CLIENT_COOKIE_LENGTH ? 'new' : 'bad';
  if (state === 'bad' && isTimely(query, nowSeconds)) {
    message[2] = cookieView.getInt32(8, true);
    message[3] = cookieView.getInt32(12, true);
    const known = remembers(cookies.current, scratch, cookieView, blocks);
    if (!known) sipHash24(cookies.current, message, blocks, hash);
    if (known || isHash(hash, cookieView)) {
      if (!known) remember(cookies.current, scratch, cookieView, blocks);
      if (ageSeconds(cookieView, nowSeconds) <= RENEW_AFTER_SECONDS) return 'valid';
      state = 'valid';
    } else if (cookies.other !== undefined) {
      sipHash24(cookies.other, message, blocks, hash);
      if (isHash(hash, cookieView)) state = 'valid';
    }
  }
  makeCookie(cookies.current, scratch, cookieView, blocks, nowSeconds);
  return state;
}

/*
 * A resolver shows the same cookie for half an hour. A cookie that was once found good, from the same client and under
 * the same secret, is not hashed again. Its place in the memo is by the hash in it, which strangers cannot choose.
 */
function remembers(
  secret: Int32Array,
  { memo, message }: CookieScratch,
  cookie: DataView,
  blocks: number,
): boolean {
  const entry = memoEntry(cookie);
  let differing =
    ((memo[entry + MEMO_BLOCKS] as number) ^ blocks) |
    ((memo[entry + MEMO_HASH] as number) ^ cookie.getInt32(16, true)) |
    ((memo[entry + MEMO_HASH + 1] as number) ^ cookie.getInt32(20, true));
  for (let word = 0; word < SIPHASH_KEY_WORDS; word++)
    differing |= (memo[entry + MEMO_SECRET + word] as number) ^ (secret[word] as number);
  const words = blocks === V4_BLOCKS ? V4_WORDS : V6_WORDS;
  for (let word = 0; word < words; word++)
    differing |= (memo[entry + MEMO_MESSAGE + word] as number) ^ (message[word] as number);
  return differing === 0;
}

function remember(
  secret: Int32Array,
  { memo, message }: CookieScratch,
  cookie: DataView,
  blocks: number,
): void {
  const entry = memoEntry(cookie);
  for (let word = 0; word < SIPHASH_KEY_WORDS; word++)
    memo[entry + MEMO_SECRET + word] = secret[word] as number;
  memo[entry + MEMO_BLOCKS] = blocks;
  memo[entry + MEMO_HASH] = cookie.getInt32(16, true);
  memo[entry + MEMO_HASH + 1] = cookie.getInt32(20, true);
  const words = blocks === V4_BLOCKS ? V4_WORDS : V6_WORDS;
  for (let word = 0; word < words; word++) memo[entry + MEMO_MESSAGE + word] = message[word] as number;
}

function memoEntry(cookie: DataView): number {
  return (cookie.getInt32(16, true) & (MEMO_ENTRIES - 1)) * MEMO_WORDS;
}

function isTimely({ cookieLength, cookieView }: Query, nowSeconds: number): boolean {
  if (cookieLength !== ANSWER_COOKIE_LENGTH || cookieView.getUint8(8) !== VERSION) return false;
  const age = ageSeconds(cookieView, nowSeconds);
  return age <= MAX_AGE_SECONDS && age >= -MAX_FUTURE_SECONDS;
}

/** The client cookie and the client's address stand in the message already. */
function makeCookie(
  secret: Int32Array,
  { message, hash }: CookieScratch,
  cookie: DataView,
  blocks: number,
  nowSeconds: number,
): void {
  cookie.setInt32(8, VERSION, true);
  cookie.setInt32(12, nowSeconds);
  message[2] = VERSION;
  message[3] = cookie.getInt32(12, true);
  sipHash24(secret, message, blocks, hash);
  cookie.setInt32(16, hash[0] as number, true);
  cookie.setInt32(20, hash[1] as number, true);
}

/** Puts the address into the message, the length of the whole behind it, and returns the number of blocks. */
function putAddress(message: Int32Array, family: 4 | 6, address: Uint8Array): number {
  message[ADDRESS_WORD] = wordAt(address, 0);
  if (family === 4) {
    message[5] = V4_LENGTH_WORD;
    return V4_BLOCKS;
  }
  message[5] = wordAt(address, 4);
  message[6] = wordAt(address, 8);
  message[7] = wordAt(address, 12);
  message[8] = 0;
  message[9] = V6_LENGTH_WORD;
  return V6_BLOCKS;
}

function isHash(hash: Int32Array, cookie: DataView): boolean {
  // Both halves are always compared, so that the time it takes tells nothing of how much was right.
  const low = (hash[0] as number) ^ cookie.getInt32(16, true);
  const high = (hash[1] as number) ^ cookie.getInt32(20, true);
  return (low | high) === 0;
}

/** RFC 1982: the difference of two 32-bit counters that wrap; negative for a time to come. */
function ageSeconds(cookie: DataView, nowSeconds: number): number {
  return (nowSeconds - cookie.getInt32(12)) | 0;
}

function keyWords(secret: Uint8Array): Int32Array {
  if (secret.length !== COOKIE_SECRET_OCTETS)
    throw new Error(`a cookie secret has ${COOKIE_SECRET_OCTETS} octets`);
  return Int32Array.from({ length: SIPHASH_KEY_WORDS }, (_, word) => wordAt(secret, 4 * word));
}

/** Little end first, as SipHash reads. */
function wordAt(octets: Uint8Array, at: number): number {
  return (
    (octets[at] as number) |
    ((octets[at + 1] as number) << 8) |
    ((octets[at + 2] as number) << 16) |
    ((octets[at + 3] as number) << 24)
  );
}
