import type { SenderAddress } from '../../answer/client.ts';
import type { ClientSource, Decision } from '../../answer/decision.ts';
import type { Transport } from '../../answer/respond.ts';
import type { AnswerScratch } from '../../answer/scratch.ts';
import { copyOctets } from '../../dns/copy-octets.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { ZoneImage } from '../../snapshot/zone-image.ts';
import type { RandomSource } from '../../steering/program.ts';
import { countSampleDropped, countSampleTaken, outcomeOffset } from '../counters.ts';
import {
  MAX_KEPT_QUERY_OCTETS,
  MAX_KEPT_RESPONSE_OCTETS,
  MAX_SAMPLE_OCTETS,
  SAMPLE_ADDRESSES,
  SAMPLE_CLIENT,
  SAMPLE_DATA_CENTER,
  SAMPLE_KEPT,
  SAMPLE_NAMES,
  SAMPLE_OUTCOME,
  SAMPLE_QUERY_LENGTH,
  SAMPLE_RCODE_MASK,
  SAMPLE_RCODE_SHIFT,
  SAMPLE_RESOLVER,
  SAMPLE_RESPONSE_LENGTH,
  SAMPLE_SCOPE,
  SAMPLE_SOURCE_SHIFT,
  SAMPLE_STEERED_BIT,
  SAMPLE_TCP_BIT,
  SAMPLE_TIME,
  SAMPLE_TRUNCATED_BIT,
  SAMPLE_TYPE,
  SAMPLE_WEIGHT,
  SAMPLE_WORDS,
} from './sample.ts';
import { NO_RECORD, RingWriter } from './sample-ring.ts';

/** The longest wait between two samples, also where nothing is sampled: such numbers never need an allocation. */
export const MAX_GAP = 2 ** 30;

/** Which queries of one worker are sampled, and where they go. */
export interface Sampling {
  /** One of so many on average: 1 to `MAX_GAP`. */
  readonly every: number;
  /**
   * Where that would be more samples in a second than these, fewer queries are sampled, each counting for more: figures
   * do not get better from here on. Undefined where somebody wants to see every one of them.
   */
  readonly perSecond?: number | undefined;
  readonly ring: SharedArrayBuffer;
}

/** How often the rate is set anew: soon enough for a wave of queries, seldom enough to cost nothing. */
const RATE_WINDOW_MS = 1000;

/** A chance of 2^-32 is half a step away from both ends. */
const STEPS = 2 ** 32;

/**
 * Takes samples of one worker's queries: each has the same chance, whatever came before it, so that traffic in step
 * with the count is neither missed nor caught every time. The caller counts down from `nextGap`, which is all that a
 * query costs that is not sampled. Allocates nothing.
 */
export class Sampler {
  readonly #fewest: number;
  readonly #perSecond: number;
  #every: number;
  #taken = 0;
  readonly #ring: RingWriter;
  readonly #times: Float64Array;
  readonly #counters: Float64Array;
  readonly #random: RandomSource;
  /** One number, in an array because a field would be allocated anew with each time that it is set to. */
  readonly #now = new Float64Array(1);
  /** When the rate was last set, and the logarithm of the chance that a query is not sampled; likewise. */
  readonly #rate = new Float64Array(2);
  /** Where the sample under way is written; `NO_RECORD` where the ring is full. */
  #offset = NO_RECORD;
  #queryLength = 0;

  constructor(sampling: Sampling, counters: Float64Array, random: RandomSource) {
    this.#fewest = sampling.every;
    this.#perSecond = sampling.perSecond ?? MAX_GAP;
    this.#every = sampling.every;
    this.#ring = new RingWriter(sampling.ring);
    this.#times = new Float64Array(sampling.ring);
    this.#counters = counters;
    this.#random = random;
    this.#rate[1] = Math.log1p(-1 / sampling.every);
  }

