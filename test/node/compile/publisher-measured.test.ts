import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GeoTableBuilder } from '../../../src/geo/table-builder.ts';
import { BootedImages } from '../../../src/node/boot/booted-images.ts';
import { Compiler } from '../../../src/node/compile/compiler.ts';
import { Publisher } from '../../../src/node/compile/publisher.ts';
import { createVerdictTable } from '../../../src/snapshot/verdict-table.ts';
import { type MeasuredFigures, NOTHING_MEASURED } from '../../../src/steering/measured.ts';
import { configOf, fra, sin, web, write, www, zone } from '../../config/config-fixture.ts';
import { temporaryDirectory } from '../../e2e/node-process.ts';
import { testMetadata } from '../../geo/table-of.ts';

const directory = temporaryDirectory();
let compiler: Compiler;
beforeAll(() => {
  compiler = new Compiler(join(directory.path, 'images'));
});
afterAll(async () => {
  await compiler.close();
  directory.remove();
});

const config = configOf(
  write('dataCenters', fra),
  write('dataCenters', sin),
  write('pools', web),
  write('policies', { name: 'closest', rank: { kind: 'nearest' } }),
  write('policies', { name: 'fastest', rank: { kind: 'latency' } }),
  write('zones', zone),
  write('steeredNames', { ...www, policy: 'closest' }),
  write('steeredNames', { ...www, name: 'fast.example.org.', policy: 'fastest' }),
);

const measured: MeasuredFigures = {
  dataCenters: ['fra', 'sin'],
  groups: ['192.0.2.0/24'],
  milliseconds: [90, 20],
};

it('compiles the maps that rank by latency anew, and neither the others nor any zone', async () => {
  const publisher = new Publisher({
    compiler,
    blobText: () => undefined,
    hasBlob: () => false,
    compiledFile: () => undefined,
    booted: new BootedImages([]),
    verdicts: createVerdictTable(),
    serverId: new Uint8Array(),
    remembered: undefined,
  });
  const geoTable = new GeoTableBuilder().build(testMetadata);
  const first = await publisher.build(config, geoTable, NOTHING_MEASURED);
  expect(first.maps).toHaveLength(2);

  await publisher.prepareMaps(config, { geoTable, measured });
  const second = await publisher.build(config, geoTable, measured);
  const same = second.maps.map((map, number) => map === first.maps[number]);
  // Under the same number, so that zones need not know.
  expect(same.toSorted()).toEqual([false, true]);
  expect(second.maps).toHaveLength(2);
  expect(second.zones.map((image, at) => image === first.zones[at])).toEqual([true]);
  expect(publisher.problems()).toEqual([]);

  // A build without a change in between keeps all of them, and going back is another change.
  const third = await publisher.build(config, geoTable, measured);
  expect(third.maps.map((map, number) => map === second.maps[number])).toEqual([true, true]);
  const last = await publisher.build(config, geoTable, NOTHING_MEASURED);
  expect(last.maps.map((map, number) => map === third.maps[number])).toEqual(same);
});
