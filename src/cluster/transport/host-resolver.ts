import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { MAX_ADDRESSES_PER_NAME } from './limits.ts';

/** A resolver that takes longer is not waited for; what it said last is used. */
const PATIENCE_MS = 2000;

/** Names whose last addresses are remembered: more than a cluster has peers. */
const MAX_REMEMBERED_NAMES = 1000;

export type Lookup = (host: string) => Promise<readonly string[]>;

/**
 * Turns host names into addresses, as this machine does (hosts file, search domains). Such a lookup holds a thread of
 * the few that the disk also needs, for many seconds when no DNS server answers: so there is one at a time, and a name
 * that cannot be resolved now keeps the addresses that it had.
 */
export class HostResolver {
  readonly #lookup: Lookup;
  readonly #known = new Map<string, readonly string[]>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(find: Lookup = lookupOnThisMachine) {
    this.#lookup = find;
  }

  /** IP addresses in the order in which to try them; none when the name has never been resolved. Never rejects. */
  async addressesOf(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const found = this.#last.then(() => this.#find(host));
    this.#last = found;
    const patience = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => patience.resolve(undefined), PATIENCE_MS);
    const addresses = await Promise.race([found, patience.promise]);
    clearTimeout(timer);
    return addresses ?? this.#known.get(host) ?? [];
  }

  async #find(host: string): Promise<readonly string[] | undefined> {
    try {
      const addresses = (await this.#lookup(host)).slice(0, MAX_ADDRESSES_PER_NAME);
      if (addresses.length === 0) return undefined;
      if (this.#known.size >= MAX_REMEMBERED_NAMES) this.#known.clear();
      this.#known.set(host, addresses);
      return addresses;
    } catch {
      return undefined;
    }
  }
}

async function lookupOnThisMachine(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
