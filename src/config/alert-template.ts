import { type Parsed, type Problem, parsed } from './problem.ts';

/** What a template can name. */
export const alertPlaceholders = [
  'id',
  'event',
  'severity',
  'title',
  'text',
  'at',
  'count',
  'dataCenters',
  'pools',
  'endpoints',
] as const;

type AlertPlaceholder = (typeof alertPlaceholders)[number];

export type AlertTexts = Readonly<Record<AlertPlaceholder, string>>;

const PLACEHOLDER = /\{\{\s*(\w*)\s*\}\}/g;

/** Shows every kind of character that a text can put into a template. */
const SAMPLE = 'a "quoted" \\ text,\n{of two} lines';

/**
 * Checks a template: it names known placeholders only, and is JSON whatever texts take their places; so each stands
 * within a text of the template.
 */
export function parseAlertTemplate(text: string): Parsed<string> {
  const problems: Problem[] = [];
  for (const [written, name] of text.matchAll(PLACEHOLDER)) {
    if (isPlaceholder(name ?? '')) continue;
    const message = `knows no placeholder ${written}; there are ${alertPlaceholders.join(', ')}`;
    problems.push({ code: 'unknown-placeholder', path: 'template', message });
  }
  const sample = Object.fromEntries(alertPlaceholders.map((name) => [name, SAMPLE])) as AlertTexts;
  if (problems.length === 0 && !isJson(fillAlertTemplate(text, sample))) {
    const message = 'is not JSON once its placeholders are filled; write them within quotes, as "{{title}}"';
    problems.push({ code: 'bad-template', path: 'template', message });
  }
  return problems.length === 0 ? parsed(text) : { ok: false, problems };
}

/** Puts texts in the places of a template, escaped as texts of JSON. */
export function fillAlertTemplate(template: string, texts: AlertTexts): string {
  return template.replace(PLACEHOLDER, (written, name: string) =>
    isPlaceholder(name) ? JSON.stringify(texts[name]).slice(1, -1) : written,
  );
}

function isPlaceholder(name: string): name is AlertPlaceholder {
  return alertPlaceholders.some((known) => known === name);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
