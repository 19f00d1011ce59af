import { hostname } from 'node:os';
import { parseSettings, usage } from '../settings.ts';
import { type Command, usageError } from './command.ts';

export const serveCommand: Command = {
  name: 'serve',
  synopsis: '[flags]',
  summary: 'Run a node: DNS, probes, API and dashboard.',
  usage,
  run: async (argv, terminal) => {
    const settings = parseSettings(argv, terminal.env, { hostname: hostname() });
    if (!settings.ok) throw usageError(settings.problems);
    const { serve } = await import('../main.ts');
    return serve(settings.value);
  },
};
