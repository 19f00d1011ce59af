import type { Refusal } from './http-reader.ts';

/** How the end of a body is known (RFC 9112 section 6.3). */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly octets: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

/** What a probe wants to know of a response's head. */
export interface ResponseHead {
  readonly status: number;
  /** Where a redirect leads; it is told and not followed. */
  readonly location: string | undefined;
  readonly framing: BodyFraming;
  /** The values of the fields that were asked for by name, in lower case; the first of each. */
  readonly fields: ReadonlyMap<string, string>;
}

/** RFC 9112 section 4; the reason phrase may be missing, and says nothing. */
const STATUS_LINE = /^HTTP\/1\.\d ([1-5]\d\d)(?: |$)/;

/** RFC 9110 section 5.6.2: a name and its colon with nothing between them; whatever folds has none. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The lengths of the three names that matter, so that others are not lower-cased. */
const LONGEST_NAME = 'transfer-encoding'.length;

/**
 * Reads the head of a response to a request by `method`: all lines, without the empty one that ends it. `wanted` are
 * names of further fields to keep, in lower case.
 */
export function parseHead(
  text: string,
  method: string,
  wanted: readonly string[] = [],
): ResponseHead | Refusal {
  if (text.includes('\0')) return malformed('A header section with NUL in it');
  const lines = text.split('\r\n');
  const status = Number(STATUS_LINE.exec(lines[0] ?? '')?.[1]);
  if (Number.isNaN(status)) return malformed('A status line that cannot be read');
  let location: string | undefined;
  let coding: string | undefined;
  let length: string | undefined;
  const fields = new Map<string, string>();
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    if (!FIELD_NAME.test(name) || line.includes('\n') || line.includes('\r'))
      return malformed('A header that cannot be read');
    if (wanted.length > 0) keepField(fields, wanted, name, line.slice(colon + 1));
    if (name.length > LONGEST_NAME) continue;
    switch (name.toLowerCase()) {
      case 'location':
        location ??= line.slice(colon + 1).trim();
        break;
      case 'transfer-encoding':
        coding = line.slice(colon + 1).trim();
        break;
      case 'content-length': {
        const value = line.slice(colon + 1).trim();
        if (length !== undefined && length !== value) return malformed('Two content lengths that differ');
        length = value;
        break;
      }
    }
  }
  const framing = framingOf(method, status, coding, length);
  return 'reason' in framing ? framing : { status, location, framing, fields };
}

function keepField(
  fields: Map<string, string>,
  wanted: readonly string[],
  name: string,
  value: string,
): void {
  const lower = name.toLowerCase();
  if (wanted.includes(lower) && !fields.has(lower)) fields.set(lower, value.trim());
}

function framingOf(
  method: string,
  status: number,
  coding: string | undefined,
  length: string | undefined,
): BodyFraming | Refusal {
  if (coding !== undefined && length !== undefined)
    return malformed('A body both in chunks and of a given length');
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { kind: 'none' };
  if (coding !== undefined)
    return /(?:^|[,\s])chunked$/i.test(coding) ? { kind: 'chunked' } : { kind: 'close' };
  if (length === undefined) return { kind: 'close' };
  if (!/^\d{1,15}$/.test(length)) return malformed('A content length that is no number');
  return { kind: 'length', octets: Number(length) };
}

function malformed(what: string): Refusal {
  return { reason: 'malformed-response', what };
}
