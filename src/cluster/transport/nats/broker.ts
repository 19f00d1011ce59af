import { isIP } from 'node:net';
import type { NatsConnection, TlsOptions } from '@nats-io/transport-node';
import { reasonOf } from '../../../config/problem.ts';
import type { Logger } from '../../../observe/log.ts';
import { Backoff } from '../backoff.ts';
import type { TransportLimits } from '../limits.ts';
import type { PeerAddress } from '../transport.ts';

export type BrokerCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string };

export interface BrokerOptions {
  /** Servers of one NATS cluster, tried in turn. */
  readonly servers: readonly PeerAddress[];
  readonly credentials: BrokerCredentials;
  /** Asked at every connection: a renewed certificate is for those that come after it. TLS is never left out. */
  readonly tls: () => TlsOptions;
  /** What is listened to. */
  readonly subject: string;
  readonly limits: TransportLimits;
  readonly log: Logger;
  readonly onConnected: () => void;
  readonly onLost: (reason: string) => void;
  readonly onMessage: (subject: string, octets: Uint8Array) => void;
  readonly onFailedDial: () => void;
}

/** The connection with the broker, made again whenever it is lost. */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #backoff: Backoff;
  readonly #closed = Promise.withResolvers<undefined>();
  #connection: NatsConnection | undefined;
  #isClosed = false;
  #tries = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.limits.firstBackoffMs, options.limits.longestBackoffMs);
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** The longest message that the broker takes. */
  get maxPayloadOctets(): number {
    return this.#connection?.info?.max_payload ?? 0;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** False when it did not go out. */
  publish(subject: string, octets: Uint8Array): boolean {
    try {
      this.#connection?.publish(subject, octets);
      return this.#connection !== undefined;
    } catch (error) {
      // The connection is closing; what waits for its end will tell.
      this.#options.log.debug({ err: error }, 'a message could not be given to the broker');
      return false;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closed.resolve(undefined);
    const connection = this.#connection;
    // The last words are to go out; a broker that does not answer is not waited for.
    if (connection !== undefined)
      await Promise.race([connection.flush().catch(() => {}), sleep(FAREWELL_MS)]);
    await connection?.close().catch(() => {});
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const reason = await this.#serve();
      if (this.#isClosed) return;
      this.#options.log.warn({ reason }, 'no connection with the NATS broker');
      await Promise.race([sleep(this.#backoff.nextMs()), this.#closed.promise]);
    }
  }

  /** One connection, from dialling to its end; says why it ended. Never rejects. */
  async #serve(): Promise<string> {
    const { onConnected, onLost, onFailedDial } = this.#options;
    try {
      const connection = await this.#dial();
      this.#connection = connection;
      if (this.#isClosed) return 'closed';
      this.#listen(connection);
      this.#backoff.reset();
      onConnected();
      const error = await connection.closed();
      this.#connection = undefined;
      const reason = error instanceof Error ? error.message : 'the connection was closed';
      onLost(reason);
      return reason;
    } catch (error) {
      this.#connection = undefined;
      onFailedDial();
      return reasonOf(error);
    }
  }

  async #dial(): Promise<NatsConnection> {
    const { servers, limits, tls, credentials } = this.#options;
    // Loaded by those alone who use a broker.
    const { connect } = await import('@nats-io/transport-node');
    const given =
      credentials.kind === 'password'
        ? { user: credentials.user, pass: credentials.password }
        : credentials.kind === 'token'
          ? { token: credentials.token }
          : {};
    const server = servers[this.#tries++ % servers.length] ?? { host: 'localhost', port: 4222 };
    // The library tells TLS a name to check only where there is a name; an address has to be told here.
    const secured = isIP(server.host) === 0 ? tls() : { ...tls(), host: server.host };
    const host = isIP(server.host) === 6 ? `[${server.host}]` : server.host;
    const connection = await connect({
      ...given,
      servers: [`${host}:${server.port}`],
      // Others that the broker knows of may not be for us to reach; the configuration names those that are.
      ignoreClusterUpdates: true,
      tls: secured,
      timeout: limits.handshakeTimeoutMs,
      // A loss has to be known at once, since it ends the sessions: so connecting again is ours.
      reconnect: false,
      pingInterval: limits.heartbeatIntervalMs * PINGS_EVERY_HEARTBEATS,
      maxPingOut: 2,
    });
    if (this.#isClosed) await connection.close();
    return connection;
  }

  #listen(connection: NatsConnection): void {
    connection.subscribe(this.#options.subject, {
      callback: (error, message) => {
        if (error === null) this.#options.onMessage(message.subject, message.data);
      },
    });
  }
}

/** Sessions have heartbeats of their own; these find a broker that fell silent before any session is there. */
const PINGS_EVERY_HEARTBEATS = 3;

const FAREWELL_MS = 1000;

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
