import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Change, Config } from '../../../src/config/model.ts';
import { type Parsed, parsed } from '../../../src/config/problem.ts';
import { GeoTableBuilder } from '../../../src/geo/table-builder.ts';
import { turnedStore } from '../../../src/node/cluster/turned-store.ts';
import { type ControlPlaneParts, NodeControlPlane } from '../../../src/node/control/control-plane.ts';
import type { PreparedDirectory } from '../../../src/node/zones/directory-owner.ts';
import { createVerdictTable } from '../../../src/snapshot/verdict-table.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { ReplicatedStore } from '../../../src/store/replicated-store.ts';
import { testMetadata } from '../../geo/table-of.ts';
import { meet } from '../../store/meet.ts';

/* Reloads and writes side by side. The store is real; nothing is served. */

const by = { author: 'test', reason: 'test' };

let directory: string;
let store: ReplicatedStore;
let plane: NodeControlPlane;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-plane-'));
  store = await openStore({ directory, now: () => new Date(0) });
  const message = {
    generation: 1,
    zones: [],
    maps: [],
    verdicts: createVerdictTable(),
    serverId: new Uint8Array(),
  };
  const parts = {
    store,
    nowMs: () => 0,
    publisher: { build: async () => message, problems: () => [], slotOf: () => 0 },
    health: { configure: () => undefined, health: () => [] },
    outlet: { publish: async () => undefined },
  };
  plane = new NodeControlPlane(
    parts as unknown as ControlPlaneParts,
    new GeoTableBuilder().build(testMetadata),
  );
});

afterEach(async () => {
  await plane.close();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

function dataCenter(name: string, owner: Change['owner']): Change {
  return {
    collection: 'dataCenters',
    key: name,
    owner,
    value: { name, latitude: 1, longitude: 2 },
  };
}

/** A directory with one data center, prepared when it is told to be; notes what its plan was made from. */
function slowDirectory(name: string) {
  const file = { kind: 'directory', file: 'meridian.yaml', line: 1 } as const;
  const begun = Promise.withResolvers<void>();
  const read = Promise.withResolvers<void>();
  const plannedFrom: string[] = [];
  const plan = async (config: Config) => {
    plannedFrom.push([...config.dataCenters.keys()].sort().join());
    return parsed({ changes: [dataCenter(name, file)], shapes: new Map() });
  };
  const prepare = async (): Promise<Parsed<PreparedDirectory>> => {
    begun.resolve();
    await read.promise;
    return parsed({ plan });
  };
  return { prepare, plannedFrom, begun: begun.promise, finish: () => read.resolve() };
}

it('writes while a directory is read, and plans from what was written', async () => {
  const slow = slowDirectory('fra');
  const followed = plane.follow(slow.prepare);
  await slow.begun;
  expect(await plane.write([dataCenter('nrt', { kind: 'api' })], by)).toMatchObject({ ok: true });
  expect(slow.plannedFrom).toEqual([]);
  slow.finish();
  expect(await followed).toEqual([]);
  expect(slow.plannedFrom).toEqual(['nrt']);
  expect([...plane.config.dataCenters.keys()].sort()).toEqual(['fra', 'nrt']);
});

it('carries out one reload before the next one is read', async () => {
  const [first, second] = [slowDirectory('fra'), slowDirectory('iad')];
  const followed = [plane.follow(first.prepare), plane.follow(second.prepare)];
  second.finish();
  await first.begun;
  first.finish();
  await Promise.all(followed);
  expect([...first.plannedFrom, ...second.plannedFrom]).toEqual(['', 'fra']);
});

it('goes on after a reload that failed', async () => {
  const failed = plane.follow(() => Promise.reject(new Error('no disk')));
  const slow = slowDirectory('fra');
  slow.finish();
  const followed = plane.follow(slow.prepare);
  await expect(failed).rejects.toThrow('no disk');
  expect(await followed).toEqual([]);
});

it('takes in what peers say between two writes, never between a check and its commit', async () => {
  const seen: string[] = [];
  const receive = async () => {
    seen.push([...plane.config.dataCenters.keys()].join());
    return { config: store.config, changed: [], refused: [] };
  };
  const turned = turnedStore(Object.assign(Object.create(null), { receive }), plane);
  const first = plane.write([dataCenter('fra', { kind: 'api' })], by);
  const received = turned.receive(store.openExchange(), []);
  const second = plane.write([dataCenter('sin', { kind: 'api' })], by);
  await Promise.all([first, received, second]);
  // Writes that wait together are one turn; outside of turns nothing would be there yet.
  expect(seen).toEqual(['fra,sin']);
});

it('does not make anew what it cannot read', async () => {
  const channel: Change = {
    collection: 'alertChannels',
    key: 'on-call',
    owner: { kind: 'api' },
    value: {
      name: 'on-call',
      description: '',
      url: 'https://alerts.example.net/hook',
      format: 'json',
      secret: 'correct-horse-battery-staple',
      groupSeconds: 5,
      minimumSeverity: 'warning',
    },
  };
  const elsewhere = mkdtempSync(join(tmpdir(), 'meridian-plane-'));
  const other = await openStore({ directory: elsewhere, now: () => new Date(0) });
  await other.commit([channel], by);
  await meet(other, store);
  await other.close();
  rmSync(elsewhere, { recursive: true, force: true });
  const outcome = await plane.write([channel], by);
  expect(outcome).toMatchObject({ ok: false, problems: [{ code: 'sealed-elsewhere' }] });
  expect(store.config.alertChannels.has('on-call')).toBe(false);
  expect(await plane.write([dataCenter('nrt', { kind: 'api' })], by)).toMatchObject({ ok: true });
});
