import type { ConfigDocument, MapName } from './document.ts';
import { type Documents, MAX_OPEN_DOCUMENTS } from './documents.ts';
import type { LeafSource } from './leaf-source.ts';
import { StoreError } from './store-error.ts';
import { Touched } from './touched.ts';

/** The documents as they were at given heads; those without heads were not there yet. */
export class PastDocuments implements LeafSource {
  readonly #documents: Documents;
  readonly #heads: ReadonlyMap<string, readonly string[]>;
  /** Copies of those that have gone on since, in the order of use, the latest last. */
  readonly #copies = new Map<string, ConfigDocument>();

  /** @throws StoreError `refused` when a document has no such heads here. */
  constructor(documents: Documents, heads: ReadonlyMap<string, readonly string[]>) {
    this.#documents = documents;
    this.#heads = heads;
    for (const [id, given] of heads) {
      if (this.#isPresent(id) || documents.knows(id, given)) continue;
      throw new StoreError('refused', `This node has not seen the given state of document ${id}.`);
    }
  }

  read(id: string, map: MapName, key: string): string | undefined {
    if (this.#isPresent(id)) return this.#documents.read(id, map, key);
    return this.has(id) ? this.#documents.opened(map, key, this.#copy(id).read(map, key)) : undefined;
  }

  readAll(id: string, map: MapName, key: string): readonly string[] {
    if (this.#isPresent(id)) return this.#documents.readAll(id, map, key);
    const texts = this.has(id) ? this.#copy(id).readAll(map, key) : [];
    return texts.flatMap((text) => this.#documents.opened(map, key, text) ?? []);
  }

  documentsOf(apex: string): readonly string[] {
    return this.#documents.documentsOf(apex);
  }

  changeCount(id: string): number {
    if (this.#isPresent(id)) return this.#documents.changeCount(id);
    return this.has(id) ? this.#copy(id).changesSince([]).length : 0;
  }

  keys(id: string, map: MapName): readonly string[] {
    if (this.#isPresent(id)) return this.#documents.keys(id, map);
    return this.has(id) ? this.#copy(id).keys(map) : [];
  }

  has(id: string): boolean {
    return this.#heads.has(id);
  }

  /** What reads differently today. */
  touchedSince(): Touched {
    const touched = new Touched();
    for (const id of this.#documents.heads().keys()) {
      if (this.#isPresent(id)) continue;
      for (const { map, key } of this.#documents.leavesSince(id, this.#heads.get(id) ?? [])) {
        touched.leaf(id, map, key);
      }
    }
    return touched;
  }

  /** Gives the memory back. */
  free(): void {
    for (const copy of this.#copies.values()) copy.free();
    this.#copies.clear();
  }

  #isPresent(id: string): boolean {
    return `${this.#documents.heads().get(id)}` === `${[...(this.#heads.get(id) ?? [])].sort()}`;
  }

  #copy(id: string): ConfigDocument {
    const copy = this.#copies.get(id) ?? this.#documents.copyAt(id, this.#heads.get(id) ?? []);
    this.#copies.delete(id);
    this.#copies.set(id, copy);
    for (const [oldest, other] of this.#copies) {
      if (this.#copies.size <= MAX_OPEN_DOCUMENTS) break;
      other.free();
      this.#copies.delete(oldest);
    }
    return copy;
  }
}
