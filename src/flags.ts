import { didYouMean } from './config/did-you-mean.ts';
import type { Problem } from './config/problem.ts';

/** One flag of the command line, with the environment variable that stands in for it. */
export interface Flag {
  /** Without the hyphens. */
  readonly name: string;
  /** What its value is called in the usage text; undefined for a flag that stands alone. */
  readonly value: string | undefined;
  /** Undefined where there is none. */
  readonly variable: string | undefined;
  /** One sentence or two for the usage text. */
  readonly summary: string;
}

/** A command line taken apart; every value is still text. */
export interface Arguments {
  /** By flag name, in the order given. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** What is no flag, in the order given. */
  readonly words: readonly string[];
  readonly problems: readonly Problem[];
}

/** Reads `--flag value`, `--flag=value` and words; after `--` there are only words. All problems come at once. */
export function readArguments(argv: readonly string[], flags: readonly Flag[]): Arguments {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  const problems: Problem[] = [];
  let at = 0;
  while (at < argv.length) {
    const argument = argv[at++] ?? '';
    if (argument === '--') {
      words.push(...argv.slice(at));
      break;
    }
    if (!argument.startsWith('-') || argument === '-') {
      words.push(argument);
      continue;
    }
    const equals = argument.indexOf('=');
    const written = equals < 0 ? argument : argument.slice(0, equals);
    const flag = flags.find(({ name }) => `--${name}` === written);
    if (flag === undefined) {
      problems.push(unknownFlag(written, flags));
      // Most flags have a value; this one's would only be a second complaint.
      if (equals < 0 && argv[at]?.startsWith('-') === false) at++;
      continue;
    }
    const next = argv[at];
    if (flag.value === undefined) {
      if (equals >= 0) problems.push(valueNotTaken(flag));
      add(values, flag.name, '');
    } else if (equals >= 0) add(values, flag.name, argument.slice(equals + 1));
    else if (next === undefined || next.startsWith('--')) problems.push(missingValue(flag));
    else {
      add(values, flag.name, next);
      at++;
    }
  }
  return { values, words, problems };
}

/** The lines that explain flags in a usage text. */
export function flagsUsage(flags: readonly Flag[]): string {
  return flags
    .map(({ name, value, variable, summary }) => {
      const head = `  --${name}${value === undefined ? '' : ` ${value}`}${variable === undefined ? '' : `   (or ${variable})`}`;
      return `${head}\n      ${summary}`;
    })
    .join('\n');
}

/** A word where a command takes none, or no more. */
export function strayWord(word: string): Problem {
  return { code: 'stray-word', path: word, message: `"${word}" is neither a flag nor a flag's value.` };
}

function unknownFlag(written: string, flags: readonly Flag[]): Problem {
  const hint = didYouMean(
    written,
    flags.map(({ name }) => `--${name}`),
  );
  return {
    code: 'unknown-flag',
    path: written,
    message: `${written} is not a flag.${hint || ' See --help.'}`,
  };
}

function missingValue({ name, value }: Flag): Problem {
  return {
    code: 'missing-value',
    path: `--${name}`,
    message: `--${name} needs a value: --${name} ${value}.`,
  };
}

function valueNotTaken({ name }: Flag): Problem {
  return { code: 'value-not-taken', path: `--${name}`, message: `--${name} takes no value.` };
}

function add(values: Map<string, string[]>, name: string, value: string): void {
  const list = values.get(name);
  if (list === undefined) values.set(name, [value]);
  else list.push(value);
}
