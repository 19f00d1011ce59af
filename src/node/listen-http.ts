import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import { ListenError } from '../server/listen-address.ts';
import { loadNative } from '../server/native.ts';
import type { ApiAddress } from './takeover/activated-settings.ts';

/** Open HTTP connections per address: dashboards hold one or two each, scripts one. */
const MAX_HTTP_CONNECTIONS = 1000;
/** A request that is not complete by then is given up (slow senders). */
const REQUEST_TIMEOUT_MS = 30_000;
/** What is under way at the end gets this long; event streams never end by themselves. */
const CLOSE_GRACE_MS = 500;

/** Listens for HTTP; rejects with a `ListenError`. `onError` is told what goes wrong with the listener later. */
export function listenHttp(
  app: RequestListener,
  wanted: ApiAddress,
  onError: (error: Error) => void,
): Promise<{ readonly server: Server; readonly address: ApiAddress }> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, app);
  server.maxConnections = MAX_HTTP_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ListenError(error.code ?? 'unknown', wanted, error.message, '--api'));
    });
    server.listen(whereToListen(wanted), () => {
      // A connection that could not be accepted (no descriptors left) is its client's loss and not the node's end.
      server.on('error', onError);
      const { port } = server.address() as AddressInfo;
      resolve({ server, address: { ...wanted, port } });
    });
  });
}

/** A socket that was passed to us stays open, for a successor or for another try: the server gets a copy. */
function whereToListen({ address, port, descriptor }: ApiAddress): ListenOptions & { readonly fd?: number } {
  if (descriptor === undefined) return { host: address, port, ipv6Only: true, exclusive: true };
  const loaded = loadNative();
  return { fd: 'native' in loaded ? loaded.native.duplicateSocket(descriptor) : descriptor };
}

/** Takes no new connections, lets requests end, then ends what is left. */
export function closeHttp(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
