import { StoreError } from './store-error.ts';

/** Something to run in turn with nothing else under way. */
type Turn<Write> =
  | { readonly kind: 'write'; readonly write: Write }
  | { readonly kind: 'alone'; readonly run: () => Promise<void> };

/** A burst of API writes fits many times over; more waiting than that means the disk stands still. */
export const MAX_WAITING_TURNS = 16_384;

/** Most writes that share one flush: at a third of a millisecond each, the event loop is held some 40 ms. */
export const MAX_WRITES_PER_FLUSH = 128;

/**
 * Puts writes in the order of their calls and lets those that wait together go together.
 *
 *     calls:    w1   w2 w3 w4   a   w5
 *     runs:     [w1] [w2 w3 w4] [a] [w5]        a: runs alone
 */
export class WriteQueue<Write> {
  readonly #flush: (writes: readonly Write[]) => Promise<void>;
  readonly #waiting: Turn<Write>[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  /** `flush` must not reject: each write tells its own caller how it went. */
  constructor(flush: (writes: readonly Write[]) => Promise<void>) {
    this.#flush = flush;
  }

  /** @throws StoreError `closed` or `busy`. */
  write(write: Write): void {
    this.#add({ kind: 'write', write });
  }

  /** Runs after everything called before it and before everything called after it. */
  alone<T>(run: () => Promise<T> | T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // Waiting inside the turn keeps what follows out until this one has ended, well or badly.
      const turn = async (): Promise<void> => {
        try {
          resolve(await run());
        } catch (thrown) {
          reject(thrown);
        }
      };
      this.#add({ kind: 'alone', run: turn });
    });
  }

  /** Takes nothing more, and resolves when all that was taken has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  #add(turn: Turn<Write>): void {
    if (this.#closed) throw new StoreError('closed', 'The store is closed.');
    if (this.#waiting.length >= MAX_WAITING_TURNS) {
      throw new StoreError('busy', `${MAX_WAITING_TURNS} writes wait for the disk already; try again later.`);
    }
    this.#waiting.push(turn);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // Calls made in the same turn of the event loop join the first flush.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const writes = this.#takeWrites();
      if (writes.length > 0) await this.#flush(writes);
      else await this.#takeAlone()?.();
    }
    this.#running = undefined;
  }

  #takeWrites(): readonly Write[] {
    const end = this.#waiting.findIndex(({ kind }) => kind === 'alone');
    const count = Math.min(end === -1 ? this.#waiting.length : end, MAX_WRITES_PER_FLUSH);
    return this.#waiting.splice(0, count).flatMap((turn) => (turn.kind === 'write' ? [turn.write] : []));
  }

  #takeAlone(): (() => Promise<void>) | undefined {
    const turn = this.#waiting.shift();
    return turn?.kind === 'alone' ? turn.run : undefined;
  }
}
