import { type Parsed, type Problem, parsed } from '../config/problem.ts';
import { type Address, normalise, parseAddress } from '../dns/address.ts';
import {
  MAX_AGE_MS,
  MAX_AHEAD_MS,
  MAX_BATCH_MEASUREMENTS,
  MAX_MILLISECONDS,
  MIN_MILLISECONDS,
} from './limits.ts';
import type { Measurement } from './measurement.ts';

/** A measurement as it was sent. */
export interface SentMeasurement {
  /** An address, or `self` for the sender of the batch. */
  readonly client: string;
  readonly dataCenter: string;
  readonly milliseconds: number;
  /** Seconds since 1970; now where it is missing. */
  readonly atSeconds?: number | undefined;
}

/** A line of a batch, and how problems name it. */
export interface SentLine {
  readonly path: string;
  readonly sent: SentMeasurement;
}

export interface BatchContext {
  readonly nowMs: number;
  readonly hasDataCenter: (name: string) => boolean;
  /** Who `self` is; undefined where that is not known. */
  readonly sender: Address | undefined;
}

const COLUMNS = ['client', 'dataCenter', 'milliseconds', 'atSeconds'] as const;
const NEEDED_COLUMNS = 3;

/** Longer texts of others are not told back. */
const MAX_QUOTED = 60;

/** Checks every line; all problems and no measurement when anything is wrong. */
export function checkBatch(
  lines: readonly SentLine[],
  context: BatchContext,
): Parsed<readonly Measurement[]> {
  const problems: Problem[] = [];
  if (lines.length === 0) problems.push(problem('measurements', 'must hold at least one measurement'));
  if (lines.length > MAX_BATCH_MEASUREMENTS)
    return { ok: false, problems: [problem('measurements', TOO_MANY)] };
  const measurements = lines.flatMap((line) => checkLine(line, context, problems));
  return problems.length === 0 ? parsed(measurements) : { ok: false, problems };
}

const TOO_MANY = `must hold at most ${MAX_BATCH_MEASUREMENTS} measurements`;

function checkLine(
  { path, sent }: SentLine,
  { nowMs, hasDataCenter, sender }: BatchContext,
  problems: Problem[],
): readonly Measurement[] {
  const before = problems.length;
  const { client: clientText, dataCenter, milliseconds, atSeconds } = sent;
  const client = clientText === 'self' ? sender : addressOf(clientText);
  if (client === undefined) {
    const why =
      clientText === 'self'
        ? 'self is not known: the request lacks the header that names its sender'
        : `${quoted(clientText)} is neither an address nor self`;
    problems.push(problem(`${path}/client`, why));
  }
  if (!hasDataCenter(dataCenter))
    problems.push(problem(`${path}/dataCenter`, `there is no data center ${quoted(dataCenter)}`));
  if (!(milliseconds >= MIN_MILLISECONDS && milliseconds <= MAX_MILLISECONDS)) {
    const why = `must be a number from ${MIN_MILLISECONDS} to ${MAX_MILLISECONDS}`;
    problems.push(problem(`${path}/milliseconds`, why));
  }
  const atMs = atSeconds === undefined ? nowMs : atSeconds * 1000;
  if (!(atMs > nowMs - MAX_AGE_MS && atMs <= nowMs + MAX_AHEAD_MS)) {
    const why = `must be seconds since 1970, within the last ${MAX_AGE_MS / 3_600_000} hours and not in the future`;
    problems.push(problem(`${path}/atSeconds`, why));
  }
  if (client === undefined || problems.length > before) return [];
  return [{ client, dataCenter, milliseconds, atMs }];
}

/**
 * Reads lines of `client,dataCenter,milliseconds[,atSeconds]` (RFC 4180, no quotes: no value needs them), with or
 * without a line of those names.
 */
export function parseCsvBatch(text: string): Parsed<readonly SentLine[]> {
  const rows = text.split(/\r?\n/);
  if (rows.at(-1) === '') rows.pop();
  const named = rows[0]?.replaceAll(' ', '').toLowerCase().startsWith('client,') === true;
  const lines: SentLine[] = [];
  const problems: Problem[] = [];
  if (named && !isHeader(rows[0] ?? ''))
    problems.push(
      problem('line 1', `must be ${COLUMNS.slice(0, NEEDED_COLUMNS).join(',')}[,${COLUMNS.at(-1)}]`),
    );
  if (rows.length > MAX_BATCH_MEASUREMENTS + 1)
    return { ok: false, problems: [problem('measurements', TOO_MANY)] };
  for (const [at, row] of rows.entries()) {
    if (at === 0 && named) continue;
    const path = `line ${at + 1}`;
    const values = row.split(',').map((value) => value.trim());
    const [client = '', dataCenter = '', milliseconds = '', atSeconds = ''] = values;
    if (values.length < NEEDED_COLUMNS || values.length > COLUMNS.length) {
      problems.push(
        problem(path, `has ${values.length} values; client,dataCenter,milliseconds[,atSeconds] are wanted`),
      );
      continue;
    }
    const sent = { client, dataCenter, milliseconds: decimal(milliseconds) };
    lines.push({ path, sent: atSeconds === '' ? sent : { ...sent, atSeconds: decimal(atSeconds) } });
  }
  return problems.length === 0 ? parsed(lines) : { ok: false, problems };
}

function isHeader(row: string): boolean {
  const names = row.split(',').map((name) => name.trim());
  return names.length >= NEEDED_COLUMNS && names.every((name, at) => name === COLUMNS[at]);
}

/** NaN for anything but a plain decimal number, which no check lets pass. */
function decimal(text: string): number {
  return /^\d{1,12}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
}

/** An address as measurements are kept by: an IPv4 address that came as IPv6 is IPv4. */
export function addressOf(text: string): Address | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : normalise(address);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

function problem(path: string, why: string): Problem {
  return { code: 'invalid-value', path, message: `${path} ${why}.` };
}
