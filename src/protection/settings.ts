import { MAX_UDP_PAYLOAD } from '../dns/opt.ts';
import { type Prefix, parseExactPrefix } from '../geo/prefix.ts';
import { compilePrefixSet } from './prefix-set.ts';
import type { OnDenied, ProtectionMessage } from './protection.ts';

/** How a node protects itself and others, as an operator writes it, with every default in its place. */
export interface ProtectionSettings {
  readonly cookies: CookieSettings;
  /** Undefined for no limit. */
  readonly rateLimit?: RateLimitSettings | undefined;
  /** Undefined for everybody. */
  readonly access?: AccessSettings | undefined;
  /** 512 to 1232. */
  readonly maxUdpAnswerOctets: number;
}

interface CookieSettings {
  readonly enabled: boolean;
  /** Undefined for a secret of the node's own, in its data directory. */
  readonly secretFile?: string | undefined;
  /** Whether a client that has cookies must show a good one over UDP. */
  readonly required: boolean;
}

interface RateLimitSettings {
  /** Of one kind to one client prefix: 1 to 100,000. */
  readonly responsesPerSecond: number;
  /** How long a client that asked without end stays in debt, at most: 1 to 3600. */
  readonly windowSeconds: number;
  /** Every so many limited responses go out truncated: 1 to 10; 0 for none. */
  readonly slip: number;
  /** Clients with as many bits in common share an account: 8 to 32. */
  readonly ipv4PrefixLength: number;
  /** 16 to 64. */
  readonly ipv6PrefixLength: number;
  /** Prefixes that are never limited, `192.0.2.0/24`: up to 100,000. */
  readonly exempt: readonly string[];
}

interface AccessSettings {
  /** Exceptions from `deny`; of two prefixes that hold an address the longer one counts. Up to 100,000. */
  readonly allow: readonly string[];
  /** Prefixes that get no answer: up to 100,000. */
  readonly deny: readonly string[];
  readonly denied: OnDenied;
}

/** Of a node without a protection file. */
export const defaultProtection: ProtectionSettings = {
  cookies: { enabled: true, required: false },
  maxUdpAnswerOctets: MAX_UDP_PAYLOAD,
};

/** What settings do not say: it is drawn, or read from files, and outlives a change of settings. */
export interface ProtectionKeys {
  /** Of 16 octets each; see `CookieMessage`. */
  readonly cookieSecrets: readonly Uint8Array[];
  /** See `RateLimitMessage`. */
  readonly limiterKey: Uint8Array;
  readonly limiterTable: () => SharedArrayBuffer;
}

/** Compiles settings whose prefixes were checked. */
export function compileProtection(settings: ProtectionSettings, keys: ProtectionKeys): ProtectionMessage {
  const { cookies, rateLimit, access, maxUdpAnswerOctets } = settings;
  return {
    maxUdpAnswerOctets,
    cookies: cookies.enabled
      ? { secrets: keys.cookieSecrets, required: cookies.required ? 'over-udp' : 'never' }
      : undefined,
    rateLimit:
      rateLimit === undefined
        ? undefined
        : {
            table: keys.limiterTable(),
            key: keys.limiterKey,
            responsesPerSecond: rateLimit.responsesPerSecond,
            windowSeconds: rateLimit.windowSeconds,
            slip: rateLimit.slip,
            ipv4PrefixLength: rateLimit.ipv4PrefixLength,
            ipv6PrefixLength: rateLimit.ipv6PrefixLength,
            exempt:
              rateLimit.exempt.length === 0 ? undefined : compilePrefixSet(prefixesOf(rateLimit.exempt), []),
          },
    access:
      access === undefined
        ? undefined
        : {
            denied: compilePrefixSet(prefixesOf(access.deny), prefixesOf(access.allow)),
            onDenied: access.denied,
          },
  };
}

function prefixesOf(texts: readonly string[]): readonly Prefix[] {
  return texts.map(parseExactPrefix).filter((prefix) => prefix !== undefined);
}
