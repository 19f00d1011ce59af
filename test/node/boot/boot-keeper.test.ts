import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BootKeeper } from '../../../src/node/boot/boot-keeper.ts';
import type { BootManifest } from '../../../src/node/boot/boot-manifest.ts';
import type { ServedImages } from '../../../src/node/compile/compile-job.ts';
import type { SnapshotMessage } from '../../../src/snapshot/snapshot.ts';

function snapshotOf(...zones: readonly SharedArrayBuffer[]): SnapshotMessage {
  return {
    generation: 1,
    zones,
    maps: [],
    verdicts: new Uint8Array(new SharedArrayBuffer(0)),
    serverId: new Uint8Array(),
  };
}

const one = new SharedArrayBuffer(1);
const two = new SharedArrayBuffer(2);

/** What the compile thread was told to keep, images as their lengths. */
let kept: (readonly (number | string)[])[];
let failures: unknown[];
let failing: boolean;
let keeper: BootKeeper;

beforeEach(() => {
  vi.useFakeTimers();
  kept = [];
  failures = [];
  failing = false;
  const nameOf = (image: SharedArrayBuffer | string): string =>
    typeof image === 'string' ? image : `image of ${image.byteLength}`;
  const run = async ({ served }: { readonly served: ServedImages }): Promise<BootManifest> => {
    if (failing) throw new Error('the disk is full');
    kept.push(served.zones.map((image) => (typeof image === 'string' ? image : image.byteLength)));
    return { ...served, zones: served.zones.map(nameOf), maps: [] };
  };
  keeper = new BootKeeper({
    compiler: { run: run as never },
    numbers: () => ({ dataCenters: [], slots: [] }),
    onFailure: (error) => failures.push(error),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('what is served', () => {
  it('is kept once after a burst of publications, the last one only', async () => {
    keeper.published(snapshotOf(one));
    await vi.advanceTimersByTimeAsync(500);
    keeper.published(snapshotOf(two));
    await vi.advanceTimersByTimeAsync(999);
    expect(kept).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(kept).toEqual([[2]]);
  });

  it('is kept every ten seconds when publications never pause', async () => {
    for (let halfSeconds = 0; halfSeconds < 50; halfSeconds++) {
      keeper.published(snapshotOf(one));
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(kept.length).toBe(2);
  });

  it('is named where it is on disk already', async () => {
    keeper.know([one], ['known']);
    keeper.published(snapshotOf(one, two));
    await keeper.flush();
    keeper.published(snapshotOf(one, two));
    await keeper.flush();
    expect(kept).toEqual([
      ['known', 2],
      ['known', 'image of 2'],
    ]);
  });

  it('is not kept again when nothing was published', async () => {
    keeper.published(snapshotOf(one));
    await keeper.flush();
    await keeper.flush();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kept.length).toBe(1);
  });

  it('is no failure of the node when the disk does not take it', async () => {
    failing = true;
    keeper.published(snapshotOf(one));
    await keeper.flush();
    expect(String(failures)).toContain('full');
    failing = false;
    keeper.published(snapshotOf(one));
    await keeper.flush();
    expect(kept).toEqual([[1]]);
  });
});
