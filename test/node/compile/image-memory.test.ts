import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allocateImage } from '../../../src/node/compile/image-memory.ts';
import { loadNative } from '../../../src/server/native.ts';

const MIB = 2 ** 20;

/** Octets of our memory for which huge pages were asked: `hg` among the flags of a mapping, see proc(5). */
function advisedOctets(): number {
  let octets = 0;
  for (const mapping of readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    if (/^VmFlags:.* hg\b/m.test(mapping)) octets += 1024 * Number(/^Size:\s+(\d+)/m.exec(mapping)?.[1]);
  }
  return octets;
}

const lacking = 'reason' in loadNative() || !existsSync('/sys/kernel/mm/transparent_hugepage/enabled');

describe('the memory of an image', () => {
  it.each([0, 64, 16 * MIB])('of %i octets is zeroed', (octets) => {
    const image = new Uint8Array(allocateImage(octets));
    expect(image.length).toBe(octets);
    expect(image.every((octet) => octet === 0)).toBe(true);
  });

  it.skipIf(lacking)('is asked for in huge pages where it is large', () => {
    const before = advisedOctets();
    const image = allocateImage(16 * MIB);
    expect(advisedOctets() - before).toBeGreaterThanOrEqual(image.byteLength - 4 * MIB);
  });
});
