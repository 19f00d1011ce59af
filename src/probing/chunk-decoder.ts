import { MAX_HEADER_OCTETS } from './http-reader.ts';

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;

/** A chunk of 2^48 octets is none that anybody sends; it keeps the size a whole number. */
const MAX_SIZE_DIGITS = 12;

/**
 * Takes the chunked coding (RFC 9112 section 7.1) off a body, piece by piece, in place.
 *
 *     1a;ext=1 CR LF  <26 octets> CR LF   0 CR LF  trailer: x CR LF  CR LF
 *     `-size-'`line'   `--data--' `gap'            `----- trailers ------'
 *
 * Everything beside the data counts against one bound, so that neither extensions, trailers nor a stream of chunks of
 * one octet go on without end.
 */
export class ChunkDecoder {
  #state: 'size' | 'line' | 'data' | 'gap' | 'trailers' | 'over' | 'too-large' | 'malformed' = 'size';
  #size = 0;
  #digits = 0;
  #beside = 0;
  /** Octets of the present trailer line. */
  #lineLength = 0;

  /** `reading` until the body is over or cannot be read on. */
  get state(): 'reading' | 'over' | 'too-large' | 'malformed' {
    const state = this.#state;
    return state === 'over' || state === 'too-large' || state === 'malformed' ? state : 'reading';
  }

  /** Moves the data among the octets to their beginning; returns how many there are. */
  decode(octets: Buffer): number {
    let decoded = 0;
    let at = 0;
    while (at < octets.length && this.state === 'reading') {
      if (this.#state === 'data') {
        const end = Math.min(octets.length, at + this.#size);
        octets.copyWithin(decoded, at, end);
        decoded += end - at;
        this.#size -= end - at;
        at = end;
        if (this.#size === 0) this.#state = 'gap';
      } else {
        this.#step(octets[at] ?? 0);
        at += 1;
      }
    }
    return decoded;
  }

  #step(octet: number): void {
    this.#beside += 1;
    if (this.#beside > MAX_HEADER_OCTETS) {
      this.#state = 'too-large';
      return;
    }
    switch (this.#state) {
      case 'size':
        this.#stepSize(octet);
        return;
      case 'line':
        if (octet === LF) this.#startChunk();
        return;
      case 'gap':
        if (octet === LF) this.#state = 'size';
        else if (octet !== CR) this.#state = 'malformed';
        return;
      default:
        this.#stepTrailer(octet);
    }
  }

  #stepSize(octet: number): void {
    const digit = hexDigit(octet);
    if (digit >= 0 && this.#digits < MAX_SIZE_DIGITS) {
      this.#size = this.#size * 16 + digit;
      this.#digits += 1;
    } else if (
      this.#digits > 0 &&
      (octet === CR || octet === SEMICOLON || octet === 0x20 || octet === 0x09)
    ) {
      this.#state = 'line';
    } else this.#state = 'malformed';
  }

  #startChunk(): void {
    this.#state = this.#size === 0 ? 'trailers' : 'data';
    this.#digits = 0;
    this.#lineLength = 0;
  }

  /** The first empty line ends the body. */
  #stepTrailer(octet: number): void {
    if (octet === LF) {
      if (this.#lineLength === 0) this.#state = 'over';
      this.#lineLength = 0;
    } else if (octet !== CR) this.#lineLength += 1;
  }
}

function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
