import { type Channel, decodeFrame } from './frame.ts';
import type { PeerSession, TransportListener } from './transport/transport.ts';

/** A part of the cluster with a channel of its own. */
export interface ClusterPart {
  onUp(session: PeerSession): void;
  /** `value`: of a frame on the part's channel, in any form. */
  onFrame(session: PeerSession, value: unknown): void;
  onDrain(session: PeerSession): void;
  onDown(session: PeerSession, reason: string): void;
}

/** A peer of ours sends none; one that sends so many is broken, and a new session may find it mended. */
export const MAX_MALFORMED_FRAMES = 16;

export interface DispatchCounters {
  readonly malformedFrames: number;
  /** On channels that a newer version has. */
  readonly unknownChannels: number;
}

/**
 * Hands sessions to every part of the cluster, and each frame to the part that its channel names.
 *
 *     transport --> onUp, onDrain, onDown --> all parts, members first
 *               --> onFrame --> decode --> the part of the channel
 */
export class Dispatch implements TransportListener {
  readonly #parts: Readonly<Record<Channel, ClusterPart>>;
  readonly #malformed = new Map<PeerSession, number>();
  #malformedFrames = 0;
  #unknownChannels = 0;

  constructor(parts: Readonly<Record<Channel, ClusterPart>>) {
    this.#parts = parts;
  }

  onUp(session: PeerSession): void {
    this.#malformed.set(session, 0);
    for (const part of Object.values(this.#parts)) part.onUp(session);
  }

  onFrame(session: PeerSession, octets: Uint8Array): void {
    const decoded = decodeFrame(octets);
    if (decoded.ok) this.#parts[decoded.frame.channel].onFrame(session, decoded.frame.value);
    else if (decoded.reason === 'unknown-channel') this.#unknownChannels += 1;
    else this.malformed(session);
  }

  /** To be called for a frame of which its part can make nothing. */
  malformed(session: PeerSession): void {
    this.#malformedFrames += 1;
    const count = (this.#malformed.get(session) ?? 0) + 1;
    this.#malformed.set(session, count);
    if (count === MAX_MALFORMED_FRAMES) session.close(`it sent ${count} malformed frames`);
  }

  onDrain(session: PeerSession): void {
    for (const part of Object.values(this.#parts)) part.onDrain(session);
  }

  onDown(session: PeerSession, reason: string): void {
    this.#malformed.delete(session);
    for (const part of Object.values(this.#parts)) part.onDown(session, reason);
  }

  counters(): DispatchCounters {
    return { malformedFrames: this.#malformedFrames, unknownChannels: this.#unknownChannels };
  }
}
