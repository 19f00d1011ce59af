import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A web server as its own process, so that it can really be killed. */
export interface EndpointProcess {
  readonly address: string;
  /** kill -9, and waits until it is gone. */
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
}

const program = `
const { createServer } = require('node:http');
const [address, port] = process.argv.slice(1);
createServer((request, response) => response.end('ok')).listen(Number(port), address, () => console.log('up'));
`;

/** A port that is free on the given loopback address now. */
export async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}

/** `launcher` is a command that goes over to the server. */
export async function startEndpoint(
  address: string,
  port: number,
  launcher: readonly string[] = [],
): Promise<EndpointProcess> {
  let child: ChildProcess | undefined;
  async function start(): Promise<void> {
    const [command = '', ...args] = [...launcher, process.execPath, '-e', program, address, String(port)];
    const started = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child = started;
    if (started.stdout !== null) await once(started.stdout, 'data');
  }
  async function kill(): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined) return;
    running.kill('SIGKILL');
    if (running.exitCode === null && running.signalCode === null) await once(running, 'exit');
  }
  await start();
  return { address, start, kill };
}
