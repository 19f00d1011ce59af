import { MAX_FRAME_OCTETS, refuseMalformed } from '../../frame.ts';
import {
  type Control,
  type ControlKind,
  decodeControl,
  decodeNumber,
  decodeText,
  encodeControl,
  encodeNumber,
} from '../control.ts';
import { Heartbeat } from '../heartbeat.ts';
import type { Hello } from '../hello.ts';
import type { TransportLimits } from '../limits.ts';
import { encodeRenewal, judgeRenewal } from '../renewal.ts';
import type { ProvedCertificate, Roster } from '../roster.ts';
import type { Tally } from '../tally.ts';
import type { PeerSession, RefusalReason, TransportIdentity } from '../transport.ts';
import { SEALED_OVERHEAD_OCTETS, type SealedChannel } from './sealed-channel.ts';

/** A part of a payload: more follow, or it is the last. */
const MORE = 1;
const LAST = 0;

/** No part is longer, whatever the broker takes: one should not keep others waiting. */
const MAX_PART_OCTETS = 256 * 1024;

/** What was received is reported at least this often, so that the sender has room again before it runs out. */
const REPORT_EVERY_OCTETS = 128 * 1024;

export interface NatsSessionSurroundings {
  readonly roster: Roster;
  readonly limits: TransportLimits;
  readonly tally: Tally;
  publish(peer: string, message: Uint8Array): boolean;
  maxPayloadOctets(): number;
  onUp(session: NatsSession): void;
  onFrame(session: NatsSession, frame: Uint8Array): void;
  onDrain(session: NatsSession): void;
  onEnd(session: NatsSession, reason: string): void;
}

export interface NatsSessionSpec {
  readonly proved: ProvedCertificate;
  readonly hello: Hello;
  readonly protocol: number;
  readonly channel: SealedChannel;
}

/**
 * A session through a broker. Frames are cut into parts that the broker takes, and put together again. The receiver
 * says how much it has received: what it has not said yet is waiting, in whichever queue on the way.
 */
export class NatsSession implements PeerSession {
  readonly peer: string;
  readonly #around: NatsSessionSurroundings;
  readonly #spec: NatsSessionSpec;
  readonly #heartbeat: Heartbeat;
  #proved: ProvedCertificate;
  #phase: 'offered' | 'up' | 'ended' = 'offered';
  #ticks: NodeJS.Timeout | undefined;
  #parts: Uint8Array[] = [];
  #partsOctets = 0;
  #sentOctets = 0;
  #confirmedOctets = 0;
  #receivedOctets = 0;
  #reportedOctets = 0;
  #owesDrain = false;

  constructor(spec: NatsSessionSpec, around: NatsSessionSurroundings) {
    this.peer = spec.proved.name;
    this.#spec = spec;
    this.#proved = spec.proved;
    this.#around = around;
    this.#heartbeat = new Heartbeat(around.limits.deadAfterHeartbeats);
  }

  get version(): string {
    return this.#spec.hello.version;
  }

  get protocol(): number {
    return this.#spec.protocol;
  }

  get sessionId(): string {
    return this.#spec.channel.sessionId;
  }

  get isUp(): boolean {
    return this.#phase === 'up';
  }

  get waitingOctets(): number {
    return this.#sentOctets - this.#confirmedOctets;
  }

  get roundTripMs(): number | undefined {
    return this.#heartbeat.roundTripMs;
  }

  get certificateSerial(): string {
    return this.#proved.serial;
  }

  get certificateExpiresAtMs(): number {
    return this.#proved.expiresAtMs;
  }

