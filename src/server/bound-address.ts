import { type ListenAddress, ListenError, mayTryAnotherPort } from './listen-address.ts';
import type { Native } from './native.ts';
import type { ServerLimits } from './server-limits.ts';
import type { Sharing } from './worker-link.ts';

/** An address with sockets that are bound to it already, by whoever started this process. */
export interface WantedAddress extends ListenAddress {
  /** Descriptor of a bound UDP socket; this process keeps it. */
  readonly udp?: number;
  /** Descriptor of a bound TCP socket, which may listen already; this process keeps it. */
  readonly tcp?: number;
}

/** How many sockets a server has on each of its addresses. */
export interface SocketCounts {
  readonly udp: number;
  readonly tcp: number;
}

export interface BoundAddressParts {
  readonly native: Native;
  readonly limits: ServerLimits;
  readonly udpWorkers: number;
  readonly sharing: Sharing;
  /** Sockets of the server from which this one takes over; undefined where there is none. */
  readonly older: SocketCounts | undefined;
}

const NONE: SocketCounts = { udp: 0, tcp: 0 };

/**
 * The sockets of one listen address, opened on the addon by the main thread and kept while workers come and go: what
 * arrives while a worker is being started again waits in its socket.
 *
 * All UDP sockets of an address are one group in the kernel, which gives each client, by a hash, one of them. The group
 * is an array; a new socket is put behind the last, and the last takes the place of one that is closed:
 *
 *     this server alone           [ 0  1 ]
 *     a successor has opened      [ 0  1  2  3 ]    and claims the traffic: from 2 on, two of them
 *     this server closes its 1    [ 0  3  2 ]
 *     this server closes its 0    [ 2  3 ]          and the successor releases its claim
 *
 * A server that leaves goes from its last to its first, each time with a claim for a place that is the successor's
 * before and after, so that no packet lands in a socket that is about to be closed. (A successor with a single socket
 * has no such place, save before the last is closed: then a packet may be lost in a few microseconds.)
 */
export class BoundAddress {
  /** With the real port. */
  readonly where: ListenAddress;
  /** By worker; several workers may have the same one. */
  readonly udpOfWorker: readonly number[];
  readonly tcp: number;
  readonly #native: Native;
  /** Each of ours once, in the order in which they stand in the group. */
  #group: readonly number[];
  /** Sockets of the server before, which stand in front of ours. */
  #older: SocketCounts;
  /** Of ours, those that we were given, which the server before has, too: whoever is free reads from them. */
  readonly #given: SocketCounts;

  constructor(
    native: Native,
    where: ListenAddress,
    udpOfWorker: readonly number[],
    tcp: number,
    older: SocketCounts = NONE,
    given: SocketCounts = NONE,
  ) {
    this.#older = older;
    this.#given = given;
    this.where = where;
    this.udpOfWorker = udpOfWorker;
    this.tcp = tcp;
    this.#native = native;
    this.#group = [...new Set(udpOfWorker)];
  }

