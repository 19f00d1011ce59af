import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * Who may import whom. A folder may always import itself.
 * Core folders are pure: no `node:` import, no clock, no randomness, no waiting.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  // core
  dns: ['config/problem'],
  geo: ['config/problem', 'dns/address'],
  steering: ['geo', 'dns', 'config/problem', 'snapshot', 'answer/decision'],
  config: ['dns', 'steering', 'geo', 'protection/settings'],
  protection: ['dns', 'geo/prefix'],
  snapshot: ['dns', 'steering', 'geo', 'config', 'protection'],
  answer: ['dns', 'snapshot', 'steering', 'geo', 'config', 'health', 'protection'],
  health: ['config', 'snapshot/verdict-table'],
  latency: ['config/problem', 'dns/address', 'geo', 'steering/measured'],
  // shell
  history: ['health', 'config', 'alerts/delivery'],
  alerts: ['health', 'config'],
  disk: [],
  store: ['config', 'disk'],
  directory: ['config', 'dns'],
  cluster: ['config', 'dns', 'health', 'store', 'observe', 'settings', 'disk'],
  geofiles: ['geo', 'config/problem'],
  probing: ['config', 'dns', 'health', 'server/native', 'server/native-ping'],
  server: ['answer', 'dns', 'snapshot', 'steering', 'observe', 'config/problem', 'collector', 'worker-url'],
  observe: ['answer', 'dns', 'health', 'config', 'snapshot', 'steering/program'],
  api: [
    'answer',
    'config',
    'dns',
    'geo',
    'health',
    'latency',
    'steering',
    'observe/traffic/traffic-report',
    'alerts/delivery',
    'cluster/members/member-view',
    'store/conflicts/conflict',
  ],
  demo: ['config/problem'],
  settings: [
    'flags',
    'config/problem',
    'config/did-you-mean',
    'dns/address',
    'server/listen-address',
    'observe/log-level',
    'demo/demo-port',
  ],
  cli: ['*'],
  node: ['*'],
};

const coreFolders = [
  'dns',
  'geo',
  'steering',
  'config',
  'protection',
  'snapshot',
  'answer',
  'health',
  'latency',
];

const root = join(import.meta.dirname, '..', '..', 'src');
const sources = globSync('**/*.ts', { cwd: root })
  .filter((file) => !file.startsWith('dashboard/'))
  .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));

function importsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
}

function folderOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : '';
}

/** Without comments, so that words in prose do not count. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}

describe('who may import whom', () => {
  it('has a row for every folder', () => {
    const folders = new Set(sources.map(({ file }) => folderOf(file)).filter((folder) => folder !== ''));
    expect([...folders].filter((folder) => !(folder in mayImport))).toEqual([]);
  });

  it('is kept by every file', () => {
    const offences: string[] = [];
    for (const { file, text } of sources) {
      const folder = folderOf(file);
      const allowed = mayImport[folder];
      if (allowed === undefined || allowed.includes('*')) continue;
      for (const specifier of importsOf(text).filter((name) => name.startsWith('.'))) {
        const target = relative('.', normalize(join(dirname(file), specifier)));
        const same = folderOf(target) === folder;
        const listed = allowed.some((entry) => target === `${entry}.ts` || target.startsWith(`${entry}/`));
        if (!same && !listed) offences.push(`${file} imports ${target}`);
      }
    }
    expect(offences).toEqual([]);
  });

  it('lets nothing but the command line import main', () => {
    const offences = sources
      .filter(({ file }) => folderOf(file) !== 'cli')
      .filter(({ text }) => importsOf(text).some((specifier) => /(^|\/)main\.ts$/.test(specifier)))
      .map(({ file }) => file);
    expect(offences).toEqual([]);
  });
});

describe('files of threads', () => {
  it('are where whoever starts them looks', () => {
    const known = new Set(sources.map(({ file }) => file));
    const named = sources.flatMap(({ file, text }) =>
      Array.from(codeOf(text).matchAll(/workerUrl\(import\.meta\.url, '([^']+)'\)/g), ([, path = '']) => ({
        file,
        target: `${relative('.', normalize(join(dirname(file), path)))}.ts`,
      })),
    );
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter(({ target }) => !known.has(target))).toEqual([]);
  });
});

describe('what is loaded before the first answer', () => {
  /** What a module loads when it is loaded: neither types nor what is imported later. */
  function loadedBy(text: string): readonly string[] {
    const statements = codeOf(text).matchAll(/^(?:import|export) (?!type )(?:[^;]*? from )?'([^']+)';/gm);
    return Array.from(statements, (match) => match[1] ?? '');
  }

  it('is our own code and the runtime, and no library', () => {
    const texts = new Map(sources.map(({ file, text }) => [file, text]));
    const known = new Set<string>(['main.ts']);
    const libraries: string[] = [];
    for (const file of known)
      for (const specifier of loadedBy(texts.get(file) ?? '')) {
        if (specifier.startsWith('.')) known.add(relative('.', normalize(join(dirname(file), specifier))));
        else if (!specifier.startsWith('node:')) libraries.push(`${file} loads ${specifier}`);
      }
    expect(libraries).toEqual([]);
    // Enough of them, or this is not how our files import.
    expect([...known].filter((file) => texts.has(file)).length).toBeGreaterThan(50);
    expect([...known].filter((file) => !texts.has(file))).toEqual([]);
  });
});

describe('the core is pure', () => {
  const banned: readonly (readonly [string, RegExp])[] = [
    ['a node: import', /from 'node:/],
    ['the clock', /\bDate\.now\b|\bnew Date\(\)|\bperformance\./],
    ['randomness', /\bMath\.random\b|\bcrypto\./],
    ['the environment', /\bprocess\./],
    ['waiting', /\bawait\b|\bsetTimeout\b|\bsetInterval\b/],
    ['the console', /\bconsole\./],
  ];
  it.each(banned)('never uses %s', (_, pattern) => {
    const offences = sources
      .filter(({ file }) => coreFolders.includes(folderOf(file)))
      .filter(({ text }) => pattern.test(codeOf(text)))
      .map(({ file }) => file);
    expect(offences).toEqual([]);
  });
});
