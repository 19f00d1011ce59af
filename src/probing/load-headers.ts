import type { ResponseHead } from './http-head.ts';
import type { HttpSettings } from './http-settings.ts';
import { excerpt, type ProbeRun } from './probe-run.ts';

/** A number as people write it; what has an exponent or a sign is no load. */
const DECIMAL = /^\d{1,15}(?:\.\d{1,9})?$/;

/** The response headers that a monitor wants to know, in lower case. */
export function loadFields({ loadHeaders }: HttpSettings): readonly string[] {
  if (loadHeaders === undefined) return [];
  const { load, capacity } = loadHeaders;
  return [load, ...(capacity === undefined ? [] : [capacity])].map((name) => name.toLowerCase());
}

/**
 * Keeps as evidence what the endpoint tells of its load. A header that is missing or no number is told as it is, and
 * fails no probe: an endpoint that serves is up, whatever it says of its load.
 */
export function noteLoad(run: ProbeRun, { fields }: ResponseHead, { loadHeaders }: HttpSettings): void {
  if (loadHeaders === undefined) return;
  const load = read(run, fields, loadHeaders.load);
  if (load === undefined) return;
  run.evidence.load = load;
  const capacity = loadHeaders.capacity === undefined ? undefined : read(run, fields, loadHeaders.capacity);
  // A capacity of nothing would have everybody passed on by a typing mistake; what is down says so by its status.
  if (capacity !== undefined && capacity > 0) run.evidence.capacity = capacity;
}

function read(run: ProbeRun, fields: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = fields.get(name.toLowerCase());
  if (text !== undefined && DECIMAL.test(text)) return Number(text);
  const value = text === undefined ? 'missing' : `no number: ${excerpt(Buffer.from(text, 'latin1'))}`;
  run.evidence.loadHeaders = `${name} is ${value}`;
  return undefined;
}