  get counts(): SocketCounts {
    return { udp: this.#group.length, tcp: 1 };
  }

  /** From now on all that is new comes to our sockets, and nothing to those of the server before. */
  claimTraffic(older: SocketCounts): void {
    this.#older = older;
    const own = this.#group.length - this.#given.udp;
    if (own > 0) tryToClaim(this.#native, this.#first, older.udp, own);
    if (this.#given.tcp === 0) tryToClaim(this.#native, this.tcp, older.tcp, 1);
  }

  /** After the server before has gone. */
  releaseClaim(): void {
    for (const descriptor of [this.#first, this.tcp]) tolerate(() => this.#native.releaseClaim(descriptor));
    // A socket that both had stays the first, and the moves behind it bring ours into their order again.
    if (this.#given.udp === 0) this.#group = groupWithout(this.#older.udp, this.#group);
    this.#older = NONE;
  }

  /** Nothing new shall come; what has come is still to be read. */
  beginClosing(): void {
    // The server before is there still, so it is we that have failed.
    if (this.#older.udp > 0) tryToClaim(this.#native, this.#first, 0, this.#older.udp);
    if (this.#older.tcp > 0) tryToClaim(this.#native, this.tcp, 0, this.#older.tcp);
    // The worker's own copy is then the last, and it is the worker that ends listening.
    this.#native.closeSocket(this.tcp);
  }

  /** When no worker uses them any more. */
  close(): void {
    for (let place = this.#group.length - 1; place >= 0; place--) {
      const descriptor = this.#group[place] as number;
      // Without a successor there is no socket at that place, and the kernel goes by its hash.
      if (this.#older.udp === 0) tryToClaim(this.#native, descriptor, place + 1, 1);
      this.#native.closeSocket(descriptor);
    }
    this.#group = [];
  }

  get #first(): number {
    return this.#group[0] as number;
  }
}

/**
 * A socket that another program made without SO_REUSEPORT is in no group, and some sandboxes allow no filters: then the
 * kernel goes by its hash, and a query may be lost where a server leaves.
 */
function tryToClaim(native: Native, descriptor: number, first: number, count: number): void {
  tolerate(() => native.claimTraffic(descriptor, first, count));
}

function tolerate(action: () => void): void {
  try {
    action();
  } catch {
    // See `tryToClaim`.
  }
}

/** Where ours stand when the `older` in front of them have gone, from the last to the first. */
function groupWithout(older: number, ours: readonly number[]): readonly number[] {
  const group: (number | undefined)[] = [...Array.from({ length: older }, () => undefined), ...ours];
  for (let place = older - 1; place >= 0; place--) {
    const last = group.pop();
    if (place < group.length) group[place] = last;
  }
  return group.filter((descriptor) => descriptor !== undefined);
}

/** Throws a `ListenError`, with nothing left open. */
export function openBoundAddress(wanted: WantedAddress, parts: BoundAddressParts): BoundAddress {
  for (let tries = 1; ; tries++) {
    const opened: number[] = [];
    try {
      return openOnce(wanted, parts, opened);
    } catch (error) {
      for (const descriptor of opened) parts.native.closeSocket(descriptor);
      if (!mayTryAnotherPort(error, wanted, tries)) throw error;
    }
  }
}

/** Every socket that is opened goes into `opened`, also when a later one fails. */
function openOnce(wanted: WantedAddress, parts: BoundAddressParts, opened: number[]): BoundAddress {
  const { native, limits, sharing, older, udpWorkers } = parts;
  const keep = (descriptor: number): number => {
    opened.push(descriptor);
    return descriptor;
  };
  const first = keep(wanted.udp ?? openUdp(wanted, sharing, parts));
  if (wanted.udp !== undefined)
    native.tuneUdp(first, limits.udpReceiveBufferOctets, limits.udpSendBufferOctets);
  // The server before answers until our workers do.
  if (older !== undefined) tryToClaim(native, first, 0, older.udp);
  const where = { address: wanted.address, port: native.socketPort(first) };
  const tcp = keep(wanted.tcp ?? openTcp(where, sharing, native));
  const udp = [first];
  while (udp.length < udpWorkers) {
    const another = joinUdp(wanted, where, parts);
    udp.push(another === undefined ? first : keep(another));
  }
  const given = { udp: wanted.udp === undefined ? 0 : 1, tcp: wanted.tcp === undefined ? 0 : 1 };
  return new BoundAddress(native, where, udp, tcp, older, given);
}

/** Undefined where the socket was given to us and lets no other join it: all workers then read from the one. */
function joinUdp(wanted: WantedAddress, where: ListenAddress, parts: BoundAddressParts): number | undefined {
  try {
    return openUdp(where, 'joined', parts);
  } catch (error) {
    if (wanted.udp !== undefined) return undefined;
    throw error;
  }
}

function openUdp(where: ListenAddress, sharing: Sharing, { native, limits }: BoundAddressParts): number {
  return listenErrorOr(where, () =>
    native.openUdp(
      where.address,
      where.port,
      limits.udpReceiveBufferOctets,
      limits.udpSendBufferOctets,
      sharing === 'alone' ? 1 : 0,
    ),
  );
}

function openTcp(where: ListenAddress, sharing: Sharing, native: Native): number {
  return listenErrorOr(where, () => native.openTcp(where.address, where.port, sharing === 'alone' ? 1 : 0));
}

function listenErrorOr(where: ListenAddress, open: () => number): number {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new ListenError(String(error.code), where, error.message);
  }
}
