import { reasonOf } from '../../config/problem.ts';
import { countMany } from '../counters.ts';
import type { NamedSample } from '../samples/named-sample.ts';
import type { LineSink } from './line-sink.ts';
import { formatQueryLine, type LoggedClients } from './query-line.ts';

export interface QueryLogOptions {
  readonly sink: LineSink;
  /** One query of so many is sampled. */
  readonly sampleEvery: number;
  /** One query of so many is logged; no fewer than `sampleEvery`. */
  readonly every: number;
  readonly clients: LoggedClients;
  readonly counters: Float64Array;
  /** Told once when writing fails, and once when it works again. */
  readonly onChange: (failure: string | undefined) => void;
}

/** Text that waits to be written: seconds of a slow disk, and no more memory than that. */
const MAX_WAITING_CHARACTERS = 4 * 1024 * 1024;

/** Queries as JSON lines. What a slow or full disk cannot take is dropped and counted; nobody waits for it. */
export class QueryLog {
  readonly #options: QueryLogOptions;
  #lines: string[] = [];
  #characters = 0;
  #writing: Promise<void> | undefined;
  #failed = false;
  /** Queries that the samples since the last line stand for. */
  #credit = 0;

  constructor(options: QueryLogOptions) {
    this.#options = options;
  }

  add(named: NamedSample): void {
    const { counters, clients, every, sampleEvery } = this.#options;
    this.#credit += sampleEvery;
    if (this.#credit < every) return;
    this.#credit -= every;
    const line = formatQueryLine(named, clients, every);
    if (this.#characters + line.length > MAX_WAITING_CHARACTERS) {
      countMany(counters, 'queryLog', 'dropped', 1);
      return;
    }
    this.#lines.push(line);
    this.#characters += line.length;
  }

  /** Starts writing what waits, unless a write is under way. */
  flush(): void {
    if (this.#writing !== undefined || this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    this.#characters = 0;
    this.#writing = this.#write(lines).finally(() => {
      this.#writing = undefined;
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    this.flush();
    await this.#writing;
    await this.#options.sink.close();
  }

  async #write(lines: readonly string[]): Promise<void> {
    const { counters, onChange, sink } = this.#options;
    try {
      await sink.write(`${lines.join('\n')}\n`);
      countMany(counters, 'queryLog', 'written', lines.length);
      if (this.#failed) onChange(undefined);
      this.#failed = false;
    } catch (error) {
      countMany(counters, 'queryLog', 'failed', lines.length);
      if (!this.#failed) onChange(reasonOf(error));
      this.#failed = true;
    }
  }
}
