import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasInheritedSockets, LISTEN_PARENT } from '../../../src/node/takeover/inherited-sockets.ts';
import { loadNative, type Native } from '../../../src/server/native.ts';

/** A child that prints what it inherited; the sockets are passed as `stdio` from descriptor 3 on. */
const program = `
  import { inheritedSockets } from ${JSON.stringify(join(import.meta.dirname, '../../../src/node/takeover/inherited-sockets.ts'))};
  console.log(JSON.stringify(inheritedSockets(process.env)));
`;

async function inherited(
  env: Record<string, string>,
  passed: readonly (number | 'pipe')[],
): Promise<unknown> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit', ...passed],
    env,
  });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  await new Promise((resolve) => child.on('close', resolve));
  return JSON.parse(output);
}

const loaded = loadNative();
const skipped = 'native' in loaded ? '' : ` (skipped: no addon here, ${loaded.reason})`;

/** A socket that listens, by a server on a copy of it: nothing else can ask the system for that. */
async function listening(native: Native, descriptor: number): Promise<Server> {
  const server = createServer().listen({ fd: native.duplicateSocket(descriptor) });
  await once(server, 'listening');
  return server;
}

describe.skipIf('reason' in loaded)(`sockets that a process inherits${skipped}`, () => {
  it('are known by what they are', async () => {
    if (!('native' in loaded)) throw new Error(loaded.reason);
    const { native } = loaded;
    const tcp = native.openTcp('127.0.0.1', 0, 0);
    const udp = native.openUdp('127.0.0.1', 0, 65_536, 65_536, 0);
    const udp6 = native.openUdp('::1', 0, 65_536, 65_536, 0);
    const passed = [tcp, udp, udp6];
    const server = await listening(native, tcp);
    try {
      const [port, udpPort, udp6Port] = passed.map(native.socketPort);
      expect(await inherited({ LISTEN_FDS: '3', LISTEN_FDNAMES: 'api:dns:dns' }, passed)).toEqual({
        ok: true,
        value: [
          { descriptor: 3, transport: 'tcp', address: '127.0.0.1', port, name: 'api' },
          { descriptor: 4, transport: 'udp', address: '127.0.0.1', port: udpPort, name: 'dns' },
          { descriptor: 5, transport: 'udp', address: '::1', port: udp6Port, name: 'dns' },
        ],
      });
    } finally {
      server.close();
      passed.forEach(native.closeSocket);
    }
  });
});

describe('what is passed to a process', () => {
  it('is refused where it is no socket', async () => {
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
  it.each(cases)('is meant for this one or not: $name', ({ env, want }) => {
    expect(hasInheritedSockets(env)).toBe(want);
  });
});
