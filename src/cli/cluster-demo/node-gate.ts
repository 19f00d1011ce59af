import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Both ends of what passes, and the address that it comes from. */
interface Passage {
  readonly from: string;
  readonly ends: readonly [Socket, Socket];
}

/**
 * The way to one node for its peers: a relay that asks, for every connection, whether its sender may pass, and can end
 * those that are there. Both sides of a cut have to be shut at gates, since both sides dial.
 */
export class NodeGate {
  readonly #server: Server;
  readonly #mayPass: (from: string) => boolean;
  readonly #passages = new Set<Passage>();

  constructor(node: { readonly address: string; readonly port: number }, mayPass: (from: string) => boolean) {
    this.#mayPass = mayPass;
    this.#server = createServer((near) => this.#pass(near, node));
  }

  async open(address: string, port: number): Promise<void> {
    this.#server.listen({ host: address, port, exclusive: true });
    await once(this.#server, 'listening');
    // A connection that cannot be taken for want of descriptors is told as an error, and the next may pass.
    this.#server.on('error', () => undefined);
  }

  /** Ends what may not pass any more. */
  look(): void {
    for (const { from, ends } of this.#passages)
      if (!this.#mayPass(from)) for (const end of ends) end.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { ends } of this.#passages) for (const end of ends) end.destroy();
    await closed;
  }

  #pass(near: Socket, node: { readonly address: string; readonly port: number }): void {
    const from = near.remoteAddress ?? '';
    near.on('error', () => near.destroy());
    if (!this.#mayPass(from)) {
      near.destroy();
      return;
    }
    // With the sender's own address, which the node tells in its log and counts handshakes by.
    const source = from.startsWith('127.') ? { localAddress: from } : {};
    const far = connect({ host: node.address, port: node.port, ...source });
    far.on('error', () => far.destroy());
    const passage: Passage = { from, ends: [near, far] };
    this.#passages.add(passage);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.setNoDelay(true);
      one.pipe(other);
      one.on('close', () => {
        other.destroy();
        this.#passages.delete(passage);
      });
    }
  }
}
