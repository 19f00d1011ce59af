import { createServer, type Server, type Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { JOIN_PROTOCOL } from '../../identity/join-messages.ts';
import type { TransportLimits } from '../limits.ts';
import { PEER_PROTOCOL } from '../secure-context.ts';
import type { Tally } from '../tally.ts';
import type { JoinListener } from '../transport.ts';
import { Admission } from './admission.ts';

/** Of the handshakes that may be under way, joining nodes get a quarter: strangers must not keep peers out. */
const JOIN_SHARE = 1 / 4;

export interface ListenAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface PeerListenerOptions {
  readonly limits: TransportLimits;
  readonly tally: Tally;
  /** Asked for every connection: a renewed certificate is for those that come after it. */
  readonly secureContext: () => SecureContext;
  /** A connection whose TLS handshake is through. `settled` has to be called when it is a session or has ended. */
  readonly onPeer: (socket: TLSSocket, settled: () => void) => void;
  readonly onJoin: JoinListener | undefined;
}

/** Accepts connections: TLS 1.3 alone, a bounded number that have not proved themselves, each for a bounded time. */
export class PeerListener {
  readonly #options: PeerListenerOptions;
  readonly #server: Server;
  readonly #handshakes: Admission;
  readonly #joins: Admission;
  readonly #sockets = new Set<Socket>();

  constructor(options: PeerListenerOptions) {
    const { handshakes, handshakesPerAddress } = options.limits;
    this.#options = options;
    this.#handshakes = new Admission(handshakes, handshakesPerAddress);
    this.#joins = new Admission(Math.max(1, Math.floor(handshakes * JOIN_SHARE)), handshakesPerAddress);
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Resolves with the port; rejects when the address cannot be had. */
  listen({ host, port }: ListenAddress): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        // Without descriptors left, accept fails; connections that are there stay, and later ones are taken again.
        this.#server.on('error', () => {});
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }

  #accept(socket: Socket): void {
    const address = socket.remoteAddress ?? 'unknown';
    const leave = this.#handshakes.enter(address);
    if (leave === undefined) {
      this.#options.tally.refuse('overload', address, 'too many handshakes are under way');
      socket.destroy();
      return;
    }
    const deadline = setTimeout(() => {
      this.#options.tally.refuse('protocol', address, 'no session came of the connection in time');
      socket.destroy();
    }, this.#options.limits.handshakeTimeoutMs);
    const settled = () => {
      clearTimeout(deadline);
      leave();
    };
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      settled();
    });
    this.#secure(socket, address, settled);
  }

  #secure(socket: Socket, address: string, settled: () => void): void {
    const { secureContext, onJoin, onPeer, tally } = this.#options;
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: secureContext(),
      requestCert: true,
      // Judged by the roster, which knows more rules and names the one that is broken.
      rejectUnauthorized: false,
      ALPNProtocols: onJoin === undefined ? [PEER_PROTOCOL] : [PEER_PROTOCOL, JOIN_PROTOCOL],
    });
    secured.on('error', (error) => {
      if (!socket.destroyed) tally.refuse('protocol', address, `TLS failed: ${error.message}`);
      socket.destroy();
    });
    secured.once('secure', () => {
      const spoken = secured.alpnProtocol;
      if (spoken === JOIN_PROTOCOL && onJoin !== undefined) this.#join(secured, address, settled, onJoin);
      else if (spoken === PEER_PROTOCOL && !secured.isSessionReused()) onPeer(secured, settled);
      else {
        tally.refuse('protocol', address, 'it speaks no protocol of ours (ALPN)');
        socket.destroy();
      }
    });
  }

  #join(secured: TLSSocket, address: string, settled: () => void, onJoin: JoinListener): void {
    const leave = this.#joins.enter(address);
    settled();
    if (leave === undefined) {
      this.#options.tally.refuse('overload', address, 'too many nodes are joining');
      secured.destroy();
      return;
    }
    const deadline = setTimeout(() => secured.destroy(), this.#options.limits.joinTimeoutMs);
    secured.on('close', () => {
      clearTimeout(deadline);
      leave();
    });
    try {
      onJoin(secured);
    } catch (error) {
      // A bug of whoever listens; it is told like an error of the connection, and ends that alone.
      secured.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
