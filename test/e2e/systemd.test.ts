import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { loadNative } from '../../src/server/native.ts';
import { eventually } from '../until.ts';
import { askTcp, askUdp } from './dns-client.ts';
import { commandLine, runMeridian, temporaryDirectory } from './node-process.ts';

/*
 * A service manager for tests: it passes sockets that it has bound, and listens to what the node says. In Perl, for
 * Node can do neither, and every Debian has it.
 */

/** Prints a line for each datagram, its lines joined by spaces. */
const LISTEN_TO_NODE = `
  use Socket; $| = 1;
  socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die; bind($socket, sockaddr_un($ARGV[0])) or die;
  print "listening\\n";
  while (defined(recv($socket, my $message, 4096, 0))) { $message =~ s/\\n/ /g; print "$message\\n"; }
`;

/**
 * Binds a TCP and a UDP socket to one port and a TCP socket to another, as descriptors 3 to 5, and becomes the program
 * of its arguments.
 */
const PASS_SOCKETS = `
  use Socket; $^F = 10;
  my $home = inet_aton("127.0.0.1");
  my ($tcp, $udp, $api);
  # A port that is free for TCP may be taken for UDP.
  for (1 .. 20) {
    socket($tcp, AF_INET, SOCK_STREAM, 0) or die; bind($tcp, sockaddr_in(0, $home)) or die; listen($tcp, 128);
    socket($udp, AF_INET, SOCK_DGRAM, 0) or die;
    last if bind($udp, sockaddr_in((sockaddr_in(getsockname($tcp)))[0], $home));
    close($udp); close($tcp);
  }
  socket($api, AF_INET, SOCK_STREAM, 0) or die; bind($api, sockaddr_in(0, $home)) or die; listen($api, 128);
  $ENV{LISTEN_PID} = $$;
  exec { $ARGV[0] } @ARGV;
`;

const QUESTION = { name: 'www.example.org', type: 'A' };

const ZONE = `
@ 60 IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ 60 IN NS ns1
ns1 60 IN A 192.0.2.53
www 60 IN A 192.0.2.1
`;

const data = temporaryDirectory();
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => data.remove());

/** The lines that a child prints. */
function linesOf(child: ChildProcess): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  return lines;
}

async function lineWith(lines: readonly string[], pattern: RegExp, from = 0): Promise<RegExpMatchArray> {
  const find = async (): Promise<RegExpMatchArray | undefined> => {
    for (const line of lines.slice(from)) {
      const found = line.match(pattern);
      if (found !== null) return found;
    }
    return undefined;
  };
  return eventually(find, {
    withinMs: 20_000,
    what: `a line with ${pattern}; there were:\n${lines.join('\n')}`,
  });
}

interface Service {
  /** What the node told its manager. */
  readonly told: string[];
  readonly printed: string[];
  readonly child: ChildProcess;
  readonly dataDirectory: string;
  readonly port: number;
  readonly api: string;
}

async function startService(name: string): Promise<Service> {
  const directory = join(data.path, name);
  mkdirSync(join(directory, 'config', 'zones'), { recursive: true });
  writeFileSync(join(directory, 'config', 'zones', 'example.org.zone'), ZONE);
  const socket = join(directory, 'notify');
  const listener = spawn('perl', ['-e', LISTEN_TO_NODE, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(listener);
  const told = linesOf(listener);
  await lineWith(told, /^listening$/);
  const dataDirectory = join(directory, 'data');
  const program = [process.execPath, commandLine, 'serve', '--data', dataDirectory];
  const child = spawn('perl', ['-e', PASS_SOCKETS, ...program, '--config', join(directory, 'config')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      MERIDIAN_LOG_LEVEL: 'warn',
      NOTIFY_SOCKET: socket,
      WATCHDOG_USEC: '200000',
      LISTEN_FDS: '3',
      LISTEN_FDNAMES: 'dns:dns:api',
    },
  });
  children.push(child);
  const printed = linesOf(child);
  const [, port, api = ''] = await lineWith(printed, /^meridian ready: dns=127\.0\.0\.1:(\d+) api=(\S+)/);
  return { told, printed, child, dataDirectory, port: Number(port), api };
}

const lacking = 'reason' in loadNative() || spawnSync('perl', ['-v']).status !== 0;

describe.skipIf(lacking)(
  'a node under a service manager (needs the addon and perl)',
  { timeout: 60_000 },
  () => {
    it('serves on the sockets that it is given and says how it is', async () => {
      const { told, child, port, api } = await startService('given');
      expect((await askUdp(port, QUESTION))?.answers[0]?.text).toBe('192.0.2.1');
      expect((await askTcp(port, QUESTION))?.answers[0]?.text).toBe('192.0.2.1');
      expect((await fetch(`${api}/v1/status`)).status).toBe(200);
      await lineWith(
        told,
        new RegExp(`^READY=1 STATUS=serving DNS on 127.0.0.1:${port} MAINPID=${child.pid}$`),
      );
      await lineWith(told, /^WATCHDOG=1$/);
      const before = told.length;
      child.kill('SIGHUP');
      await lineWith(told, /^RELOADING=1 MONOTONIC_USEC=\d+$/, before);
      await lineWith(told, /^READY=1 /, before);
      child.kill('SIGTERM');
      await lineWith(told, /^STOPPING=1 /, before);
    });

    it('hands them over to its successor, and says who goes on', async () => {
      const { told, child, port, api, dataDirectory } = await startService('handed');
      let running = true;
      let lost = 0;
      const ask = async (once: typeof askUdp): Promise<void> => {
        while (running) if ((await once(port, QUESTION))?.answers.length !== 1) lost += 1;
      };
      const askers = [askUdp, askTcp].map(ask);
      const gone = new Promise((resolve) => child.on('exit', resolve));
      const before = told.length;
      const { output } = await runMeridian(['restart', '--data', dataDirectory]);
      const pid = Number(output.match(/^process (\d+) serves now/)?.[1]);
      await lineWith(told, new RegExp(`^MAINPID=${pid} `), before);
      await lineWith(told, new RegExp(`^READY=1 .* MAINPID=${pid}$`), before);
      // The watchdog's signs of life go on.
      const ready = told.length;
      await lineWith(told, /^WATCHDOG=1$/, ready);
      running = false;
      await Promise.all(askers);
      const status = await fetch(`${api}/v1/status`);
      process.kill(pid, 'SIGTERM');
      await lineWith(told, /^STOPPING=1 /, ready);
      expect(await gone).toBe(0);
      expect(status.status).toBe(200);
      expect(lost).toBe(0);
    });
  },
);
