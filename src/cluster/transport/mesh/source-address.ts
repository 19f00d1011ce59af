import { isIP } from 'node:net';

/**
 * Where calls to a peer leave from: the address that this node listens on, where that is one address. A machine with
 * several then shows its peers, and the filters between them, one and the same. Undefined where the system chooses:
 * when all addresses are listened on, when the peer's is of the other family, and when the network of the one does not
 * reach the other (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.6).
 */
export function sourceAddressFor(listenHost: string, peerHost: string): string | undefined {
  const isPossible =
    isIP(listenHost) !== 0 &&
    isIP(listenHost) === isIP(peerHost) &&
    !isUnspecifiedHost(listenHost) &&
    !isLinkLocal(listenHost) &&
    isLoopback(listenHost) === isLoopback(peerHost);
  return isPossible ? listenHost : undefined;
}

function isUnspecifiedHost(host: string): boolean {
  return host === '0.0.0.0' || /^(::|0(:0){7})$/.test(host);
}

function isLinkLocal(host: string): boolean {
  return /^(fe[89ab]|169\.254\.)/i.test(host);
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1';
}
