import { didYouMean } from '../config/did-you-mean.ts';
import { reasonOf } from '../config/problem.ts';
import { type Command, CommandError, EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Terminal } from './command.ts';

/** Nothing is loaded but what is called: most of a short command's time is reading code. */
const commands: readonly Command[] = [
  {
    name: 'serve',
    synopsis: '[flags]',
    summary: 'Run a node: DNS, probes, API and dashboard.',
    load: async () => (await import('./serve.ts')).serveCommand,
  },
  {
    name: 'restart',
    synopsis: '[--data DIR]',
    summary: 'Put a new process in the place of the running one, without losing a query.',
    load: async () => (await import('./restart.ts')).restartCommand,
  },
  {
    name: 'check',
    synopsis: '--config DIR',
    summary: 'Read a configuration directory and tell everything that is wrong with it.',
    load: async () => (await import('./check.ts')).checkCommand,
  },
  {
    name: 'explain',
    synopsis: 'NAME [--client ADDRESS] [--type TYPE]',
    summary: 'Tell step by step why a client gets the answer it gets.',
    load: async () => (await import('./explain.ts')).explainCommand,
  },
  {
    name: 'status',
    synopsis: '',
    summary: 'Show whether a node is ready, and the verdict of every endpoint.',
    load: async () => (await import('./status.ts')).statusCommand,
  },
  {
    name: 'cluster',
    synopsis: 'init | invite | join | leave | remove | rotate | status | demo',
    summary: 'Make a cluster of nodes, and say who belongs to it.',
    load: async () => (await import('./cluster/cluster.ts')).clusterCommand,
  },
  {
    name: 'conflicts',
    synopsis: '[ID --choose CHOICE]',
    summary: 'List what was written on several nodes without knowledge of each other, or choose a value.',
    load: async () => (await import('./conflicts.ts')).conflictsCommand,
  },
  {
    name: 'backup',
    synopsis: '[FILE]',
    summary: 'Write a backup of a running node.',
    load: async () => (await import('./backup.ts')).backupCommand,
  },
  {
    name: 'restore',
    synopsis: 'FILE [--data DIR]',
    summary: 'Put a backup into a data directory in which no node has started yet.',
    load: async () => (await import('./restore.ts')).restoreCommand,
  },
  {
    name: 'break',
    synopsis: 'DATA-CENTER',
    summary: 'Stop a data center of the demo, as a crash would.',
    load: async () => (await import('./demo.ts')).breakCommand,
  },
  {
    name: 'mend',
    synopsis: 'DATA-CENTER',
    summary: 'Start a broken data center of the demo again.',
    load: async () => (await import('./demo.ts')).mendCommand,
  },
];

/** Runs one command and resolves with the exit code: 0 done, 1 failed, 2 not understood. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [verb, ...rest] = argv;
  if (verb === undefined || verb === '--help' || verb === '-h' || verb === 'help') {
    terminal.out(await overview());
    return verb === undefined ? EXIT_USAGE : EXIT_OK;
  }
  if (verb === '--version') {
    const { packageVersion } = await import('../version.ts');
    terminal.out(packageVersion());
    return EXIT_OK;
  }
  const command = commands.find(({ name }) => name === verb);
  if (command === undefined) {
    const hint = didYouMean(
      verb,
      commands.map(({ name }) => name),
    );
    terminal.err(`meridian: "${verb}" is not a command.${hint || ' See meridian --help.'}`);
    return EXIT_USAGE;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.out(`${titleOf(command)}\n${command.summary}\n\n${(await command.load()).usage()}`);
    return EXIT_OK;
  }
  try {
    return await (await command.load()).run(rest, terminal);
  } catch (error) {
    terminal.err(`meridian ${verb}: ${reasonOf(error)}`);
    return error instanceof CommandError ? error.exitCode : EXIT_FAILED;
  }
}

async function overview(): Promise<string> {
  const { textTable } = await import('./text-table.ts');
  const rows = commands.map((command) => [`  ${titleOf(command)}`, command.summary]);
  return [
    'Meridian answers DNS queries with the nearest healthy data center.',
    '',
    ...textTable(rows),
    '',
    'meridian COMMAND --help tells its flags; meridian --version tells the version.',
  ].join('\n');
}

function titleOf({ name, synopsis }: Command): string {
  return `meridian ${name} ${synopsis}`.trimEnd();
}
