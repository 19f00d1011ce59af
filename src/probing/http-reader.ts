import type { ProbeReason } from '../health/probe-result.ts';
import { ChunkDecoder } from './chunk-decoder.ts';
import { type BodyFraming, parseHead, type ResponseHead } from './http-head.ts';

/** A response whose header section is larger is refused; real ones are a tenth of it. */
export const MAX_HEADER_OCTETS = 16_384;

/** Every HTTP/1 response begins so (RFC 9112 section 4). */
const BEGINNING = Buffer.from('HTTP/1.');

const END_OF_HEAD = '\r\n\r\n';

/** Why a response is no good. */
export interface Refusal {
  readonly reason: ProbeReason;
  /** Begins a sentence that the run completes with place and time. */
  readonly what: string;
}

/** Who is told what a response holds, as it arrives. */
export interface ResponseSink {
  /** Fields of the head that are to be told, in lower case. */
  readonly fields?: readonly string[] | undefined;
  onHead(head: ResponseHead): void;
  /** The octets are only lent: they change when this returns. */
  onBody(octets: Uint8Array): void;
  /** The response is complete. */
  onComplete(): void;
  onRefused(refusal: Refusal): void;
}

/**
 * Reads one HTTP/1.1 response (RFC 9112) from octets that arrive in pieces, and keeps none of its body.
 *
 *     head ------------> onHead -----> body by length, by chunks or up to the close ---> onBody ... onComplete
 *      |  ^    |
 *      |  `----' 1xx: another head follows
 *      `---> onRefused: no HTTP, more than MAX_HEADER_OCTETS, framing that cannot be trusted
 *
 * Strict where a lenient reader would guess: a line that ends without CR, a folded header, a body of two lengths. A
 * head that comes in one piece, as nearly all do, is not copied.
 */
export class ResponseReader {
  readonly #sink: ResponseSink;
  readonly #method: string;
  #state: 'head' | 'body' | 'over' = 'head';
  /** The octets of an incomplete head. */
  #head: Buffer | undefined;
  /** Of interim responses that came before. */
  #interimOctets = 0;
  #framing: BodyFraming = { kind: 'none' };
  #bodyLeft = 0;
  #chunks: ChunkDecoder | undefined;

  constructor(method: string, sink: ResponseSink) {
    this.#method = method;
    this.#sink = sink;
  }

  /** Takes what has arrived; it may be overwritten afterwards. */
  read(octets: Buffer): void {
    let rest: Buffer | undefined = octets;
    while (rest !== undefined && this.#state === 'head') rest = this.#readHead(rest);
    if (rest !== undefined && rest.length > 0 && this.#state === 'body') this.#readBody(rest);
  }

  /** The connection was closed in an orderly way. */
  end(): void {
    if (this.#state === 'over') return;
    if (this.#state === 'head')
      this.#refuse('connection-reset', 'Connection closed before the response was there');
    else if (this.#framing.kind === 'close') this.#complete();
    else this.#refuse('connection-reset', 'Connection closed in the middle of the body');
  }

  /** Returns what follows the head; undefined when it is not complete. */
  #readHead(octets: Buffer): Buffer | undefined {
    const before = this.#head;
    const gathered = before === undefined ? octets : Buffer.concat([before, octets]);
    const known = Math.min(BEGINNING.length, gathered.length);
    if (gathered.compare(BEGINNING, 0, known, 0, known) !== 0) {
      this.#refuse('malformed-response', 'What came is no HTTP/1 response');
      return undefined;
    }
    const searched = Math.max(0, (before?.length ?? 0) - END_OF_HEAD.length + 1);
    const end = gathered.indexOf(END_OF_HEAD, searched, 'latin1');
    const length = end < 0 ? gathered.length : end + END_OF_HEAD.length;
    if (this.#interimOctets + length > MAX_HEADER_OCTETS) {
      this.#refuse('response-too-large', `Header section of more than ${MAX_HEADER_OCTETS} octets`);
      return undefined;
    }
    if (end < 0) {
      this.#head = before === undefined ? Buffer.from(gathered) : gathered;
      return undefined;
    }
    this.#head = undefined;
    this.#takeHead(gathered.toString('latin1', 0, end), length);
    return gathered.subarray(length);
  }

  #takeHead(text: string, octets: number): void {
    const head = parseHead(text, this.#method, this.#sink.fields);
    if ('reason' in head) {
      this.#refuse(head.reason, head.what);
      return;
    }
    // A switch of protocols is an answer as any other; all other interim ones are followed by the answer.
    if (head.status < 200 && head.status !== 101) {
      this.#interimOctets += octets;
      return;
    }
    this.#state = 'body';
    this.#framing = head.framing;
    if (head.framing.kind === 'length') this.#bodyLeft = head.framing.octets;
    if (head.framing.kind === 'chunked') this.#chunks = new ChunkDecoder();
    this.#sink.onHead(head);
    if (head.framing.kind === 'none' || (head.framing.kind === 'length' && this.#bodyLeft === 0))
      this.#complete();
  }

  #readBody(octets: Buffer): void {
    switch (this.#framing.kind) {
      case 'close':
        this.#sink.onBody(octets);
        return;
      case 'length': {
        const part = octets.subarray(0, this.#bodyLeft);
        this.#bodyLeft -= part.length;
        this.#sink.onBody(part);
        if (this.#bodyLeft === 0) this.#complete();
        return;
      }
      case 'chunked':
        this.#readChunks(octets);
        return;
      case 'none':
        return;
    }
  }

  #readChunks(octets: Buffer): void {
    const decoded = this.#chunks?.decode(octets) ?? 0;
    if (decoded > 0) this.#sink.onBody(octets.subarray(0, decoded));
    if (this.#chunks?.state === 'over') this.#complete();
    else if (this.#chunks?.state === 'too-large')
      this.#refuse(
        'response-too-large',
        `More than ${MAX_HEADER_OCTETS} octets beside the chunks of the body`,
      );
    else if (this.#chunks?.state === 'malformed')
      this.#refuse('malformed-response', 'Chunks that cannot be read');
  }

  #complete(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#sink.onComplete();
  }

  #refuse(reason: ProbeReason, what: string): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#sink.onRefused({ reason, what });
  }
}
