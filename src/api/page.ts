import { z } from 'zod';
import type { Stored } from '../config/model.ts';

/** Most items in one page: about the size of a bounded body. */
export const MAX_PAGE_ITEMS = 1000;
const DEFAULT_PAGE_ITEMS = 500;
const MAX_AFTER_LENGTH = 2048;

/** Parameters of every list. */
export const pageQuery = z.strictObject({
  owner: z.enum(['api', 'directory']).optional().meta({ description: 'Only what this owner has.' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE_ITEMS)
    .default(DEFAULT_PAGE_ITEMS)
    .meta({ description: 'Most items in the answer.' }),
  after: z
    .string()
    .max(MAX_AFTER_LENGTH)
    .optional()
    .meta({ description: 'Where to go on: `next` of the page before.' }),
});

export type PageQuery = Readonly<z.infer<typeof pageQuery>>;

export interface Page<T> {
  readonly items: readonly Stored<T>[];
  /** Present when there are more: the `after` of the next page. */
  readonly next?: string;
}

/** One page of a collection, in the order of its keys, so that pages stay true while others write. */
export function pageOf<T>(entries: ReadonlyMap<string, Stored<T>>, query: PageQuery): Page<T> {
  const most = query.limit + 1;
  const keys: string[] = [];
  // The first keys of many are found in one pass, without putting all of them in order.
  let bound: string | undefined;
  for (const [key, stored] of entries) {
    if (query.after !== undefined && key <= query.after) continue;
    if (query.owner !== undefined && stored.owner.kind !== query.owner) continue;
    if (bound !== undefined && key >= bound) continue;
    keys.push(key);
    if (keys.length < 2 * most) continue;
    keys.sort();
    keys.length = most;
    bound = keys.at(-1);
  }
  keys.sort();
  const chosen = keys.slice(0, query.limit);
  const items = chosen.flatMap((key) => entries.get(key) ?? []);
  const last = chosen.at(-1);
  return keys.length > chosen.length && last !== undefined ? { items, next: last } : { items };
}
