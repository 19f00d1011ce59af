import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP relay on loopback that can go silent, as a network does: connections stay open and nothing passes. */
export class BreakableLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #frozen = new Set<Socket>();
  #isCut = false;

  private constructor(target: () => number) {
    this.#server = createServer((near) => {
      const far = connect({ host: '127.0.0.1', port: target() });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.setNoDelay(true);
        from.on('data', (chunk) => to.write(chunk));
        from.on('error', () => {});
        from.on('end', () => to.end());
        from.on('close', () => {
          this.#sockets.delete(from);
          if (!this.#frozen.has(from)) to.destroy();
        });
        if (this.#isCut) this.#freeze(from);
      }
    });
  }

  static async to(target: () => number): Promise<BreakableLink> {
    const link = new BreakableLink(target);
    await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  cut(): void {
    this.#isCut = true;
    this.freeze();
  }

  /** Silences the connections that are there; new ones pass. */
  freeze(): void {
    for (const socket of this.#sockets) this.#freeze(socket);
  }

  heal(): void {
    this.#isCut = false;
    this.#frozen.clear();
    for (const socket of this.#sockets) socket.resume();
  }

  #freeze(socket: Socket): void {
    this.#frozen.add(socket);
    socket.pause();
  }

  /** Resets everything that passes; new connections are taken. */
  reset(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
