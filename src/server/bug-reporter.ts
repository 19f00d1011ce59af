import type { Transport } from '../answer/respond.ts';
import { reasonOf } from '../config/problem.ts';
import { countOne } from '../observe/counters.ts';

/** What the log says of an exception that escaped while a query was answered. */
export interface BugReport {
  readonly transport: Transport;
  readonly message: string;
  readonly stack: string;
  /** The packet, cut to `MAX_REPORTED_OCTETS`, so that the bug can be played back. */
  readonly packetHex: string;
  /** Further bugs since the report before, which were counted and not reported. */
  readonly unreported: number;
}

export type ReportBug = (error: unknown, transport: Transport, packet: Uint8Array) => void;

/** A packet that triggers a bug can come a million times a second; the log needs to see it now and then. */
const REPORT_INTERVAL_MS = 1_000;

/** Every query of ordinary size is kept whole. */
const MAX_REPORTED_OCTETS = 1_232;

/** Counts every bug and passes at most one a second on. */
export function createBugReporter(
  counters: Float64Array,
  nowMs: () => number,
  send: (report: BugReport) => void,
): ReportBug {
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  let unreported = 0;
  return (error, transport, packet) => {
    countOne(counters, 'errors', 'bug');
    const now = nowMs();
    if (now - reportedAtMs < REPORT_INTERVAL_MS) {
      unreported++;
      return;
    }
    send({
      transport,
      message: reasonOf(error),
      stack: error instanceof Error ? (error.stack ?? '') : '',
      packetHex: Buffer.from(packet.subarray(0, MAX_REPORTED_OCTETS)).toString('hex'),
      unreported,
    });
    reportedAtMs = now;
    unreported = 0;
  };
}
