import type { TLSSocket } from 'node:tls';
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
import { commonProtocol, decodeHello, encodeHello, faultOf, type Hello } from '../hello.ts';
import { MAX_CONTROL_OCTETS, type TransportLimits } from '../limits.ts';
import { encodeRenewal, judgeRenewal } from '../renewal.ts';
import type { ProvedCertificate, Roster } from '../roster.ts';
import type { Tally } from '../tally.ts';
import type { PeerSession, RefusalReason, TransportIdentity } from '../transport.ts';
import { hangUp, withLength } from './farewell.ts';
import { PayloadReader } from './payload-reader.ts';

/** RFC 5705: keying material that only the two ends of one TLS connection have. */
const BINDING_LABEL = 'EXPORTER-meridian-renewal';
const BINDING_OCTETS = 32;

/** What every connection of a transport shares. */
export interface ConnectionSurroundings {
  readonly roster: Roster;
  readonly limits: TransportLimits;
  readonly tally: Tally;
  helloFor(peer: string): Hello;
  /** Hellos are exchanged, and it is ours to choose: accept() or end(). */
  onGreeted(connection: MeshConnection): void;
  onUp(connection: MeshConnection): void;
  onFrame(connection: MeshConnection, frame: Uint8Array): void;
  onDrain(connection: MeshConnection): void;
  onEnd(connection: MeshConnection, reason: string): void;
}

/**
 * One TLS connection with a peer whose certificate has been judged:
 *
 *   greeting --hellos--> waiting for the choice --accept--> up --> ended
 *
 * The node with the lesser name chooses among the connections that both sides dial (see SessionChoice), so both
 * know one session at a time. Nothing here throws out of an event.
 */
export class MeshConnection implements PeerSession {
  readonly peer: string;
  readonly #socket: TLSSocket;
  readonly #around: ConnectionSurroundings;
  readonly #reader = new PayloadReader(MAX_CONTROL_OCTETS);
  readonly #heartbeat: Heartbeat;
  #proved: ProvedCertificate;
  #hello: Hello | undefined;
  #protocol = 0;
  #phase: 'greeting' | 'choosing' | 'up' | 'ended' = 'greeting';
  #sessionId = '';
  #ticks: NodeJS.Timeout | undefined;
  #isCorked = false;
  #owesDrain = false;

