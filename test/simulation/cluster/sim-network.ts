import type { PeerSession, TransportListener } from '../../../src/cluster/transport/transport.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimTime } from './sim-time.ts';

/** How a network behaves in one history. */
export interface NetworkTraits {
  /** One way, in ms. */
  readonly latencyMs: readonly [number, number];
  /** Octets that a session takes before it says that it is full. */
  readonly boundOctets: number;
}

/** One direction of a session: what is on its way arrives in order, or not at all. */
interface Direction {
  readonly from: SimSession;
  readonly to: SimSession;
  readonly frames: { readonly frame: Uint8Array; readonly atMs: number }[];
  lastAtMs: number;
  waitingOctets: number;
  wasFull: boolean;
  isScheduled: boolean;
}

class SimSession implements PeerSession {
  readonly owner: string;
  readonly peer: string;
  readonly version = '1.0.0';
  readonly protocol = 1;
  readonly roundTripMs = 1;
  readonly certificateSerial = '01';
  readonly certificateExpiresAtMs = Number.MAX_SAFE_INTEGER;
  readonly #network: SimNetwork;
  out: Direction | undefined;
  isUp = false;
  hasEnded = false;

  constructor(network: SimNetwork, owner: string, peer: string) {
    this.#network = network;
    this.owner = owner;
    this.peer = peer;
  }

  get waitingOctets(): number {
    return this.out?.waitingOctets ?? 0;
  }

  send(frame: Uint8Array): boolean {
    return !this.hasEnded && this.#network.send(this, frame);
  }

  close(reason: string): void {
    this.#network.closed(this, reason);
  }
}

/** Links between all pairs of nodes: sessions come up by themselves wherever both directions are open. */
export class SimNetwork {
  framesDelivered = 0;
  /** Reasons why our own code ended sessions. */
  readonly closings: string[] = [];
  readonly #time: SimTime;
  readonly #random: SimRandom;
  readonly #traits: NetworkTraits;
  readonly #listeners = new Map<string, TransportListener>();
  readonly #cuts = new Set<string>();
  /** By the names of both ends. */
  readonly #sessions = new Map<string, readonly [SimSession, SimSession]>();
  readonly #dialling = new Set<string>();

  constructor(time: SimTime, random: SimRandom, traits: NetworkTraits) {
    this.#time = time;
    this.#random = random;
    this.#traits = traits;
  }

