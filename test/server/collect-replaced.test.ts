import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openCollector } from '../../src/collector.ts';
import { createCollectReplaced, replacedOctets } from '../../src/server/collect-replaced.ts';
import type { SnapshotMessage } from '../../src/snapshot/snapshot.ts';

const MIB = 1024 ** 2;
/** A thread of the collector gives memory back after the collection; far more turns than that takes. */
const MAX_TURNS = 10_000;

describe('when replaced images are collected', () => {
  const cases: readonly { name: string; given: readonly number[]; want: string }[] = [
    { name: 'nothing was replaced', given: [0, 0, 0], want: '- - -' },
    { name: 'small zones wait', given: [1, 1, 1], want: '- - -' },
    { name: 'small zones add up', given: [16, 15, 1, 16, 16], want: '- - minor - minor' },
    { name: 'a large image is collected at once', given: [40, 1, 40], want: 'minor - minor' },
    {
      name: 'what minor ones may have missed adds up, too',
      given: [100, 100, 100, 100, 100, 100],
      want: 'minor minor major minor minor major',
    },
    { name: 'one that is larger than all that may wait', given: [300, 31], want: 'major -' },
  ];
  for (const { name, given, want } of cases) {
    it(name, () => {
      let collected = '-';
      const collectReplaced = createCollectReplaced(({ type }) => {
        collected = type;
      });
      const did = given.map((octets) => {
        collected = '-';
        collectReplaced(octets * MIB);
        return collected;
      });
      expect(did.join(' ')).toBe(want);
    });
  }
});

it('frees what had grown old before it was replaced', async () => {
  const octets = 64 * MIB;
  const collect = openCollector();
  const collectReplaced = createCollectReplaced(collect);
  const before = process.memoryUsage().arrayBuffers;
  const images = (): number => Math.round((process.memoryUsage().arrayBuffers - before) / octets);
  // Not shared, as images are: of these the system tells how many there are.
  const held = { image: new ArrayBuffer(octets) };
  for (let young = 0; young < 3; young++) collect({ type: 'minor' });
  // As many as may be left behind, and no more.
  for (let replaced = 0; replaced < 4; replaced++) {
    held.image = new ArrayBuffer(octets);
    await turn();
    collectReplaced(octets);
  }
  for (let turns = 0; turns < MAX_TURNS && images() > 1; turns++) await turn();
  expect(images()).toBe(1);
  expect(held.image.byteLength).toBe(octets);
});

describe('replacedOctets', () => {
  const [small, large, map] = [1, 20, 300].map((octets) => new SharedArrayBuffer(octets)) as [
    SharedArrayBuffer,
    SharedArrayBuffer,
    SharedArrayBuffer,
  ];
  const snapshotOf = (
    zones: readonly SharedArrayBuffer[],
    maps: readonly (SharedArrayBuffer | undefined)[],
  ): SnapshotMessage => ({
    generation: 1,
    zones,
    maps,
    verdicts: new Uint8Array(new SharedArrayBuffer(1)),
    serverId: new Uint8Array(),
  });
  const before = snapshotOf([small, large], [undefined, map]);
  const cases = [
    { name: 'the same images', given: snapshotOf([small, large], [undefined, map]), want: 0 },
    { name: 'at other places', given: snapshotOf([large, small], [map]), want: 0 },
    { name: 'a zone is another', given: snapshotOf([small, new SharedArrayBuffer(5)], [map]), want: 20 },
    { name: 'a map is gone', given: snapshotOf([small, large], []), want: 300 },
  ];
  for (const { name, given, want } of cases)
    it(name, () => {
      expect(replacedOctets(before, given)).toBe(want);
    });
});
