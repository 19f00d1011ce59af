import { type Parsed, refused } from '../config/problem.ts';
import type { Arguments, Flag } from '../flags.ts';

/** What this node is told from outside: flags outrank the environment. */
export interface GivenSettings {
  readonly flags: Arguments;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One text of a list. */
export interface GivenText {
  readonly text: string;
  /** The flag or variable it came from, as problems name it. */
  readonly path: string;
}

/** The value of a flag that may stand once; undefined where neither flag nor variable gives one. */
export function oneText(flag: Flag, { flags, env }: GivenSettings): Parsed<string | undefined> {
  const values = flags.values.get(flag.name) ?? [];
  const path = `--${flag.name}`;
  if (values.length > 1)
    return refused('given-twice', path, `${path} is given ${values.length} times; give it once.`);
  const value = values[0];
  if (value === '') return refused('missing-value', path, `${path} is empty.`);
  return { ok: true, value: value ?? (variableText(flag, env) || undefined) };
}

/** The texts of a flag that may be repeated. A variable is split at commas, a flag only as `commas` says. */
export function allTexts(
  flag: Flag,
  { flags, env }: GivenSettings,
  commas: 'split flags' | 'keep flags',
  otherwise: string,
): readonly GivenText[] {
  const fromFlags = flags.values.get(flag.name);
  const split = fromFlags === undefined || commas === 'split flags';
  const path = fromFlags === undefined ? (flag.variable ?? '') : `--${flag.name}`;
  return (fromFlags ?? [variableText(flag, env) || otherwise])
    .flatMap((text) => (split ? text.split(',') : [text]))
    .map((text) => ({ text: text.trim(), path }))
    .filter(({ text }) => text !== '');
}

/** Whether a flag without a value stands there. */
export function isGiven(flag: Flag, { flags }: GivenSettings): boolean {
  return flags.values.has(flag.name);
}

function variableText({ variable }: Flag, env: GivenSettings['env']): string | undefined {
  return variable === undefined ? undefined : env[variable];
}
