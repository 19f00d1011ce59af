import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A loopback port that is free for UDP and TCP alike at this moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const udp = createSocket('udp4');
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const { port } = udp.address();
    const tcp = createServer();
    tcp.listen(port, '127.0.0.1');
    const free = await Promise.race([
      once(tcp, 'listening').then(() => true),
      once(tcp, 'error').then(() => false),
    ]).catch(() => false);
    await new Promise<void>((resolve) => udp.close(() => resolve()));
    if (!free) continue;
    await new Promise<void>((resolve) => tcp.close(() => resolve()));
    return port;
  }
}
