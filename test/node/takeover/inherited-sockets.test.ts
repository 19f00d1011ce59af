import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasInheritedSockets, LISTEN_PARENT } from '../../../src/node/takeover/inherited-sockets.ts';

/** A child that prints what it inherited; the sockets are passed as `stdio` from descriptor 3 on. */
const program = `
  import { inheritedSockets } from ${JSON.stringify(join(import.meta.dirname, '../../../src/node/takeover/inherited-sockets.ts'))};
  console.log(JSON.stringify(inheritedSockets(process.env)));
`;

async function inherited(env: Record<string, string>, passed: readonly unknown[]): Promise<unknown> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit', ...(passed as never[])],
    env,
  });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  await new Promise((resolve) => child.on('close', resolve));
  return JSON.parse(output);
}

function listening(host: string): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, host, () => resolve(server));
  });
}

function bound(host: string): Promise<Socket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  return new Promise((resolve) => socket.bind(0, host, () => resolve(socket)));
}

function descriptorOf(handle: object): number {
  const { fd } = (handle as { readonly _handle: { readonly fd: number } })._handle;
  return fd;
}

describe.skipIf(process.platform !== 'linux')('sockets that a process inherits', () => {
  it('are known by what they are', async () => {
    const [tcp, udp, udp6] = await Promise.all([listening('127.0.0.1'), bound('127.0.0.1'), bound('::1')]);
    try {
      const fd = (udp as unknown as { [key: symbol]: { handle: { fd: number } } })[
        Object.getOwnPropertySymbols(udp).find((symbol) => symbol.description === 'state symbol') as symbol
      ]?.handle.fd;
      const fd6 = (udp6 as unknown as { [key: symbol]: { handle: { fd: number } } })[
        Object.getOwnPropertySymbols(udp6).find((symbol) => symbol.description === 'state symbol') as symbol
      ]?.handle.fd;
      const found = await inherited({ LISTEN_FDS: '3', LISTEN_FDNAMES: 'api:dns:dns' }, [
        descriptorOf(tcp),
        fd,
        fd6,
      ]);
      expect(found).toEqual({
        ok: true,
        value: [
          {
            descriptor: 3,
            transport: 'tcp',
            address: '127.0.0.1',
            port: (tcp.address() as { port: number }).port,
            name: 'api',
          },
          { descriptor: 4, transport: 'udp', address: '127.0.0.1', port: udp.address().port, name: 'dns' },
          { descriptor: 5, transport: 'udp', address: '::1', port: udp6.address().port, name: 'dns' },
        ],
      });
    } finally {
      tcp.close();
      udp.close();
      udp6.close();
    }
  });

  it('are refused when they are none', async () => {
    expect(await inherited({ LISTEN_FDS: '1' }, ['pipe'])).toMatchObject({ ok: false });
    expect(await inherited({ LISTEN_FDS: 'x' }, [])).toMatchObject({ ok: false });
  });

  const cases = [
    { name: 'none', env: {}, want: false },
    { name: 'those of another process', env: { LISTEN_FDS: '2', LISTEN_PID: '1' }, want: false },
    { name: 'ours', env: { LISTEN_FDS: '2', LISTEN_PID: String(process.pid) }, want: true },
    {
      name: 'those of our parent',
      env: { LISTEN_FDS: '2', [LISTEN_PARENT]: String(process.ppid) },
      want: true,
    },
    { name: 'no descriptors', env: { LISTEN_FDS: '0', LISTEN_PID: String(process.pid) }, want: false },
  ];
  it.each(cases)('are there or not: $name', ({ env, want }) => {
    expect(hasInheritedSockets(env)).toBe(want);
  });
});
