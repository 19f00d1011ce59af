import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GeoTableBuilder } from '../../../src/geo/table-builder.ts';
import { BootedImages } from '../../../src/node/boot/booted-images.ts';
import { Compiler } from '../../../src/node/compile/compiler.ts';
import { Publisher } from '../../../src/node/compile/publisher.ts';
import { createVerdictTable } from '../../../src/snapshot/verdict-table.ts';
import { blobHash } from '../../../src/store/blobs.ts';
import { configOf, FILE } from '../../config/config-fixture.ts';
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

it('compiles a zone whose blob has come, though the configuration is the same', async () => {
  const blobs = new Map<string, Uint8Array>();
  const publisher = new Publisher({
    compiler,
    blobText: (hash) => blobs.get(hash),
    hasBlob: (hash) => blobs.has(hash),
    compiledFile: () => undefined,
    booted: new BootedImages([]),
    verdicts: createVerdictTable(),
    serverId: new Uint8Array(),
    remembered: undefined,
  });
  const geoTable = new GeoTableBuilder().build(testMetadata);
  const text = new TextEncoder().encode(
    '$ORIGIN example.net.\n$TTL 60\n@ IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ IN NS ns1.example.org.\n',
  );
  const blob = blobHash(text);
  const value = { kind: 'blob', name: 'example.net.', blob, rrsetCount: 2 } as const;
  const fromFile = configOf({ collection: 'zones', key: 'example.net.', owner: FILE, value });
  expect((await publisher.build(fromFile, geoTable)).zones).toEqual([]);
  expect(publisher.problems().map(({ code }) => code)).toEqual(['missing-blob']);

  blobs.set(blob, text);
  const { zones } = await publisher.build(fromFile, geoTable);
  expect([zones.length, publisher.problems()]).toEqual([1, []]);
  expect((await publisher.build(fromFile, geoTable)).zones).toEqual(zones);
});
