/** Limits of the DNS server; tests make them small. */
export interface ServerLimits {
  readonly tcp: TcpLimits;
  /** Receive buffer asked of the kernel for each UDP socket, in octets; the kernel may grant less. */
  readonly udpReceiveBufferOctets: number;
  /** The same for sending. */
  readonly udpSendBufferOctets: number;
  /** UDP responses that may wait in this process for the kernel to take them. */
  readonly udpSendSlots: number;
  /** How long closing waits for answers that are on their way, in milliseconds. */
  readonly drainMs: number;
}

export interface TcpLimits {
  /** Connections in all. */
  readonly connections: number;
  /** Connections of one IPv4 address or one IPv6 /64. */
  readonly connectionsPerClient: number;
  /** A connection with nothing to do is closed after this time, in milliseconds. */
  readonly idleMs: number;
  /** Time for a message to arrive whole once its first octet is here, in milliseconds. */
  readonly partialMessageMs: number;
  /** Time for a client to take the answers that are waiting for it, in milliseconds. */
  readonly slowReaderMs: number;
  /** Time for a client to end its side once we have ended ours, in milliseconds. */
  readonly lingerMs: number;
  /** Answers that may wait on one connection before its queries are left unread, in octets. */
  readonly waitingAnswerOctets: number;
  /** How often the four times above are looked at, in milliseconds. */
  readonly sweepMs: number;
}

/** Connections that wait in the kernel to be accepted; Linux's own limit (net.core.somaxconn), unless it was changed. */
export const TCP_BACKLOG = 4_096;

export const defaultServerLimits: ServerLimits = {
  tcp: {
    // Each costs a descriptor and, in the hands of a hostile client, at most some 300 kB; most systems grant 1,024
    // descriptors unasked.
    connections: 800,
    // A resolver needs a few; this leaves room for many behind one address, and none can take the whole table.
    connectionsPerClient: 64,
    // RFC 7766 section 6.2.3: "on the order of a few seconds".
    idleMs: 10_000,
    // A query is one segment; a client that needs longer than this is broken or hostile.
    partialMessageMs: 5_000,
    // Several retransmissions on a lossy way; what waits for such a client is room that others could have.
    slowReaderMs: 10_000,
    // A round trip over the longest way, a few times.
    lingerMs: 2_000,
    // One receive window: enough to keep a fast reader busy.
    waitingAnswerOctets: 64 * 1024,
    // A quarter of the shortest of those times, so that none is overdue for long; a sweep looks at every connection.
    sweepMs: 500,
  },
  // About 10,000 queries, which is what arrives while a busy thread is away for a few milliseconds.
  udpReceiveBufferOctets: 4 * 1024 * 1024,
  // Several whole batches: a network card takes its time, and a batch that does not fit waits for it.
  udpSendBufferOctets: 1024 * 1024,
  // The kernel takes nearly every answer at once; these are for the moments when its own buffer is full.
  udpSendSlots: 256,
  // What is on its way arrives within a round trip; a restart must not take much longer for it.
  drainMs: 2_000,
};
