/**
 * Gives names small numbers for use in images, maps and shared tables.
 * A number is handed to another name only two assignments after its first name went away: the publication in
 * between has by then replaced every image that still used it.
 */
export class Numbering {
  readonly #limit: number;
  #numbers = new Map<string, number>();
  #names: (string | undefined)[] = [];
  /** Numbers whose name left in the latest assignment; images in use may still hold them. */
  #leaving: number[] = [];
  #free: number[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes over numbers from before, by number; to be called before anything is assigned. */
  recall(names: readonly (string | null)[]): void {
    for (const [number, name] of names.slice(0, this.#limit).entries()) {
      this.#names[number] = name ?? undefined;
      if (name === null || this.#numbers.has(name)) this.#free.push(number);
      else this.#numbers.set(name, number);
    }
  }

  /** Names by number, as `recall` takes them. */
  names(): readonly (string | null)[] {
    const names: (string | null)[] = this.#names.map(() => null);
    for (const [name, number] of this.#numbers) names[number] = name;
    return names;
  }

  /** Makes the given names the current ones; returns those that found no number below the limit. */
  assign(names: Iterable<string>): readonly string[] {
    const wanted = new Set(names);
    this.#free.push(...this.#leaving);
    this.#leaving = [];
    for (const [name, number] of this.#numbers) {
      if (wanted.has(name)) continue;
      this.#numbers.delete(name);
      this.#leaving.push(number);
    }
    const refused: string[] = [];
    for (const name of wanted) {
      if (this.#numbers.has(name)) continue;
      const number = this.#names.length < this.#limit ? this.#names.length : this.#free.shift();
      if (number === undefined) refused.push(name);
      else {
        this.#numbers.set(name, number);
        this.#names[number] = name;
      }
    }
    return refused;
  }

  numberOf(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  /** The name that has, or last had, this number. */
  nameOf(number: number): string | undefined {
    return this.#names[number];
  }
}
