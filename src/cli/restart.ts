import { setTimeout as delay } from 'node:timers/promises';
import { type Flag, flagsUsage, readArguments, strayWord } from '../flags.ts';
import { askForRestart, LOOK_PAUSE_MS } from '../node/takeover/ask-for-restart.ts';
import { type CommandBody, CommandError, EXIT_OK, usageError } from './command.ts';

const flags: readonly Flag[] = [
  {
    name: 'data',
    value: 'DIR',
    variable: 'MERIDIAN_DATA',
    summary: 'Data directory of the node to restart. Default: ./data',
  },
];

/** Waits for the outcome: exit code 0 means that the new process serves. */
export const restartCommand: CommandBody = {
  usage: () => flagsUsage(flags),
  run: async (argv, { env, out }) => {
    const given = readArguments(argv, flags);
    const problems = [...given.problems, ...given.words.map(strayWord)];
    if (problems.length > 0) throw usageError(problems);
    const directory = given.values.get('data')?.at(-1) ?? (env.MERIDIAN_DATA || './data');
    const outcome = await askForRestart(directory, () => delay(LOOK_PAUSE_MS));
    switch (outcome.kind) {
      case 'restarted':
        out(`${outcome.pid === undefined ? 'another process' : `process ${outcome.pid}`} serves now`);
        return EXIT_OK;
      case 'refused':
        throw new CommandError(`the node was not restarted and goes on as it was: ${outcome.message}`);
      case 'nobody':
        throw new CommandError(
          `no node answers in the data directory ${directory}; name its own with --data`,
        );
      case 'ended':
        throw new CommandError('the node ended in the middle of the restart; start it again');
    }
  },
};
