import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createContract } from '../../src/config/contract.ts';
import { readDirectory } from '../../src/directory/read-directory.ts';
import { probeKinds } from '../../src/probing/probes/index.ts';

describe('a pipe among the configuration files', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'meridian-'));
    execFileSync('mkfifo', [join(directory, 'meridian.yaml'), join(directory, 'example.org.zone')]);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('is a problem, and nobody waits for its writer', async () => {
    const reading = await readDirectory(directory, createContract(probeKinds));
    const codes = reading.ok ? [] : reading.problems.map(({ code, path }) => `${code} ${path}`);
    expect(codes).toEqual(['not-a-file meridian.yaml', 'not-a-file example.org.zone']);
  });
});
