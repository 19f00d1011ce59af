import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { countImage } from '../../../src/node/compile/count-image.ts';

const OCTETS = 50_000_000;

it('counts an image at its size, once, and no longer than it lives', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().external;
  let image: SharedArrayBuffer | undefined = new SharedArrayBuffer(OCTETS);
  countImage(image);
  countImage(image);
  const counted = process.memoryUsage().external - before;
  expect(Math.round(counted / OCTETS)).toBe(1);
  image = undefined;
  // What a finished turn of the event loop still holds is gone some turns later.
  do {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  } while (process.memoryUsage().external - before >= OCTETS / 2);
});