  /** A node is there, or there again. */
  attach(name: string, listener: TransportListener): void {
    this.#listeners.set(name, listener);
    for (const peer of this.#listeners.keys()) if (peer !== name) this.#dial(name, peer);
  }

  /** A node dies: it hears nothing more, and its peers find out later. */
  detach(name: string): void {
    this.#listeners.delete(name);
    for (const pair of this.#sessions.values()) {
      const [own, other] = pair[0].owner === name ? pair : [pair[1], pair[0]];
      if (own.owner !== name) continue;
      own.hasEnded = true;
      this.#endLater(other, 'the peer is gone');
    }
  }

  /** Nothing goes from one node to the other any more; not the other way round. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from} ${to}`);
    const pair = this.#sessions.get(pairKey(from, to));
    if (pair === undefined) return;
    // Healed before this, it was only slow.
    this.#time.after(this.#random.between(500, 5000), () => {
      if (!this.#cuts.has(`${from} ${to}`)) return;
      for (const session of pair) this.#endLater(session, 'no heartbeat');
    });
  }

  heal(from: string, to: string): void {
    if (!this.#cuts.delete(`${from} ${to}`)) return;
    for (const session of this.#sessions.get(pairKey(from, to)) ?? []) this.#deliverLater(session.out);
    this.#dial(from, to);
  }

  healAll(): void {
    for (const cut of [...this.#cuts]) {
      const [from = '', to = ''] = cut.split(' ');
      this.heal(from, to);
    }
  }

  /** The connection of two nodes breaks, and they may make another. */
  reset(one: string, other: string): void {
    for (const session of this.#sessions.get(pairKey(one, other)) ?? []) this.#endLater(session, 'reset');
  }

  /** Nothing is on its way, and all pairs have a session. */
  get isWhole(): boolean {
    const names = [...this.#listeners.keys()];
    const pairs = (names.length * (names.length - 1)) / 2;
    const sessions = [...this.#sessions.values()].flat();
    return (
      this.#sessions.size === pairs &&
      sessions.every(({ isUp, hasEnded, out }) => isUp && !hasEnded && out?.frames.length === 0)
    );
  }

  send(session: SimSession, frame: Uint8Array): boolean {
    const { out } = session;
    if (out === undefined || out.waitingOctets > this.#traits.boundOctets) {
      if (out !== undefined) out.wasFull = true;
      return false;
    }
    out.lastAtMs = Math.max(
      out.lastAtMs,
      this.#time.nowMs() + this.#random.between(...this.#traits.latencyMs),
    );
    out.frames.push({ frame, atMs: out.lastAtMs });
    out.waitingOctets += frame.length;
    this.#deliverLater(out);
    return true;
  }

  closed(session: SimSession, reason: string): void {
    this.closings.push(`${session.owner} closed ${session.peer}: ${reason}`);
    for (const one of this.#sessions.get(pairKey(session.owner, session.peer)) ?? []) {
      if (one === session) this.#time.after(0, () => this.#end(one, reason));
      else this.#endLater(one, 'closed by the peer');
    }
  }

  #dial(one: string, other: string): void {
    const key = pairKey(one, other);
    if (this.#dialling.has(key)) return;
    this.#dialling.add(key);
    this.#time.after(this.#random.between(5, 400), () => {
      this.#dialling.delete(key);
      this.#connect(one, other);
    });
  }

  #connect(one: string, other: string): void {
    const key = pairKey(one, other);
    const isOpen = !this.#cuts.has(`${one} ${other}`) && !this.#cuts.has(`${other} ${one}`);
    if (!isOpen || !this.#listeners.has(one) || !this.#listeners.has(other)) return;
    // The last one must have ended at both ends.
    if (this.#sessions.has(key)) {
      this.#dial(one, other);
      return;
    }
    const [left, right] = [new SimSession(this, one, other), new SimSession(this, other, one)];
    left.out = direction(left, right);
    right.out = direction(right, left);
    this.#sessions.set(key, [left, right]);
    for (const session of [left, right]) {
      this.#time.after(this.#random.between(...this.#traits.latencyMs), () => {
        if (session.hasEnded) return;
        session.isUp = true;
        this.#listeners.get(session.owner)?.onUp(session);
        this.#deliverLater(session === left ? right.out : left.out);
      });
    }
  }

  #deliverLater(out: Direction | undefined): void {
    const [first] = out?.frames ?? [];
    if (out === undefined || first === undefined || out.isScheduled) return;
    out.isScheduled = true;
    this.#time.after(Math.max(0, first.atMs - this.#time.nowMs()), () => this.#deliver(out));
  }

  #deliver(out: Direction): void {
    const { from, to } = out;
    out.isScheduled = false;
    if (to.hasEnded || this.#cuts.has(`${from.owner} ${to.owner}`)) return;
    while (to.isUp && !to.hasEnded && (out.frames[0]?.atMs ?? Infinity) <= this.#time.nowMs()) {
      const next = out.frames.shift();
      if (next === undefined) return;
      out.waitingOctets -= next.frame.length;
      this.framesDelivered += 1;
      this.#listeners.get(to.owner)?.onFrame(to, next.frame);
    }
    if (to.isUp) this.#deliverLater(out);
    if (!out.wasFull || out.waitingOctets > this.#traits.boundOctets / 2 || from.hasEnded) return;
    out.wasFull = false;
    this.#listeners.get(from.owner)?.onDrain(from);
  }

  #endLater(session: SimSession, reason: string): void {
    this.#time.after(this.#random.between(0, 300), () => this.#end(session, reason));
  }

  #end(session: SimSession, reason: string): void {
    if (!session.hasEnded) {
      session.hasEnded = true;
      if (session.isUp) this.#listeners.get(session.owner)?.onDown(session, reason);
    }
    const key = pairKey(session.owner, session.peer);
    const pair = this.#sessions.get(key);
    if (pair?.includes(session) !== true || !pair.every(({ hasEnded }) => hasEnded)) return;
    this.#sessions.delete(key);
    this.#dial(session.owner, session.peer);
  }
}

function direction(from: SimSession, to: SimSession): Direction {
  return { from, to, frames: [], lastAtMs: 0, waitingOctets: 0, wasFull: false, isScheduled: false };
}

function pairKey(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
