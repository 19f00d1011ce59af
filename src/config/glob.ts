/**
 * Whether a name is what a glob asks for. A `*` stands for any number of characters but slashes; all else for itself.
 *
 * Slash by slash, and in each part star by star: the text between two stars is taken where it comes first, which is
 * never a worse choice than a later place. So nothing is tried twice, whatever the glob.
 */
export function matchesGlob(glob: string, name: string): boolean {
  if (!glob.includes('/')) return matchesPart(glob, name);
  const globs = glob.split('/');
  const names = name.split('/');
  return globs.length === names.length && globs.every((part, i) => matchesPart(part, names[i] ?? ''));
}

function matchesPart(glob: string, name: string): boolean {
  if (name.includes('/')) return false;
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return glob === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const text of rest) {
    const found = name.indexOf(text, at);
    if (found < 0) return false;
    at = found + text.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
