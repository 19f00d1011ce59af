import type { Change, Collection } from './model.ts';

/** The path of a resource in problems: `pools/web`. */
export function resourcePath(collection: Collection, key: string): string {
  return `${collection}/${key}`;
}

/** The path of an RRset in problems: `zones/example.org./rrsets/www.example.org. A`. */
export function rrsetPath(apex: string, key: string): string {
  return `zones/${apex}/rrsets/${key}`;
}

/** The path of what a change writes or deletes. */
export function changePath(change: Change): string {
  return change.collection === 'rrsets'
    ? rrsetPath(change.zone, change.key)
    : resourcePath(change.collection, change.key);
}
