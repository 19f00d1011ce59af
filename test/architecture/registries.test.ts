import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rdataKinds } from '../../src/dns/rdata/index.ts';
import { probeKinds } from '../../src/probing/probes/index.ts';
import { policyKinds } from '../../src/steering/policies/index.ts';

const root = join(import.meta.dirname, '..', '..');
const rows = readFileSync(join(root, 'docs', 'extending.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|')[1]?.trim() ?? '');

function filesOf(folder: string): readonly string[] {
  return globSync('*.ts', { cwd: join(root, folder) }).map((file) => basename(file, '.ts'));
}

describe('every kind of a registry has its row in docs/extending.md', () => {
  const registries: readonly { readonly name: string; readonly kinds: readonly string[] }[] = [
    { name: 'probe kinds', kinds: probeKinds.map(({ kind }) => `\`${kind}\``) },
    { name: 'policies', kinds: Object.keys(policyKinds).map((kind) => `\`${kind}\``) },
    { name: 'RR types', kinds: rdataKinds.map(({ mnemonic }) => mnemonic) },
  ];
  it.each(registries)('$name', ({ kinds }) => {
    expect(kinds.length).toBeGreaterThan(0);
    expect(kinds.filter((kind) => !rows.includes(kind))).toEqual([]);
  });
});

describe('every kind has a file of its own', () => {
  it('probe kinds', () => {
    expect(filesOf('src/probing/probes')).toEqual(expect.arrayContaining(probeKinds.map(({ kind }) => kind)));
  });
  it('RR types', () => {
    const files = filesOf('src/dns/rdata');
    expect(files).toEqual(expect.arrayContaining(rdataKinds.map(({ mnemonic }) => mnemonic.toLowerCase())));
  });
});

describe('the glossary', () => {
  /** Our word stands first; the others mean the same and are not used in code that people read. */
  const synonyms: readonly (readonly [string, RegExp])[] = [
    ['data center', /\bPoPs?\b|datacenter|datacentre/],
    ['node, peer', /\bmaster (?:node|server)|\bslaves?\b/i],
    ['steered name', /\bgslb\b/i],
    ['fail open', /\bpanic\b/i],
    ['policy', /\bload[ -]?balanc/i],
  ];
  const sources = globSync('src/**/*.{ts,tsx}', { cwd: root });
  it.each(synonyms)('says "%s"', (_, banned) => {
    const offences = sources.filter((file) => banned.test(readFileSync(join(root, file), 'utf8')));
    expect(offences).toEqual([]);
  });
});
