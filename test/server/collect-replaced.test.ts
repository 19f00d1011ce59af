import { expect, it } from 'vitest';
import { createCollectReplaced } from '../../src/server/collect-replaced.ts';

const OCTETS = 20_000_000;

it('frees what was replaced, from the first to the last', async () => {
  const collectReplaced = createCollectReplaced();
  const before = process.memoryUsage().arrayBuffers;
  // Not shared, as images are: of these the system tells how many there are.
  const held = { image: new ArrayBuffer(OCTETS) };
  for (let round = 0; round < 5; round++) {
    held.image = new ArrayBuffer(OCTETS);
    await new Promise((resolve) => setImmediate(resolve));
    collectReplaced();
    const images = (process.memoryUsage().arrayBuffers - before) / OCTETS;
    // One in use, and one whose memory a thread of the collector may still be giving back.
    expect(Math.round(images), `round ${round}`).toBeLessThanOrEqual(2);
  }
  expect(held.image.byteLength).toBe(OCTETS);
});