  send(frame: Uint8Array): boolean {
    refuseMalformed(frame);
    if (this.#phase !== 'up') return false;
    if (this.waitingOctets > this.#around.limits.waitingOctets) {
      this.#owesDrain = true;
      return false;
    }
    this.#around.tally.framesSent += 1;
    this.#sentOctets += frame.length;
    this.#sendParts(frame);
    return true;
  }

  close(reason: string): void {
    if (this.#phase === 'ended') return;
    this.#sendControl('goodbye', Buffer.from(reason));
    this.finish(reason);
  }

  /** Ends without a word: there is no way to say one. */
  finish(reason: string): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    clearInterval(this.#ticks);
    this.#parts = [];
    this.#around.onEnd(this, reason);
  }

  refuse(reason: RefusalReason, detail: string): void {
    if (this.#phase === 'ended') return;
    this.#around.tally.refuse(reason, this.peer, detail);
    this.close(`refused: ${reason}`);
  }

  /** The offering side has the answer, or the answering side the first message under the keys of both. */
  becomeUp(): void {
    if (this.#phase !== 'offered') return;
    this.#phase = 'up';
    this.#ticks = setInterval(() => this.#tick(), this.#around.limits.heartbeatIntervalMs);
    this.#around.onUp(this);
    if (this.#phase === 'up') this.#tick();
  }

  renew(identity: TransportIdentity): void {
    if (this.#phase === 'up')
      this.#sendControl('certificate', encodeRenewal(identity, this.#spec.channel.binding));
  }

  judgeAgain(nowMs: number): void {
    if (this.#phase === 'ended') return;
    const judgement = this.#around.roster.judge(this.#proved.certificate, nowMs);
    if (judgement.ok) return;
    if (judgement.reason === 'self') this.close('our own certificate');
    else this.refuse(judgement.reason, judgement.detail);
  }

  /** A sealed message that says it is of this session. */
  receive(message: Uint8Array): void {
    if (this.#phase === 'ended') return;
    const opened = this.#spec.channel.open(message);
    if (opened.ok) {
      this.#heartbeat.heard();
      this.#around.tally.octetsReceived += message.length;
      this.becomeUp();
      if (this.isUp) this.#takePart(opened.payload);
    } else if (opened.reason === 'gap') this.close('messages were lost on the way');
    else this.#around.tally.refuse('protocol', this.peer, `a ${opened.reason} message`);
  }

  #takePart(part: Uint8Array): void {
    const isLast = part[0] === LAST;
    const octets = part.subarray(1);
    this.#parts.push(octets);
    this.#partsOctets += octets.length;
    if (this.#partsOctets > MAX_FRAME_OCTETS || octets.length === 0) {
      this.refuse('protocol', 'a message has a length out of bounds');
      return;
    }
    if (!isLast) return;
    const [only] = this.#parts;
    const whole =
      this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts, this.#partsOctets);
    this.#parts = [];
    this.#partsOctets = 0;
    this.#take(whole);
  }

  #take(payload: Uint8Array): void {
    const control = decodeControl(payload);
    if (control !== undefined) {
      this.#takeControl(control);
      return;
    }
    this.#receivedOctets += payload.length;
    if (this.#receivedOctets - this.#reportedOctets >= REPORT_EVERY_OCTETS) this.#report();
    this.#around.onFrame(this, payload);
  }

  #takeControl({ kind, body }: Control): void {
    if (kind === 'goodbye') this.finish(`the peer says: ${decodeText(body)}`);
    else if (kind === 'ping') this.#sendControl('pong', body);
    else if (kind === 'pong') this.#heartbeat.answered(decodeNumber(body) ?? -1, performance.now());
    else if (kind === 'received') this.#confirm(body);
    else if (kind === 'certificate') this.#takeRenewal(body);
  }

  #takeRenewal(body: Uint8Array): void {
    const renewal = judgeRenewal(this.#around.roster, this.peer, body, this.#spec.channel.binding);
    if (renewal.ok) this.#proved = renewal.proved;
    else this.refuse(renewal.reason, renewal.detail);
  }

  #report(): void {
    this.#reportedOctets = this.#receivedOctets;
    const body = new Uint8Array(8);
    new DataView(body.buffer).setBigUint64(0, BigInt(this.#receivedOctets));
    this.#sendControl('received', body);
  }

  #confirm(body: Uint8Array): void {
    if (body.length !== 8) return;
    const octets = Number(new DataView(body.buffer, body.byteOffset).getBigUint64(0));
    this.#confirmedOctets = Math.max(this.#confirmedOctets, Math.min(octets, this.#sentOctets));
    if (!this.#owesDrain || this.waitingOctets > this.#around.limits.waitingOctets / 2) return;
    this.#owesDrain = false;
    this.#around.onDrain(this);
  }

  #tick(): void {
    const beat = this.#heartbeat.tick(performance.now());
    if (beat === 'dead') {
      this.finish(`nothing was heard for ${this.#around.limits.deadAfterHeartbeats} heartbeats`);
      return;
    }
    if (Date.now() >= this.#proved.expiresAtMs) this.judgeAgain(Date.now());
    if (this.#receivedOctets > this.#reportedOctets) this.#report();
    this.#sendControl('ping', encodeNumber(beat));
  }

  #sendControl(kind: ControlKind, body: Uint8Array): void {
    this.#sendParts(encodeControl(kind, body));
  }

  #sendParts(payload: Uint8Array): void {
    const most = Math.min(this.#around.maxPayloadOctets(), MAX_PART_OCTETS) - SEALED_OVERHEAD_OCTETS - 1;
    // Without a broker there is nowhere to send it; the loss ends the session.
    if (most <= 0) return;
    for (let at = 0; at < payload.length; at += most) {
      const octets = payload.subarray(at, at + most);
      const part = new Uint8Array(1 + octets.length);
      part[0] = at + most < payload.length ? MORE : LAST;
      part.set(octets, 1);
      const message = this.#spec.channel.seal(part);
      this.#around.tally.octetsSent += message.length;
      this.#around.publish(this.peer, message);
    }
  }
}
