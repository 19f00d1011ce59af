import { MAX_UDP_PAYLOAD } from '../dns/opt.ts';
import { type CookieMessage, type Cookies, openCookies } from './cookies.ts';
import { openPrefixSet, type PrefixSet } from './prefix-set.ts';
import { openRateLimiter, type RateLimiter, type RateLimitMessage } from './rate-limit.ts';

/** What the control plane sends to every worker of how to protect itself and others; undefined parts are off. */
export interface ProtectionMessage {
  /** 512 to 1232. */
  readonly maxUdpAnswerOctets: number;
  readonly cookies: CookieMessage | undefined;
  readonly rateLimit: RateLimitMessage | undefined;
  readonly access: AccessMessage | undefined;
}

interface AccessMessage {
  /** A prefix set: senders that are not served. */
  readonly denied: SharedArrayBuffer;
  readonly onDenied: OnDenied;
}

/** `drop` sends nothing, so that a forged address gets nothing either; `refuse` says why there is no answer. */
export type OnDenied = 'drop' | 'refuse';

/** The same, opened by each thread. */
export interface Protection {
  readonly maxUdpAnswerOctets: number;
  readonly cookies: Cookies | undefined;
  readonly rateLimit: RateLimiter | undefined;
  readonly access: AccessList | undefined;
}

interface AccessList {
  readonly denied: PrefixSet;
  readonly onDenied: OnDenied;
}

/** No cookies, no limits, everybody may ask. */
const unprotected: Protection = {
  maxUdpAnswerOctets: MAX_UDP_PAYLOAD,
  cookies: undefined,
  rateLimit: undefined,
  access: undefined,
};

/** Each thread does this once per publication. */
export function openProtection(message: ProtectionMessage | undefined): Protection {
  if (message === undefined) return unprotected;
  const { maxUdpAnswerOctets, cookies, rateLimit, access } = message;
  return {
    maxUdpAnswerOctets,
    cookies: cookies === undefined ? undefined : openCookies(cookies),
    rateLimit: rateLimit === undefined ? undefined : openRateLimiter(rateLimit),
    access:
      access === undefined ? undefined : { denied: openPrefixSet(access.denied), onDenied: access.onDenied },
  };
}
