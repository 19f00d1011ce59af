import { afterAll, describe, expect, it } from 'vitest';
import { apiClient } from './api-client.ts';
import { addressesOf } from './dns-client.ts';
import { startNodeProcess, temporaryDirectory } from './node-process.ts';

const WRITES = 1000;
/** As many as a busy pipeline has under way at once. */
const CONCURRENT = 8;

const data = temporaryDirectory();
afterAll(() => data.remove());

function addressOf(write: number): string {
  return `198.51.${100 + (write >> 8)}.${write & 0xff}`;
}

describe('a node killed in the middle of writes', () => {
  it('has every acknowledged write when it starts again', { timeout: 120_000 }, async () => {
    const first = await startNodeProcess(['--data', data.path, '--config', 'none']);
    const api = apiClient(first.api);
    await api.put('/v1/zones/example.org', { name: 'example.org', nameServers: ['ns1.example.org'] });
    const acknowledged: number[] = [];
    // Somewhere in the middle, and elsewhere in every run; the failure message shows how many were acknowledged.
    const killAt = 200 + Math.floor(Math.random() * (WRITES - 400));
    let next = 0;
    async function writeOn(): Promise<void> {
      while (next < WRITES) {
        const write = next++;
        const name = `w${write}.example.org`;
        try {
          await api.put(`/v1/zones/example.org/rrsets/${name}/A`, {
            name,
            type: 'A',
            ttlSeconds: 60,
            records: [addressOf(write)],
          });
        } catch {
          return;
        }
        acknowledged.push(write);
        if (acknowledged.length === killAt) first.signal('SIGKILL');
      }
    }
    await Promise.all(Array.from({ length: CONCURRENT }, writeOn));
    await first.stop('SIGKILL');

    const second = await startNodeProcess(['--data', data.path, '--config', 'none']);
    const lost: number[] = [];
    for (const write of acknowledged) {
      const answer = await addressesOf(second.dnsPort, { name: `w${write}.example.org`, type: 'A' });
      if (answer[0] !== addressOf(write)) lost.push(write);
    }
    await second.stop();
    expect({ lost, enough: acknowledged.length >= killAt }).toEqual({ lost: [], enough: true });
  });
});
