/** Changes that come faster than this are told together: a page that redraws 5 times a second is live. */
const QUIET_MS = 200;

/** Tells listeners that something changed, soon and not too often. */
export class ChangeFeed {
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  announce(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      for (const listener of this.#listeners) listener();
    }, QUIET_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }
}
