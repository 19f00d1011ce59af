import { type Flag, flagsUsage, readArguments, strayWord } from '../flags.ts';
import { connectControl } from '../node/takeover/control-socket.ts';
import { type ControlReply, onMessage, sendMessage } from '../node/takeover/takeover-messages.ts';
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
    const reply = await askForRestart(directory);
    if (reply?.kind === 'restarted') {
      out(`process ${reply.pid} serves now`);
      return EXIT_OK;
    }
    if (reply?.kind === 'refused')
      throw new CommandError(`the node was not restarted and goes on as it was: ${reply.message}`);
    throw new CommandError(`no node answers in the data directory ${directory}; name its own with --data`);
  },
};

/** Undefined when there is no node, or it ended without a word. */
async function askForRestart(directory: string): Promise<ControlReply | undefined> {
  const socket = await connectControl(directory);
  if (socket === undefined) return undefined;
  const reply = new Promise<ControlReply | undefined>((resolve) => {
    onMessage<ControlReply>(socket, resolve);
    socket.on('close', () => resolve(undefined));
  });
  sendMessage(socket, { kind: 'restart' });
  const outcome = await reply;
  socket.destroy();
  return outcome;
}
