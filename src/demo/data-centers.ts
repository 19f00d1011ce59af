import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A place with its own loopback address; 127.0.0.0/8 is this machine's alone (RFC 1122 section 3.2.1.3). */
export interface DemoPlace {
  readonly name: string;
  readonly city: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly address: string;
}

/** One on each inhabited continent; `demo/meridian.yaml` says the same. */
export const demoPlaces: readonly DemoPlace[] = [
  { name: 'fra', city: 'Frankfurt', latitude: 50.1109, longitude: 8.6821, address: '127.0.1.1' },
  { name: 'ash', city: 'Ashburn', latitude: 39.0438, longitude: -77.4874, address: '127.0.1.2' },
  { name: 'sao', city: 'São Paulo', latitude: -23.5505, longitude: -46.6333, address: '127.0.1.3' },
  { name: 'sin', city: 'Singapore', latitude: 1.3521, longitude: 103.8198, address: '127.0.1.4' },
  { name: 'syd', city: 'Sydney', latitude: -33.8688, longitude: 151.2093, address: '127.0.1.5' },
  { name: 'jnb', city: 'Johannesburg', latitude: -26.2041, longitude: 28.0473, address: '127.0.1.6' },
];

/** One demo data center as it is now. */
export interface DemoDataCenter {
  readonly dataCenter: string;
  readonly address: string;
  readonly port: number;
  /** True while its connections are refused. */
  readonly broken: boolean;
}

/** The demo's data centers: small HTTP servers that can be broken and mended. */
export interface DemoDataCenters {
  list(): readonly DemoDataCenter[];
  /** Closes its listener and all its connections, so that new ones are refused. False for an unknown name. */
  break(dataCenter: string): Promise<boolean>;
  /** Listens again, on the same address and port. False for an unknown name. */
  mend(dataCenter: string): Promise<boolean>;
  close(): Promise<void>;
}

/** A demo data center could not listen; the message says where, why and what to do. */
export class DemoListenError extends Error {
  override readonly name = 'DemoListenError';
  readonly code: string;
  readonly address: string;

  constructor(code: string, address: string, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
    this.address = address;
  }
}

/**
 * Starts a server for every place. `port` 0 lets the system choose one for each, which it then keeps.
 * Throws `DemoListenError` when one of them cannot listen; none is left behind then.
 */
export async function startDemoDataCenters(options: {
  readonly port: number;
  readonly places?: readonly DemoPlace[];
}): Promise<DemoDataCenters> {
  const places = options.places ?? demoPlaces;
  const servers = new Map(places.map((place) => [place.name, new DemoServer(place, options.port)]));
  const close = async (): Promise<void> => {
    await Promise.all(Array.from(servers.values(), (server) => server.break()));
  };
  try {
    for (const server of servers.values()) await server.mend();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    list: () => Array.from(servers.values(), (server) => server.state()),
    break: async (name) => {
      await servers.get(name)?.break();
      return servers.has(name);
    },
    mend: async (name) => {
      await servers.get(name)?.mend();
      return servers.has(name);
    },
    close,
  };
}

/** One place's server; a new one listens after every mend, because a closed listener cannot be opened again. */
class DemoServer {
  readonly #place: DemoPlace;
  #port: number;
  #server: http.Server | undefined;
  /** Breaks and mends follow each other, in the order in which they were asked for. */
  #last: Promise<void> = Promise.resolve();

  constructor(place: DemoPlace, port: number) {
    this.#place = place;
    this.#port = port;
  }

  state(): DemoDataCenter {
    const { name, address } = this.#place;
    return { dataCenter: name, address, port: this.#port, broken: this.#server === undefined };
  }

  break(): Promise<void> {
    return this.#inOrder(async () => {
      const server = this.#server;
      if (server === undefined) return;
      this.#server = undefined;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    });
  }

  mend(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#server !== undefined) return;
      const server = http.createServer((request, response) => answer(this.#place, request, response));
      this.#port = await listen(server, this.#place.address, this.#port);
      this.#server = server;
    });
  }

  #inOrder(step: () => Promise<void>): Promise<void> {
    const next = this.#last.then(step);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

function answer(place: DemoPlace, request: http.IncomingMessage, response: http.ServerResponse): void {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  if (request.url === '/') {
    response.end(`hello from ${place.name}\n`);
  } else if (request.url === '/healthz') {
    response.end('ok\n');
  } else {
    response.statusCode = 404;
    response.end('not found\n');
  }
}

/** Resolves to the port once the server listens. */
function listen(server: http.Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, address, port)));
    server.listen({ host: address, port, exclusive: true }, () => {
      // A connection that cannot be accepted for want of descriptors comes as an error too, and is not the node's end.
      server.on('error', () => undefined);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function listenError(error: NodeJS.ErrnoException, address: string, port: number): DemoListenError {
  const code = error.code ?? 'unknown';
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program has that port: stop it, or start without the demo by giving --config',
    EADDRNOTAVAIL: `this machine has no such address: add it to the loopback interface (macOS: sudo ifconfig lo0 alias ${address})`,
    EACCES: 'this user may not use that port',
  };
  const why = advice[code] ?? error.message;
  const message = `The demo data center cannot listen on ${address}:${port} (${code}): ${why}.`;
  return new DemoListenError(code, address, message, error);
}
