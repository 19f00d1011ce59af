/**
 * Something wrong in configuration or data that the operator can mend.
 * A problem never stops serving: whatever it concerns is left out or left as it was.
 */
export interface Problem {
  /** Stable, kebab-case identity of the kind of problem; operators and scripts match on it. */
  readonly code: string;
  /** Where in the configuration: a resource path such as `pools/web/endpoints/fra-v4/address`. */
  readonly path: string;
  /** One complete sentence that says what is wrong and, where known, what to do. */
  readonly message: string;
  /** The file that says so, when the configuration came from a directory. `line` counts from 1. */
  readonly source?: SourceLine;
}

/** A line of a configuration file; `file` is relative to the configuration directory. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

/** The outcome of every `parse*`: a value, or all problems at once. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Wraps a value that parsed. */
export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/** Wraps a single problem. */
export function refused(code: string, path: string, message: string): Parsed<never> {
  return { ok: false, problems: [{ code, path, message }] };
}

/** What was thrown says so; anything may be thrown. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
