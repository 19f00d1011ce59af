/** Says of a name whether it is what a glob asks for. */
export type Matcher = (name: string) => boolean;

/**
 * A glob without slashes, made ready to be held against many names: a `*` stands for any number of characters, all else
 * for itself.
 *
 * The text between two stars is taken where it comes first, which is never a worse choice than a later place. So nothing
 * is tried twice, whatever the glob.
 */
export function globMatcher(glob: string): Matcher {
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return (name) => name === glob;
  const inner = rest.filter((text) => text !== '');
  return (name) => {
    if (!name.startsWith(first)) return false;
    let at = first.length;
    for (const text of inner) {
      const found = name.indexOf(text, at);
      if (found < 0) return false;
      at = found + text.length;
    }
    return name.length - last.length >= at && name.endsWith(last);
  };
}
