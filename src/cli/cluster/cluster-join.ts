import { createReadStream } from 'node:fs';
import { createIdentityFiles } from '../../cluster/identity/identity-files.ts';
import { parseToken } from '../../cluster/identity/invitation-token.ts';
import { joinCluster } from '../../cluster/identity/join-client.ts';
import { type Arguments, type Flag, flagsUsage, readArguments, strayWord } from '../../flags.ts';
import { writeSealKeys } from '../../store/seal/seal-keys.ts';
import { type CommandBody, CommandError, EXIT_OK, EXIT_USAGE, usageError } from '../command.ts';
import { holdEmptyDirectory } from './cluster-data.ts';
import { dataDirectoryOf, newNodeFlags, newNodeOf } from './cluster-flags.ts';

const flags: readonly Flag[] = [
  {
    name: 'invitation-file',
    value: 'FILE',
    variable: undefined,
    summary: "File with the token, which keeps it out of the machine's list of processes.",
  },
  ...newNodeFlags,
];

/** Far more than a token has. */
const MAX_INPUT_OCTETS = 64 * 1024;

export const joinCommand: CommandBody = {
  usage: () => flagsUsage(flags),
  run: async (argv, { env, out }) => {
    const given = readArguments(argv, flags);
    if (given.words.length > 1) throw usageError(given.words.slice(1).map(strayWord));
    const node = newNodeOf(given, env);
    const token = parseToken(await tokenText(given));
    if (!token.ok) throw usageError(token.problems);
    const directory = dataDirectoryOf(given, env);
    const held = await holdEmptyDirectory(directory);
    try {
      const joined = await joinCluster(token.value, node);
      if (!joined.ok) throw new CommandError(joined.problems.map(({ message }) => message).join('\n'));
      // Before the folder, which makes it a node of the cluster: without them it could not read its secrets.
      writeSealKeys(directory, joined.value.sealKeys);
      await createIdentityFiles(directory, joined.value.files);
    } finally {
      await held.release();
    }
    out(`the node ${node.name} belongs to the cluster ${token.value.clusterId} now`);
    out(`start it: meridian serve --config none --data ${directory}`);
    return EXIT_OK;
  },
};

async function tokenText({ values, words }: Arguments): Promise<string> {
  const file = values.get('invitation-file')?.at(-1);
  const [word] = words;
  if ((file === undefined) === (word === undefined))
    throw new CommandError(
      'give the token of "meridian cluster invite", or a dash for standard input, or --invitation-file FILE',
      EXIT_USAGE,
    );
  if (file !== undefined) return readBounded(createReadStream(file), file);
  return word === '-' ? readBounded(process.stdin, 'standard input') : (word ?? '');
}

async function readBounded(input: AsyncIterable<Buffer | string>, name: string): Promise<string> {
  const chunks: Buffer[] = [];
  let octets = 0;
  try {
    for await (const chunk of input) {
      chunks.push(Buffer.from(chunk));
      octets += chunk.length;
      if (octets > MAX_INPUT_OCTETS) throw new Error('it is too long to be a token');
    }
  } catch (error) {
    throw new CommandError(
      `cannot read the token in ${name}: ${error instanceof Error ? error.message : error}`,
    );
  }
  return Buffer.concat(chunks).toString('utf8');
}
