/*
 * The words of one command and of one event, as `native/tcp.c` has them:
 *
 *     command  [ COMMAND_… ] [ connection ] [ offset in the output ] [ octets ]
 *     event    [ EVENT_…   ] [ connection ] [ one number           ] [ another ]
 */
export const TCP_COMMAND_WORDS = 4;
export const COMMAND_SEND = 1;
/** Closes now; the number is free for another connection. */
export const COMMAND_CLOSE = 2;
/** Ends our side once everything is sent; reading goes on. */
export const COMMAND_END = 3;
/** Accepts again, after `EVENT_EXHAUSTED`; of no connection. */
export const COMMAND_ACCEPT = 4;
/** Closes now, and throws away what the client has not taken. */
export const COMMAND_RESET = 5;

export const TCP_EVENT_WORDS = 4;
/** Family of the client's address, 4 or 6; its port. */
export const EVENT_ACCEPTED = 1;
/** Offset in the input; octets. */
export const EVENT_RECEIVED = 2;
/** The client has ended its side, and everything of it was read and answered. */
export const EVENT_ENDED = 3;
/** Lost: only closing is left. */
export const EVENT_FAILED = 4;
/** The client does not take its answers; nothing is read of it until `EVENT_DRAINED`. */
export const EVENT_BLOCKED = 5;
export const EVENT_DRAINED = 6;
/** Out of descriptors or memory: accepting has stopped; of no connection. */
export const EVENT_EXHAUSTED = 7;

export const TCP_CLIENT_OCTETS = 16;

/** `timeoutMs` of an exchange that only carries out commands. */
export const COMMANDS_ONLY = -1;

/** Outcomes of `sendTcp`. */
export const SEND_TAKEN = 0;
export const SEND_BLOCKED = 1;

/** Opaque: the listeners and connections of one thread. */
export interface TcpLoop {
  readonly tcpLoop: never;
}

/** The addon's part in `native/tcp.c`. */
export interface NativeTcp {
  /** A bound socket that does not listen yet; see `openUdp`. */
  openTcp(address: string, port: number, alone: 0 | 1): number;
  /**
   * `capacity`: connections at the same time; their numbers are below it. `clients` has `TCP_CLIENT_OCTETS` for each.
   */
  createTcpLoop(
    capacity: number,
    wake: number,
    input: Uint8Array,
    output: Uint8Array,
    commands: Int32Array,
    events: Int32Array,
    clients: Uint8Array,
  ): TcpLoop;
  /**
   * Listens on a bound socket, also on one that listens already. A connection without a query is accepted after
   * `deferSeconds`; 0 for at once. A client that has not acknowledged what it was sent for `unsentMs` is cut off.
   */
  addTcpListener(
    loop: TcpLoop,
    descriptor: number,
    backlog: number,
    deferSeconds: number,
    unsentMs: number,
  ): void;
  /** Closes it, too; connections that wait in its queue are lost. */
  removeTcpListener(loop: TcpLoop, descriptor: number): void;
  /**
   * Carries out the first `commands` commands, waits up to `timeoutMs` for something to happen, accepts and reads.
   * Returns how many events there are; the input they speak of lasts until the next call.
   */
  exchangeTcp(loop: TcpLoop, commands: number, timeoutMs: number): number;
  /** Sends now: `SEND_TAKEN`; `SEND_BLOCKED`, as in `EVENT_BLOCKED`; anything else where the connection is lost. */
  sendTcp(loop: TcpLoop, connection: number, offset: number, octets: number): number;
}
