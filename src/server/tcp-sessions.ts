import type { SenderAddress } from '../answer/respond.ts';
import { MAX_MESSAGE_LENGTH } from '../dns/query.ts';
import { type CounterLabel, countOne, setOpenConnections } from '../observe/counters.ts';
import { ClientCounts } from './client-counts.ts';
import { ConnectionOrder } from './connection-order.ts';
import type { TransportParts } from './run-worker.ts';
import type { ServerLimits } from './server-limits.ts';
import { LENGTH_OCTETS, type TcpDesk, type TcpOutlet, TcpSession } from './tcp-session.ts';

/** What the sessions ask of their transport: the sockets by number. */
export interface TcpSockets extends TcpOutlet {
  /** Closes; what is sent still reaches the client. The number is free. */
  close(connection: number): void;
  /** Closes and throws away what the client has not taken. The number is free. */
  reset(connection: number): void;
}

/** Room for what one event may gather before it is sent, and for one answer more. */
export function eventOutputOctets(limits: ServerLimits): number {
  return limits.tcp.waitingAnswerOctets + LENGTH_OCTETS + MAX_MESSAGE_LENGTH;
}

/**
 * The connections of one TCP transport: who is let in, who is answered, who has to go. Everything of it but the
 * sockets themselves, so that it is the same over `node:net` and over the addon.
 *
 * A connection is a number below `capacity`, given by the transport with `accept` and free again after `close` or
 * `reset` of its sockets, which `fail` calls, or when the transport has said `forget`.
 */
export class TcpSessions {
  readonly desk: TcpDesk;
  readonly #counters: Float64Array;
  readonly #limits: ServerLimits;
  readonly #sockets: TcpSockets;
  readonly #sessions: readonly TcpSession[];
  readonly #order: ConnectionOrder;
  readonly #clients: ClientCounts;
  #open = 0;

  /** `outputOctets`: at least `eventOutputOctets`. */
  constructor(parts: TransportParts, sockets: TcpSockets, capacity: number, outputOctets: number) {
    const { answer, counters, limits } = parts;
    const message = new Uint8Array(MAX_MESSAGE_LENGTH);
    this.#counters = counters;
    this.#limits = limits;
    this.#sockets = sockets;
    this.#order = new ConnectionOrder(capacity);
    this.#clients = new ClientCounts(capacity);
    this.desk = {
      limits: limits.tcp,
      message,
      output: new Uint8Array(outputOctets),
      at: 0,
      answer: (requestLength, client) => answer(message, requestLength, client, 'tcp', message),
      outlet: sockets,
      onMessage: (connection) => this.#order.prove(connection),
      onBadFrame: () => this.#count('closed-bad-frame'),
    };
    this.#sessions = Array.from(
      { length: capacity },
      (_, connection) => new TcpSession(connection, this.desk),
    );
    // A worker that was started again finds the count of the one before.
    setOpenConnections(counters, 0);
  }

  /** How many connections there are. */
  get open(): number {
    return this.#open;
  }

  /** To be written before `accept`. */
  clientOf(connection: number): SenderAddress {
    return this.#session(connection).client;
  }

  /** A connection of `clientOf` has come up: false where it was refused, and closed. */
  accept(connection: number, nowMs: number): boolean {
    const session = this.#session(connection);
    const { connections, connectionsPerClient } = this.#limits.tcp;
    if (this.#clients.countOf(session.client) >= connectionsPerClient) {
      this.#count('refused-client');
      this.#sockets.close(connection);
      return false;
    }
    this.#count('accepted');
    session.open(nowMs);
    this.#order.add(connection);
    this.#clients.add(session.client);
    this.#setOpen(this.#open + 1);
    if (this.#open > connections) this.makeRoom(connection);
    return true;
  }

  /** See `TcpSession.receive`. */
  receive(connection: number, input: Uint8Array, start: number, end: number, nowMs: number): void {
    this.#session(connection).receive(input, start, end, nowMs);
  }

  wait(connection: number, nowMs: number): void {
    this.#session(connection).wait(nowMs);
  }

  drained(connection: number, nowMs: number): void {
    this.#session(connection).drained(nowMs);
  }

  /** See `TcpSession.end`. */
  end(connection: number, nowMs: number): void {
    this.#session(connection).end(nowMs);
  }

  /** The socket is gone, or the client has ended its side and has all its answers: the number is free. */
  forget(connection: number): void {
    const session = this.#session(connection);
    if (session.state === 'closed') return;
    session.close();
    this.#order.remove(connection);
    this.#clients.remove(session.client);
    this.#setOpen(this.#open - 1);
  }

  /** The socket met an error: closes it. */
  fail(connection: number): void {
    if (this.#session(connection).state === 'closed') return;
    countOne(this.#counters, 'errors', 'tcp-socket');
    this.forget(connection);
    this.#sockets.close(connection);
  }

  isOpen(connection: number): boolean {
    return this.#session(connection).state !== 'closed';
  }

  /** Closes the connection that is least of use (RFC 7766 section 6.2.3), if there is another than `newest`. */
  makeRoom(newest: number): void {
    const connection = this.#order.firstToGo(newest);
    if (connection >= 0) this.#giveUp(connection, 'closed-for-newer');
  }

  /** Closes what has run into a limit in time. */
  sweep(nowMs: number): void {
    if (this.#open === 0) return;
    for (const session of this.#sessions) {
      if (session.state === 'closed') continue;
      const overdue = session.overdue(nowMs);
      if (overdue !== undefined) this.#giveUp(session.connection, overdue);
    }
  }

  /** Closes every connection, those with answers that wait once these are sent. */
  endAll(nowMs: number): void {
    for (const session of this.#sessions) {
      if (session.waiting) session.end(nowMs);
      else this.#close(session);
    }
  }

  closeAll(): void {
    for (const session of this.#sessions) this.#close(session);
  }

  #close(session: TcpSession): void {
    if (session.state === 'closed') return;
    this.forget(session.connection);
    this.#sockets.close(session.connection);
  }

  #giveUp(connection: number, why: CounterLabel<'tcpEvents'>): void {
    this.#count(why);
    const { waiting } = this.#session(connection);
    this.forget(connection);
    // What a client does not take must not stay with the kernel either.
    if (waiting) this.#sockets.reset(connection);
    else this.#sockets.close(connection);
  }

  #session(connection: number): TcpSession {
    return this.#sessions[connection] as TcpSession;
  }

  #setOpen(open: number): void {
    this.#open = open;
    setOpenConnections(this.#counters, open);
  }

  #count(label: CounterLabel<'tcpEvents'>): void {
    countOne(this.#counters, 'tcpEvents', label);
  }
}
