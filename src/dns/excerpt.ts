/** Longest piece of input that a problem repeats: enough to find it, short enough to read. */
const MAX_EXCERPT_LENGTH = 80;

/** Input as a problem's sentence shows it: in quotes, control characters replaced, and cut when long. */
export function excerpt(text: string): string {
  const cut = text.length > MAX_EXCERPT_LENGTH ? `${text.slice(0, MAX_EXCERPT_LENGTH)}…` : text;
  let shown = '';
  for (const character of cut) shown += character < ' ' || character === '\x7f' ? '\ufffd' : character;
  return `"${shown}"`;
}
