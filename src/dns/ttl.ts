/** RFC 2181 section 8: a TTL is 0 to 2^31 - 1 seconds. */
export const MAX_TTL_SECONDS = 0x7fff_ffff;

/** Said of text that `parseTtl` refuses. */
export const TTL_SENTENCE = 'must be 0 to 2147483647 seconds, or units as in 1h30m (w, d, h, m, s)';

/** Longest text of a TTL: five units with ten digits each. */
const MAX_TTL_TEXT_LENGTH = 55;

const secondsByUnit: ReadonlyMap<string, number> = new Map([
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
]);

/** Seconds, from plain digits or from numbers that each have a unit (`1h30m`), in any case; undefined for others. */
export function parseTtl(text: string): number | undefined {
  if (text.length > MAX_TTL_TEXT_LENGTH) return undefined;
  if (/^\d+$/.test(text)) return bounded(Number(text));
  if (!/^(\d+[wdhms])+$/i.test(text)) return undefined;
  let seconds = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)([wdhms])/gi)) {
    seconds += Number(digits) * (secondsByUnit.get((unit ?? '').toLowerCase()) ?? 0);
  }
  return bounded(seconds);
}

function bounded(seconds: number): number | undefined {
  return seconds <= MAX_TTL_SECONDS ? seconds : undefined;
}
