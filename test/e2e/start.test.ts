import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readBootManifest } from '../../src/node/boot/boot-manifest.ts';
import { imagePath, writeImageFile } from '../../src/node/compile/image-file.ts';
import { eventually } from '../until.ts';
import { askUdp } from './dns-client.ts';
import { commandLine, runMeridian, startNodeProcess, temporaryDirectory } from './node-process.ts';

const data = temporaryDirectory();
afterAll(() => data.remove());

const QUESTION = { name: 'www.example.org', type: 'A' };

const zoneWith = (address: string): string => `
@ 60 IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ 60 IN NS ns1
ns1 60 IN A 192.0.2.53
www 60 IN A ${address}
`;

/** A configuration directory and a data directory that a node has used and left in order. */
async function leftBy(
  name: string,
): Promise<{ readonly where: readonly string[]; readonly data: string; readonly zone: string }> {
  const directory = join(data.path, name);
  const zone = join(directory, 'config', 'zones', 'example.org.zone');
  mkdirSync(join(directory, 'config', 'zones'), { recursive: true });
  writeFileSync(zone, zoneWith('192.0.2.1'));
  const where = ['--data', join(directory, 'data'), '--config', join(directory, 'config')];
  const node = await startNodeProcess(where);
  await node.stop();
  return { where, data: join(directory, 'data'), zone };
}

async function addressAt(port: number): Promise<string | undefined> {
  return (await askUdp(port, QUESTION))?.answers[0]?.text;
}

describe('a start', { timeout: 60_000 }, () => {
  it('answers from what was served last while everything else is still to come', async () => {
    const left = await leftBy('last');
    // Nobody writes into it: the geo table never gets read, and the control plane never opens.
    const pipe = join(data.path, 'geo.mmdb');
    spawnSync('mkfifo', [pipe]);
    const port = await freePort();
    const child = spawn(
      process.execPath,
      [
        commandLine,
        'serve',
        ...left.where,
        '--dns',
        `127.0.0.1:${port}`,
        '--api',
        '127.0.0.1:0',
        '--geo',
        pipe,
      ],
      { stdio: 'ignore' },
    );
    try {
      const address = await eventually(async () => addressSoon(port), {
        withinMs: 20_000,
        what: 'an answer',
      });
      expect(address).toBe('192.0.2.1');
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('goes over to what the configuration says now', async () => {
    const left = await leftBy('changed');
    writeFileSync(left.zone, zoneWith('192.0.2.2'));
    const node = await startNodeProcess(left.where);
    const address = await addressAt(node.dnsPort);
    await node.stop();
    expect(address).toBe('192.0.2.2');
  });

  it('goes on with what was served when the configuration is refused', async () => {
    const left = await leftBy('refused');
    writeFileSync(left.zone, 'this is no zone');
    const node = await startNodeProcess(left.where);
    const address = await addressAt(node.dnsPort);
    await node.stop();
    expect(address).toBe('192.0.2.1');
  });

  const damages: readonly { readonly name: string; readonly damage: (directory: string) => void }[] = [
    { name: 'the manifest', damage: (directory) => spoil(join(directory, 'boot-manifest')) },
    {
      name: 'an image',
      damage: (directory) =>
        spoil(imagePath(join(directory, 'images'), readBootManifest(directory)?.zones[0] ?? '')),
    },
    {
      name: 'the layout of an image',
      damage: (directory) => {
        const name = readBootManifest(directory)?.zones[0] ?? '';
        writeImageFile(imagePath(join(directory, 'images'), name), new SharedArrayBuffer(4096));
      },
    },
    { name: 'the file of verdicts', damage: (directory) => spoil(join(directory, 'verdicts.json')) },
  ];
  it.each(damages)('is a normal one when $name is damaged, and mends it', async ({ name, damage }) => {
    const left = await leftBy(name.replaceAll(' ', '-'));
    damage(left.data);
    const node = await startNodeProcess(left.where);
    const address = await addressAt(node.dnsPort);
    await node.stop();
    expect(address).toBe('192.0.2.1');
    const again = await startNodeProcess(left.where);
    expect(await again.stop()).toBe(0);
    expect(readBootManifest(left.data)?.zones.length).toBe(1);
  });

  it('is refused, before it takes any query, where another node has the data directory', async () => {
    const left = await leftBy('twice');
    const node = await startNodeProcess(left.where);
    const second = await runMeridian(['serve', ...left.where, '--dns', `127.0.0.1:${node.dnsPort}`]);
    expect(await node.stop()).toBe(0);
    expect(second).toMatchObject({ code: 1, output: expect.stringMatching(/in use by process \d+/) });
  });
});

/** Changes the last octet. */
function spoil(path: string): void {
  const octets = readFileSync(path);
  octets[octets.length - 1] = (octets.at(-1) ?? 0) ^ 1;
  writeFileSync(path, octets);
}

async function freePort(): Promise<number> {
  const node = await startNodeProcess(['--data', join(data.path, 'port'), '--config', 'none']);
  await node.stop();
  return node.dnsPort;
}

/** Undefined where nobody listens yet. */
async function addressSoon(port: number): Promise<string | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, 100, undefined));
  return Promise.race([addressAt(port), late]);
}
