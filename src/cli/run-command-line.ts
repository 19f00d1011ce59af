import { didYouMean } from '../config/did-you-mean.ts';
import { packageVersion } from '../version.ts';
import { checkCommand } from './check.ts';
import { type Command, CommandError, EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Terminal } from './command.ts';
import { breakCommand, mendCommand } from './demo.ts';
import { explainCommand } from './explain.ts';
import { serveCommand } from './serve.ts';
import { statusCommand } from './status.ts';
import { textTable } from './text-table.ts';

const commands: readonly Command[] = [
  serveCommand,
  checkCommand,
  explainCommand,
  statusCommand,
  breakCommand,
  mendCommand,
];

/** Runs one command and resolves with the exit code: 0 done, 1 failed, 2 not understood. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [verb, ...rest] = argv;
  if (verb === undefined || verb === '--help' || verb === '-h' || verb === 'help') {
    terminal.out(overview());
    return verb === undefined ? EXIT_USAGE : EXIT_OK;
  }
  if (verb === '--version') {
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
    terminal.out(`${titleOf(command)}\n${command.summary}\n\n${command.usage()}`);
    return EXIT_OK;
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    terminal.err(`meridian ${verb}: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof CommandError ? error.exitCode : EXIT_FAILED;
  }
}

function overview(): string {
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
