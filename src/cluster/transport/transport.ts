import type { Duplex } from 'node:stream';

/**
 * The seam between the cluster and how its frames travel. Two transports stand behind it: a mesh of mutual TLS
 * connections, and NATS. Both pass one suite, test/contract/cluster-transport.test.ts.
 *
 * Either way a session is proved by a certificate of the cluster's own CA, there is at most one for each peer, and
 * frames of a session arrive whole and in order or the session ends. Nothing survives a session: whoever sends
 * something that matters sends it again on the next.
 */
export interface Transport {
  /** Resolves when peers can reach this node, or, over a broker, when the broker is being dialled. */
  start(listener: TransportListener): Promise<void>;
  /**
   * Who belongs to the cluster. Sessions with others end at once, and others are refused, but for a node that has just
   * joined and does not know the members yet: it admits whoever shows a certificate of the cluster.
   */
  setPeers(peers: readonly PeerSpec[], others?: 'refused' | 'admitted'): void;
  /** Where some peer is said to be, without a name (service discovery). Who answers there must still be in the peers. */
  setCandidates(addresses: readonly PeerAddress[]): void;
  /** Goes over to a renewed certificate, or other CA certificates or revocations. Sessions that they still allow stay. */
  useIdentity(identity: TransportIdentity): void;
  counters(): TransportCounters;
  close(): Promise<void>;
}

export interface PeerAddress {
  /** An IP address, or a DNS name that is resolved at every try. */
  readonly host: string;
  readonly port: number;
}

/** A peer to be in touch with. */
export interface PeerSpec {
  readonly name: string;
  /** Tried in turn. None: the peer is waited for. */
  readonly addresses: readonly PeerAddress[];
}

/** What a node shows to its peers, and by what it judges theirs. */
export interface TransportIdentity {
  readonly name: string;
  readonly clusterId: string;
  /** Subject CN = the node's name; subject alternative name = `URI:meridian://<clusterId>/<name>`. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** More than one while the CA's own certificate is being renewed. */
  readonly caCertificatesPem: readonly string[];
  /** By serial number: hexadecimal, upper case, as in Node's `X509Certificate.serialNumber`. Asked at every handshake. */
  readonly isRevoked: (serialNumber: string) => boolean;
}

/** A live, authenticated connection with one peer. At most one for each peer at a time. */
export interface PeerSession {
  /** The peer's node name, proved by its certificate. */
  readonly peer: string;
  /** The peer's software version, as it says. */
  readonly version: string;
  /** The protocol version that both sides speak on this session. */
  readonly protocol: number;
  /**
   * False when more than the bound waits to be sent, or the session has ended: the frame was not taken.
   * A frame of no octets or more than MAX_FRAME_OCTETS is a bug of the caller, and throws.
   */
  send(frame: Uint8Array): boolean;
  /** Octets that wait to be sent. */
  readonly waitingOctets: number;
  /** Of the newest heartbeat; undefined before the first. */
  readonly roundTripMs: number | undefined;
  /** Serial number of the peer's certificate, as in `isRevoked`. */
  readonly certificateSerial: string;
  /** When the peer's certificate ends, in ms since the epoch. */
  readonly certificateExpiresAtMs: number;
  /** Ends it; `onDown` follows with the reason. Another session may come up afterwards. */
  close(reason: string): void;
}

/** An exception from one of these is a bug; it is logged, and ends the session that it was about. */
export interface TransportListener {
  onUp(session: PeerSession): void;
  /** The octets are the listener's to keep. */
  onFrame(session: PeerSession, frame: Uint8Array): void;
  /** Room again after send() said false. */
  onDrain(session: PeerSession): void;
  onDown(session: PeerSession, reason: string): void;
}

/** Why somebody was not let in. */
export const refusalReasons = [
  /** No certificate, or one that another CA signed. */
  'foreign-ca',
  'expired',
  'revoked',
  /** Of our CA, but not among the peers. */
  'unknown-node',
  'wrong-cluster',
  /** Says another name than its certificate, or is not the peer that was dialled. */
  'name-mismatch',
  /** Garbage, an oversize frame, no hello in time, or no protocol version in common. */
  'protocol',
  /** More handshakes under way than the bound. */
  'overload',
] as const;

export type RefusalReason = (typeof refusalReasons)[number];

export interface TransportCounters {
  readonly sessionsOpened: number;
  readonly sessionsClosed: number;
  /** Sessions opened with a peer that had one before. */
  readonly reconnects: number;
  /** Tries to reach a peer that came to nothing. */
  readonly failedDials: number;
  readonly refused: Readonly<Record<RefusalReason, number>>;
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly octetsSent: number;
  readonly octetsReceived: number;
}

/** Takes over a connection of someone who has no certificate yet and wants to join. It is TLS 1.3, our side proved. */
export type JoinListener = (socket: Duplex) => void;
