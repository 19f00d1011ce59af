import { connect, type Socket } from 'node:net';

/** The test's side of DNS over TCP: frames what it sends, takes apart what it gets. */
export class FramedClient {
  readonly socket: Socket;
  readonly messages: Buffer[] = [];
  /** Resolves when the connection is gone, whoever closed it. */
  readonly closed: Promise<void>;
  /** Resolves when the server has ended its side. */
  readonly ended: Promise<void>;
  #rest: Buffer = Buffer.alloc(0);
  #waiting: (() => void) | undefined;

  private constructor(port: number, host: string, from: string | undefined) {
    const localAddress = from === undefined ? {} : { localAddress: from };
    this.socket = connect({ port, host, allowHalfOpen: true, ...localAddress });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.ended = new Promise((resolve) => this.socket.once('end', resolve));
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  /** `from`: the client's own address, if it matters. */
  static connect(port: number, host = '127.0.0.1', from?: string): Promise<FramedClient> {
    const client = new FramedClient(port, host, from);
    return new Promise((resolve, reject) => {
      client.socket.once('connect', () => resolve(client));
      client.socket.once('error', reject);
    });
  }

  send(...messages: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(messages.map(frame)));
  }

  /** Resolves when that many messages have come in all. */
  async received(count: number): Promise<readonly Buffer[]> {
    while (this.messages.length < count)
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    return this.messages;
  }

  #receive(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 2 && this.#rest.length >= 2 + this.#rest.readUInt16BE(0)) {
      const end = 2 + this.#rest.readUInt16BE(0);
      this.messages.push(this.#rest.subarray(2, end));
      this.#rest = this.#rest.subarray(end);
    }
    this.#waiting?.();
  }
}

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(2 + message.length);
  framed.writeUInt16BE(message.length);
  framed.set(message, 2);
  return framed;
}
