import type { DocumentEntry, MessagePart } from './document-messages.ts';

/** What a piece did: the message is whole, goes on, or the piece does not fit what came before. */
export type Assembled =
  | { readonly kind: 'whole'; readonly entry: DocumentEntry }
  | { readonly kind: 'goes-on' }
  | { readonly kind: 'misfit' };

/** Puts long messages together again. A session keeps the order of frames, so there is one under way at the most. */
export class PartAssembly {
  #document: string | undefined;
  #length = 0;
  #octets = 0;
  #pieces: Uint8Array[] = [];

  /** Octets that wait for the rest of their message. */
  get waitingOctets(): number {
    return this.#octets;
  }

  add({ document, heads, at, length, octets }: MessagePart): Assembled {
    if (at === 0) this.#begin(document, length);
    if (document !== this.#document || length !== this.#length || at !== this.#octets) {
      this.#begin(undefined, 0);
      return { kind: 'misfit' };
    }
    this.#pieces.push(octets);
    this.#octets += octets.length;
    if (this.#octets < length) return { kind: 'goes-on' };
    const message = new Uint8Array(Buffer.concat(this.#pieces));
    this.#begin(undefined, 0);
    return { kind: 'whole', entry: { document, heads, content: { kind: 'message', message } } };
  }

  #begin(document: string | undefined, length: number): void {
    this.#document = document;
    this.#length = length;
    this.#octets = 0;
    this.#pieces = [];
  }
}
