import type { PeerSession, TransportListener } from '../../../src/cluster/transport/transport.ts';

/** A session in memory: frames arrive in a later turn of the event loop, in order. */
class LocalSession implements PeerSession {
  readonly peer: string;
  readonly version = '1.0.0';
  readonly protocol = 1;
  readonly roundTripMs = 0;
  readonly certificateSerial = '01';
  readonly certificateExpiresAtMs = Number.MAX_SAFE_INTEGER;
  readonly #owner: TransportListener;
  readonly #boundOctets: number;
  #other: LocalSession | undefined;
  #waiting: Uint8Array[] = [];
  #isFull = false;
  #hasEnded = false;
  waitingOctets = 0;
  octetsSent = 0;
  framesSent = 0;

  constructor(peer: string, owner: TransportListener, boundOctets: number) {
    this.peer = peer;
    this.#owner = owner;
    this.#boundOctets = boundOctets;
  }

  join(other: LocalSession): void {
    this.#other = other;
  }

  send(frame: Uint8Array): boolean {
    if (this.#hasEnded) return false;
    if (this.waitingOctets > this.#boundOctets) {
      this.#isFull = true;
      return false;
    }
    if (this.#waiting.length === 0) setImmediate(() => this.#deliver());
    this.#waiting.push(frame);
    this.waitingOctets += frame.length;
    this.octetsSent += frame.length;
    this.framesSent += 1;
    return true;
  }

  close(reason: string): void {
    this.end(reason);
    this.#other?.end('closed by the peer');
  }

  end(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#owner.onDown(this, reason);
  }

  #deliver(): void {
    const other = this.#other;
    const frames = this.#waiting;
    this.#waiting = [];
    this.waitingOctets = 0;
    for (const frame of frames)
      if (other !== undefined && !other.#hasEnded) other.#owner.onFrame(other, frame);
    if (!this.#isFull || this.#hasEnded) return;
    this.#isFull = false;
    this.#owner.onDrain(this);
  }
}

export interface LinkEnd {
  readonly name: string;
  readonly listener: TransportListener;
}

/** Connects two nodes of this process; `boundOctets` may wait to be sent. */
export function connect(
  left: LinkEnd,
  right: LinkEnd,
  boundOctets = 1_048_576,
): readonly [LocalSession, LocalSession] {
  const ofLeft = new LocalSession(right.name, left.listener, boundOctets);
  const ofRight = new LocalSession(left.name, right.listener, boundOctets);
  ofLeft.join(ofRight);
  ofRight.join(ofLeft);
  left.listener.onUp(ofLeft);
  right.listener.onUp(ofRight);
  return [ofLeft, ofRight];
}
