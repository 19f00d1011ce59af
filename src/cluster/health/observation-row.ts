import type { LatencyQuantiles } from '../../health/latency-sketch.ts';
import type { Observation, PushedReport } from '../../health/observation.ts';
import { type ProbeReason, probeReasons } from '../../health/probe-result.ts';
import type { ProbedVerdict } from '../../health/verdict.ts';
import { isCount } from '../plain-value.ts';

/**
 * An observation on the wire: an array, to which a newer version may add at the end.
 *
 *     0 number  1 key  2 target  3 age  | of the sender's, for `again`; what is observed; hash of where; ms since
 *     4 verdict  5 since  6 successes  7 failures  8 first failure  9 held down
 *     10 ok  11 reason  12 detail  13 duration  14 evidence
 *     15 latency: p50, p90, p99  16 report: lease, load, capacity
 *
 * No time of a clock is in it: what has been is told as milliseconds before the observation, what is to come as
 * milliseconds after it, and the observation as its age, so that a clock that is wrong by days changes nothing.
 * Whose it is, is not in it either: it is that of the node which the session's certificate names.
 */
type Row = readonly unknown[];

const verdicts: readonly ProbedVerdict[] = ['unknown', 'up', 'down'];
const knownReasons: ReadonlySet<string> = new Set(probeReasons);

/** A sentence, and twice of it for a version that is more talkative. */
const MAX_DETAIL = 300;
const MAX_DETAIL_HEARD = 2 * MAX_DETAIL;

/** Nothing that we probe shows more; an excerpt of a reply is 200 characters. */
const MAX_EVIDENCE = 24;
const MAX_EVIDENCE_NAME = 64;
const MAX_EVIDENCE_TEXT = 256;

/** `pool/endpoint@monitor`, three names of 63 characters. */
const MAX_KEY = 3 * 63 + 2;

/** Thirty years: since when an endpoint has been up cannot be longer ago, and is still a date. */
export const MAX_SPAN_MS = 1e12;

/** What the first columns say; enough to know whether the others matter. */
export interface RowHead {
  readonly number: number;
  readonly key: string;
  /** Of the address that was probed, by `hashText`. */
  readonly target: number;
}

/** What a row comes to on the other side. */
export interface ReadRow {
  readonly observation: Observation;
  readonly ageMs: number;
}

/** The row of an observation that was made `ageMs` milliseconds ago. */
export function writeRow({ number, key, target }: RowHead, observation: Observation, ageMs: number): Row {
  const { observedAtMs, sinceMs, firstFailureAtMs, heldDownUntilMs, result, latency, report } = observation;
  return [
    number,
    key,
    target,
    span(ageMs),
    verdicts.indexOf(observation.verdict),
    span(observedAtMs - sinceMs),
    observation.successes,
    observation.failures,
    firstFailureAtMs === undefined ? null : span(observedAtMs - firstFailureAtMs),
    heldDownUntilMs === undefined ? null : span(heldDownUntilMs - observedAtMs),
    result.ok,
    result.reason,
    result.detail.slice(0, MAX_DETAIL),
    tenth(result.durationMs),
    writeEvidence(result.evidence),
    latency === undefined ? null : [latency.p50, latency.p90, latency.p99],
    report === undefined ? null : [report.leaseMs, report.load ?? null, report.capacity ?? null],
  ];
}

/** Undefined for what is no row. */
export function readRowHead(row: unknown): RowHead | undefined {
  if (!Array.isArray(row)) return undefined;
  const [number, key, target] = row as Row;
  if (!isCount(number) || typeof key !== 'string' || key.length > MAX_KEY || !isCount(target))
    return undefined;
  return { number, key, target };
}

