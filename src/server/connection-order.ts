/**
 * The connections in the order in which they are given up when there are too many.
 *
 *     [unproven] <-> 7 <-> 3 <-> 9 <-> (back)     have never brought a whole message, oldest first
 *     [proven]   <-> 2 <-> 8 <-> (back)           have; the one that was quiet longest first
 *
 * Two rings through two arrays; the heads stand behind the last connection. Whoever opens connections and sends
 * nothing that is whole gives up his own ones first, and never pushes out a client that asks.
 */
export class ConnectionOrder {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #unproven: number;
  readonly #proven: number;

  /** Connections have the numbers below `capacity`. */
  constructor(capacity: number) {
    this.#next = new Int32Array(capacity + 2);
    this.#previous = new Int32Array(capacity + 2);
    this.#unproven = capacity;
    this.#proven = capacity + 1;
    for (let at = 0; at < capacity + 2; at++) this.#detach(at);
  }

  /** A new connection. */
  add(connection: number): void {
    this.#append(connection, this.#unproven);
  }

  /** It has just brought a whole message. */
  prove(connection: number): void {
    if (this.#next[this.#proven] === connection && this.#previous[this.#proven] === connection) return;
    this.remove(connection);
    this.#append(connection, this.#proven);
  }

  remove(connection: number): void {
    const next = this.#next[connection] as number;
    const previous = this.#previous[connection] as number;
    this.#next[previous] = next;
    this.#previous[next] = previous;
    this.#detach(connection);
  }

  /** The one to be closed for `newest`; -1 where there is no other. */
  firstToGo(newest: number): number {
    const unproven = this.#next[this.#unproven] as number;
    if (unproven !== this.#unproven && unproven !== newest) return unproven;
    const proven = this.#next[this.#proven] as number;
    return proven === this.#proven ? -1 : proven;
  }

  #append(connection: number, head: number): void {
    const last = this.#previous[head] as number;
    this.#next[last] = connection;
    this.#previous[connection] = last;
    this.#next[connection] = head;
    this.#previous[head] = connection;
  }

  #detach(at: number): void {
    this.#next[at] = at;
    this.#previous[at] = at;
  }
}
