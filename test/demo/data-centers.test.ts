import http from 'node:http';
import net from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { type DemoDataCenters, demoPlaces, startDemoDataCenters } from '../../src/demo/data-centers.ts';

let demo: DemoDataCenters | undefined;
afterEach(async () => {
  await demo?.close();
  demo = undefined;
});

async function ask(name: string, path: string): Promise<string> {
  const place = demo?.list().find((one) => one.dataCenter === name);
  try {
    const response = await fetch(`http://${place?.address}:${place?.port}${path}`);
    return `${response.status} ${(await response.text()).trim()}`;
  } catch (error) {
    return error instanceof Error && error.cause instanceof Error && 'code' in error.cause
      ? String(error.cause.code)
      : 'failed';
  }
}

it('has at least five places, each with an address of its own', () => {
  expect(demoPlaces.length).toBeGreaterThanOrEqual(5);
  expect(new Set(demoPlaces.map((place) => place.address)).size).toBe(demoPlaces.length);
});

it('answers from every data center', async () => {
  demo = await startDemoDataCenters({ port: 0 });
  for (const { dataCenter, broken } of demo.list()) {
    expect(broken).toBe(false);
    expect(await ask(dataCenter, '/')).toBe(`200 hello from ${dataCenter}`);
    expect(await ask(dataCenter, '/healthz')).toBe('200 ok');
  }
  expect(await ask('fra', '/other')).toBe('404 not found');
});

it('breaks and mends one without touching the others', async () => {
  demo = await startDemoDataCenters({ port: 0 });
  const before = demo.list();
  expect(await demo.break('fra')).toBe(true);
  expect(await demo.break('fra')).toBe(true);
  expect(await ask('fra', '/healthz')).toBe('ECONNREFUSED');
  expect(await ask('ash', '/healthz')).toBe('200 ok');
  expect(
    demo
      .list()
      .filter(({ broken }) => broken)
      .map(({ dataCenter }) => dataCenter),
  ).toEqual(['fra']);
  expect(await demo.mend('fra')).toBe(true);
  expect(await ask('fra', '/healthz')).toBe('200 ok');
  expect(demo.list()).toEqual(before);
});

it('cuts open connections when it breaks', async () => {
  demo = await startDemoDataCenters({ port: 0 });
  const place = demo.list()[0];
  const socket = net.connect(place?.port ?? 0, place?.address);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  // A request that is never finished keeps the connection busy.
  socket.write('GET / HTTP/1.1\r\n');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await demo.break(place?.dataCenter ?? '');
  await closed;
});

it('goes on when the system has no descriptor for a connection', async () => {
  const made = vi.spyOn(http, 'createServer');
  demo = await startDemoDataCenters({ port: 0 });
  const [fra] = made.mock.results.map(({ value }) => value as http.Server);
  made.mockRestore();
  for (let times = 0; times < 2; times += 1) fra?.emit('error', new Error('accept EMFILE'));
  expect(await ask('fra', '/healthz')).toBe('200 ok');
});

it('knows no other names', async () => {
  demo = await startDemoDataCenters({ port: 0 });
  expect([await demo.break('nrt'), await demo.mend('nrt')]).toEqual([false, false]);
});

it('says which address is taken, and leaves nothing behind', async () => {
  const squatter = net.createServer();
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.1.2', resolve));
  const { port } = squatter.address() as net.AddressInfo;
  await expect(startDemoDataCenters({ port })).rejects.toMatchObject({
    name: 'DemoListenError',
    code: 'EADDRINUSE',
    address: '127.0.1.2',
    message: expect.stringContaining(`127.0.1.2:${port} (EADDRINUSE): another program has that port`),
  });
  await new Promise((resolve) => squatter.close(resolve));
  demo = await startDemoDataCenters({ port });
  expect(await ask('fra', '/')).toBe('200 hello from fra');
});
