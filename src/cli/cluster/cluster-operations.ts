import { z } from 'zod';
import { clusterOverviewSchema, invitedSchema, leftSchema } from '../../api/cluster-schemas.ts';
import { type Arguments, type Flag, flagsUsage, readArguments, strayWord } from '../../flags.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import {
  apiFlags,
  type CommandBody,
  CommandError,
  EXIT_OK,
  EXIT_USAGE,
  type Terminal,
  usageError,
} from '../command.ts';

const expiresFlag: Flag = {
  name: 'expires',
  value: 'TIME',
  variable: undefined,
  summary: 'How long the token is good: 30m, 1h, 2d; at most 7d. Default: 1h',
};

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The token stands alone on standard output, so that it can go through a pipe. */
export const inviteCommand = operation([expiresFlag], 'no word', async (api, given, { out, err }) => {
  const text = given.values.get(expiresFlag.name)?.at(-1) ?? '1h';
  const expiresSeconds = parseSeconds(text);
  const issued = await api.post('/v1/cluster/invitations', invitedSchema, { expiresSeconds });
  out(issued.token);
  err(
    `good for one node until ${issued.expiresAt}; whoever has it can join, so send it as you would a password`,
  );
});

export const rotateCommand = operation([], 'no word', async (api, _, { out }) => {
  const { name, certificateSerial, certificateExpiresAt } = await api.post(
    '/v1/cluster/rotate',
    clusterOverviewSchema,
  );
  out(`the node ${name} has the certificate ${certificateSerial}, good until ${certificateExpiresAt}`);
});

export const leaveCommand = operation([], 'no word', async (api, _, { out }) => {
  const { aside } = await api.post('/v1/cluster/leave', leftSchema);
  out(
    `the node has left its cluster and goes on alone; its files are in ${aside}, delete them once you are sure`,
  );
});

export const removeCommand = operation([], 'one word', async (api, { words: [name = ''] }, { out }) => {
  await api.post(`/v1/nodes/${encodeURIComponent(name)}/remove`, z.undefined());
  out(`the node ${name} belongs to the cluster no more, and its certificates count no more`);
});

/** A command that asks the running node for one thing. */
function operation(
  ownFlags: readonly Flag[],
  words: 'no word' | 'one word',
  run: (api: ApiClient, given: Arguments, terminal: Terminal) => Promise<void>,
): CommandBody {
  const flags = [...ownFlags, ...apiFlags];
  const wanted = words === 'no word' ? 0 : 1;
  return {
    usage: () => flagsUsage(flags),
    run: async (argv, terminal) => {
      const given = readArguments(argv, flags);
      const problems = [...given.problems, ...given.words.slice(wanted).map(strayWord)];
      if (problems.length > 0) throw usageError(problems);
      if (given.words.length < wanted)
        throw new CommandError('name the node: meridian cluster remove NAME', EXIT_USAGE);
      await run(await createApiClient(given, terminal), given, terminal);
      return EXIT_OK;
    },
  };
}

function parseSeconds(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (unitSeconds[unit] ?? Number.NaN);
  if (Number.isSafeInteger(seconds)) return seconds;
  throw new CommandError(`--expires: "${text.slice(0, 40)}" is no time; write 30m, 1h or 2d`, EXIT_USAGE);
}
