import type { ServerLog } from '../../server/worker-supervisor.ts';

/** What is worth a line before there is a log: a start that goes well has none, so few are kept. */
const MAX_WAITING = 100;

/** Keeps what is said until the log is there: its library is loaded after the first answer. */
export class LateLog implements ServerLog {
  #log: ServerLog | undefined;
  #waiting: ((log: ServerLog) => void)[] = [];

  /** From now on everything goes to this log, after what waits. */
  attach(log: ServerLog): void {
    this.#log = log;
    for (const say of this.#waiting.splice(0)) say(log);
  }

  debug(fields: object, message: string): void {
    this.#say((log) => log.debug(fields, message));
  }

  warn(fields: object, message: string): void {
    this.#say((log) => log.warn(fields, message));
  }

  error(fields: object, message: string): void {
    this.#say((log) => log.error(fields, message));
  }

  #say(say: (log: ServerLog) => void): void {
    if (this.#log !== undefined) say(this.#log);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(say);
  }
}
