import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DelayedView, INPUT_DELAY_MS, MOMENT_MS } from '../../../src/node/cluster/delayed-view.ts';
import type { ReplicatedStore } from '../../../src/store/replicated-store.ts';
import { alice, dataCenter, open } from '../../store/given.ts';

let directory: string;
let store: ReplicatedStore;
let steadyMs: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-delayed-'));
  store = await open(join(directory, 'store'));
  steadyMs = 0;
});

afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const file = (): string => join(directory, 'delayed-input.json');

function start(): DelayedView {
  const log = { warn: () => undefined };
  return new DelayedView({ store, file: file(), steadyMs: () => steadyMs, log });
}

/** Lets minutes pass, one by one. */
async function pass(view: DelayedView, ms: number): Promise<void> {
  for (const endMs = steadyMs + ms; steadyMs < endMs; steadyMs += MOMENT_MS) await view.step();
  await view.step();
}

const served = (view: DelayedView): readonly string[] => [...view.config.dataCenters.keys()];

describe('a node with delayed input', () => {
  it('serves what it gets while it knows nothing older', async () => {
    const view = start();
    await view.step();
    await store.commit([dataCenter('fra', 1)], alice);
    expect(served(view)).toEqual(['fra']);
  });

  it('serves what was there an hour ago', async () => {
    await store.commit([dataCenter('fra', 1)], alice);
    const view = start();
    await pass(view, INPUT_DELAY_MS + 2 * MOMENT_MS);
    await store.commit([dataCenter('sin', 1)], alice);
    await pass(view, INPUT_DELAY_MS - 2 * MOMENT_MS);
    expect(served(view)).toEqual(['fra']);
    await pass(view, 4 * MOMENT_MS);
    expect(served(view)).toEqual(['fra', 'sin']);
  });

  it('goes on with its hour over a restart, whatever the clock says', async () => {
    await store.commit([dataCenter('fra', 1)], alice);
    const before = start();
    await pass(before, INPUT_DELAY_MS + 2 * MOMENT_MS);
    await store.commit([dataCenter('sin', 1)], alice);
    await pass(before, MOMENT_MS);
    const after = start();
    await after.step();
    expect(served(after)).toEqual(['fra']);
    await pass(after, INPUT_DELAY_MS + 2 * MOMENT_MS);
    expect(served(after)).toEqual(['fra', 'sin']);
  });

  it('begins anew where what it kept cannot be read', async () => {
    writeFileSync(file(), '{"ranMs": -1}');
    await store.commit([dataCenter('fra', 1)], alice);
    const view = start();
    await view.step();
    expect(served(view)).toEqual(['fra']);
  });
});
