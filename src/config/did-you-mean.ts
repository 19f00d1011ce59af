/** Names further apart than this are not what was meant. */
const MOST_EDITS = 2;

/** A suggestion is a courtesy: more names than this are not searched. */
const MOST_CANDIDATES = 5_000;

/** ` Did you mean "fra"?` where a known name is close to the given one, else nothing; to be put after a sentence. */
export function didYouMean(given: string, known: Iterable<string>): string {
  let best: string | undefined;
  // A change of two letters in a name of three is another name.
  let fewest = Math.min(MOST_EDITS, Math.floor(given.length / 2)) + 1;
  let searched = 0;
  for (const name of known) {
    searched += 1;
    if (searched > MOST_CANDIDATES) break;
    const edits = editDistance(given.toLowerCase(), name.toLowerCase(), fewest);
    if (edits < fewest) {
      fewest = edits;
      best = name;
    }
  }
  return best === undefined ? '' : ` Did you mean "${best}"?`;
}

/** Letters to insert, remove or replace until both are equal; at least `enough` once it is that many. */
function editDistance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
