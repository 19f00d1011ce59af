import { hostname } from 'node:os';
import { parseSettings, usage } from '../settings.ts';
import { type CommandBody, usageError } from './command.ts';

export const serveCommand: CommandBody = {
  usage,
  run: async (argv, terminal) => {
    const settings = parseSettings(argv, terminal.env, { hostname: hostname() });
    if (!settings.ok) throw usageError(settings.problems);
    const { serve } = await import('../main.ts');
    return serve(settings.value);
  },
};