/** The rest of a row that has a head; undefined where anything in it is not what it should be. */
export function readRow(row: Row, vantage: string, sequence: number, nowMs: number): ReadRow | undefined {
  const ageMs = row[3];
  const verdict = verdicts[Number(row[4])];
  const sinceMs = row[5];
  const successes = row[6];
  const failures = row[7];
  const firstFailureMs = row[8] ?? undefined;
  const heldDownMs = row[9] ?? undefined;
  const result = readResult(row);
  const latency = readLatency(row[15]);
  const report = readReport(row[16]);
  if (!isSpan(ageMs) || typeof row[4] !== 'number' || verdict === undefined || !isSpan(sinceMs))
    return undefined;
  if (!isCount(successes) || !isCount(failures) || result === undefined) return undefined;
  if (firstFailureMs !== undefined && !isSpan(firstFailureMs)) return undefined;
  if (heldDownMs !== undefined && !isSpan(heldDownMs)) return undefined;
  if (latency === 'malformed' || report === 'malformed') return undefined;
  const observedAtMs = nowMs - ageMs;
  const observation: Observation = {
    vantage,
    key: String(row[1]),
    sequence,
    verdict,
    sinceMs: observedAtMs - sinceMs,
    successes,
    failures,
    firstFailureAtMs: firstFailureMs === undefined ? undefined : observedAtMs - firstFailureMs,
    heldDownUntilMs: heldDownMs === undefined ? undefined : observedAtMs + heldDownMs,
    latency,
    result,
    observedAtMs,
    report,
  };
  return { observation, ageMs };
}

function readResult(row: Row): Observation['result'] | undefined {
  const ok = row[10];
  const reason = row[11];
  const detail = row[12];
  const durationMs = row[13];
  const evidence = readEvidence(row[14]);
  if (typeof ok !== 'boolean' || typeof reason !== 'string' || typeof detail !== 'string') return undefined;
  if (detail.length > MAX_DETAIL_HEARD || !isSpan(durationMs) || evidence === undefined) return undefined;
  return { ok, reason: reasonOf(reason, ok), detail, durationMs, evidence };
}

/** A newer version may know reasons that this one does not; that it failed, and the sentence, are as well understood. */
function reasonOf(reason: string, ok: boolean): ProbeReason {
  if (knownReasons.has(reason)) return reason as ProbeReason;
  return ok ? 'ok' : 'unexpected-reply';
}

type Evidence = Observation['result']['evidence'];

function writeEvidence(evidence: Evidence): Evidence | null {
  const entries = Object.entries(evidence);
  if (entries.length === 0) return null;
  if (entries.length <= MAX_EVIDENCE && entries.every(isEvidence)) return evidence;
  const cut = entries.map(
    ([name, value]) => [name, typeof value === 'string' ? value.slice(0, MAX_EVIDENCE_TEXT) : value] as const,
  );
  return Object.fromEntries(cut.filter(isEvidence).slice(0, MAX_EVIDENCE));
}

const NO_EVIDENCE: Evidence = {};

function readEvidence(value: unknown): Evidence | undefined {
  if (value === null || value === undefined) return NO_EVIDENCE;
  if (typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array) return undefined;
  const entries = Object.entries(value);
  if (entries.length > MAX_EVIDENCE || !entries.every(isEvidence)) return undefined;
  return value as Evidence;
}

function isEvidence([name, value]: readonly [string, unknown]): boolean {
  if (name.length > MAX_EVIDENCE_NAME) return false;
  if (typeof value === 'string') return value.length <= MAX_EVIDENCE_TEXT;
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}

function readLatency(value: unknown): LatencyQuantiles | undefined | 'malformed' {
  if (value === null || value === undefined) return undefined;
  if (!Array.isArray(value)) return 'malformed';
  const [p50, p90, p99] = value as Row;
  return isSpan(p50) && isSpan(p90) && isSpan(p99) ? { p50, p90, p99 } : 'malformed';
}

function readReport(value: unknown): PushedReport | undefined | 'malformed' {
  if (value === null || value === undefined) return undefined;
  if (!Array.isArray(value)) return 'malformed';
  const [leaseMs, load, capacity] = value as Row;
  if (!isSpan(leaseMs) || !isAmount(load) || !isAmount(capacity)) return 'malformed';
  return { leaseMs, load: load ?? undefined, capacity: capacity ?? undefined };
}

function isAmount(value: unknown): value is number | null | undefined {
  return value === null || value === undefined || (typeof value === 'number' && Number.isFinite(value));
}

function isSpan(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_SPAN_MS;
}

/** Whole milliseconds; a clock that was set in between may make it negative. */
function span(ms: number): number {
  return Math.min(MAX_SPAN_MS, Math.max(0, Math.round(ms)));
}

function tenth(ms: number): number {
  return Math.min(MAX_SPAN_MS, Math.max(0, Math.round(ms * 10) / 10));
}
