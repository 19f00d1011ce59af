import { createInterface } from 'node:readline';
import { type Arguments, type Flag, flagsUsage, readArguments, strayWord } from '../../flags.ts';
import {
  type CommandBody,
  CommandError,
  EXIT_OK,
  EXIT_USAGE,
  type Terminal,
  usageError,
} from '../command.ts';
import { DemoCluster } from './demo-cluster.ts';
import { openDemoDirectory } from './demo-directory.ts';
import { demoGuide } from './demo-guide.ts';
import type { DemoPorts } from './demo-node.ts';
import { refuseTakenPorts } from './free-ports.ts';
import { runDemoLine } from './run-demo-line.ts';

/** Those of a node that is started alone, but on other addresses. */
const defaultPorts = { 'dns-port': 5300, 'api-port': 8053, 'peer-port': 7053, 'demo-port': 8080 } as const;

const MAX_PORT = 65_535;

const flags: readonly Flag[] = [
  {
    name: 'data',
    value: 'DIR',
    variable: undefined,
    summary: 'Where the three nodes keep their data and logs. Default: ./data-cluster',
  },
  {
    name: 'fresh',
    value: undefined,
    variable: undefined,
    summary: 'Delete what an earlier demo left there.',
  },
  portFlag('dns-port', 'Port of DNS on 127.0.2.1 to 127.0.2.3.'),
  portFlag('api-port', 'Port of the API and the status page on the same addresses.'),
  portFlag('peer-port', 'Port where peers reach a node; the node itself has the next.'),
  portFlag('demo-port', "Port of the demo's data centers on 127.0.1.1 to 127.0.1.6."),
];

export const demoClusterCommand: CommandBody = {
  usage: () => flagsUsage(flags),
  run: async (argv, terminal) => {
    const given = readArguments(argv, flags);
    const problems = [...given.problems, ...given.words.map(strayWord)];
    if (problems.length > 0) throw usageError(problems);
    const ports = portsOf(given);
    const directory = given.values.get('data')?.at(-1) ?? './data-cluster';
    await refuseTakenPorts(ports);
    await openDemoDirectory(directory, given.values.has('fresh') ? 'deleted' : 'kept');
    const lost = (name: string): void =>
      terminal.out(`${name} has ended by itself; see ${directory}/${name}.log, and: start ${name}`);
    await runUntilTold(new DemoCluster(directory, ports, lost), ports, terminal);
    return EXIT_OK;
  },
};

/** Ends with `quit`, with the end of the input, and with a signal. */
async function runUntilTold(cluster: DemoCluster, ports: DemoPorts, terminal: Terminal): Promise<void> {
  const told = new AbortController();
  const end = (): void => told.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  try {
    terminal.out('starting three nodes…');
    await Promise.race([cluster.start(), untilAborted(told.signal)]);
    if (told.signal.aborted) return;
    await cluster.makeZone();
    for (const line of demoGuide(ports)) terminal.out(line);
    await runLines(cluster, ports, terminal, told.signal);
  } finally {
    terminal.out('the cluster stops');
    await cluster.stop();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, end);
  }
}

async function runLines(
  cluster: DemoCluster,
  ports: DemoPorts,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  const closeLines = (): void => lines.close();
  signal.addEventListener('abort', closeLines, { once: true });
  for await (const line of lines) {
    if (signal.aborted) break;
    const done = runDemoLine(line, { cluster, ports, out: terminal.out }).catch((error: unknown) => {
      terminal.out(error instanceof Error ? error.message : String(error));
      return 'go on' as const;
    });
    const outcome = await Promise.race([done, untilAborted(signal)]);
    if (outcome !== 'go on') break;
  }
  // An input that is still read keeps the process.
  lines.close();
  process.stdin.destroy();
}

function untilAborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
}

function portFlag(name: keyof typeof defaultPorts, what: string): Flag {
  return { name, value: 'PORT', variable: undefined, summary: `${what} Default: ${defaultPorts[name]}` };
}

function portsOf({ values }: Arguments): DemoPorts {
  const one = (name: keyof typeof defaultPorts, most: number): number => {
    const text = values.get(name)?.at(-1) ?? String(defaultPorts[name]);
    const port = Number(text);
    if (/^\d+$/.test(text) && port >= 1 && port <= most) return port;
    throw new CommandError(`--${name}: "${text.slice(0, 40)}" is not a port from 1 to ${most}`, EXIT_USAGE);
  };
  const peer = one('peer-port', MAX_PORT - 1);
  return {
    dns: one('dns-port', MAX_PORT),
    api: one('api-port', MAX_PORT),
    peer,
    behind: peer + 1,
    dataCenter: one('demo-port', MAX_PORT),
  };
}
