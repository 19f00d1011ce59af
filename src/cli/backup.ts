import { chmod, copyFile } from 'node:fs/promises';
import { backupSchema } from '../api/routes/backups.ts';
import { reasonOf } from '../config/problem.ts';
import { flagsUsage, readArguments, strayWord } from '../flags.ts';
import { createApiClient } from './api-client.ts';
import { apiFlags, type CommandBody, CommandError, EXIT_OK, usageError } from './command.ts';

const OWNER_ONLY = 0o600;

/** Makes a backup of a running node, and copies it where it runs on this machine and a file is named. */
export const backupCommand: CommandBody = {
  usage: () => flagsUsage(apiFlags),
  run: async (argv, terminal) => {
    const given = readArguments(argv, apiFlags);
    const [file, ...stray] = given.words;
    const problems = [...given.problems, ...stray.map(strayWord)];
    if (problems.length > 0) throw usageError(problems);
    const api = await createApiClient(given, terminal);
    const { path, entries, octets } = await api.post('/v1/backups', backupSchema);
    if (file !== undefined) await copy(path, file);
    terminal.out(
      `${file ?? path}: ${entries} entries, ${octets} octets; it holds keys, so keep it as you keep those`,
    );
    return EXIT_OK;
  },
};

async function copy(path: string, file: string): Promise<void> {
  try {
    await copyFile(path, file);
    await chmod(file, OWNER_ONLY);
  } catch (error) {
    const why = reasonOf(error);
    throw new CommandError(
      `the backup is at ${path} on the node, and could not be copied to ${file}: ${why}`,
    );
  }
}
