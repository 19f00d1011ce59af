/** A search for a text in octets that arrive in pieces, in bounded memory. */
export interface TextSearch {
  /** Takes the next piece. `full`: the limit is reached and the text was not in it. */
  add(piece: Uint8Array): 'found' | 'searching' | 'full';
}

/**
 * Searches the first `limitOctets` of a stream for a text in UTF-8.
 *
 * Only the tail that could hold the beginning of the text is kept from one piece to the next, so that a stream that
 * trickles octet by octet costs no more than one that comes at once.
 */
export function createTextSearch(text: string, limitOctets: number): TextSearch {
  const wanted = Buffer.from(text);
  let tail: Uint8Array = new Uint8Array(0);
  let seenOctets = 0;
  return {
    add(piece) {
      const bounded = piece.subarray(0, limitOctets - seenOctets);
      seenOctets += bounded.length;
      const joined = tail.length === 0 ? Buffer.from(bounded) : Buffer.concat([tail, bounded]);
      if (joined.includes(wanted)) return 'found';
      if (seenOctets >= limitOctets) return 'full';
      tail = joined.subarray(Math.max(0, joined.length - wanted.length + 1));
      return 'searching';
    },
  };
}
