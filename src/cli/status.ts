import { z } from 'zod';
import { endpointHealthSchema, nodeStatusSchema } from '../api/answer-schemas.ts';
import { clusterMembersSchema } from '../api/routes/cluster-members.ts';
import { flagsUsage, readArguments, strayWord } from '../flags.ts';
import { createApiClient } from './api-client.ts';
import { memberLines } from './cluster/member-lines.ts';
import { apiFlags, type CommandBody, EXIT_FAILED, EXIT_OK, usageError } from './command.ts';
import { textTable } from './text-table.ts';

const healthSchema = z.object({ items: z.array(endpointHealthSchema) });
type NodeStatus = z.infer<typeof nodeStatusSchema>;
type Health = z.infer<typeof healthSchema>['items'];

/** Exit code 0 means ready, so that scripts can wait for it. */
export const statusCommand: CommandBody = {
  usage: () => flagsUsage(apiFlags),
  run: async (argv, terminal) => {
    const given = readArguments(argv, apiFlags);
    const problems = [...given.problems, ...given.words.map(strayWord)];
    if (problems.length > 0) throw usageError(problems);
    const api = await createApiClient(given, terminal);
    const status = await api.get('/v1/status', nodeStatusSchema);
    const health = await api.get('/v1/health', healthSchema);
    const cluster = await api.find('/v1/cluster/members', clusterMembersSchema);
    for (const line of statusLines(status, health.items)) terminal.out(line);
    if (cluster !== undefined) for (const line of ['', ...memberLines(cluster)]) terminal.out(line);
    return status.ready ? EXIT_OK : EXIT_FAILED;
  },
};

function statusLines(status: NodeStatus, health: Health): string[] {
  const { version, ready, startedAt, generation, dns, geo, conditions } = status;
  const unmet = conditions.filter(({ holds }) => !holds);
  const table = [
    ['endpoint', 'data center', 'address', 'verdict', 'since', 'why'],
    ...health.map((endpoint) => [
      endpoint.key,
      endpoint.dataCenter,
      endpoint.address,
      endpoint.verdict,
      endpoint.since,
      endpoint.reason,
    ]),
  ];
  return [
    `meridian ${version}, ${ready ? 'ready' : 'not ready'}, up since ${startedAt}, generation ${generation}`,
    ...unmet.map(({ name, detail }) => `  not yet: ${name}: ${detail}`),
    `DNS on ${dns.join(', ')}`,
    `geo table ${geo.name}, built ${geo.builtAt}`,
    ...(health.length === 0 ? [] : ['', ...textTable(table)]),
    ...drainLines(health),
  ];
}

/** What overrides and maintenance windows take out of service, and when whoever works on it may begin. */
function drainLines(health: Health): string[] {
  const drained = health.flatMap(({ key, override, drain }) =>
    override === undefined || drain === undefined
      ? []
      : [[key, `${override.kind} ${override.id}`, drain.safeToRebootAt ?? 'not yet', drain.note]],
  );
  if (drained.length === 0) return [];
  return ['', ...textTable([['taken out', 'by', 'safe to reboot at', 'why'], ...drained])];
}
