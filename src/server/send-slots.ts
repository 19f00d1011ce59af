/**
 * Response buffers that are used over and over.
 *
 *     free  [ slot slot slot ......... ]   take() pops, release() pushes
 *
 * The kernel may take a response only later, and reads the buffer then: a slot is free again when the send has
 * called back, and while all are taken answers are dropped instead of piling up in memory.
 */
export interface SendSlot {
  readonly buffer: Buffer;
  /** Given to `send` as its callback, made once so that a send allocates none. */
  readonly sent: (error: Error | null) => void;
}

export class SendSlots {
  readonly #free: SendSlot[] = [];
  readonly #count: number;
  #whenAllFree: (() => void) | undefined;

  /** `onError` is told of every send that failed. */
  constructor(count: number, octets: number, onError: () => void) {
    this.#count = count;
    for (let index = 0; index < count; index++) {
      const slot: SendSlot = {
        buffer: Buffer.alloc(octets),
        sent: (error) => {
          if (error !== null && error !== undefined) onError();
          this.release(slot);
        },
      };
      this.#free.push(slot);
    }
  }

  /** Undefined while every slot waits for the kernel. */
  take(): SendSlot | undefined {
    return this.#free.pop();
  }

  /** Gives a slot back that was not sent. */
  release(slot: SendSlot): void {
    this.#free.push(slot);
    if (this.#free.length === this.#count) this.#whenAllFree?.();
  }

  /** Resolves when nothing waits for the kernel any more. */
  allFree(): Promise<void> {
    if (this.#free.length === this.#count) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenAllFree = resolve;
    });
  }
}
