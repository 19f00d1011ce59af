/* Compile time and image size of zones of 10,000 and 100,000 RRsets. */
import { cpus } from 'node:os';
import { compileZone } from '../src/snapshot/compile-zone.ts';
import { staticRRsets, wireName } from './respond-world.ts';

const ROUNDS = 5;

console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`);
for (const count of [10_000, 100_000]) {
  const rrsets = staticRRsets(count);
  const apex = wireName('example.org.');
  let best = Number.POSITIVE_INFINITY;
  let octets = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    octets = compileZone({ apex, rrsets, steeredNames: [] }).image.byteLength;
    best = Math.min(best, Number(process.hrtime.bigint() - start));
  }
  const size = `${(octets / 2 ** 20).toFixed(1)} MiB, ${(octets / count).toFixed(0)} octets per RRset`;
  console.log(
    `${count.toLocaleString('en').padStart(9)} RRsets ${(best / 1e6).toFixed(0).padStart(6)} ms ${size}`,
  );
}
