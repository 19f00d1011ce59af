import { expect, it } from 'vitest';
import { DnsOutlet } from '../../src/node/dns-outlet.ts';
import type { DnsServer } from '../../src/server/serve-dns.ts';
import type { SnapshotMessage } from '../../src/snapshot/snapshot.ts';

it('sends a snapshot to the server only where a part of it is another', async () => {
  const [zone, other, map] = [1, 2, 3].map((octets) => new SharedArrayBuffer(octets)) as [
    SharedArrayBuffer,
    SharedArrayBuffer,
    SharedArrayBuffer,
  ];
  const shared = { verdicts: new Uint8Array(new SharedArrayBuffer(1)), serverId: new Uint8Array() };
  const sent: number[] = [];
  const outlet = new DnsOutlet(async ({ generation }) => {
    sent.push(generation);
    const publish = async (snapshot: SnapshotMessage): Promise<void> => void sent.push(snapshot.generation);
    return { publish } as DnsServer;
  });
  const told: number[] = [];
  outlet.onPublished(({ generation }) => told.push(generation));
  await outlet.publish({ generation: 1, zones: [zone], maps: [undefined, map], ...shared });
  await outlet.publish({ generation: 2, zones: [zone], maps: [undefined, map], ...shared });
  await outlet.publish({ generation: 3, zones: [other], maps: [undefined, map], ...shared });
  await outlet.publish({ generation: 4, zones: [other], maps: [map], ...shared });
  await outlet.publish({ generation: 5, zones: [other, zone], maps: [map], ...shared });
  expect(sent).toEqual([1, 3, 4, 5]);
  // What is kept for the next start has numbers, too.
  expect(told).toEqual([1, 2, 3, 4, 5]);
});
