/**
 * What the value of a frame, or of a message before frames, is made of. It comes from a peer: each part of the cluster
 * asks for the shape of its own messages with these.
 */

/** Of UTF-16 units: names, versions and ids are shorter by far. */
const MAX_TEXT = 200;

/** An object with string keys; undefined for whatever is none. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord && !ArrayBuffer.isView(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}

/** A name or another short text, not empty. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT;
}

/** A whole number, 0 or more. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
