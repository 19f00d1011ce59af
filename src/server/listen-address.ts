/** Where to listen: a literal IPv4 or IPv6 address and a port; port 0 asks the system for a free one. */
export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

/** Where the system shares the load of a port between the sockets that are bound to it with Node's `reusePort`. */
export const canSharePorts = process.platform === 'linux';

/** `192.0.2.1:53`, `[2001:db8::1]:53`. */
export function formatListenAddress({ address, port }: ListenAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** An address on which this node cannot listen; the message is a sentence that says what to do. */
export class ListenError extends Error {
  /** The system's code: EADDRINUSE, EACCES, EADDRNOTAVAIL and others. */
  readonly code: string;
  readonly address: ListenAddress;

  /** `flag` is the one that names such addresses. */
  constructor(code: string, address: ListenAddress, cause: string, flag: '--dns' | '--api' = '--dns') {
    super(listenAdvice(code, address, cause, flag));
    this.name = 'ListenError';
    this.code = code;
    this.address = address;
  }
}

/** The system picks the UDP port without asking whether it is free for TCP too; that it seldom is not. */
const MAX_FREE_PORT_TRIES = 10;

/** Whether an address for which any port will do failed, for so many tries, only because TCP has the port taken. */
export function mayTryAnotherPort(error: unknown, wanted: ListenAddress, tries: number): boolean {
  const taken = error instanceof ListenError && error.code === 'EADDRINUSE';
  return taken && wanted.port === 0 && tries < MAX_FREE_PORT_TRIES;
}

function listenAdvice(code: string, { address, port }: ListenAddress, cause: string, flag: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${address} is in use by another process; stop it or choose another with ${flag}`;
    case 'EACCES':
      return `this user may not listen on port ${port} of ${address}; grant CAP_NET_BIND_SERVICE or choose a port above 1023 with ${flag}`;
    case 'EADDRNOTAVAIL':
      return `${address} is not an address of this machine; choose one of its own with ${flag}`;
    default:
      return `cannot listen on port ${port} of ${address} (${cause}); choose another address with ${flag}`;
  }
}
