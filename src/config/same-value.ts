/** Whether two resources are equal as JSON: an absent field and an undefined one are the same. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((element, i) => sameValue(element, b[i]));
  }
  const left = presentFields(a);
  const right = new Map(presentFields(b));
  return (
    left.length === right.size &&
    left.every(([key, value]) => right.has(key) && sameValue(value, right.get(key)))
  );
}

function presentFields(value: object): readonly [string, unknown][] {
  return Object.entries(value).filter(([, field]) => field !== undefined);
}
