const BACKSLASH = 0x5c;
const DOT = 0x2e;

/** The name without its first label, in presentation form: `example.org.` of `www.example.org.`; undefined of `.`. */
export function parentName(name: string): string | undefined {
  if (name === '.' || name === '') return undefined;
  for (let i = 0; i < name.length; i += 1) {
    const code = name.charCodeAt(i);
    // An escaped dot is part of its label, and the digits of \DDD are no dots.
    if (code === BACKSLASH) i += 1;
    else if (code === DOT) return i === name.length - 1 ? '.' : name.slice(i + 1);
  }
  return '.';
}

/** The apex of the zone that answers for a name: the longest one at or above it. */
export function closestZone(name: string, isApex: (name: string) => boolean): string | undefined {
  let candidate: string | undefined = name;
  while (candidate !== undefined) {
    if (isApex(candidate)) return candidate;
    candidate = parentName(candidate);
  }
  return undefined;
}
