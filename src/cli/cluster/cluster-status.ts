import { clusterMembersSchema } from '../../api/routes/cluster-members.ts';
import { flagsUsage, readArguments, strayWord } from '../../flags.ts';
import { createApiClient } from '../api-client.ts';
import { apiFlags, type CommandBody, CommandError, EXIT_FAILED, EXIT_OK, usageError } from '../command.ts';
import { isWhole, memberLines } from './member-lines.ts';

/** Exit code 0 means that every node is up and serves, so that scripts can wait for it. */
export const clusterStatusCommand: CommandBody = {
  usage: () => flagsUsage(apiFlags),
  run: async (argv, terminal) => {
    const given = readArguments(argv, apiFlags);
    const problems = [...given.problems, ...given.words.map(strayWord)];
    if (problems.length > 0) throw usageError(problems);
    const api = await createApiClient(given, terminal);
    const cluster = await api.find('/v1/cluster/members', clusterMembersSchema);
    if (cluster === undefined)
      throw new CommandError('this node is in no cluster; see meridian cluster --help');
    for (const line of memberLines(cluster)) terminal.out(line);
    return isWhole(cluster) ? EXIT_OK : EXIT_FAILED;
  },
};
