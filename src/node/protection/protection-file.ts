import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import { type Parsed, type Problem, reasonOf, refused } from '../../config/problem.ts';
import { parseProtection } from '../../config/protection-schema.ts';
import type { ProtectionSettings } from '../../protection/settings.ts';

/** Reads a protection file; all that is wrong with it comes at once, with the file as its source. */
export async function readProtectionFile(file: string): Promise<Parsed<ProtectionSettings>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const why = reasonOf(error);
    return refused('unreadable-protection', '--protection', `${file} cannot be read: ${why}.`);
  }
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, logLevel: 'silent' });
  const lineAt = (offset: number): number => Math.max(1, counter.linePos(offset).line);
  const mistakes = document.errors.map(({ message, pos }): Problem => {
    const [first = ''] = message.split('\n');
    return {
      code: 'bad-yaml',
      path: file,
      message: `${first.replace(/[:.]$/, '')}.`,
      source: { file, line: lineAt(pos[0]) },
    };
  });
  if (mistakes.length > 0) return { ok: false, problems: mistakes };
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Aliases without end.
    return refused('bad-yaml', file, reasonOf(error));
  }
  const settings = parseProtection(value);
  if (settings.ok) return settings;
  return {
    ok: false,
    problems: settings.problems.map((problem) => ({
      ...problem,
      path: problem.path === '' ? file : `${file}: ${problem.path}`,
    })),
  };
}
