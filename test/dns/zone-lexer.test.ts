import { describe, expect, it } from 'vitest';
import { ZoneLexer } from '../../src/dns/zone-lexer.ts';

/** Each entry on a line: its line number, `_` for a leading blank, its fields (quoted ones in quotes), its mistake. */
function lex(text: string): string {
  const lexer = new ZoneLexer(text);
  const entries: string[] = [];
  for (let entry = lexer.next(); entry !== undefined; entry = lexer.next()) {
    const fields = entry.fields.map((field) => (field.quoted ? `"${field.text}"` : field.text));
    const head = `${entry.line}${entry.startsBlank ? '_' : ''}`;
    entries.push(
      entry.mistake === undefined
        ? [head, ...fields].join(' ')
        : `${entry.mistake.line}! ${entry.mistake.sentence}`,
    );
  }
  return entries.join('\n');
}

const unclosed = 'has a parenthesis that is never closed';
const openQuote = 'has a quote that is not closed on its line';

describe('ZoneLexer', () => {
  const cases = [
    { name: 'nothing', given: '', want: '' },
    { name: 'blanks and comments only', given: ' \n\t; a "comment (\n;x', want: '' },
    { name: 'lines', given: 'a b\n\n c\td ;e\nf', want: '1 a b\n3_ c d\n4 f' },
    { name: 'carriage returns', given: 'a b\r\n c\r\n', want: '1 a b\n2_ c' },
    { name: 'a byte order mark', given: '\ufeffa b', want: '1 a b' },
    { name: 'parentheses over lines', given: 'a (b ; x )\n c\n\n) d\ne', want: '1 a b c d\n5 e' },
    { name: 'parentheses touch fields', given: 'a(b)c', want: '1 a b c' },
    { name: 'two pairs', given: 'a (b) (c\n) d', want: '1 a b c d' },
    { name: 'quotes hide what has a meaning', given: 'a "b ; ( c) \\" d" e', want: '1 a "b ; ( c) \\" d" e' },
    { name: 'an empty quoted string', given: 'a ""', want: '1 a ""' },
    { name: 'escapes hide what has a meaning', given: 'a\\;b \\(c\\ d \\"', want: '1 a\\;b \\(c\\ d \\"' },
    { name: 'a backslash at the end of a line', given: 'a\\\nb', want: '1 a\\\n2 b' },
    { name: 'a backslash at the end', given: 'a\\', want: '1 a\\' },
    { name: 'an open quote', given: 'a "b\nc d', want: `1! ${openQuote}\n2 c d` },
    { name: 'an open quote that ends in a backslash', given: 'a "b\\\nc d', want: `1! ${openQuote}\n2 c d` },
    { name: 'an open quote in parentheses', given: 'a (\n"b\nc)\nd', want: `2! ${openQuote}\n4 d` },
    {
      name: 'a stray closing parenthesis',
      given: 'a ) b\nc',
      want: '1! has a closing parenthesis without an opening one\n2 c',
    },
    { name: 'a parenthesis open at the end', given: 'a (b\nc d\ne', want: `1! ${unclosed}\n2 c d\n3 e` },
    {
      name: 'a parenthesis open before another entry',
      given: 'a (b\nc\nd (e\nf)\ng',
      want: `1! ${unclosed}\n3 d e f\n5 g`,
    },
    {
      name: 'one inside the other',
      given: 'a (b (c) d)\ne',
      want: '1! has a parenthesis inside a parenthesis\n2 e',
    },
    {
      name: 'touching quotes',
      given: '"a""b"\n',
      want: '1! has a quoted string that touches the next field; set them apart by a blank',
    },
  ];
  it.each(cases)('$name', ({ given, want }) => expect(lex(given)).toBe(want));
});
