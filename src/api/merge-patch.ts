/** RFC 7396 section 2. */
export const MERGE_PATCH_MEDIA_TYPE = 'application/merge-patch+json';

/**
 * Applies a JSON Merge Patch (RFC 7396): null removes a field, an object is merged, everything else replaces.
 * Neither argument is changed. The depth of `patch` is bounded by the reader of bodies.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const fields = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) fields.delete(name);
    else fields.set(name, mergePatch(fields.get(name), value));
  }
  return Object.fromEntries(fields);
}

/** An object of JSON: neither null nor an array. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
