import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createContract, parseBody } from '../../src/config/contract.ts';
import { composedMonitor } from '../../src/config/resources/composed-monitor.ts';
import { pushMonitor } from '../../src/config/resources/push-monitor.ts';
import { readDirectory } from '../../src/directory/read-directory.ts';
import { probeKinds } from '../../src/probing/probes/index.ts';

const contract = createContract(probeKinds);
const docs = join(import.meta.dirname, '..', '..', 'docs');
const textOf = (name: string): string => readFileSync(join(docs, name), 'utf8');
const blocks = (text: string, language: string): readonly string[] =>
  Array.from(
    text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm')),
    ([, block = '']) => block,
  );

const directories: string[] = [];
afterEach(() => {
  for (const path of directories.splice(0)) rmSync(path, { recursive: true });
});

/** A directory with each text as a file. */
function directoryOf(texts: readonly string[]): string {
  const path = mkdtempSync(join(tmpdir(), 'meridian-docs-'));
  directories.push(path);
  mkdirSync(join(path, 'zones'));
  texts.forEach((text, i) => {
    writeFileSync(join(path, `${i}.yaml`), text);
  });
  return path;
}

/** What the pages speak of and do not show. */
const around: Readonly<Record<string, string>> = {
  'health.md': `
dataCenters:
  - { name: fra, latitude: 50.11, longitude: 8.68 }
  - { name: sin, latitude: 1.35, longitude: 103.82 }
pools:
  - name: db
    endpoints:
      - { name: fra-1, dataCenter: fra, address: 192.0.2.21 }
      - { name: sin-1, dataCenter: sin, address: 198.51.100.21 }
  - { name: maintenance, endpoints: [{ name: flag, dataCenter: fra, address: 192.0.2.22 }] }
`,
  'capacity.md': '',
};

describe.each(Object.keys(around))('%s', (page) => {
  it('has examples in YAML that a node takes', async () => {
    const texts = [...blocks(textOf(page), 'yaml'), around[page] ?? ''].filter((text) => text !== '');
    expect(texts.length).toBeGreaterThan(1);
    const read = await readDirectory(directoryOf(texts), contract);
    expect(read.ok ? [] : read.problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([]);
  });

  it('has examples of requests with bodies that are JSON', () => {
    const bodies = blocks(textOf(page), 'sh').flatMap((block) =>
      Array.from(block.matchAll(/-d '(\{.*\})'/g), ([, body = '']) => body),
    );
    expect(bodies.length).toBeGreaterThan(0);
    for (const body of bodies) expect(() => JSON.parse(body)).not.toThrow();
  });
});

it('shows overrides and windows as the contract has them', () => {
  const text = textOf('health.md');
  const targets = Array.from(text.matchAll(/^\| `(\{"kind".*?\})` \|/gm), ([, target = '']) =>
    JSON.parse(target),
  );
  expect(targets.length).toBe(5);
  for (const target of targets)
    expect(
      parseBody(contract.schemas.overrides, { id: 'o', state: 'down', reason: 'r', target }, ''),
    ).toMatchObject({ ok: true });
});

describe('the table of monitors', () => {
  const rows = new Map(
    Array.from(
      textOf('health.md').matchAll(/^\| `(\w+)` \|[^|]*\|[^|]*\|(.*)\|$/gm),
      ([, kind = '', settings = '']) => [kind, settings],
    ),
  );
  const kinds = [...probeKinds, pushMonitor, composedMonitor];

  it('has a row for each kind', () => {
    expect(kinds.map(({ kind }) => kind).filter((kind) => !rows.has(kind))).toEqual([]);
  });

  it.each(kinds.map((kind) => [kind.kind, kind] as const))(
    'names every setting of %s',
    (kind, { settings }) => {
      const { properties = {} } = z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' });
      // HTTPS has what HTTP has.
      const row = kind === 'https' ? `${rows.get('http')}${rows.get('https')}` : (rows.get(kind) ?? '');
      expect(Object.keys(properties).filter((name) => !row.includes(`\`${name}\``))).toEqual([]);
    },
  );
});
