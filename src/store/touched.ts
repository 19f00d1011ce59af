import { type Collection, collections } from '../config/model.ts';
import { type MapName, ROOT_DOCUMENT, zoneOfDocument } from './document.ts';

/** Which resources a commit or an import may have changed: what must be read from the documents again. */
export class Touched {
  readonly resources: ReadonlyMap<Collection, Set<string>> = new Map(
    collections.map((collection) => [collection, new Set<string>()]),
  );
  /** Keys of RRsets by apex. */
  readonly rrsets: ReadonlyMap<string, Set<string>>;
  readonly #rrsets = new Map<string, Set<string>>();

  constructor() {
    this.rrsets = this.#rrsets;
  }

  resource(collection: Collection, key: string): void {
    this.resources.get(collection)?.add(key);
  }

  rrset(apex: string, key: string): void {
    const keys = this.#rrsets.get(apex);
    if (keys === undefined) this.#rrsets.set(apex, new Set([key]));
    else keys.add(key);
  }

  /** A leaf by its place in a document. */
  leaf(document: string, map: MapName, key: string): void {
    if (document === ROOT_DOCUMENT) {
      const collection = collections.find((name) => name === map);
      // A pool's leaves are touched through the pool.
      if (collection !== undefined) this.resource(collection, collection === 'pools' ? poolOf(key) : key);
    } else if (map === 'rrsets') {
      const apex = zoneOfDocument(document);
      if (apex !== undefined) this.rrset(apex, key);
    }
  }
}

function poolOf(key: string): string {
  return key.split('/', 1)[0] ?? '';
}
