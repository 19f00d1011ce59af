import { parseName } from '../../src/dns/name.ts';

/** A name's octets. Throws for what is no name. */
export function wire(text: string): Uint8Array {
  const name = parseName(text);
  if (!name.ok) throw new Error(name.problems[0]?.message);
  return name.value;
}
