import type { Socket } from 'node:net';
import type { SocketCounts } from '../../server/bound-address.ts';
import type { ListenAddress } from '../../server/listen-address.ts';
import { connectControl } from './control-socket.ts';
import { TakeoverError } from './takeover-error.ts';
import {
  type ControlReply,
  onMessage,
  type Standing,
  sendMessage,
  TAKEOVER_PROTOCOL,
} from './takeover-messages.ts';

type Outcome = ControlReply | 'gone';

/** The node from which this process takes over; the other side of `takeover-host.ts`. */
export class Predecessor {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly dns: readonly ListenAddress[];
  readonly sockets: SocketCounts;
  readonly api: readonly ListenAddress[];
  #waiting: ((outcome: Outcome) => void) | undefined;
  #state: 'serves' | 'gone' = 'serves';

  private constructor(socket: Socket, timeoutMs: number, welcome: Standing) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    this.dns = welcome.dns;
    this.sockets = welcome.sockets;
    this.api = welcome.api;
  }

  /**
   * Greets the node that has the data directory; undefined when none runs. `onAbort` is called when that node goes on
   * by itself: this process must then end, for they share a data directory.
   * Rejects with a `TakeoverError` when the node refuses, or does not answer in time.
   */
  static async greet(
    dataDirectory: string,
    timeoutMs: number,
    onAbort: () => void,
  ): Promise<Predecessor | undefined> {
    const socket = await connectControl(dataDirectory);
    if (socket === undefined) return undefined;
    let known: Predecessor | undefined;
    const first = Promise.withResolvers<Outcome>();
    onMessage<ControlReply>(socket, (message) => {
      if (message.kind === 'abort') onAbort();
      else if (known === undefined) first.resolve(message);
      else known.#hear(message);
    });
    socket.on('close', () => {
      first.resolve('gone');
      if (known !== undefined) known.#hear('gone');
    });
    sendMessage(socket, { kind: 'hello', protocol: TAKEOVER_PROTOCOL, pid: process.pid });
    try {
      const welcome = await inTime(first.promise, timeoutMs);
      if (welcome === 'gone') return undefined;
      known = new Predecessor(socket, timeoutMs, welcomeOf(welcome));
      return known;
    } finally {
      if (known === undefined) socket.destroy();
    }
  }

  /** Resolves when the store and the addresses of the API are free. */
  async yieldControl(): Promise<void> {
    await this.#ask('yield');
  }

  /** Says that this process serves; resolves when the other has left. */
  async leave(): Promise<void> {
    await this.#ask('ready');
    this.close();
  }

  /** Without a word: the other goes on, if it has not left. */
  close(): void {
    this.#socket.destroy();
  }

  /** A predecessor that is gone has nothing to say any more: that is the same as yes. */
  async #ask(kind: 'yield' | 'ready'): Promise<void> {
    if (this.#state === 'gone') return;
    const answer = new Promise<Outcome>((resolve) => {
      this.#waiting = resolve;
    });
    sendMessage(this.#socket, { kind });
    await inTime(answer, this.#timeoutMs);
  }

  #hear(outcome: Outcome): void {
    if (outcome === 'gone') this.#state = 'gone';
    this.#waiting?.(outcome);
    this.#waiting = undefined;
  }
}

function welcomeOf(reply: ControlReply): Standing {
  if (reply.kind === 'welcome') return reply;
  const why = reply.kind === 'refused' ? reply.message : 'the node that runs does not understand this one';
  throw new TakeoverError(why);
}

async function inTime(answer: Promise<Outcome>, timeoutMs: number): Promise<Outcome> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      late.reject(new TakeoverError(`the node that runs did not answer within ${timeoutMs / 1000} seconds`)),
    timeoutMs,
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
