import type { ExplainedDataCenter, Explanation } from '../answer/explanation.ts';
import { explanationSchema } from '../api/answer-schemas.ts';
import { type Flag, flagsUsage, readArguments } from '../flags.ts';
import { createApiClient } from './api-client.ts';
import { apiFlags, type CommandBody, CommandError, EXIT_OK, EXIT_USAGE, usageError } from './command.ts';
import { textTable } from './text-table.ts';

const flags: readonly Flag[] = [
  {
    name: 'client',
    value: 'ADDRESS',
    variable: undefined,
    summary: 'Address or prefix of the client. Without one, the resolver is located.',
  },
  { name: 'type', value: 'TYPE', variable: undefined, summary: 'Record type. Default: A' },
  {
    name: 'resolver',
    value: 'ADDRESS',
    variable: undefined,
    summary: 'Address the query comes from. Default: 127.0.0.1',
  },
  ...apiFlags,
];

export const explainCommand: CommandBody = {
  usage: () => flagsUsage(flags),
  run: async (argv, terminal) => {
    const given = readArguments(argv, flags);
    if (given.problems.length > 0) throw usageError(given.problems);
    const [name, ...more] = given.words;
    if (name === undefined || more.length > 0)
      throw new CommandError('give one name: meridian explain www.example.org', EXIT_USAGE);
    const query = new URLSearchParams({ name });
    for (const parameter of ['type', 'client', 'resolver']) {
      const value = given.values.get(parameter)?.at(-1);
      if (value !== undefined) query.set(parameter, value);
    }
    const api = await createApiClient(given, terminal);
    const explanation = await api.get(`/v1/explain?${query}`, explanationSchema);
    for (const line of explanationLines(explanation)) terminal.out(line);
    return EXIT_OK;
  },
};

/** What people read; each step is a sentence already. */
function explanationLines(explanation: Explanation): string[] {
  const { question, steps, dataCenters, answer, attribution } = explanation;
  const asker = question.client === undefined ? `resolver ${question.resolver}` : `client ${question.client}`;
  const scope = answer.scope === undefined ? [] : [`  holds for ${answer.scope}`];
  const table = [['', 'data center', 'distance', 'endpoints'], ...dataCenters.map(dataCenterRow)];
  return [
    `${question.name} ${question.type} for ${asker}`,
    '',
    ...steps.map(({ text }, index) => `${String(index + 1).padStart(3)}. ${text}`),
    '',
    `answer: ${answer.rcode} (${answer.outcome})`,
    ...answer.records.map((record) => `  ${record}`),
    ...scope,
    ...(dataCenters.length === 0 ? [] : ['', ...textTable(table)]),
    ...(attribution === '' ? [] : ['', attribution]),
  ];
}

function dataCenterRow({ name, distanceKm, rank, chosen, endpoints }: ExplainedDataCenter): string[] {
  const place = rank === undefined ? '-' : String(rank);
  const distance = distanceKm === undefined ? '' : `${Math.round(distanceKm)} km`;
  const states = endpoints.map(({ address, verdict }) => `${address} ${verdict}`);
  return [`${chosen ? '>' : ' '} ${place}`, name, distance, states.join(', ')];
}
