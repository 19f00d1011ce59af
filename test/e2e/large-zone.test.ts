import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiClient, apiClient } from './api-client.ts';
import { addressesOf, askUdp } from './dns-client.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

/* A zone of the API that is too large for one document and for compiling it with every write. */

const COUNT = 3000;
const BATCH = 1000;
const NXDOMAIN = 3;
const RRSETS = '/v1/zones/example.org/rrsets';

const data = temporaryDirectory();
let node: NodeProcess;
let api: ApiClient;

beforeAll(async () => {
  node = await startNodeProcess(['--data', data.path, '--config', 'none']);
  api = apiClient(node.api);
  await api.put('/v1/zones/example.org', { nameServers: ['ns1.example.net'] });
  for (let first = 0; first < COUNT; first += BATCH) {
    const set = Array.from({ length: BATCH }, (_, i) => ({
      name: `h${first + i}.example.org`,
      type: 'A',
      ttlSeconds: 300,
      records: ['192.0.2.1'],
    }));
    const answer = await api.send('PATCH', RRSETS, { set });
    expect([answer.status, await answer.json()]).toEqual([200, { set: BATCH, deleted: 0 }]);
  }
}, 120_000);

afterAll(async () => {
  await node?.stop();
  data.remove();
});

function addresses(host: string): Promise<readonly string[]> {
  return addressesOf(node.dnsPort, { name: `${host}.example.org`, type: 'A' });
}

async function outcome(host: string): Promise<number | undefined> {
  return (await askUdp(node.dnsPort, { name: `${host}.example.org`, type: 'A' }))?.rcode;
}

function putAddress(host: string, address: string): Promise<unknown> {
  return api.put(`${RRSETS}/${host}.example.org/A`, { ttlSeconds: 300, records: [address] });
}

describe('a zone of thousands of RRsets', () => {
  it('answers each write as soon as it is acknowledged', async () => {
    for (let i = 0; i < 40; i++) {
      const host = i % 4 === 3 ? `new${i}` : `h${(i * 617) % COUNT}`;
      await putAddress(host, `198.51.100.${i}`);
      expect(await addresses(host)).toEqual([`198.51.100.${i}`]);
    }
  });

  it('takes a name away with its last RRset, and has it again', async () => {
    await api.remove(`${RRSETS}/h7.example.org/A`);
    expect(await outcome('h7')).toBe(NXDOMAIN);
    await putAddress('h7', '198.51.100.7');
    expect(await addresses('h7')).toEqual(['198.51.100.7']);
  });

  it('delegates, and answers on below and beside', async () => {
    await api.put(`${RRSETS}/sub.example.org/NS`, { ttlSeconds: 300, records: ['ns.example.net.'] });
    const below = await askUdp(node.dnsPort, { name: 'x.sub.example.org', type: 'A' });
    expect(below?.authorities.map(({ text }) => text)).toEqual(['ns.example.net.']);
    await putAddress('h8', '198.51.100.8');
    expect(await addresses('h8')).toEqual(['198.51.100.8']);
    await api.remove(`${RRSETS}/sub.example.org/NS`);
    expect(await outcome('x.sub')).toBe(NXDOMAIN);
  });

  it('counts the serial up with every write', async () => {
    const serial = async (): Promise<number> => {
      const answer = await askUdp(node.dnsPort, { name: 'example.org', type: 'SOA' });
      return Number(answer?.answers[0]?.text.split(' ')[2]);
    };
    const before = await serial();
    await putAddress('h9', '198.51.100.9');
    expect(await serial()).toBe(before + 1);
  });

  it('takes many writes at once', async () => {
    const hosts = Array.from({ length: 60 }, (_, i) => `many${i}`);
    await Promise.all(hosts.map((host, i) => putAddress(host, `203.0.113.${i}`)));
    const found = await Promise.all(hosts.map(addresses));
    expect(found.flat()).toEqual(hosts.map((_, i) => `203.0.113.${i}`));
  });

  it('has all of it after a crash', { timeout: 60_000 }, async () => {
    await putAddress('last', '198.51.100.200');
    await node.stop('SIGKILL');
    node = await startNodeProcess(['--data', data.path, '--config', 'none']);
    api = apiClient(node.api);
    const asked = ['last', 'h7', 'h8', 'many59', `h${COUNT - 1}`];
    expect((await Promise.all(asked.map(addresses))).flat()).toEqual([
      '198.51.100.200',
      '198.51.100.7',
      '198.51.100.8',
      '203.0.113.59',
      '192.0.2.1',
    ]);
    await putAddress('after', '198.51.100.201');
    expect(await addresses('after')).toEqual(['198.51.100.201']);
  });
});
