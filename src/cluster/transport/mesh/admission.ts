/** How many connections may be under way that have not proved who they are: in all, and for each address. */
export class Admission {
  readonly #most: number;
  readonly #mostPerAddress: number;
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  constructor(most: number, mostPerAddress: number) {
    this.#most = most;
    this.#mostPerAddress = mostPerAddress;
  }

  /** What to call when the connection is through or gone; undefined when there is no room for it. */
  enter(address: string): (() => void) | undefined {
    const fromHere = this.#byAddress.get(address) ?? 0;
    if (this.#count >= this.#most || fromHere >= this.#mostPerAddress) return undefined;
    this.#count += 1;
    this.#byAddress.set(address, fromHere + 1);
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#leave(address);
    };
  }

  #leave(address: string): void {
    this.#count -= 1;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}
