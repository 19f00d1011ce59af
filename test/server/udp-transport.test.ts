import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { readCounter } from '../../src/observe/counters.ts';
import { SendSlots } from '../../src/server/send-slots.ts';
import { UdpTransport } from '../../src/server/udp-transport.ts';
import { echoParts, echoQuery, idOf } from './echo.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function client(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  closers.push(() => {
    socket.close();
  });
  return socket;
}

async function ask(socket: Socket, port: number, query: Uint8Array): Promise<Buffer> {
  const answer = once(socket, 'message');
  socket.send(query, port, '127.0.0.1');
  const [message] = await answer;
  return message as Buffer;
}

describe('DNS over UDP', () => {
  it('answers from the socket that was asked, and knows who asked', async () => {
    const transport = new UdpTransport(echoParts());
    closers.push(() => transport.close());
    const ports = [
      await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone'),
      await transport.listen({ address: '127.0.0.2', port: 0 }, 'alone'),
    ];
    const socket = await client();
    const message = await ask(socket, ports[0] ?? 0, echoQuery(7, 20));
    expect(message.subarray(0, 11).toString('latin1')).toBe('\0\x07127.0.0.1');
  });

  it('answers over IPv6', async () => {
    const transport = new UdpTransport(echoParts());
    closers.push(() => transport.close());
    const port = await transport.listen({ address: '::1', port: 0 }, 'alone');
    const socket = createSocket('udp6');
    closers.push(() => {
      socket.close();
    });
    const answer = once(socket, 'message');
    socket.send(echoQuery(8, 20), port, '::1');
    const [message] = await answer;
    expect((message as Buffer).subarray(0, 5).toString('latin1')).toBe('\0\x08::1');
  });

  it('drops what is too short, counts it, and goes on', async () => {
    const parts = echoParts();
    const transport = new UdpTransport(parts);
    closers.push(() => transport.close());
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    const socket = await client();
    for (let length = 0; length < 12; length++) socket.send(Buffer.alloc(length), port, '127.0.0.1');
    expect(idOf(await ask(socket, port, echoQuery(3, 12)))).toBe(3);
    expect(readCounter([parts.counters], 'drops', 'too-short')).toBe(12);
  });

  it('refuses a port in use with the code of the system', async () => {
    const transport = new UdpTransport(echoParts());
    closers.push(() => transport.close());
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    await expect(transport.listen({ address: '127.0.0.1', port }, 'alone')).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  it('frees a released port', async () => {
    const transport = new UdpTransport(echoParts());
    closers.push(() => transport.close());
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    await transport.release({ address: '127.0.0.1', port });
    expect(await transport.listen({ address: '127.0.0.1', port }, 'alone')).toBe(port);
  });
});

describe('SendSlots', () => {
  it('gives out no more than it has, and each again once it was sent', () => {
    const slots = new SendSlots(2, 16, () => undefined);
    const first = slots.take();
    const second = slots.take();
    expect(first).not.toBe(second);
    expect(slots.take()).toBeUndefined();
    first?.sent(null);
    expect(slots.take()).toBe(first);
  });

  it('tells of a failed send and takes the slot back', () => {
    let failures = 0;
    const slots = new SendSlots(1, 16, () => {
      failures++;
    });
    slots.take()?.sent(new Error('EPERM'));
    expect(failures).toBe(1);
    expect(slots.take()).toBeDefined();
  });

  it('knows when nothing is on its way any more', async () => {
    const slots = new SendSlots(2, 16, () => undefined);
    await slots.allFree();
    const slot = slots.take();
    let free = false;
    const waiting = slots.allFree().then(() => {
      free = true;
    });
    await Promise.resolve();
    expect(free).toBe(false);
    slot?.sent(null);
    await waiting;
    expect(free).toBe(true);
  });
});
