import {
  type AnswerScratch,
  createAnswerScratch,
  respond,
  type SenderAddress,
  type Transport,
} from '../answer/respond.ts';
import { count } from '../observe/counters.ts';
import { MAX_GAP, type Sampler } from '../observe/samples/sampler.ts';
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
  client: SenderAddress,
  transport: Transport,
  response: Uint8Array,
) => number;

/** RFC 7828 section 3.1. */
const KEEPALIVE_UNIT_MS = 100;
const MAX_KEEPALIVE_TIMEOUT = 0xffff;

/**
 * The one place where transports meet answers: bytes and an address in, a length out.
 * It holds the snapshot of its worker and is the outermost loop of the query path: nothing that `respond` throws
 * goes further.
 */
export class Answerer {
  readonly #scratch: AnswerScratch;
  readonly #counters: Float64Array;
  readonly #reportBug: ReportBug;
  readonly #sampler: Sampler | undefined;
  readonly #nowMs: () => number;
  /** Queries until one is sampled. */
  #untilSample: number;
  #snapshot: Snapshot;

  /** Throws where an image of the snapshot cannot be opened. Without a sampler no query is sampled. `nowMs`: since 1970. */
  constructor(
    snapshot: SnapshotMessage,
    counters: Float64Array,
    random: RandomSource,
    reportBug: ReportBug,
    sampler?: Sampler,
    nowMs: () => number = () => Date.now(),
  ) {
    this.#snapshot = openSnapshot(snapshot);
    this.#scratch = createAnswerScratch(random);
    this.#counters = counters;
    this.#reportBug = reportBug;
    this.#sampler = sampler;
    this.#untilSample = sampler?.nextGap() ?? MAX_GAP;
    this.#nowMs = nowMs;
    this.tick();
  }

  /** Answers from this snapshot from now on; throws, and keeps the one before, where it cannot be opened. */
  use(snapshot: SnapshotMessage): void {
    this.#snapshot = openSnapshot(snapshot);
  }

  /**
   * Reads the clock for the answers to come; cookies and limits count whole seconds, samples milliseconds. A
   * transport does so once for all that came together.
   */
  readonly tick = (): void => {
    const nowMs = this.#nowMs();
    this.#scratch.nowSeconds = (nowMs / 1000) | 0;
    this.#sampler?.tick(nowMs);
  };

  /** What clients over TCP are told that ask how long an idle connection is kept, in milliseconds (RFC 7828). */
  announceIdleTime(idleMs: number): void {
    this.#scratch.opt.keepaliveTimeout = Math.min(
      Math.floor(idleMs / KEEPALIVE_UNIT_MS),
      MAX_KEEPALIVE_TIMEOUT,
    );
  }

  readonly answer: AnswerQuery = (request, requestLength, client, transport, response) => {
    this.#untilSample--;
    return this.#untilSample > 0
      ? this.#answer(request, requestLength, client, transport, response)
      : this.#answerSampled(request, requestLength, client, transport, response);
  };

  #answerSampled(
    request: Uint8Array,
    requestLength: number,
    client: SenderAddress,
    transport: Transport,
    response: Uint8Array,
  ): number {
    const sampler = this.#sampler;
    this.#untilSample = sampler?.nextGap() ?? MAX_GAP;
    sampler?.begin(request, requestLength);
    const length = this.#answer(request, requestLength, client, transport, response);
    sampler?.end(this.#scratch, this.#snapshot, client, transport, response, length);
    return length;
  }

  #answer(
    request: Uint8Array,
    requestLength: number,
    client: SenderAddress,
    transport: Transport,
    response: Uint8Array,
  ): number {
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
  }
}
