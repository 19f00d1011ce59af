import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { readCounter } from '../../src/observe/counters.ts';
import { SendSlots, viewOf } from '../../src/server/send-slots.ts';
import { defaultServerLimits } from '../../src/server/server-limits.ts';
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

/** The ids of the next answers, so many of them. */
function hear(socket: Socket, count: number): Promise<readonly number[]> {
  const ids: number[] = [];
  return new Promise((resolve) => {
    socket.on('message', (message) => {
      ids.push(idOf(message));
      if (ids.length === count) resolve(ids);
    });
  });
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

  it('answers all that came at once, to each client its own', async () => {
    const transport = new UdpTransport(echoParts({ ...defaultServerLimits, udpSendSlots: 3 }));
    closers.push(() => transport.close());
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    const clients = await Promise.all([client(), client()]);
    const each = 300;
    const heard = clients.map((socket) => hear(socket, each));
    for (let id = 0; id < each; id++)
      for (const socket of clients) socket.send(echoQuery(id, 12 + (id % 100)), port, '127.0.0.1');
    const ids = Array.from({ length: each }, (_, id) => id);
    expect(await Promise.all(heard)).toEqual([ids, ids]);
  });

  it('answers what it has read from an address that is released', async () => {
    const transport = new UdpTransport(echoParts());
    closers.push(() => transport.close());
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    const [asking, releasing] = await Promise.all([client(), client()]);
    const heard = hear(asking, 1);
    // The event loop reads the query, then this, and comes to answers only after it.
    const released = once(releasing, 'message').then(() => transport.release({ address: '127.0.0.1', port }));
    asking.send(echoQuery(9, 12), port, '127.0.0.1');
    releasing.send('release', releasing.address().port, '127.0.0.1');
    await released;
    expect(await heard).toEqual([9]);
  });

  it('drops nothing that it has read when it closes', async () => {
    const parts = echoParts();
    const transport = new UdpTransport(parts);
    const port = await transport.listen({ address: '127.0.0.1', port: 0 }, 'alone');
    const socket = await client();
    const heard = hear(socket, 50);
    for (let id = 0; id < 50; id++) socket.send(echoQuery(id, 12), port, '127.0.0.1');
    await transport.close();
    expect((await heard).length).toBe(50);
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
  /** Two slots of 16 octets, with so many sends in the socket's queue. */
  function slotsWith(queue: { length: number }): SendSlots {
    return new SendSlots(2, 16, () => queue.length);
  }

  it('gives the same slot until it was sent, then the next', () => {
    const slots = slotsWith({ length: 0 });
    const first = slots.peek();
    expect(slots.peek()).toBe(first);
    slots.advance();
    expect(slots.peek()).not.toBe(first);
  });

  it('gives out no more than it has, and each again once it was sent', () => {
    const queue = { length: 2 };
    const slots = slotsWith(queue);
    slots.advance();
    slots.advance();
    expect(slots.peek()).toBeUndefined();
    queue.length = 0;
    expect(slots.peek()).toBeDefined();
  });

  it('begins again with the first when nothing is queued', () => {
    const slots = slotsWith({ length: 0 });
    const first = slots.peek();
    slots.advance();
    slots.rewind();
    expect(slots.peek()).toBe(first);
  });

  it('gives out no slot that waits in the queue', () => {
    const queue = { length: 0 };
    const slots = slotsWith(queue);
    const first = slots.peek();
    slots.advance();
    slots.advance();
    queue.length = 2;
    slots.rewind();
    expect(slots.peek()).toBeUndefined();
    queue.length = 1;
    slots.rewind();
    expect(slots.peek()).toBe(first);
    slots.advance();
    queue.length = 2;
    expect(slots.peek()).toBeUndefined();
  });

  it('views an answer of every length', () => {
    const slot = slotsWith({ length: 0 }).peek();
    if (slot === undefined) throw new Error('there is a slot');
    slot.buffer.fill('0123456789abcdef');
    const lengths = [1, 9, 1, 16, 8, 16, 0];
    expect(lengths.map((length) => Buffer.from(viewOf(slot, length)).toString('latin1'))).toEqual(
      lengths.map((length) => '0123456789abcdef'.slice(0, length)),
    );
    expect(viewOf(slot, 9)).toBe(viewOf(slot, 9));
  });
});