  /** The time of the samples to come, in milliseconds since 1970. */
  tick(nowMs: number): void {
    this.#now[0] = nowMs;
    if (nowMs - (this.#rate[0] as number) >= RATE_WINDOW_MS) this.#setRate(nowMs);
  }

  /** From the queries of the last window, for which the samples stand. */
  #setRate(nowMs: number): void {
    const seconds = Math.max(nowMs - (this.#rate[0] as number), RATE_WINDOW_MS) / 1000;
    const wanted = (this.#taken * this.#every) / (seconds * this.#perSecond);
    this.#every = Math.min(Math.max(this.#fewest, Math.ceil(wanted)), MAX_GAP) | 0;
    this.#taken = 0;
    this.#rate[0] = nowMs;
    this.#rate[1] = Math.log1p(-1 / this.#every);
  }

  /** How many queries on is the next to be sampled: 1 for the very next, geometrically distributed. */
  nextGap(): number {
    if (this.#every === 1) return 1;
    const chance = (this.#random.nextUint32() + 0.5) / STEPS;
    return Math.min(1 + Math.floor(Math.log(chance) / (this.#rate[1] as number)), MAX_GAP) | 0;
  }

  /** Before the query is answered, which may be in its own place. */
  begin(request: Uint8Array, requestLength: number): void {
    this.#offset = this.#ring.reserve(MAX_SAMPLE_OCTETS);
    if (this.#offset === NO_RECORD) {
      countSampleDropped(this.#counters);
      return;
    }
    this.#queryLength = requestLength;
    const kept = Math.min(requestLength, MAX_KEPT_QUERY_OCTETS);
    copyOctets(request, 0, this.#ring.octets, this.#offset + SAMPLE_WORDS * 4, kept);
  }

  /** After it has been answered with so many octets of `response`; `scratch` and `snapshot` are those of the answer. */
  end(
    scratch: AnswerScratch,
    snapshot: Snapshot,
    client: SenderAddress,
    transport: Transport,
    response: Uint8Array,
    responseLength: number,
  ): void {
    if (this.#offset === NO_RECORD) return;
    const { words } = this.#ring;
    const { decision } = scratch;
    const start = this.#offset / 4;
    words[start + SAMPLE_OUTCOME] =
      outcomeOffset(decision.outcome) |
      ((decision.rcode & SAMPLE_RCODE_MASK) << SAMPLE_RCODE_SHIFT) |
      (transport === 'tcp' ? SAMPLE_TCP_BIT : 0) |
      (decision.truncated ? SAMPLE_TRUNCATED_BIT : 0) |
      (decision.steered >= 0 ? SAMPLE_STEERED_BIT : 0) |
      (sourceCode(decision.clientSource) << SAMPLE_SOURCE_SHIFT);
    words[start + SAMPLE_TYPE] = decision.queryType | ((client.port ?? 0) << 16);
    this.#times[(this.#offset + SAMPLE_TIME * 4) / 8] = this.#now[0] as number;
    words[start + SAMPLE_DATA_CENTER] = decision.dataCenter;
    words[start + SAMPLE_SCOPE] = decision.scopePrefixLength;
    words[start + SAMPLE_WEIGHT] = this.#every;
    words[start + SAMPLE_QUERY_LENGTH] = this.#queryLength;
    words[start + SAMPLE_RESPONSE_LENGTH] = responseLength;
    words[start + SAMPLE_ADDRESSES] =
      client.family |
      (decision.clientFamily << 8) |
      (decision.sourcePrefixLength << 16) |
      (decision.mapPrefixLength << 24);
    this.#putAddresses(client, decision);
    this.#ring.commit(this.#putOctets(scratch, snapshot, response, responseLength) - this.#offset);
    this.#taken++;
    countSampleTaken(this.#counters);
  }

  #putAddresses(client: SenderAddress, decision: Decision): void {
    const { octets } = this.#ring;
    copyOctets(client.octets, 0, octets, this.#offset + SAMPLE_RESOLVER * 4, client.family === 4 ? 4 : 16);
    copyOctets(decision.clientAddress, 0, octets, this.#offset + SAMPLE_CLIENT * 4, 16);
  }

  /** Puts what is of variable length behind the query; returns where it ends. */
  #putOctets(
    scratch: AnswerScratch,
    snapshot: Snapshot,
    response: Uint8Array,
    responseLength: number,
  ): number {
    const { octets, words } = this.#ring;
    const { decision, target } = scratch;
    const start = this.#offset / 4;
    const keptQuery = Math.min(this.#queryLength, MAX_KEPT_QUERY_OCTETS);
    const keptResponse = responseLength <= MAX_KEPT_RESPONSE_OCTETS ? responseLength : 0;
    words[start + SAMPLE_KEPT] = keptQuery | (keptResponse << 16);
    let at = this.#offset + SAMPLE_WORDS * 4 + keptQuery;
    copyOctets(response, 0, octets, at, keptResponse);
    at += keptResponse;
    let apexLength = 0;
    if (decision.zone >= 0) {
      const zone = snapshot.zones.images[decision.zone] as ZoneImage;
      apexLength = zone.apexLength;
      copyOctets(zone.octets, zone.apexAt, octets, at, apexLength);
      at += apexLength;
    }
    const targetLength = decision.cnameSteps > 0 ? target.length : 0;
    copyOctets(target.octets, 0, octets, at, targetLength);
    words[start + SAMPLE_NAMES] = apexLength | (targetLength << 16);
    return at + targetLength;
  }
}

/** Position in `clientSources`. */
function sourceCode(source: ClientSource): number {
  return source === 'none' ? 0 : source === 'client-subnet' ? 1 : 2;
}
