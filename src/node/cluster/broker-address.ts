import type { BrokerCredentials } from '../../cluster/transport/nats/broker.ts';
import type { PeerAddress } from '../../cluster/transport/transport.ts';

/** IANA's port of NATS. */
const NATS_PORT = 4222;

/**
 * The servers and credentials in the `url` of a NATS transport: several URLs with commas between, of which the first
 * has the credentials. A name alone is a token.
 */
export function brokerOf(url: string): {
  readonly servers: readonly PeerAddress[];
  readonly credentials: BrokerCredentials;
} {
  const urls = url.split(',').flatMap((text) => URL.parse(text.trim()) ?? []);
  const servers = urls.map(({ hostname, port }) => ({
    // A URL has brackets around IPv6 addresses.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? NATS_PORT : Number(port),
  }));
  return { servers, credentials: credentialsOf(urls[0]) };
}

function credentialsOf(url: URL | undefined): BrokerCredentials {
  const user = decodeURIComponent(url?.username ?? '');
  const password = decodeURIComponent(url?.password ?? '');
  if (user === '') return { kind: 'none' };
  return password === '' ? { kind: 'token', token: user } : { kind: 'password', user, password };
}
