import { type BlobChunk, CHUNK_OCTETS } from './blob-messages.ts';

/** Asked of one peer at once: 2 MiB, what a link of 160 Mbit/s and 100 ms holds. */
export const MAX_CHUNKS_ASKED = 8;

/** What a chunk did to the blob that is being fetched. */
export type Took = 'more' | 'whole' | 'unexpected';

/**
 * One blob on its way here, from one peer at a time. Chunks are asked for in order, and those that are here stay when
 * the peer goes away: the next one is asked for the rest.
 *
 *     |■■■■■■■■■■■■■■|? ? ? ?|. . . . . . . |
 *      here           asked   `next`        length, known with the first chunk
 */
export class BlobFetch {
  readonly hash: string;
  #peer: string | undefined;
  /** All that is here, without a gap. */
  readonly #chunks: Uint8Array[] = [];
  #length: number | undefined;
  /** Where the next chunk to ask for begins. */
  #next = 0;
  #here = 0;
  /** Everyone whose chunks are in it. */
  readonly #sources = new Set<string>();

  constructor(hash: string) {
    this.hash = hash;
  }

  /** Who is being asked. */
  get peer(): string | undefined {
    return this.#peer;
  }

  get sources(): ReadonlySet<string> {
    return this.#sources;
  }

  get octetsHere(): number {
    return this.#here;
  }

  /** Goes on with this peer from what is here; undefined: with nobody for now. */
  askFrom(peer: string | undefined): void {
    this.#peer = peer;
    this.#next = this.#here;
  }

  /** Where the next chunk to ask for begins; undefined when enough is asked for. Reported by `asked`. */
  wanted(): number | undefined {
    if (this.#peer === undefined) return undefined;
    // Of a blob whose length nobody has said, one chunk is asked for.
    if (this.#length === undefined) return this.#next === 0 ? 0 : undefined;
    if (this.#next >= this.#length || this.#next - this.#here >= MAX_CHUNKS_ASKED * CHUNK_OCTETS)
      return undefined;
    return this.#next;
  }

  asked(): void {
    this.#next += CHUNK_OCTETS;
  }

  take(peer: string, { at, length, octets }: BlobChunk): Took {
    const fits = peer === this.#peer && at === this.#here && at < this.#next;
    if (!fits || (this.#length !== undefined && this.#length !== length)) return 'unexpected';
    this.#length = length;
    this.#chunks.push(octets);
    this.#here += octets.length;
    this.#sources.add(peer);
    return this.#here >= length ? 'whole' : 'more';
  }

  /** All of it. Chunks are let go of as they are copied, so that a large blob is not there twice. */
  join(): Uint8Array {
    const whole = new Uint8Array(this.#here);
    let at = 0;
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }
}
