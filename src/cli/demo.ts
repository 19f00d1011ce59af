import { z } from 'zod';
import { demoDataCenterSchema } from '../api/answer-schemas.ts';
import { flagsUsage, readArguments } from '../flags.ts';
import { createApiClient } from './api-client.ts';
import { apiFlags, type CommandBody, CommandError, EXIT_OK, EXIT_USAGE, usageError } from './command.ts';
import { textTable } from './text-table.ts';

const demoSchema = z.object({ items: z.array(demoDataCenterSchema) });

export const breakCommand = demoCommand('break');
export const mendCommand = demoCommand('mend');

function demoCommand(act: 'break' | 'mend'): CommandBody {
  return {
    usage: () => flagsUsage(apiFlags),
    run: async (argv, terminal) => {
      const given = readArguments(argv, apiFlags);
      if (given.problems.length > 0) throw usageError(given.problems);
      const [dataCenter, ...more] = given.words;
      if (dataCenter === undefined || more.length > 0)
        throw new CommandError(`name one data center: meridian ${act} DATA-CENTER`, EXIT_USAGE);
      const api = await createApiClient(given, terminal);
      const path = `/v1/demo/data-centers/${encodeURIComponent(dataCenter)}/${act}`;
      const { items } = await api.post(path, demoSchema);
      const rows = items.map((item) => [item.dataCenter, item.address, item.broken ? 'broken' : 'works']);
      for (const line of textTable([['data center', 'address', 'state'], ...rows])) terminal.out(line);
      return EXIT_OK;
    },
  };
}
