import { isAbsolute } from 'node:path';
import { type Parsed, refused } from '../config/problem.ts';
import type { Flag } from '../flags.ts';
import { type GivenSettings, oneText } from './given-settings.ts';

export const allowExecFlag: Flag = {
  name: 'allow-exec',
  value: 'DIR',
  variable: 'MERIDIAN_ALLOW_EXEC',
  summary:
    'Lets monitors of kind exec run the programs of this directory, as the user of this node; an absolute path. Default: none are run.',
};

/** Undefined when nothing may be run. Whether the directory is there shows when a program is run. */
export function parseExecDirectory(given: GivenSettings): Parsed<string | undefined> {
  const chosen = oneText(allowExecFlag, given);
  if (!chosen.ok || chosen.value === undefined || isAbsolute(chosen.value)) return chosen;
  const message = `--allow-exec: "${chosen.value}" is not an absolute path such as /usr/lib/meridian/probes.`;
  return refused('bad-exec-directory', '--allow-exec', message);
}
