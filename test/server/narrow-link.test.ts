import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { loadNative } from '../../src/server/native.ts';

/** Why a network namespace cannot be had here; empty where it can. */
function reasonAgainst(): string {
  const loaded = loadNative();
  if ('reason' in loaded) return ` (skipped: no addon here, ${loaded.reason})`;
  const run = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' });
  return run.status === 0 ? '' : ' (skipped: no network namespaces here, they need root and iproute2)';
}

const skipped = reasonAgainst();

/** Answers one batch for each length, in turn, from a socket of its own; the link takes IPv4 packets up to 1,000 octets. */
function answersOf(lengths: readonly number[]): readonly string[] {
  const child = new URL('./narrow-link-child.ts', import.meta.url).pathname;
  const run = spawnSync('unshare', ['--net', process.execPath, child, ...lengths.map(String)], {
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('');
  return run.stdout.trim().split('\n');
}

describe.skipIf(skipped !== '')(`answers over a link of a narrow MTU${skipped}`, () => {
  it('that are longer than it takes are fragmented one by one, and the shorter go on in groups', () => {
    expect(answersOf([1100, 1100, 500, 1200])).toEqual([
      '1100: 40 answered, in groups, 0 failed',
      '1100: 40 answered, one by one, 0 failed',
      '500: 40 answered, in groups, 0 failed',
      '1200: 40 answered, one by one, 0 failed',
    ]);
  });

  it('leave in groups where they just fit', () => {
    // 20 octets of IPv4 and 8 of UDP.
    expect(answersOf([973, 972, 972])).toEqual([
      '973: 40 answered, in groups, 0 failed',
      '972: 40 answered, in groups, 0 failed',
      '972: 40 answered, in groups, 0 failed',
    ]);
  });
});
