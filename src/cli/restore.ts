import { readIdentityFiles } from '../cluster/identity/identity-files.ts';
import { type Flag, flagsUsage, readArguments, strayWord } from '../flags.ts';
import { restoreBackup } from '../store/backup/restore-backup.ts';
import { type CommandBody, CommandError, EXIT_OK, usageError } from './command.ts';

const flags: readonly Flag[] = [
  {
    name: 'data',
    value: 'DIR',
    variable: 'MERIDIAN_DATA',
    summary:
      'Data directory: an empty one, or that of a node that has just joined the cluster. Default: ./data',
  },
];

/** Puts a backup into a directory in which no node has started yet. */
export const restoreCommand: CommandBody = {
  usage: () => flagsUsage(flags),
  run: async (argv, { env, out }) => {
    const given = readArguments(argv, flags);
    const [file, ...stray] = given.words;
    const problems = [...given.problems, ...stray.map(strayWord)];
    if (file === undefined)
      problems.push({
        code: 'no-backup',
        path: '',
        message: 'Name the backup: meridian restore FILE --data DIR.',
      });
    if (problems.length > 0 || file === undefined) throw usageError(problems);
    const directory = given.values.get('data')?.at(-1) ?? (env.MERIDIAN_DATA || './data');
    const identity = await readIdentityFiles(directory);
    if (!identity.ok) throw new CommandError(identity.problems.map(({ message }) => message).join('\n'));
    const clusterId = identity.value?.settings.clusterId;
    const { entries, octets } = await restoreBackup(file, directory, clusterId);
    out(`${entries} entries, ${octets} octets are in ${directory}`);
    out(
      clusterId === undefined
        ? 'start a node there, or begin a cluster with it first: meridian cluster init'
        : 'start the node; it catches up with the others by itself',
    );
    return EXIT_OK;
  },
};
