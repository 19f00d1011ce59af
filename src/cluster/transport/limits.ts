/** What bounds time and memory of a transport. Tests of silence and backoff shorten the times; nothing else should. */
export interface TransportLimits {
  /** A ping goes out this often on every session. */
  readonly heartbeatIntervalMs: number;
  /** Heartbeats without one octet from the peer after which the link is taken for dead. */
  readonly deadAfterHeartbeats: number;
  /** From the first octet of a connection to a session, or the connection is closed. */
  readonly handshakeTimeoutMs: number;
  /** With more than this waiting on a session, send() says false. One frame of the largest size may come on top. */
  readonly waitingOctets: number;
  readonly firstBackoffMs: number;
  /** What a healed network may wait for at worst: short, as a dial costs a packet where nobody is. */
  readonly longestBackoffMs: number;
  /** Connections that are no session yet. Each may cost some 100 kB while TLS is negotiated. */
  readonly handshakes: number;
  /** The same, from one address: a peer dials one at a time, and several nodes may share an address. */
  readonly handshakesPerAddress: number;
  /** Connections of joining nodes; they count as handshakes from their address until they end. */
  readonly joinTimeoutMs: number;
}

export const defaultTransportLimits: TransportLimits = {
  heartbeatIntervalMs: 1000,
  deadAfterHeartbeats: 5,
  handshakeTimeoutMs: 5000,
  waitingOctets: 4 * 1024 * 1024,
  firstBackoffMs: 250,
  longestBackoffMs: 2_000,
  handshakes: 64,
  handshakesPerAddress: 8,
  joinTimeoutMs: 30_000,
};

/**
 * Over a broker, what waits for a node waits in the broker, in one queue for all its peers; nats-server cuts off who
 * has 64 MiB there. So a session gets less.
 */
export const natsWaitingOctets = 1024 * 1024;

/** A hello or another message of the transport's own; a certificate is about 1 kB. */
export const MAX_CONTROL_OCTETS = 16 * 1024;

/** Addresses that a DNS name may give for one try; more are not tried. */
export const MAX_ADDRESSES_PER_NAME = 8;
