/** Deepest nesting of a body: policies nest at most a few levels, and checks walk bodies by recursion. */
export const MAX_JSON_DEPTH = 64;

/** Most values in a body: a pool of 1,024 endpoints has about 10,000. */
export const MAX_JSON_VALUES = 50_000;

/** Setting it by assignment would change an object's prototype instead of a field. */
const FORBIDDEN_KEY = '__proto__';

export type JsonLimit = 'too-deep' | 'too-many-values' | 'forbidden-key';

/** Which limit a parsed body breaks; walks without recursion, so that no body can exhaust the stack. */
export function brokenJsonLimit(body: unknown): JsonLimit | undefined {
  let level: unknown[] = [body];
  let count = 1;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_JSON_DEPTH) return 'too-deep';
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      if (Object.hasOwn(value, FORBIDDEN_KEY)) return 'forbidden-key';
      const children = Object.values(value);
      count += children.length;
      if (count > MAX_JSON_VALUES) return 'too-many-values';
      for (const child of children) next.push(child);
    }
    level = next;
  }
  return undefined;
}
