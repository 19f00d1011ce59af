import { type AnswerScratch, type ClientAddress, createAnswerScratch, respond } from '../answer/respond.ts';
import { count } from '../observe/counters.ts';
import { openSnapshot, type Snapshot, type SnapshotMessage } from '../snapshot/snapshot.ts';
import type { RandomSource } from '../steering/program.ts';
import type { ReportBug } from './bug-reporter.ts';
import { encodeServfail } from './servfail.ts';

/**
 * What a transport knows of answers: writes the answer into `response` and returns its length; 0 sends nothing.
 * Never throws.
 */
export type AnswerQuery = (
  request: Uint8Array,
  requestLength: number,
  client: ClientAddress,
  transport: 'udp' | 'tcp',
  response: Uint8Array,
) => number;

/**
 * The one place where transports meet answers: bytes and an address in, a length out.
 * It holds the snapshot of its worker and is the outermost loop of the query path: nothing that `respond` throws
 * goes further.
 */
export class Answerer {
  readonly #scratch: AnswerScratch;
  readonly #counters: Float64Array;
  readonly #reportBug: ReportBug;
  #snapshot: Snapshot;

  /** Throws where an image of the snapshot cannot be opened. */
  constructor(snapshot: SnapshotMessage, counters: Float64Array, random: RandomSource, reportBug: ReportBug) {
    this.#snapshot = openSnapshot(snapshot);
    this.#scratch = createAnswerScratch(random);
    this.#counters = counters;
    this.#reportBug = reportBug;
  }

  /** Answers from this snapshot from now on; throws, and keeps the one before, where it cannot be opened. */
  use(snapshot: SnapshotMessage): void {
    this.#snapshot = openSnapshot(snapshot);
  }

  readonly answer: AnswerQuery = (request, requestLength, client, transport, response) => {
    try {
      const length = respond(
        this.#scratch,
        this.#snapshot,
        request,
        requestLength,
        client,
        transport,
        response,
      );
      count(this.#counters, this.#scratch.decision, transport);
      return length;
    } catch (error) {
      this.#reportBug(error, transport, request.subarray(0, requestLength));
      return encodeServfail(request, requestLength, response);
    }
  };
}
