import { StoreError } from './store-error.ts';

/** Something to run in turn with nothing else under way. */
type Turn<Write> =
  | { readonly kind: 'write'; readonly write: Write }
  | { readonly kind: 'alone'; readonly run: () => Promise<void> };

/** A burst of API writes fits many times over; more waiting than that means the disk stands still. */
export const MAX_WAITING_TURNS = 16_384;

/** Most weight of the writes that share one flush: at a third of a millisecond each, the event loop is held some 40 ms. */
export const MAX_WEIGHT_PER_FLUSH = 128;

/**
 * Puts writes in the order of their calls and lets those that wait together go together.
 *
 *     calls:    w1   w2 w3 w4   a   b   w5
 *     runs:     [w1] [b] [w2 w3 w4] [a] [w5]        a: runs alone        b: runs as soon as no write is under way
 */
export class WriteQueue<Write> {
  readonly #flush: (writes: readonly Write[]) => Promise<void>;
  readonly #weigh: (write: Write) => number;
  readonly #waiting: Turn<Write>[] = [];
  readonly #between: (() => void)[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  /** `flush` must not reject: each write tells its own caller how it went. `weigh`: how much of a flush a write is. */
  constructor(flush: (writes: readonly Write[]) => Promise<void>, weigh: (write: Write) => number = () => 1) {
    this.#flush = flush;
    this.#weigh = weigh;
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

  /** Runs as soon as no write is under way, before or after others that wait; it writes nothing itself. */
  between<T>(run: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#admit(this.#between.length);
      this.#between.push(() => {
        try {
          resolve(run());
        } catch (thrown) {
          reject(thrown);
        }
      });
      this.#running ??= this.#run();
    });
  }

  /** Takes nothing more, and resolves when all that was taken has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  #add(turn: Turn<Write>): void {
    this.#admit(this.#waiting.length);
    this.#waiting.push(turn);
    this.#running ??= this.#run();
  }

  #admit(waiting: number): void {
    if (this.#closed) throw new StoreError('closed', 'The store is closed.');
    if (waiting < MAX_WAITING_TURNS) return;
    throw new StoreError('busy', `${MAX_WAITING_TURNS} writes wait for the disk already; try again later.`);
  }

  async #run(): Promise<void> {
    // Calls made in the same turn of the event loop join the first flush.
    await Promise.resolve();
    while (this.#waiting.length + this.#between.length > 0) {
      for (const run of this.#between.splice(0)) run();
      const writes = this.#takeWrites();
      if (writes.length > 0) await this.#flush(writes);
      else await this.#takeAlone()?.();
    }
    this.#running = undefined;
  }

  /** One at least, however heavy it is. */
  #takeWrites(): readonly Write[] {
    const writes: Write[] = [];
    let weight = 0;
    for (const turn of this.#waiting) {
      if (turn.kind === 'alone') break;
      weight += this.#weigh(turn.write);
      if (weight > MAX_WEIGHT_PER_FLUSH && writes.length > 0) break;
      writes.push(turn.write);
    }
    this.#waiting.splice(0, writes.length);
    return writes;
  }

  #takeAlone(): (() => Promise<void>) | undefined {
    const turn = this.#waiting.shift();
    return turn?.kind === 'alone' ? turn.run : undefined;
  }
}
