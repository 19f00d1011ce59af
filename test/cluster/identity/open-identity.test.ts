import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { keepIdentity, openIdentity } from '../../../src/cluster/identity/open-identity.ts';
import { Stage } from './given.ts';

const stage = new Stage();
afterEach(() => {
  vi.useRealTimers();
  return stage.clear();
});

async function opened(dataDirectory: string): Promise<string> {
  const members = await stage.members();
  const quiet = { now: stage.now, log: () => undefined, onRenewed: () => undefined, onLeft: () => undefined };
  const identity = await openIdentity({ dataDirectory, members, ...quiet });
  if (!identity.ok) return identity.problems.map(({ code }) => code).join();
  return identity.value?.overview().name ?? 'none';
}

it('opens what is there, nothing where nothing is, and tells what is wrong', async () => {
  const { dataDirectory } = await stage.firstNode();
  expect([await opened(dataDirectory), await opened(stage.directory())]).toEqual(['fra-1', 'none']);
  rmSync(join(dataDirectory, 'cluster', 'node.key'));
  expect(await opened(dataDirectory)).toBe('bad-cluster-file');
});

it('looks at once and every ten minutes, until it is stopped', async () => {
  vi.useFakeTimers();
  const looks: string[] = [];
  const kept = keepIdentity({
    renewIfDue: async () => looks.push('renew') > 0,
    announce: async () => void looks.push('announce'),
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(looks).toEqual(['renew', 'announce']);
  await vi.advanceTimersByTimeAsync(20 * 60_000);
  expect(looks.length).toBe(6);
  kept.stop();
  await vi.advanceTimersByTimeAsync(60 * 60_000);
  expect(looks.length).toBe(6);
});
