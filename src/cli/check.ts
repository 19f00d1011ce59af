import { createContract } from '../config/contract.ts';
import { formatProblems } from '../config/format-problem.ts';
import { readDirectory } from '../directory/read-directory.ts';
import { type Flag, flagsUsage, readArguments } from '../flags.ts';
import { probeKinds } from '../probing/probes/index.ts';
import { type CommandBody, CommandError, EXIT_FAILED, EXIT_OK, EXIT_USAGE, usageError } from './command.ts';

const flags: readonly Flag[] = [
  {
    name: 'config',
    value: 'DIR',
    variable: 'MERIDIAN_CONFIG',
    summary: 'The configuration directory to read.',
  },
];

/** Says what the node would say of a directory, without a node. */
export const checkCommand: CommandBody = {
  usage: () => flagsUsage(flags),
  run: async (argv, { env, out, err }) => {
    const given = readArguments(argv, flags);
    if (given.problems.length > 0) throw usageError(given.problems);
    const named = [...(given.values.get('config') ?? []), ...given.words];
    const [directory = env.MERIDIAN_CONFIG, ...more] = named;
    if (directory === undefined || directory === '' || more.length > 0)
      throw new CommandError('name one directory to check: meridian check --config DIR', EXIT_USAGE);
    const reading = await readDirectory(directory, createContract(probeKinds));
    if (reading.ok) {
      out(
        `ok: ${counted(reading.zones.length, 'zone')} and ${counted(reading.resources.length, 'other resource')} in ${directory}`,
      );
      return EXIT_OK;
    }
    err(formatProblems(reading.problems));
    err(`${counted(reading.problems.length, 'problem')} in ${directory}`);
    return EXIT_FAILED;
  },
};

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}