  constructor(socket: TLSSocket, proved: ProvedCertificate, around: ConnectionSurroundings) {
    this.peer = proved.name;
    this.#socket = socket;
    this.#proved = proved;
    this.#around = around;
    this.#heartbeat = new Heartbeat(around.limits.deadAfterHeartbeats);
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('drain', () => this.#drained());
    socket.on('error', (error) => this.#finish(error.message));
    socket.on('close', () => this.#finish('the peer has closed the connection'));
    this.#sendControl('hello', encodeHello(around.helloFor(this.peer)));
  }

  get version(): string {
    return this.#hello?.version ?? '';
  }

  get protocol(): number {
    return this.#protocol;
  }

  get sessionId(): string {
    return this.#sessionId;
  }

  /** The peer's hello; undefined before it. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  get isUp(): boolean {
    return this.#phase === 'up';
  }

  get hasEnded(): boolean {
    return this.#phase === 'ended';
  }

  get waitingOctets(): number {
    return this.#socket.writableLength;
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
    this.#write(frame);
    return true;
  }

  close(reason: string): void {
    this.end(reason);
  }

  /** Makes this connection the session; both sides are told. */
  accept(sessionId: string): void {
    if (this.#phase !== 'choosing') return;
    this.#sendControl('accept', Buffer.from(sessionId));
    this.#becomeUp(sessionId);
  }

  /** Says why, and closes. What waits to be sent is given up when the peer does not take it soon. */
  end(reason: string): void {
    if (this.#phase === 'ended') return;
    this.#sendControl('goodbye', Buffer.from(reason));
    this.#finish(reason);
  }

  /** Ends as refused: counted, logged, and the peer is told which rule it was. */
  refuse(reason: RefusalReason, detail: string): void {
    if (this.#phase === 'ended') return;
    this.#around.tally.refuse(reason, `${this.peer} at ${this.#socket.remoteAddress ?? 'unknown'}`, detail);
    this.end(`refused: ${reason}`);
  }

  /** Tells the peer of our renewed certificate. */
  renew(identity: TransportIdentity): void {
    if (this.#phase === 'up') this.#sendControl('certificate', encodeRenewal(identity, this.#binding()));
  }

  /** Ends when the peer may not stay: removed, revoked, expired, or of a CA that is no longer ours. */
  judgeAgain(nowMs: number): void {
    if (this.#phase === 'ended') return;
    const judgement = this.#around.roster.judge(this.#proved.certificate, nowMs);
    if (judgement.ok) return;
    if (judgement.reason === 'self') this.end('our own certificate');
    else this.refuse(judgement.reason, judgement.detail);
  }

  #binding(): Uint8Array {
    return this.#socket.exportKeyingMaterial(BINDING_OCTETS, BINDING_LABEL, Buffer.alloc(0));
  }

  #receive(chunk: Uint8Array): void {
    if (this.#phase === 'ended') return;
    this.#heartbeat.heard();
    this.#around.tally.octetsReceived += chunk.length;
    const isWellFormed = this.#reader.push(chunk, (payload) => {
      this.#take(payload);
      return this.#phase !== 'ended';
    });
    if (!isWellFormed) this.refuse('protocol', 'a message has a length out of bounds');
  }

  #take(payload: Uint8Array): void {
    const control = decodeControl(payload);
    if (control !== undefined) this.#takeControl(control);
    else if (this.#phase === 'up') this.#around.onFrame(this, payload);
    else this.refuse('protocol', 'a frame before the session is up');
  }

  #takeControl({ kind, body }: Control): void {
    if (kind === 'goodbye') this.#finish(`the peer says: ${decodeText(body)}`);
    else if (kind === 'hello') this.#takeHello(body);
    else if (kind === 'accept') this.#takeAccept(body);
    else if (this.#phase !== 'up') this.refuse('protocol', 'a message before the session is up');
    else if (kind === 'ping') this.#answerPing(body);
    else if (kind === 'pong') this.#heartbeat.answered(decodeNumber(body) ?? -1, performance.now());
    else if (kind === 'certificate') this.#takeRenewal(body);
  }

  #takeHello(body: Uint8Array): void {
    const hello = decodeHello(body);
    if (hello === undefined || this.#phase !== 'greeting') {
      this.refuse('protocol', 'a hello that is malformed, or not the first');
      return;
    }
    const ours = this.#around.helloFor(this.peer);
    const fault = faultOf(hello, ours, this.peer);
    if (fault !== undefined) {
      this.refuse(fault.reason, fault.detail);
      return;
    }
    this.#hello = hello;
    this.#protocol = commonProtocol(ours.protocol, hello.protocol) ?? ours.protocol.min;
    this.#phase = 'choosing';
    if (this.#isOursToChoose()) this.#around.onGreeted(this);
  }

  #takeAccept(body: Uint8Array): void {
    if (this.#phase === 'choosing' && !this.#isOursToChoose()) this.#becomeUp(decodeText(body));
    else this.refuse('protocol', 'an acceptance that was not its to give');
  }

  #isOursToChoose(): boolean {
    return this.#around.roster.identity.name < this.peer;
  }

  #becomeUp(sessionId: string): void {
    this.#sessionId = sessionId;
    this.#phase = 'up';
    this.#reader.maxOctets = MAX_FRAME_OCTETS;
    this.#ticks = setInterval(() => this.#tick(), this.#around.limits.heartbeatIntervalMs);
    this.#around.onUp(this);
    // The first round trip is worth knowing before the first interval is over.
    if (this.#phase === 'up') this.#tick();
  }

  #tick(): void {
    const beat = this.#heartbeat.tick(performance.now());
    if (beat === 'dead') {
      this.#finish(`nothing was heard for ${this.#around.limits.deadAfterHeartbeats} heartbeats`);
      this.#socket.destroy();
      return;
    }
    if (Date.now() >= this.#proved.expiresAtMs) this.judgeAgain(Date.now());
    else if (!this.#isOverfull()) this.#sendControl('ping', encodeNumber(beat));
  }

  #answerPing(body: Uint8Array): void {
    // A peer that asks and does not read has enough to read.
    if (body.length === 4 && !this.#isOverfull()) this.#sendControl('pong', body);
  }

  #isOverfull(): boolean {
    return this.waitingOctets > this.#around.limits.waitingOctets;
  }

  #takeRenewal(body: Uint8Array): void {
    const renewal = judgeRenewal(this.#around.roster, this.peer, body, this.#binding());
    if (renewal.ok) this.#proved = renewal.proved;
    else this.refuse(renewal.reason, renewal.detail);
  }

  #sendControl(kind: ControlKind, body: Uint8Array): void {
    this.#write(encodeControl(kind, body));
  }

  #write(payload: Uint8Array): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    const message = withLength(payload);
    this.#around.tally.octetsSent += message.length;
    // What is sent in one turn of the event loop goes in one record.
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(message);
  }

  #drained(): void {
    if (!this.#owesDrain || this.#phase !== 'up') return;
    this.#owesDrain = false;
    this.#around.onDrain(this);
  }

  #finish(reason: string): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    clearInterval(this.#ticks);
    hangUp(this.#socket);
    this.#around.onEnd(this, reason);
  }
}
