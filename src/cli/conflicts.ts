import { z } from 'zod';
import { conflictsSchema } from '../api/routes/conflicts.ts';
import { type Flag, flagsUsage, readArguments, strayWord } from '../flags.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { apiFlags, type CommandBody, EXIT_FAILED, EXIT_OK, type Terminal, usageError } from './command.ts';

const chooseFlag: Flag = {
  name: 'choose',
  value: 'CHOICE',
  variable: undefined,
  summary: 'Write this one of the values over all of them.',
};

const flags: readonly Flag[] = [chooseFlag, ...apiFlags];

type Conflicts = z.infer<typeof conflictsSchema>;

/** Longest value on a line; the API has it whole. */
const MAX_VALUE_LENGTH = 160;

/** Exit code 1 where there are some, so that scripts can tell. */
export const conflictsCommand: CommandBody = {
  usage: () => flagsUsage(flags),
  run: async (argv, terminal) => {
    const given = readArguments(argv, flags);
    const [id, ...stray] = given.words;
    const choice = given.values.get('choose')?.at(-1);
    const problems = [...given.problems, ...stray.map(strayWord)];
    if ((id === undefined) !== (choice === undefined))
      problems.push({
        code: 'incomplete',
        path: '',
        message: 'Name a conflict and a choice: meridian conflicts ID --choose CHOICE.',
      });
    if (problems.length > 0) throw usageError(problems);
    const api = await createApiClient(given, terminal);
    if (id === undefined) return await list(api, terminal);
    await api.post('/v1/conflicts/resolve', z.undefined(), { id, choice });
    terminal.out(`${id} is resolved`);
    return EXIT_OK;
  },
};

async function list(api: ApiClient, terminal: Terminal): Promise<number> {
  const { total, items } = await api.get('/v1/conflicts', conflictsSchema);
  if (total === 0) {
    terminal.out('no conflicts');
    return EXIT_OK;
  }
  for (const item of items) for (const line of conflictLines(item)) terminal.out(line);
  if (total > items.length) terminal.out(`and ${total - items.length} more`);
  terminal.out('');
  terminal.out('Choose: meridian conflicts ID --choose CHOICE');
  return EXIT_FAILED;
}

function conflictLines({ id, values }: Conflicts['items'][number]): readonly string[] {
  return [
    id,
    ...values.flatMap(({ choice, counts, deleted, value, author, node, updatedAt, reason, rrsets }) => [
      `  ${choice}${counts ? ' (in use)' : ''}: ${author} on ${node ?? 'an unknown node'} at ${updatedAt}${reason === '' ? '' : `, ${reason}`}`,
      `    ${deleted ? 'deleted' : excerpt(value, rrsets)}`,
    ]),
  ];
}

function excerpt(value: unknown, rrsets: readonly string[] | undefined): string {
  const text = JSON.stringify(value ?? rrsets ?? null);
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}
