import { type Arguments, type Flag, flagsUsage, readArguments, strayWord } from '../../flags.ts';
import { type CommandBody, CommandError, EXIT_OK, EXIT_USAGE, usageError } from '../command.ts';
import type { DemoPorts } from './demo-node.ts';

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
    const freshness = given.values.has('fresh') ? 'deleted' : 'kept';
    // Loaded here: the other verbs of `meridian cluster` need nothing of it.
    const { runDemo } = await import('./run-demo.ts');
    await runDemo(directory, freshness, ports, terminal);
    return EXIT_OK;
  },
};

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
