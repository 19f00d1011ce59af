import type { Problem } from '../config/problem.ts';
import type { Flag } from '../flags.ts';

/** Where a command reads its surroundings and writes its lines. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** One verb of the command line: a line in `run-command-line.ts` and a file that is loaded when it is called. */
export interface Command {
  readonly name: string;
  /** What stands after the name in the usage text. */
  readonly synopsis: string;
  /** One sentence. */
  readonly summary: string;
  readonly load: () => Promise<CommandBody>;
}

export interface CommandBody {
  /** What `--help` says of the flags. */
  readonly usage: () => string;
  /** Resolves with the exit code; rejects with a `CommandError` for what the operator can mend. */
  readonly run: (argv: readonly string[], terminal: Terminal) => Promise<number>;
}

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

/** Ends a command with a sentence on standard error. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT_FAILED) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

/** A command line that cannot be understood: all its problems, one a line. */
export function usageError(problems: readonly Problem[]): CommandError {
  return new CommandError(problems.map(({ message }) => message).join('\n'), EXIT_USAGE);
}

/** Where the commands that ask a running node find it. */
export const apiFlags: readonly Flag[] = [
  {
    name: 'api',
    value: 'URL',
    variable: 'MERIDIAN_API_URL',
    summary: 'The API of the node to ask. Default: http://127.0.0.1:8053',
  },
  {
    name: 'token-file',
    value: 'FILE',
    variable: 'MERIDIAN_TOKEN_FILE',
    summary: 'File with the bearer token; MERIDIAN_TOKEN gives the token itself.',
  },
];
